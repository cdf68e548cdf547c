"""A database that cannot grow: what is refused leaves nothing behind, and what was kept stays."""

import pytest

from storage.sqlite import SqliteStore
from storage.store import StoreError
from storage.tasks import NewUpdate
from tests.storage.making import START, add

LARGE = "x" * 100_000


async def _limit(sqlite: SqliteStore, pages: int) -> None:
    """Let the file have so many pages at the most; no fewer than it has."""
    await sqlite._change(None, f"PRAGMA max_page_count = {pages}", ())


async def test_what_finds_no_room_leaves_nothing_behind(sqlite: SqliteStore) -> None:
    """A batch for which there is no room is refused as a whole; with room again it is kept."""
    kept = await add(sqlite)
    await _limit(sqlite, 1)
    batch = [NewUpdate(update_id=n, chat_id=5, raw="{}" if n == 1 else LARGE) for n in range(1, 4)]
    for _ in range(3):
        with pytest.raises(StoreError, match="full"):
            await sqlite.receive(77, batch, START)
        assert await sqlite.inbox_heads(START, limit=10) == []
    assert await sqlite.get(kept.id) == kept
    await _limit(sqlite, 1_000_000)
    assert await sqlite.receive(77, batch, START) == 3
    assert [row.update_id for row in await sqlite.inbox_heads(START, limit=10)] == [1]


async def test_a_row_is_moved_without_room(sqlite: SqliteStore) -> None:
    """What needs no new page still works: a task can be withdrawn while the disk is full."""
    task = await add(sqlite)
    await _limit(sqlite, 1)
    assert await sqlite.cancel_queued(task.user_id, task.place.chat_id, START) == 1
