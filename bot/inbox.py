"""Works the inbox off: in order within a chat, chats side by side, at least once each.

An update whose handler fails is tried again; later updates of the same chat wait for it, other chats
do not. After the last try it is set aside, loudly, and the person gets one apology with a reference.
"""

import asyncio
import json
from datetime import timedelta
from typing import Any, Final

import structlog
from telegram import Update
from telegram.ext import Application

from bot.messages import Chat, Target
from bot.texts import Say
from storage.clock import Clock
from storage.store import TaskStore
from storage.tasks import InboxRow, Topic

log = structlog.get_logger(__name__)

TRIES: Final = 3
_RETRY_DELAYS: Final = (1.0, 5.0)
"""Seconds before the second and the third try: all are over within 10 s."""
_AT_ONCE: Final = 16
"""So many chats are served side by side."""


class PutOff(Exception):
    """A handler's answer could not be sent now: the update is to be handled again later.

    `failed` says whether that counts as a failed try. It does not when Telegram surely did not get
    the answer: an outage must not make anybody's message be given up.
    """

    def __init__(self, seconds: float, *, failed: bool = False) -> None:
        super().__init__(f"again in {seconds} s")
        self.seconds = seconds
        self.failed = failed


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
        self._busy: set[tuple[int, int | None]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop, then finish what is in hand."""
        async with asyncio.TaskGroup() as work:
            while not stop.is_set():
                mark = self._store.mark(Topic.INBOX)
                now = self._clock.now()
                free = _AT_ONCE - len(self._busy)
                # chats in hand are still among the heads: ask for enough to see past them
                heads = await self._store.inbox_heads(now, limit=_AT_ONCE + len(self._busy))
                for row in [row for row in heads if _key(row) not in self._busy][: max(free, 0)]:
                    self._busy.add(_key(row))
                    work.create_task(self._work_off(row))
                due = await self._store.next_inbox_due()
                seconds = None if due is None else max(0.05, (due - now).total_seconds())
                await self._store.wait(Topic.INBOX, since=mark, seconds=seconds)

    async def _work_off(self, row: InboxRow) -> None:
        try:
            with structlog.contextvars.bound_contextvars(update=row.update_id):
                await self._handle(row)
        finally:
            self._busy.discard(_key(row))
            self._store.wake(Topic.INBOX)

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
        except Exception as exc:
            delay = _RETRY_DELAYS[min(row.tries, len(_RETRY_DELAYS) - 1)]
            await self._again_or_aside(row, exc, seconds=delay, failed=True)
        else:
            await self._store.inbox_done(row, self._clock.now())

    async def _again_or_aside(
        self, row: InboxRow, error: Exception, *, seconds: float, failed: bool
    ) -> None:
        if failed and row.tries + 1 >= TRIES:
            await self._set_aside(row, error)
            return
        due_at = self._clock.now() + timedelta(seconds=seconds)
        await self._store.inbox_defer(row, due_at=due_at, error=repr(error), failed=failed)

    async def _set_aside(self, row: InboxRow, error: Exception) -> None:
        log.error("update_set_aside", why=type(error).__name__)
        await self._store.inbox_set_aside(row, error=repr(error), now=self._clock.now())
        person = _person(row)
        if person is not None:
            # once, whatever becomes of it: an apology is not worth a loop of its own
            await self._chat.say(
                Target(chat_id=person), Say("sorry", {"reference": f"U{row.update_id}"})
            )


def _key(row: InboxRow) -> tuple[int, int | None]:
    return (row.bot_id, row.chat_id)


def _parse(row: InboxRow, application: RaisingApplication) -> Update:
    update = Update.de_json(json.loads(row.raw), application.bot)
    update.effective_message  # noqa: B018 - these two read parts that are only parsed when asked for
    update.effective_user  # noqa: B018
    return update


def _person(row: InboxRow) -> int | None:
    """Give the private chat to apologise to: a group is not bothered with it."""
    return row.chat_id if row.chat_id is not None and row.chat_id > 0 else None
