"""Opening and closing the connections leaves nothing open."""

import asyncio
import sqlite3
from pathlib import Path

import aiosqlite
import pytest

from storage.sqlite import open_store
from storage.store import DatabaseRefused, StoreError
from storage.tasks import Topic
from tests.storage.making import HandClock, add


async def test_closing_waits_for_what_is_being_written(tmp_path: Path) -> None:
    """A write that was begun before the closing is there afterwards; closing twice is nothing."""
    path = tmp_path / "bot.db"
    store = await open_store(path, clock=HandClock())
    writing = asyncio.create_task(add(store))
    await asyncio.sleep(0)
    await store.close()
    await store.close()
    task = await writing
    with pytest.raises(StoreError, match="closed"):
        await store.get(task.id)
    with pytest.raises(StoreError, match="closed"):
        await add(store, 2)
    again = await open_store(path, clock=HandClock())
    assert await again.get(task.id) == task
    assert again.mark(Topic.QUEUE) == 0
    await again.close()


@pytest.mark.parametrize("failing", [1, 2])
async def test_a_failed_opening_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    """Where a connection cannot be set up, those before it are closed and the lock is given back."""
    opened = 0
    real = aiosqlite.Connection.execute_fetchall

    def refusing(self: aiosqlite.Connection, sql: str, *values: tuple[int, ...]) -> object:
        nonlocal opened
        if "journal_mode" in sql:
            opened += 1
            if opened == failing:
                raise sqlite3.OperationalError("no")
        return real(self, sql, *values)

    with monkeypatch.context() as patch:
        patch.setattr(aiosqlite.Connection, "execute_fetchall", refusing)
        with pytest.raises(DatabaseRefused, match="cannot be used"):
            await open_store(tmp_path / "bot.db", clock=HandClock())
    store = await open_store(tmp_path / "bot.db", clock=HandClock())
    await store.close()


async def test_a_cancelled_opening_gives_the_lock_back(tmp_path: Path) -> None:
    """Whoever is cancelled while the file is being checked leaves it free, once the check is done."""
    path = tmp_path / "bot.db"
    for steps in (1, 2, 3, 30):
        opening = asyncio.create_task(open_store(path, clock=HandClock()))
        for _ in range(steps):
            await asyncio.sleep(0)
        opening.cancel()
        await asyncio.wait((opening,))
        if not opening.cancelled():
            await opening.result().close()
    await (await open_store(path, clock=HandClock())).close()


async def test_one_connection_that_fails_to_close_does_not_keep_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each connection is closed whatever becomes of the other, the lock is given back, and the error is told."""
    path = tmp_path / "bot.db"
    store = await open_store(path, clock=HandClock())
    real = store._reader.close

    async def failing() -> None:
        await real()
        raise sqlite3.OperationalError("no")

    monkeypatch.setattr(store._reader, "close", failing)
    with pytest.raises(sqlite3.OperationalError):
        await store.close()
    again = await open_store(path, clock=HandClock())
    await again.close()
