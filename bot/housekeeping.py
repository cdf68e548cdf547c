"""Forgets what is over: picture files after their days, handled updates, and old tasks' words."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import structlog

from storage.clock import Clock
from storage.files import PictureFiles
from storage.store import TaskStore
from storage.tasks import INBOX_KEPT, Topic

log = structlog.get_logger(__name__)

_INTERVAL: Final = 3600.0
_BATCH: Final = 200
"""Rows at a time, so that nobody waits for the housekeeping."""


class Housekeeping:
    """The loop that forgets."""

    def __init__(
        self,
        *,
        store: TaskStore,
        files: PictureFiles,
        keep_files: Callable[[], timedelta],
        retention: Callable[[], timedelta | None],
        clock: Clock,
    ) -> None:
        self._store = store
        self._files = files
        self._keep_files = keep_files
        self._retention = retention
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Tidy up now and then, until told to stop."""
        while not stop.is_set():
            mark = self._store.mark(Topic.HOUSEKEEPING)
            more = await self.tidy()
            if not more:
                log.info("counts", **await self._store.counts())
            await self._store.wait(
                Topic.HOUSEKEEPING, since=mark, seconds=1.0 if more else _INTERVAL
            )

    async def tidy(self) -> bool:
        """Forget a batch of what is over; returns whether there may be more."""
        now = self._clock.now()
        old = await self._store.with_files_before(now - self._keep_files(), _BATCH)
        for task_id in old:
            await self._files.remove(task_id)
            await self._store.files_removed(task_id)
        retention = self._retention()
        touched = await self._store.prune(
            now=now,
            inbox_before=now - INBOX_KEPT,
            finished_before=now - retention if retention else None,
            limit=_BATCH,
        )
        if old or touched:
            log.info("forgotten", files=len(old), rows=touched)
        return len(old) == _BATCH or touched == _BATCH
