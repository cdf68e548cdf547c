"""One message a task tells how it goes: sent once, then edited within a budget.

What it shows is read from the rows: the place in line (which never rises on it), HiDream's own
percentage, or why nothing moves. Nobody waits for a progress message, and no chat for another's.
"""

import asyncio
from functools import partial
from typing import Final

import structlog

from bot import keyboards
from bot.account import Account
from bot.delays import backoff
from bot.endings import Endings
from bot.estimates import Estimates
from bot.insisting import keep
from bot.lanes import Lanes
from bot.messages import Chat, Dropped, Gone, Later, Moved, Refused, Sent, Target, Unknown
from bot.progress_lines import ProgressLines
from bot.texts import Say
from storage.clock import Clock
from storage.store import TaskStore
from storage.tasks import AT_HIDREAM, IN_LINE, Task, TaskState, Topic

log = structlog.get_logger(__name__)

WATCHED: Final = 60
"""So many messages are kept up to date: those at HiDream, then the front of the line."""
AT_ONCE: Final = 40
"""So many messages are sent and edited side by side: slow chats are not to hold up the others."""
_EDITS_AT_ONCE: Final = 8
"""So many of them are edits. More would wait for Telegram's limits with what they show growing old."""
_ROUND: Final = 0.3
"""Seconds between two rounds: however much changes, what there is to show is read no oftener."""
_UPDATES: Final = 0.6
"""Seconds between two looks at what the messages that are there should show."""
_PATIENCE: Final = 0.5
"""Seconds that a task gets to be over before its message is sent, which would be three calls for
nothing; whoever sent the photo hears of it within a second all the same."""
_LOOK: Final = 30
"""So many tasks without a message are looked at, to find chats that can be written to."""
_SHOWN: Final = IN_LINE | AT_HIDREAM
_PERSON_INTERVAL: Final = 3.0
_GROUP_INTERVAL: Final = 6.0
"""Seconds between two edits of a message: a group takes 20 messages a minute, from all of us."""
_DELETIONS: Final = 4
"""So often it is tried to delete a message whose task was over before it arrived."""
_GONE_PAUSE: Final = 3600.0
_UNKNOWN_PAUSE: Final = 30.0
_TROUBLE_LOOK: Final = 1.0
"""Seconds after which to look again while the account is in trouble: its end changes no row."""


