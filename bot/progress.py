"""One message a task tells how it goes: sent once, then edited within a budget.

What it shows is read from the rows: the place in line (which never rises on it), HiDream's own
percentage, or why nothing moves. Nobody waits for a progress message, and no chat for another's.
"""

import asyncio
from collections.abc import Awaitable
from typing import Final

import structlog

from bot import reports
from bot.account import Account
from bot.messages import Chat, Gone, Later, Moved, Refused, Sent, Target
from bot.texts import Say
from storage.clock import Clock
from storage.store import TaskStore
from storage.tasks import AT_HIDREAM, IN_LINE, Task, TaskState, Topic

log = structlog.get_logger(__name__)

WATCHED: Final = 60
"""So many messages are kept up to date: those at HiDream, then the front of the line."""
_AT_ONCE: Final = 8
"""So many chats are written to side by side."""
_LOOK: Final = 30
"""So many tasks without a message are looked at, to find chats that can be written to."""
_SHOWN: Final = IN_LINE | AT_HIDREAM
_PERSON_INTERVAL: Final = 2.0
_GROUP_INTERVAL: Final = 6.0
"""Seconds between two edits of a message: a group takes 20 messages a minute, from all of us."""
_GONE_PAUSE: Final = 3600.0
_UNKNOWN_PAUSE: Final = 30.0
_TROUBLE_LOOK: Final = 1.0
"""Seconds after which to look again while the account is in trouble: its end changes no row."""


class Progress:
    """The loop that sends and edits progress messages."""

    def __init__(self, *, store: TaskStore, chat: Chat, account: Account, clock: Clock) -> None:
        self._store = store
        self._chat = chat
        self._account = account
        self._clock = clock
        self._busy: set[int] = set()
        self._shown: dict[int, Say] = {}
        self._next_edit: dict[int, float] = {}
        self._quiet_until: dict[int, float] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Show until told to stop, then finish the messages in hand."""
        self._busy.clear()
        async with asyncio.TaskGroup() as messages:
            while not stop.is_set():
                mark = self._store.mark(Topic.PROGRESS)
                waits = [await self._announce(messages), await self._update(messages)]
                due = [seconds for seconds in waits if seconds is not None]
                await self._store.wait(
                    Topic.PROGRESS, since=mark, seconds=max(0.1, min(due)) if due else None
                )

    def _in_chat(self, chat_id: int, work: Awaitable[None], group: asyncio.TaskGroup) -> None:
        """Do something in a chat, which is busy until then."""

        async def do() -> None:
            try:
                await work
            finally:
                self._busy.discard(chat_id)
                self._store.wake(Topic.PROGRESS)

        self._busy.add(chat_id)
        group.create_task(do(), name=f"progress in {chat_id}")

    # --- the first message

    async def _announce(self, group: asyncio.TaskGroup) -> float | None:
        """Send the message of tasks that have none yet; returns when to look again."""
        now = self._clock.monotonic()
        self._quiet_until = {chat: at for chat, at in self._quiet_until.items() if at > now}
        for task in await self._store.unannounced(_LOOK + len(self._quiet_until)):
            chat_id = task.place.chat_id
            if len(self._busy) >= _AT_ONCE:
                break
            if chat_id not in self._busy and chat_id not in self._quiet_until:
                self._in_chat(chat_id, self._send(task), group)
        return min((at - now for at in self._quiet_until.values()), default=None)

    async def _send(self, task: Task) -> None:
        chat_id = task.place.chat_id
        line = await self._line(task)
        outcome = await self._chat.say(Target.in_reply_to(task.place), line, language=task.language)
        match outcome:
            case Sent(message_ids=(message_id, *_)):
                await self._sent(task, message_id, line)
            case Gone():
                # nobody is there to be shown anything: what has not started is not started
                await self._store.cancel_queued(task.user_id, chat_id, self._clock.now())
                self._be_quiet(chat_id, _GONE_PAUSE)
            case Moved(chat_id=new):
                await self._store.move_chat(chat_id, new)
            case Later(seconds=seconds):
                self._be_quiet(chat_id, seconds)
            case _:
                # it may have arrived, or never will: either way not again at once
                self._be_quiet(chat_id, _UNKNOWN_PAUSE)

    def _be_quiet(self, chat_id: int, seconds: float) -> None:
        self._quiet_until[chat_id] = self._clock.monotonic() + seconds

    async def _sent(self, task: Task, message_id: int, line: Say) -> None:
        self._shown[task.id] = line
        self._rest(task)
        current = await self._store.note_progress_message(task.id, message_id)
        if current is None or current.state not in _SHOWN:
            # it was over before the message was there: whoever delivers does not know of it
            await self._chat.delete(task.place.chat_id, message_id)

    # --- the edits

    async def _update(self, group: asyncio.TaskGroup) -> float | None:
        """Edit what has changed; returns when the next edit is due."""
        tasks = await self._store.announced(WATCHED)
        kept = {task.id for task in tasks}
        self._shown = {id_: line for id_, line in self._shown.items() if id_ in kept}
        self._next_edit = {id_: at for id_, at in self._next_edit.items() if id_ in kept}
        now = self._clock.monotonic()
        waits = [_TROUBLE_LOOK] if self._account.trouble else []
        for task in tasks:
            line = await self._line(task)
            if line == self._shown.get(task.id) or task.place.chat_id in self._busy:
                continue
            rest = self._next_edit.get(task.id, 0.0) - now
            if rest > 0:
                waits.append(rest)
            elif len(self._busy) < _AT_ONCE:
                self._in_chat(task.place.chat_id, self._edit(task, line), group)
        return min(waits, default=None)

    async def _edit(self, task: Task, line: Say) -> None:
        current = await self._store.get(task.id)
        if current is None or current.state not in _SHOWN or current.progress_message_id is None:
            return
        self._rest(task)
        outcome = await self._chat.edit(
            current.place.chat_id, current.progress_message_id, line, language=task.language
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
