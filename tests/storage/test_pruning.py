"""Forgetting by hand: the same as the housekeeping does, with a bot at work or without."""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from storage.files import PictureFiles, pictures_beside
from storage.keeping import pruning
from storage.keeping.pruning import FILES, TASKS, count_old, give_back, prune
from storage.sqlite import SqliteStore, open_store
from storage.store import DatabaseRefused
from storage.tasks import DRAFTS_KEPT, TaskState
from tests.storage.filling import LAYOUTS, build
from tests.storage.making import BOT, START, HandClock, new_draft, reach, update

DAY = timedelta(days=1)


async def grown(path: Path, clock: HandClock) -> SqliteStore:
    """Open a store with something of everything, ten days old, and as much that is new."""
    store = await open_store(path, clock=clock)
    files = PictureFiles(pictures_beside(path))
    for age, first in ((0, 1), (10, 50)):
        for number, state in enumerate(TaskState, start=first):
            task = await reach(store, state, number, user_id=number)
            await files.put(task.id, 0, b"picture")
        await store.receive(BOT, [update(first + 20), update(first + 21)], START)
        for row in await store.inbox_heads(START, 9):
            await store.inbox_done(row, START + age * DAY)
        await store.add_draft(new_draft(first + 22, user_id=first), START + age * DAY)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "UPDATE tasks SET finished_at = finished_at + ? WHERE update_id >= 50"
            " AND finished_at IS NOT NULL",
            (10 * 86400 * 10**6,),
        )
        connection.execute("UPDATE submissions SET released_at = 1")
        connection.commit()
    clock.move(10 * 86400)
    return store


def finished_words(path: Path) -> list[int]:
    """Give the updates of the finished tasks that still have their words."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(
            "SELECT update_id FROM tasks WHERE finished_at IS NOT NULL AND prompt <> ''"
        )
        return [number for (number,) in rows]


@pytest.mark.parametrize("running", [True, False])
async def test_what_is_old_is_forgotten_and_nothing_else(path: Path, running: bool) -> None:
    """Old finished tasks lose words, ids and files, handled updates go; what is new or unfinished stays. So it is counted, too."""
    clock = HandClock()
    store = await grown(path, clock)
    if not running:
        await store.close()
    counted = count_old(path, now=clock.now(), older_than=5 * DAY)
    assert (counted[FILES], counted[TASKS], counted["handled updates"]) == (4, 4, 1)
    assert count_old(path, now=clock.now(), older_than=5 * DAY) == counted, (
        "counting changes nothing"
    )
    files = PictureFiles(pictures_beside(path))
    (files.find(1, 0).parent / "1.77.part").write_bytes(b"half")
    told: list[tuple[str, int, int]] = []
    removed, touched = await prune(
        path, clock=clock, older_than=5 * DAY, progress=lambda *how: told.append(how)
    )
    assert removed == counted[FILES]
    assert removed + touched == sum(counted.values())
    assert told[-1] == ("Forgetting", removed + touched, sum(counted.values()))
    assert all(number >= 50 for number in finished_words(path))
    assert len(finished_words(path)) == 4
    assert set(count_old(path, now=clock.now(), older_than=5 * DAY).values()) == {0}
    names = {int(one.name) for one in pictures_beside(path).iterdir()}
    assert len(names) == 2 * len(TaskState) - 4
    assert (pictures_beside(path) / "1" / "1.77.part").exists(), "what a bot is writing is its own"
    if running:
        assert len(await store.next_queued(9)) == 2
        await store.close()


async def test_it_is_done_in_small_pieces(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No transaction touches more than a batch, so that a bot at work has its turn."""
    clock = HandClock()
    store = await grown(path, clock)
    monkeypatch.setattr(pruning, "BATCH", 2)
    told: list[int] = []
    pruned = asyncio.create_task(
        prune(path, clock=clock, older_than=5 * DAY, progress=lambda _, done, __: told.append(done))
    )
    number = 900
    while not pruned.done():
        number += 1
        await reach(store, TaskState.QUEUED, number)
    await pruned
    await store.close()
    steps = [after - before for before, after in zip([0, *told], told, strict=False)]
    assert max(steps) <= 4
    assert len(steps) >= 3
    assert number > 901, "the store was written to meanwhile"


async def test_drafts_are_counted_once(path: Path) -> None:
    """A draft that is too old by both rules is one."""
    clock = HandClock()
    store = await open_store(path, clock=clock)
    await store.add_draft(new_draft(1), START)
    await store.close()
    now = START + DRAFTS_KEPT + DAY
    assert count_old(path, now=now, older_than=DAY)["drafts"] == 1
    assert count_old(path, now=now, older_than=99 * DAY)["drafts"] == 1
    assert count_old(path, now=START + 2 * DAY, older_than=DAY)["drafts"] == 1
    assert count_old(path, now=START + 2 * DAY, older_than=9 * DAY)["drafts"] == 0


async def test_another_layout_is_left_alone(path: Path) -> None:
    """Only a database of the program's own layout is touched: to bring it there is the bot's."""
    build(path, LAYOUTS[-2])
    for work in (
        lambda: count_old(path, now=START, older_than=DAY),
        lambda: asyncio.run(prune(path, clock=HandClock(), older_than=DAY)),
    ):
        with pytest.raises(DatabaseRefused, match="Start the bot once"):
            await asyncio.to_thread(work)


async def test_room_is_given_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is free in the file goes back to the disk; without room to do it, that is said."""
    store = await open_store(path, clock=HandClock())
    await store.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE junk (x)")
        connection.execute("INSERT INTO junk VALUES (zeroblob(500000))")
        connection.commit()
        connection.execute("DROP TABLE junk")
    assert give_back(path) >= 400_000
    await (await open_store(path, clock=HandClock())).close()
    usage = shutil.disk_usage(path.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10))
    with pytest.raises(DatabaseRefused, match="keeps its size for now"):
        give_back(path)
