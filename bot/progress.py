"""One message a task tells how it goes: sent once, then edited within a budget.

What it shows is read from the rows: the place in line (which never rises on it), HiDream's own
percentage, or why nothing moves. Nobody waits for a progress message.
"""

import asyncio
from typing import Final

import structlog

from bot import reports
from bot.account import Account
from bot.messages import Chat, Gone, Later, Moved, Refused, Sent, Target
from bot.texts import Say
from storage.clock import Clock
from storage.store import TaskStore
from storage.tasks import Task, TaskState, Topic

log = structlog.get_logger(__name__)

WATCHED: Final = 60
"""So many messages are kept up to date: those at HiDream, then the front of the line."""
NEW_AT_ONCE: Final = 10
_SHOWN: Final = frozenset(
    {
        TaskState.QUEUED,
        TaskState.WAITING,
        TaskState.SUBMITTING,
        TaskState.UNCERTAIN,
        TaskState.RUNNING,
    }
)
_GONE_PAUSE: Final = 3600.0
_PERSON_INTERVAL: Final = 2.0
_GROUP_INTERVAL: Final = 6.0
"""Seconds between two edits of a message: a group takes 20 messages a minute, from all of us."""


class Progress:
    """The loop that sends and edits progress messages."""

    def __init__(self, *, store: TaskStore, chat: Chat, account: Account, clock: Clock) -> None:
        self._store = store
        self._chat = chat
        self._account = account
        self._clock = clock
        self._shown: dict[int, Say] = {}
        self._next_edit: dict[int, float] = {}
        self._quiet_until: dict[int, float] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Show until told to stop."""
        while not stop.is_set():
            mark = self._store.mark(Topic.PROGRESS)
            waits = [await self._announce(stop), await self._update(stop)]
            due = [seconds for seconds in waits if seconds is not None]
            await self._store.wait(
                Topic.PROGRESS, since=mark, seconds=max(0.1, min(due)) if due else None
            )

    async def _announce(self, stop: asyncio.Event) -> float | None:
        """Send the message of tasks that have none yet; returns when to look again."""
        again: float | None = None
        for task in await self._store.unannounced(NEW_AT_ONCE + len(self._quiet_until)):
            if stop.is_set():
                break
            chat_id = task.place.chat_id
            quiet = self._quiet_until.get(chat_id, 0.0) - self._clock.monotonic()
            if quiet > 0:
                again = min(again or quiet, quiet)
                continue
            self._quiet_until.pop(chat_id, None)
            line = await self._line(task)
            outcome = await self._chat.say(
                Target(
                    chat_id=chat_id,
                    thread_id=task.place.thread_id,
                    reply_to=task.place.message_id,
                ),
                line,
                language=task.language,
            )
            if isinstance(outcome, Sent) and outcome.message_ids:
                await self._announced(task, outcome.message_ids[0], line)
                again = 0.0
            elif isinstance(outcome, Gone):
                # nobody is there to be shown anything: what has not started is not started
                await self._store.cancel_queued(task.user_id, chat_id, self._clock.now())
                self._quiet_until[chat_id] = self._clock.monotonic() + _GONE_PAUSE
            elif isinstance(outcome, Moved):
                await self._store.move_chat(chat_id, outcome.chat_id)
                again = 0.0
            else:
                # a chat that cannot be reached is not tried at once again, nor at every look
                pause = outcome.seconds if isinstance(outcome, Later) else 30.0
                self._quiet_until[chat_id] = self._clock.monotonic() + pause
        return again

    async def _announced(self, task: Task, message_id: int, line: Say) -> None:
        self._shown[task.id] = line
        self._rest(task)
        current = await self._store.note_progress_message(task.id, message_id)
        if current is None or current.state not in _SHOWN:
            # it was over before the message was there: whoever delivers does not know of it
            await self._chat.delete(task.place.chat_id, message_id)

    async def _update(self, stop: asyncio.Event) -> float | None:
        """Edit what has changed; returns when the next edit is due."""
        tasks = await self._store.announced(WATCHED)
        kept = {task.id for task in tasks}
        self._shown = {id_: line for id_, line in self._shown.items() if id_ in kept}
        self._next_edit = {id_: at for id_, at in self._next_edit.items() if id_ in kept}
        again: float | None = 1.0 if self._account.trouble else None
        for task in tasks:
            line = await self._line(task)
            if stop.is_set() or line == self._shown.get(task.id):
                continue
            rest = self._next_edit.get(task.id, 0.0) - self._clock.monotonic()
            if rest > 0:
                again = rest if again is None else min(again, rest)
                continue
            await self._edit(task, line)
        return again

    async def _edit(self, task: Task, line: Say) -> None:
        current = await self._store.get(task.id)
        if current is None or current.state not in _SHOWN or current.progress_message_id is None:
            return
        self._rest(task)
        outcome = await self._chat.edit(
            task.place.chat_id, current.progress_message_id, line, language=task.language
        )
        match outcome:
            case Sent() | Refused():  # refused: the person has deleted it; it is not sent anew
                self._shown[task.id] = line
            case Later(seconds=seconds):
                self._next_edit[task.id] = self._clock.monotonic() + seconds
            case _:
                pass

    def _rest(self, task: Task) -> None:
        private = task.place.chat_type == "private"
        interval = _PERSON_INTERVAL if private else _GROUP_INTERVAL
        self._next_edit[task.id] = self._clock.monotonic() + interval

    async def _line(self, task: Task) -> Say:
        images = await self._store.images(task.id) if task.state is TaskState.RUNNING else ()
        place = 0
        if task.state is TaskState.QUEUED:
            place = await self._store.place_in_line(task)
            if task.shown_place is not None:
                place = min(place, task.shown_place)
            if place != task.shown_place:
                await self._store.note_shown_place(task.id, place)
        return reports.progress(task, place=place, images=images, trouble=self._account.trouble)
