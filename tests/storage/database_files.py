"""Database files for the tests: made, changed from outside, compared, refused."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from storage.sqlite import open_store
from storage.store import DatabaseRefused
from tests.storage.making import HandClock, add


async def make(path: Path) -> None:
    """Make a sound database of ours, with a task in it."""
    store = await open_store(path, clock=HandClock())
    await add(store)
    await store.close()


def everything(folder: Path) -> dict[str, bytes]:
    """Give all files of a folder."""
    return {one.name: one.read_bytes() for one in sorted(folder.iterdir()) if not one.is_dir()}


async def refuse(path: Path, *words: str) -> None:
    """Open, and see that it is refused with these words, and that nothing has changed."""
    before = everything(path.parent)
    with pytest.raises(DatabaseRefused) as caught:
        await open_store(path, clock=HandClock())
    assert str(path) in str(caught.value)
    for word in words:
        assert word in str(caught.value)
    assert everything(path.parent) == before


def change(path: Path, *sql: str) -> None:
    """Run statements on a file from outside the store, without leaving a log."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        for statement in sql:
            connection.execute(statement)
