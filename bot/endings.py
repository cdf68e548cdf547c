"""Brings the progress messages of tasks that were stopped to their end."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from bot import reports
from bot.lanes import Lanes
from bot.messages import Chat, Gone, Later, Moved, Refused, Sent, Unknown, Urgency
from bot.texts import Say
from storage.clock import Clock
from storage.store import TaskStore
from storage.tasks import Task, TaskState

_AT_ONCE: Final = 5
_GRACE: Final = timedelta(seconds=5)
"""Whoever stops a task says so on its message; only what they have left is done by the loop."""
_LOOK: Final = 1.0
"""Seconds between two looks, however much changes meanwhile."""
_PASSES: Final = 30.0
"""Seconds until the next try where Telegram did not answer."""
_CHANGES: Final = 3
"""So often a task's end is followed while its message is being written: it has no more states."""


class Endings:
    """Lets no progress message show a task as going on that was stopped."""

    def __init__(self, *, store: TaskStore, chat: Chat, clock: Clock) -> None:
        self._store = store
        self._chat = chat
        self._clock = clock
        self._look_at = 0.0

    async def put_away(self, lanes: Lanes[int]) -> float | None:
        """Begin to edit what others have left; returns the seconds until the next look, where there may be more."""
        now = self._clock.monotonic()
        if now < self._look_at:
            return self._look_at - now
        self._look_at = now + _LOOK
        stale = await self._store.stale_progress(_AT_ONCE)
        for task in stale:
            chat_id = task.place.chat_id
            if not self._in_hand(task) and chat_id not in lanes.busy and lanes.free:
                lanes.start(chat_id, self._put_away(task), task=task.id)
        return _LOOK if stale else None

    async def _put_away(self, task: Task) -> None:
        if not await self.show(task):
            # where Telegram does not answer, the others have time too
            self._look_at = self._clock.monotonic() + _PASSES

    def _in_hand(self, task: Task) -> bool:
        """Say whether somebody else may be about to do it; of one that ended by itself nobody is."""
        if task.withdrawn or task.finished_at is None:
            return False
        return self._clock.now() - task.finished_at < _GRACE

    async def show(self, task: Task, urgency: Urgency = Urgency.EDIT) -> bool:
        """Let a message say that its task was stopped, or is being; returns False where that is to be tried again."""
        for _ in range(_CHANGES):
            if not await self._edit(task, urgency):
                return False
            current = await self._store.get(task.id)
            if current is None or current.state is task.state:
                break
            # it has ended while that was written, and others may have said so before
            task = replace(current, progress_message_id=task.progress_message_id)
        if task.state is TaskState.CANCELLED:
            await self._store.progress_put_away(task.id)
        return True

    async def show_again(self, task: Task) -> None:
        """Say it where an edit that was under way may just have hidden it."""
        current = await self._store.get(task.id)
        if current is not None and (current.withdrawn or current.state is TaskState.CANCELLED):
            await self.show(replace(current, progress_message_id=task.progress_message_id))

    async def remove(self, task: Task) -> bool:
        """Delete a message, since it has been said elsewhere how its task ended; returns as `show` does."""
        chat_id, message_id = task.place.chat_id, task.progress_message_id
        if message_id is None:
            return True
        match await self._chat.delete(chat_id, message_id):
            case Later() | Unknown():
                return False
            case Refused():
                return await self.show(task, Urgency.REPLY)  # it is too old for that
            case Moved(chat_id=new):
                await self._store.move_chat(chat_id, new)
            case Sent() | Gone():
                await self._store.message_gone(chat_id, message_id)
        await self._store.progress_put_away(task.id)
        return True

    async def _edit(self, task: Task, urgency: Urgency) -> bool:
        if task.progress_message_id is None:
            return True
        outcome = await self._chat.edit(
            task.place.chat_id,
            task.progress_message_id,
            reports.cancelled(task)
            if task.state is TaskState.CANCELLED
            else Say("progress-stopping"),
            language=task.language,
            urgency=urgency,
        )
        match outcome:
            case Later() | Unknown():
                return False
            case Moved(chat_id=new):
                # there, other messages have these numbers
                await self._store.move_chat(task.place.chat_id, new)
        return True
