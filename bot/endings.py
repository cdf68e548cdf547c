"""Brings the progress messages of tasks that were stopped to their end, whoever did not live to do so."""

from datetime import timedelta
from typing import Final

import structlog

from bot import reports
from bot.messages import Chat, Later, Moved, Unknown
from storage.clock import Clock
from storage.store import TaskStore
from storage.tasks import Task

log = structlog.get_logger(__name__)

_AT_ONCE: Final = 5
_GRACE: Final = timedelta(seconds=5)
"""Whoever stops a task says so on its message; only what they have left is done here."""
_LOOK: Final = 5.0
_PASSES: Final = 30.0
"""Seconds until the next try where Telegram did not answer."""


class Endings:
    """Looks for progress messages that still show a task as going on, though it was stopped."""

    def __init__(self, *, store: TaskStore, chat: Chat, clock: Clock) -> None:
        self._store = store
        self._chat = chat
        self._clock = clock
        self._look_at = 0.0

    async def put_away(self) -> float | None:
        """Edit what is left; returns the seconds until the next look, where there may be more."""
        now = self._clock.monotonic()
        if now < self._look_at:
            return self._look_at - now
        stale = await self._store.stale_progress(_AT_ONCE)
        self._look_at = now + _LOOK
        for task in stale:
            if self._told_by_others(task):
                continue
            if not await self._end(task):
                self._look_at = now + _PASSES
                break
        return self._look_at - self._clock.monotonic() if stale else None

    def _told_by_others(self, task: Task) -> bool:
        # of one that ended with HiDream's answer nobody else knows
        over = task.finished_at
        return not task.withdrawn and over is not None and self._clock.now() - over < _GRACE

    async def _end(self, task: Task) -> bool:
        """Let a message say how it ended; returns False where that is to be tried again."""
        if task.progress_message_id is None:
            return True
        outcome = await self._chat.edit(
            task.place.chat_id,
            task.progress_message_id,
            reports.cancelled(task),
            language=task.language,
        )
        match outcome:
            case Later() | Unknown():
                return False
            case Moved(chat_id=new):
                # there, other messages have these numbers
                await self._store.move_chat(task.place.chat_id, new)
        await self._store.progress_put_away(task.id)
        return True