class Progress:
    """The loop that sends and edits progress messages."""

    def __init__(
        self,
        *,
        store: TaskStore,
        chat: Chat,
        account: Account,
        estimates: Estimates,
        clock: Clock,
    ) -> None:
        self._store = store
        self._chat = chat
        self._account = account
        self._clock = clock
        self._lines = ProgressLines(store=store, account=account, estimates=estimates, clock=clock)
        self._endings = Endings(store=store, chat=chat, clock=clock)
        self._lanes: Lanes[int] = Lanes(AT_ONCE - _EDITS_AT_ONCE, ended=self._ended)
        self._edits: Lanes[int] = Lanes(_EDITS_AT_ONCE, ended=self._ended)
        self._update_at = 0.0
        self._shown: dict[int, Say] = {}
        self._next_look: dict[int, float] = {}
        self._quiet_until: dict[int, float] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Show until told to stop, then finish the messages in hand."""
        async with self._lanes, self._edits:
            while not stop.is_set():
                self._lanes.check()
                self._edits.check()
                began = self._clock.monotonic()
                mark = self._store.mark(Topic.PROGRESS)
                waits = [
                    await self._announce(),
                    await self._update(),
                    await self._endings.put_away(self._edits),
                ]
                due = [seconds for seconds in waits if seconds is not None]
                await self._store.wait(
                    Topic.PROGRESS, since=mark, seconds=max(0.1, min(due)) if due else None
                )
                rest = began + _ROUND - self._clock.monotonic()
                if rest > 0 and not stop.is_set():
                    await self._clock.sleep(rest)

    def _ended(self) -> None:
        self._store.wake(Topic.PROGRESS)

    # --- the first message

    async def _announce(self) -> float | None:
        """Send the message of tasks that have none yet; returns when to look again."""
        now = self._clock.monotonic()
        self._quiet_until = {chat: at for chat, at in self._quiet_until.items() if at > now}
        waits = [at - now for at in self._quiet_until.values()]
        busy = self._lanes.busy | self._quiet_until.keys()
        tasks = await self._store.unannounced(_LOOK, busy_chats=busy)
        for task in tasks:
            age = (self._clock.now() - task.created_at).total_seconds()
            if 0 <= age < _PATIENCE:
                waits.append(_PATIENCE - age)
            elif not self._lanes.free:
                break  # whoever is in hand wakes us
            elif task.place.chat_id not in self._lanes.busy:
                self._lanes.start(task.place.chat_id, self._send(task), task=task.id)
        if len(tasks) == _LOOK and self._lanes.free:
            waits.append(_ROUND)  # those of chats that are in hand now may have hidden others
        return min(waits, default=None)

    async def _send(self, task: Task) -> None:
        chat_id = task.place.chat_id
        current = await self._store.get(task.id)
        if current is None or current.progress_message_id is not None:
            return  # the list was read before an earlier message of this task had arrived
        line, place = await self._lines.of(task)
        outcome = await self._chat.say(
            Target.in_reply_to(task.place),
            line,
            language=task.language,
            buttons=keyboards.progress(task),
            silent=task.settings.silent,
            still=partial(self._still_shown, task),
        )
        match outcome:
            case Sent(message_ids=(message_id, *_)):
                await self._sent(task, message_id, line)
                await self._note_place(task, place)
            case Gone():
                await self._nobody_there(chat_id)
            case Moved(chat_id=new):
                await self._store.move_chat(chat_id, new)
            case Later(seconds=seconds):
                self._be_quiet(chat_id, seconds)
            case Dropped():
                pass  # it was over before its turn came
            case _:
                # it may have arrived, or never will: either way not again at once
                self._be_quiet(chat_id, _UNKNOWN_PAUSE)

    async def _nobody_there(self, chat_id: int) -> None:
        """Nobody is there to be shown anything: what has not started is not started."""
        dropped = await self._store.cancel_queued(None, chat_id, self._clock.now())
        log.info("queued_tasks_dropped", count=dropped)
        self._be_quiet(chat_id, _GONE_PAUSE)

    async def _still_shown(self, task: Task) -> bool:
        current = await self._store.get(task.id)
        # what is being stopped is told by whoever stops it
        return current is not None and current.state in _SHOWN and not current.withdrawn

    def _be_quiet(self, chat_id: int, seconds: float) -> None:
        self._quiet_until[chat_id] = self._clock.monotonic() + seconds

    async def _sent(self, task: Task, message_id: int, line: Say) -> None:
        current = await keep(lambda: self._store.note_progress_message(task.id, message_id))
        # not before: what is known of tasks without a message is forgotten
        self._shown[task.id] = line
        self._rest(task)
        self._update_at = min(self._update_at, self._next_look[task.id])
        if current is None or current.state not in _SHOWN:
            # it was over before the message was there: whoever delivers does not know of it
            for tries in range(_DELETIONS):
                outcome = await self._chat.delete(task.place.chat_id, message_id)
                if not isinstance(outcome, Later | Unknown):
                    break
                await self._clock.sleep(backoff(tries))
            if current is not None and current.state is TaskState.CANCELLED:
                await self._store.progress_put_away(task.id)

    # --- the edits

    async def _update(self) -> float | None:
        """Edit what has changed; returns when to look again at what has just been looked at."""
        now = self._clock.monotonic()
        if self._update_at > now:
            return self._update_at - now
        known = self._shown.keys() | self._next_look.keys()
        tasks = await self._store.announced(WATCHED)
        # what has become known since then stays: its task may be missing in this answer
        for id_ in known - {task.id for task in tasks}:
            self._shown.pop(id_, None)
            self._next_look.pop(id_, None)
            self._lines.forget(id_)
        waits = [_TROUBLE_LOOK] if self._account.trouble else []
        self._update_at = now + _PERSON_INTERVAL
        # what was edited longest ago first: else those in front would take all edits there are
        for task in sorted(tasks, key=self._edited_at):
            chat_id = task.place.chat_id
            if chat_id in self._edits.busy or not self._edits.free:
                self._update_at = now  # whoever is in hand wakes us
                continue
            rest = self._next_look.get(task.id, 0.0) - now
            if rest > 0:
                waits.append(rest)
                continue
            self._rest(task)
            line, place = await self._lines.of(task)
            if news := self._lines.news_in(task):
                waits.append(news)  # no row changes then
            if line != self._shown.get(task.id):
                self._edits.start(chat_id, self._edit(task, line, place), task=task.id)
        # until then each of them rests: there is nothing to read for
        soonest = min(self._update_at, now + min(waits, default=_PERSON_INTERVAL))
        self._update_at = max(soonest, now + _UPDATES)
        return min(waits, default=None)

    def _edited_at(self, task: Task) -> tuple[bool, float]:
        """Sort those at HiDream first: in the line little changes."""
        return task.state in IN_LINE, self._next_look.get(task.id, 0.0)

    async def _edit(self, task: Task, line: Say, place: int | None) -> None:
        if task.progress_message_id is None:
            return
        outcome = await self._chat.edit(
            task.place.chat_id,
            task.progress_message_id,
            line,
            language=task.language,
            buttons=keyboards.progress(task),
            still=partial(self._still_shown, task),
        )
        self._rest(task)
        if isinstance(outcome, Sent | Unknown):
            await self._endings.show_again(task)
        match outcome:
            case Sent() | Refused():  # refused: the person has deleted it; it is not sent anew
                self._shown[task.id] = line
            case Later(seconds=seconds):
                self._next_look[task.id] = self._clock.monotonic() + seconds
            case Gone():
                self._shown[task.id] = line
                await self._nobody_there(task.place.chat_id)
            case Moved(chat_id=new):
                await self._store.move_chat(task.place.chat_id, new)
            case _:
                pass
        if isinstance(outcome, Sent | Unknown):
            await self._note_place(task, place)

    def _rest(self, task: Task) -> None:
        private = task.place.chat_type == "private"
        interval = _PERSON_INTERVAL if private else _GROUP_INTERVAL
        self._next_look[task.id] = self._clock.monotonic() + interval

    async def _note_place(self, task: Task, place: int | None) -> None:
        """Note a place that was shown: no higher one is to follow it."""
        if place is not None and place != task.shown_place:
            await self._store.note_shown_place(task.id, place)
