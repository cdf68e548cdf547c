"""The default store: SQLite through aiosqlite. Each module here has one part of the protocol."""

import asyncio
import contextlib
from pathlib import Path

from storage.clock import Clock
from storage.database import check_place, prepare, refusing
from storage.keeping.reading import check_own_layout, check_source, snapshot
from storage.lock import Lock
from storage.sqlite.at_hidream import AtHiDream
from storage.sqlite.checkpoints import Checkpoints
from storage.sqlite.connection import connect
from storage.sqlite.conversation import Conversation
from storage.sqlite.delivery import Delivery
from storage.sqlite.figures import Counting
from storage.sqlite.handing_in import HandingIn
from storage.sqlite.history import History
from storage.sqlite.housekeeping import Housekeeping
from storage.sqlite.inbox import Inbox
from storage.sqlite.line import Line
from storage.sqlite.privacy import Privacy

__all__ = ["SqliteStore", "open_beside", "open_store"]


class SqliteStore(
    Inbox,
    Conversation,
    Line,
    History,
    HandingIn,
    AtHiDream,
    Delivery,
    Privacy,
    Housekeeping,
    Counting,
):
    """A `TaskStore` in one SQLite file. Open it with `open_store`."""


async def open_store(path: Path, *, clock: Clock, lock: bool = True) -> SqliteStore:
    """Open the store in this file: check it, bring its layout up to date, keep others away.

    A missing file is made, and its folder. Without `lock` nothing keeps another process of the bot
    from opening it too.

    Raises:
        DatabaseRefused: the file cannot be used as it is; it has not been changed.
    """
    check_place(path)
    held = Lock(path) if lock else None
    if held is not None:
        held.acquire()
    try:
        with refusing(path):
            await _done_even_if_cancelled(path)
            return await _connected(path, clock, held)
    except BaseException:
        if held is not None:
            held.release()
        raise


async def open_beside(path: Path, *, clock: Clock) -> SqliteStore:
    """Open the store while a bot may be at work with it: as it is, without looking it through.

    Raises:
        DatabaseRefused: it is not there, or of another layout than this program's own.
    """
    check_source(path)
    with refusing(path):
        with snapshot(path) as connection:
            check_own_layout(connection, path)
        return await _connected(path, clock, None)


async def _done_even_if_cancelled(path: Path) -> None:
    # The thread cannot be stopped, and must not go on when the lock has been given back.
    task = asyncio.create_task(asyncio.to_thread(prepare, path))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait((task,))
        raise


async def _connected(path: Path, clock: Clock, lock: Lock | None) -> SqliteStore:
    async with contextlib.AsyncExitStack() as undoing:
        writer = await connect(path)
        undoing.push_async_callback(writer.close)
        reader = await connect(path, read_only=True)
        undoing.push_async_callback(reader.close)
        aside = await connect(path, read_only=True)
        undoing.push_async_callback(aside.close)
        checkpoints = Checkpoints(aside)
        # a process that was killed may have left there what it had forgotten
        await checkpoints.clean()
        undoing.pop_all()
    return SqliteStore(
        writer=writer, reader=reader, checkpoints=checkpoints, clock=clock, lock=lock
    )
