"""Both stores, for every test that asks for one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.memory import MemoryStore
from storage.sqlite import SqliteStore, open_store
from storage.store import TaskStore
from tests.storage.making import HandClock


@pytest.fixture
def clock() -> HandClock:
    """Give a clock that stands still."""
    return HandClock()


@pytest.fixture
async def sqlite(tmp_path: Path, clock: HandClock) -> AsyncIterator[SqliteStore]:
    """Give an SQLite store in a file of its own."""
    store = await open_store(tmp_path / "bot.db", clock=clock)
    yield store
    await store.close()


@pytest.fixture(params=["memory", "sqlite"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, clock: HandClock
) -> AsyncIterator[TaskStore]:
    """Give each kind of store in turn."""
    opened: TaskStore = (
        MemoryStore(clock)
        if request.param == "memory"
        else await open_store(tmp_path / "bot.db", clock=clock)
    )
    yield opened
    await opened.close()
