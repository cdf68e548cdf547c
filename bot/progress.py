"""One message a task tells how it goes: sent once, then edited within a budget.

What it shows is read from the rows: the place in line (which never rises on it), HiDream's own
percentage, or why nothing moves. Nobody waits for a progress message, and no chat for another's.
"""

import asyncio
from typing import Final

import structlog

from bot import reports
from bot.account import Account
from bot.lanes import Lanes
from bot.messages import Chat, Gone, Later, Moved, Refused, Sent, Target, Unknown
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
        self._lanes: Lanes[int] = Lanes(_AT_ONCE, ended=lambda: store.wake(Topic.PROGRESS))
        self._shown: dict[int, Say] = {}
        self._next_look: dict[int, float] = {}
        self._quiet_until: dict[int, float] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Show until told to stop, then finish the messages in hand."""
        async with self._lanes:
            while not stop.is_set():
                self._lanes.check()
                mark = self._store.mark(Topic.PROGRESS)
                waits = [await self._announce(), await self._update()]
                due = [seconds for seconds in waits if seconds is not None]
                await self._store.wait(
                    Topic.PROGRESS, since=mark, seconds=max(0.1, min(due)) if due else None
                )

    # --- the first message

    async def _announce(self) -> float | None:
        """Send the message of tasks that have none yet; returns when to look again."""
        now = self._clock.monotonic()
        self._quiet_until = {chat: at for chat, at in self._quiet_until.items() if at > now}
        for task in await self._store.unannounced(_LOOK + len(self._quiet_until)):
            chat_id = task.place.chat_id
            if not self._lanes.free:
                break
            if chat_id not in self._lanes.busy and chat_id not in self._quiet_until:
                self._lanes.start(chat_id, self._send(task))
        return min((at - now for at in self._quiet_until.values()), default=None)

    async def _send(self, task: Task) -> None:
        chat_id = task.place.chat_id
        current = await self._store.get(task.id)
        if current is None or current.progress_message_id is not None:
            return  # the list was read before an earlier message of this task had arrived
        line, place = await self._line(task)
        outcome = await self._chat.say(Target.in_reply_to(task.place), line, language=task.language)
        match outcome:
            case Sent(message_ids=(message_id, *_)):
                await self._sent(task, message_id, line)
                await self._note_place(task, place)
            case Gone():
                # nobody is there to be shown anything: what has not started is not started
                await self._store.cancel_queued(None, chat_id, self._clock.now())
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
        current = await self._store.note_progress_message(task.id, message_id)
        # not before: what is known of tasks without a message is forgotten
        self._shown[task.id] = line
        self._rest(task)
        if current is None or current.state not in _SHOWN:
            # it was over before the message was there: whoever delivers does not know of it
            await self._chat.delete(task.place.chat_id, message_id)

    # --- the edits

    async def _update(self) -> float | None:
        """Edit what has changed; returns when to look again at what has just been looked at."""
        known = self._shown.keys() | self._next_look.keys()
        tasks = await self._store.announced(WATCHED)
        # what has become known since then stays: its task may be missing in this answer
        for id_ in known - {task.id for task in tasks}:
            self._shown.pop(id_, None)
            self._next_look.pop(id_, None)
        now = self._clock.monotonic()
        waits = [_TROUBLE_LOOK] if self._account.trouble else []
        for task in tasks:
            chat_id = task.place.chat_id
            if chat_id in self._lanes.busy or not self._lanes.free:
                continue  # whoever is in hand wakes us
            rest = self._next_look.get(task.id, 0.0) - now
            if rest > 0:
                waits.append(rest)
                continue
            self._rest(task)
            line, place = await self._line(task)
            if line != self._shown.get(task.id):
                self._lanes.start(chat_id, self._edit(task, line, place))
        return min(waits, default=None)

    async def _edit(self, task: Task, line: Say, place: int | None) -> None:
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
                self._next_look[task.id] = self._clock.monotonic() + seconds
            case _:
                pass
        if isinstance(outcome, Sent | Unknown):
            await self._note_place(task, place)

    def _rest(self, task: Task) -> None:
        private = task.place.chat_type == "private"
        interval = _PERSON_INTERVAL if private else _GROUP_INTERVAL
        self._next_look[task.id] = self._clock.monotonic() + interval

    async def _line(self, task: Task) -> tuple[Say, int | None]:
        """Give what to show of a task, and the place in line that it names."""
        trouble = self._account.trouble
        images = await self._store.images(task.id) if task.state is TaskState.RUNNING else ()
        place = None
        if task.state is TaskState.QUEUED and trouble is None:
            place = await self._store.place_in_line(task)
            if task.shown_place is not None:
                place = min(place, task.shown_place)
        return reports.progress(task, place=place or 0, images=images, trouble=trouble), place

    async def _note_place(self, task: Task, place: int | None) -> None:
        """Note a place that was shown: no higher one is to follow it."""
        if place is not None and place != task.shown_place:
            await self._store.note_shown_place(task.id, place)
