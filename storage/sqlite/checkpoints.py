"""Taking the write-ahead log into the file, aside: no write waits for it.

SQLite does that by itself, within the commit that made the log long enough, and that commit then
waits for the file's disk twice more. Here a connection of its own does it, with its own thread,
while the others go on. Nothing is less sure for it: a commit is on disk in the log before it
returns, and the log is begun anew only when all of it is in the file, and the file on disk.
"""

import asyncio
import contextlib
import sqlite3
from typing import Final

import aiosqlite

WRITES: Final = 100
"""Writes between two checkpoints: about a thousand pages, as many as SQLite itself would wait for."""
PAGES: Final = 8000
"""So long a log (32 MB) is taken in by the next commit after all: the bound, where aside was too slow."""
PATIENCE: Final = 500
"""Milliseconds to wait for whoever reads: meanwhile no write goes on, and a backup reads for long."""


class Checkpoints:
    """Has the log taken in after every so many writes."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        self._writes = 0
        self._under_way: asyncio.Task[None] | None = None
        self._owed = False

    def written(self) -> None:
        """Count a write that is committed; begins a checkpoint when it is time, and waits for none."""
        self._writes += 1
        if self._writes >= WRITES and (self._under_way is None or self._under_way.done()):
            self._writes = 0
            self._under_way = asyncio.create_task(self._take_in())

    async def _take_in(self) -> None:
        # One that fails (no room, a held file) loses nothing: the log stays, and there is a next one.
        if self._owed:
            await self._cut(patience=0)
            return
        with contextlib.suppress(sqlite3.Error):
            await self._connection.execute_fetchall("PRAGMA wal_checkpoint(PASSIVE)")

    async def clean(self) -> None:
        """Take all of the log in and cut it off: what was forgotten is not to stay readable there.

        Waits a little for reads under way; where one does not end (a backup), it is tried again after
        the next writes.
        """
        await self._cut(patience=PATIENCE)

    async def _cut(self, *, patience: int) -> None:
        self._owed = True
        with contextlib.suppress(sqlite3.Error):
            await self._connection.execute_fetchall(f"PRAGMA busy_timeout = {patience}")
            [(busy, *_)] = await self._connection.execute_fetchall(
                "PRAGMA wal_checkpoint(TRUNCATE)"
            )
            self._owed = bool(busy)

    async def close(self) -> None:
        """Let the one under way come to its end, and let go of the connection."""
        if self._under_way is not None:
            await asyncio.wait((self._under_way,))
        await self._connection.close()
