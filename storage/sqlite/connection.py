"""Two connections to one file, and one for its log: how the store reads and writes.

Coroutines that share a connection share its transaction, so every write takes one lock, be it a
single statement or several in a transaction. Reads have a connection of their own: they see only
what is committed, and wait neither for an open transaction nor for the disk to take it.

A write runs as a task of its own. Whoever asked for it may be cancelled; the write then still comes
to its end, be it commit or rollback, and wakes whom it has to wake.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import (
    Callable,
    Coroutine,
    Iterable,
    Iterator,
    Sequence,
)
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import aiosqlite

from storage.bells import Bells
from storage.clock import Clock
from storage.lock import Lock
from storage.sqlite.checkpoints import PAGES, Checkpoints
from storage.store import StoreError
from storage.tasks import Rest, Topic
from storage.words import has_words

_T = TypeVar("_T")
_Values = Sequence[int | float | str | None]

BUSY_TIMEOUT: Final = 5000
"""Milliseconds to wait where somebody else (a backup, a person's shell) holds the file."""

_PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT}",
    f"PRAGMA wal_autocheckpoint = {PAGES}",
    # What is forgotten is overwritten in the file, too: else it stays readable in pages that are
    # free, until they are used again. With what this program deletes it costs nothing measurable.
    "PRAGMA secure_delete = ON",
)


class Connection(aiosqlite.Connection):
    """A connection with a thread of its own, which can do several statements in one go.

    A change of threads costs more than most of our statements; a transaction takes one.
    """

    @property
    def raw(self) -> sqlite3.Connection:
        """The connection itself: only to be touched in its own thread, within `do`."""
        return self._conn

    async def do(self, work: Callable[[], _T]) -> _T:
        """Do something in the connection's thread."""
        result: _T = await self._execute(work)  # type: ignore[no-untyped-call]  # it has no types
        return result


class Connections:
    """The writing and the reading connection, the lock round writes, and the bells."""

    def __init__(
        self,
        *,
        writer: Connection,
        reader: Connection,
        checkpoints: Checkpoints,
        clock: Clock,
        lock: Lock | None,
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._checkpoints = checkpoints
        self._clock = clock
        self._file_lock = lock
        self._bells = Bells(clock)
        self._writing = asyncio.Lock()
        self._pending: set[asyncio.Task[Any]] = set()
        self._closing: asyncio.Task[None] | None = None

    # --- waking

    def mark(self, topic: Topic) -> int:
        """Say how often `topic` has been woken: take it before looking, give it to `wait`."""
        return self._bells.mark(topic)

    async def wait(self, topic: Topic, *, since: int, seconds: float | None = None) -> None:
        """Wait until `topic` is woken after the mark `since`, or so many seconds have passed."""
        await self._bells.wait(topic, since=since, seconds=seconds)

    def rest(self, topic: Topic) -> Rest | None:
        """Say whether whoever waits for `topic` is waiting or at work; None: it has not waited yet."""
        return self._bells.rest(topic)

    def wake(self, topic: Topic | None = None) -> None:
        """Wake whoever waits for `topic`, or (None) everybody."""
        self._bells.wake(topic)

    # --- reading

    async def _read(self, work: Callable[[], _T]) -> _T:
        """Do `work` in the reading connection's thread; it asks by `_ask`."""
        self._check_open()
        with _translated():
            return await self._reader.do(work)

    async def _rows(self, sql: str, values: _Values = ()) -> list[sqlite3.Row]:
        return await self._read(lambda: self._ask(sql, values))

    async def _row(self, sql: str, values: _Values = ()) -> sqlite3.Row | None:
        rows = await self._rows(sql, values)
        return rows[0] if rows else None

    def _ask(self, sql: str, values: _Values = ()) -> list[sqlite3.Row]:
        """Run one statement on the reading connection: only within `_read`."""
        return self._reader.raw.execute(sql, values).fetchall()

    def _each(self, sql: str, values: _Values = ()) -> Iterator[tuple[Any, ...]]:
        """Give the rows of one statement one by one, where they are too many to be held: only within `_read`."""
        cursor = self._reader.raw.cursor()
        cursor.row_factory = None
        return cursor.execute(sql, values)

    # --- writing

    async def _write(
        self,
        method: str | None,
        work: Callable[[], _T],
        *,
        transaction: bool = True,
        changed: Callable[[_T], bool] = bool,
    ) -> _T:
        """Do `work` alone, to its end; then wake, if it `changed` something, who waits for it.

        It is done in the writing connection's thread, in one go: it runs statements by `_run`, and
        touches nothing of the event loop's, the clock included.
        """
        self._check_open()
        return await self._to_its_end(self._alone(method, work, transaction, changed))

    async def _change(self, method: str | None, sql: str, values: _Values) -> list[sqlite3.Row]:
        """Run one statement that writes; returns what its RETURNING gives."""
        return await self._write(method, lambda: self._run(sql, values), transaction=False)

    def _run(self, sql: str, values: _Values = ()) -> list[sqlite3.Row]:
        """Run one statement on the writing connection: only within `_write`."""
        return self._writer.raw.execute(sql, values).fetchall()

    def _run_many(self, sql: str, values: Iterable[_Values]) -> int:
        """Run one statement for many rows, within `_write`; returns how many it changed."""
        return self._writer.raw.executemany(sql, values).rowcount

    async def _alone(
        self,
        method: str | None,
        work: Callable[[], _T],
        transaction: bool,
        changed: Callable[[_T], bool],
    ) -> _T:
        async with self._writing:
            with _translated():
                result = await self._writer.do(
                    partial(self._in_transaction, work) if transaction else work
                )
            self._checkpoints.written()
        if method is not None and changed(result):
            self._bells.changed(method)
        return result

    def _in_transaction(self, work: Callable[[], _T]) -> _T:
        try:
            self._run("BEGIN IMMEDIATE")
            result = work()
            self._run("COMMIT")
        except BaseException:
            self._writer.raw.rollback()
            raise
        return result

    async def _to_its_end(self, work: Coroutine[Any, Any, _T]) -> _T:
        task = asyncio.create_task(work)
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)
        return await asyncio.shield(task)

    # --- opening and closing

    def _check_open(self) -> None:
        if self._closing is not None:
            raise StoreError("the store is closed")

    async def close(self) -> None:
        """Let go of the database, after the writes under way; nothing may be asked afterwards."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        if self._pending:
            await asyncio.wait(self._pending)
        try:
            # The writer last: it takes the write-ahead log into the file.
            await close_all(self._checkpoints, self._reader, self._writer)
        finally:
            if self._file_lock is not None:
                self._file_lock.release()


async def connect(path: Path, *, read_only: bool = False) -> Connection:
    """Open a connection with the store's settings, in autocommit."""
    connection = Connection(lambda: sqlite3.connect(path, isolation_level=None), iter_chunk_size=64)
    await connection
    try:
        connection.row_factory = sqlite3.Row
        await connection.create_function("has_words", 2, has_words, deterministic=True)
        for pragma in _PRAGMAS:
            await connection.execute_fetchall(pragma)
        if read_only:
            await connection.execute_fetchall("PRAGMA query_only = ON")
    except BaseException:
        await connection.close()
        raise
    return connection


async def close_all(*connections: aiosqlite.Connection | Checkpoints) -> None:
    """Close connections, each whatever becomes of the others: an open one keeps the process alive."""
    results = [
        (await asyncio.gather(connection.close(), return_exceptions=True))[0]
        for connection in connections
    ]
    for result in results:
        if isinstance(result, BaseException):
            raise result


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"the database refused: {error}") from error
