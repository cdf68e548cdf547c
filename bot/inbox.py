"""Works the inbox off: in order within a chat, chats side by side, at least once each.

A chat with a long backlog, whose answers wait for its own limits, holds one place of many; and where
places are short, the chat that was served longest ago comes first.

An update whose handler fails is tried again; later updates of the same chat wait for it, other chats
do not. After the last try it is set aside, loudly, and the person gets one apology with a reference.
"""

import asyncio
import itertools
import json
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from telegram import Update
from telegram.ext import Application

from bot import metrics, updates
from bot.chosen import language_for
from bot.errors import PutOff
from bot.labels import Handled
from bot.lanes import Lanes
from bot.messages import Chat, Target
from bot.texts import Say
from storage.clock import Clock
from storage.store import StoreError, TaskStore
from storage.tasks import InboxRow, Topic

log = structlog.get_logger(__name__)

TRIES: Final = 3
_RETRY_DELAYS: Final = (1.0, 5.0)
"""Seconds before the second and the third try: all are over within 10 s."""
_STORE_DELAY: Final = 5.0
"""Seconds before an update is handled again whose handler met a failing store."""
AT_ONCE: Final = 200
"""So many chats are served side by side: most of them only wait for their answer's turn."""
_LOOKED_AT: Final = 500
"""Of so many chats it is seen whose turn it is: those in hand are among them."""
_REMEMBERED: Final = 10_000
"""Of so many chats it is known when they were served last."""
_OVERDUE_LOOK: Final = 1.0
"""Seconds after which to look again where what is due finds no place, or is not seen yet."""

_Key = tuple[int, int | None]


class RaisingApplication(Application[Any, Any, Any, Any, Any, Any]):
    """An Application whose `process_update` raises what a handler raised.

    The one of the library returns as if nothing had happened, once the error handlers have run.
    """

    async def process_error(
        self, update: object, error: Exception, job: Any = None, coroutine: Any = None
    ) -> bool:
        """Run the error handlers, then raise."""
        if not isinstance(error, PutOff):
            await super().process_error(update, error, job, coroutine)
        raise error


class Inbox:
    """The loop that hands updates to the handlers."""

    def __init__(
        self,
        *,
        application: RaisingApplication,
        store: TaskStore,
        chat: Chat,
        clock: Clock,
    ) -> None:
        self._application = application
        self._store = store
        self._chat = chat
        self._clock = clock
        self._lanes: Lanes[_Key] = Lanes(AT_ONCE, ended=lambda: store.wake(Topic.INBOX))
        self._in_hand: set[tuple[int, int]] = set()
        self._served: dict[_Key, int] = {}
        self._turns = itertools.count()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop, then finish what is in hand."""
        self._in_hand.clear()
        async with self._lanes:
            while not stop.is_set():
                self._lanes.check()
                mark = self._store.mark(Topic.INBOX)
                now = self._clock.now()
                for row in await self._next(now):
                    self._begin(row)
                due = await self._store.next_inbox_due(busy=self._lanes.busy)
                seconds = None if due is None else (due - now).total_seconds()
                if seconds is not None and seconds <= 0:
                    seconds = _OVERDUE_LOOK
                await self._store.wait(Topic.INBOX, since=mark, seconds=seconds)

    async def _next(self, now: datetime) -> list[InboxRow]:
        """Give what can be begun now, an update a chat: first the chats served longest ago."""
        free, busy = self._lanes.free, self._lanes.busy
        if not free:
            return []
        heads = await self._store.inbox_heads(now, limit=_LOOKED_AT)
        rows: dict[_Key, InboxRow] = {}
        for row in heads:
            # a group that moved has another key now, and may still be in hand
            if _key(row) not in busy and (row.bot_id, row.update_id) not in self._in_hand:
                rows.setdefault(_key(row), row)
        return sorted(rows.values(), key=lambda row: self._served.get(_key(row), -1))[:free]

    def _begin(self, row: InboxRow) -> None:
        key = _key(row)
        self._served.pop(key, None)
        self._served[key] = next(self._turns)
        if len(self._served) > _REMEMBERED:
            del self._served[next(iter(self._served))]
        self._in_hand.add((row.bot_id, row.update_id))
        self._lanes.start(key, self._work_off(row), update=row.update_id)

    async def _work_off(self, row: InboxRow) -> None:
        try:
            await self._handle(row)
        finally:
            self._in_hand.discard((row.bot_id, row.update_id))

    async def _handle(self, row: InboxRow) -> None:
        try:
            update = _parse(row, self._application)
        except Exception as exc:
            # A form of update that the library cannot read will not become readable by waiting.
            log.exception("update_unreadable")
            await self._set_aside(row, exc)
            return
        try:
            await self._application.process_update(update)
        except PutOff as exc:
            await self._again_or_aside(row, exc, seconds=exc.seconds, failed=exc.failed)
        except StoreError as exc:
            # no fault of the update: it is not given up for it
            await self._again_or_aside(row, exc, seconds=_STORE_DELAY, failed=False)
        except Exception as exc:
            delay = _RETRY_DELAYS[min(row.tries, len(_RETRY_DELAYS) - 1)]
            await self._again_or_aside(row, exc, seconds=delay, failed=True)
        else:
            await self._store.inbox_done(row, self._clock.now())
            metrics.updates_handled.labels(Handled.DONE).inc()

    async def _again_or_aside(
        self, row: InboxRow, error: Exception, *, seconds: float, failed: bool
    ) -> None:
        if failed and row.tries + 1 >= TRIES:
            await self._set_aside(row, error)
            return
        metrics.updates_handled.labels(Handled.PUT_OFF).inc()
        due_at = self._clock.now() + timedelta(seconds=seconds)
        await self._store.inbox_defer(row, due_at=due_at, error=repr(error), failed=failed)

    async def _set_aside(self, row: InboxRow, error: Exception) -> None:
        log.error("update_set_aside", why=type(error).__name__)
        metrics.updates_handled.labels(Handled.SET_ASIDE).inc()
        await self._store.inbox_set_aside(row, error=repr(error), now=self._clock.now())
        person = _person(row)
        if person is not None:
            language = await language_for(self._store, person, person, updates.language_in(row.raw))
            # once, whatever becomes of it: an apology is not worth a loop of its own
            await self._chat.say(
                Target(chat_id=person),
                Say("sorry", {"reference": f"U{row.update_id}"}),
                language=language,
            )


def _key(row: InboxRow) -> _Key:
    return (row.bot_id, row.chat_id)


def _parse(row: InboxRow, application: RaisingApplication) -> Update:
    update = Update.de_json(json.loads(row.raw), application.bot)
    update.effective_message  # noqa: B018 - these two read parts that are only parsed when asked for
    update.effective_user  # noqa: B018
    return update


def _person(row: InboxRow) -> int | None:
    """Give the private chat to apologise to: a group is not bothered with it."""
    return row.chat_id if row.chat_id is not None and row.chat_id > 0 else None
