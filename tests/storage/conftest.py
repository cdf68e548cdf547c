"""Both stores, for every test that asks for one."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.database import prepare
from storage.memory import MemoryStore
from storage.sqlite import SqliteStore, open_store
from storage.store import TaskStore
from tests.storage.making import HandClock


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an empty database once: a copy of it is quicker than a new one for each test."""
    path = tmp_path_factory.mktemp("empty") / "bot.db"
    prepare(path)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give a place for a database, in a folder that is not there yet."""
    return tmp_path / "data" / "bot.db"


@pytest.fixture
def clock() -> HandClock:
    """Give a clock that stands still."""
    return HandClock()


@pytest.fixture
async def sqlite(
    tmp_path: Path, empty_database: Path, clock: HandClock
) -> AsyncIterator[SqliteStore]:
    """Give an SQLite store in a file of its own."""
    shutil.copyfile(empty_database, tmp_path / "bot.db")
    store = await open_store(tmp_path / "bot.db", clock=clock)
    yield store
    await store.close()


@pytest.fixture(params=["memory", "sqlite"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, empty_database: Path, clock: HandClock
) -> AsyncIterator[TaskStore]:
    """Give each kind of store in turn."""
    opened: TaskStore
    if request.param == "memory":
        opened = MemoryStore(clock)
    else:
        shutil.copyfile(empty_database, tmp_path / "bot.db")
        opened = await open_store(tmp_path / "bot.db", clock=clock)
    yield opened
    await opened.close()
