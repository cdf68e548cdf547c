"""Writes that are cancelled, fail, or meet: whole or not at all."""

import asyncio
import threading

import pytest

from storage.sqlite import SqliteStore
from storage.store import StoreError
from storage.tasks import TaskState
from tests.storage.making import HOUR, START, accept, add, claim, reach


async def test_a_cancelled_write_comes_to_its_end(sqlite: SqliteStore) -> None:
    """Whenever the caller is cancelled, no transaction stays open, the lock is free, and the row is whole."""
    for steps in range(30):
        task = await add(sqlite, steps)
        call = asyncio.create_task(claim(sqlite, task))
        for _ in range(steps):
            await asyncio.sleep(0)
        call.cancel()
        await asyncio.wait((call,))
        await asyncio.wait_for(add(sqlite, 1000 + steps), 5)
        assert not sqlite._writer.in_transaction
        assert not sqlite._writing.locked()
        found = await sqlite.get(task.id)
        assert found is not None
        if steps:
            assert found.state is TaskState.SUBMITTING
    held = len(await sqlite.charges(START - HOUR))
    assert held == (await sqlite.counts())["submitting"]


async def test_a_write_that_is_itself_cancelled_is_whole_or_not_there(sqlite: SqliteStore) -> None:
    """When the event loop ends everything, no transaction is left open, and none is half there."""
    task = await add(sqlite)
    undone = 0
    for steps in range(1, 60, 3):
        call = asyncio.create_task(claim(sqlite, task))
        for _ in range(steps):
            await asyncio.sleep(0)
        for inner in list(sqlite._pending):
            inner.cancel()
        await asyncio.wait((call,))
        assert not sqlite._writing.locked()
        await add(sqlite, 100 + steps)  # after whatever its thread was at
        assert not sqlite._writer.in_transaction
        found = await sqlite.get(task.id)
        assert found is not None
        submissions = len(await sqlite.charges(START - HOUR))
        assert (found.state is TaskState.SUBMITTING) == (submissions == 1)
        if submissions:
            break
        undone += 1
    assert undone


async def test_a_failed_transaction_leaves_nothing(sqlite: SqliteStore) -> None:
    """What was written before an error in the same transaction is gone, and others' writes are not."""

    def work() -> None:
        sqlite._run("UPDATE meta SET value = 99")
        sqlite._run("nonsense")

    failing = asyncio.create_task(sqlite._write(None, work))
    added = asyncio.create_task(add(sqlite))
    with pytest.raises(StoreError, match="nonsense"):
        await failing
    task = await added
    assert task.turn == 1
    assert await sqlite.get(task.id) == task


async def test_reads_neither_see_nor_wait_for_an_open_transaction(sqlite: SqliteStore) -> None:
    """While a transaction is open, a read gives what was committed before, at once."""
    task = await add(sqlite)
    going, go_on = threading.Event(), threading.Event()

    def work() -> None:
        sqlite._run("UPDATE tasks SET turn = 99")
        going.set()
        assert go_on.wait(10)

    writing = asyncio.create_task(sqlite._write(None, work))
    await asyncio.to_thread(going.wait, 10)
    assert await asyncio.wait_for(sqlite.get(task.id), 5) == task
    go_on.set()
    await writing
    after = await sqlite.get(task.id)
    assert after is not None
    assert after.turn == 99


async def test_many_at_once_get_what_is_theirs(sqlite: SqliteStore) -> None:
    """A hundred claims side by side take as many slots as there are, and no task twice."""
    tasks = await asyncio.gather(*(add(sqlite, n, user_id=n) for n in range(25)))
    claims = await asyncio.gather(*(claim(sqlite, task, parallel=7) for task in tasks * 4))
    taken = [task.id for task in claims if task is not None]
    assert len(taken) == len(set(taken)) == 7
    assert await sqlite.slots_held(START) == 7


async def test_two_tasks_cannot_have_one_hidream_task(sqlite: SqliteStore) -> None:
    """Side by side, only one of two rows adopts the same task of HiDream's."""
    rows = [await reach(sqlite, TaskState.UNCERTAIN, n) for n in (1, 2)]
    adopted = await asyncio.gather(*(accept(sqlite, row, name="one") for row in rows))
    assert sorted(task is None for task in adopted) == [False, True]
