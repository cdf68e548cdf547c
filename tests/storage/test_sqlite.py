"""What only SQLite can break: settings, plans, transactions, cancellation, closing."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import aiosqlite
import pytest

from storage.sqlite import SqliteStore, connection, open_store
from storage.sqlite.rows import moment, stamp
from storage.store import StoreError, TaskStore
from storage.tasks import TaskState, Topic
from tests.storage.making import (
    BOT,
    HOUR,
    START,
    HandClock,
    accept,
    add,
    claim,
    claim_delivery,
    new_draft,
    reach,
    update,
)

# --- settings


async def test_the_settings_that_kill_cannot_show(sqlite: SqliteStore) -> None:
    """Both connections have what a power cut, a foreign key or a busy file would need."""
    for one in (sqlite._writer, sqlite._reader):
        found = {}
        for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout"):
            ((found[name],),) = await one.execute_fetchall(f"PRAGMA {name}")
        assert found == {
            "journal_mode": "wal",
            "synchronous": 2,
            "foreign_keys": 1,
            "busy_timeout": connection.BUSY_TIMEOUT,
        }


async def test_the_reading_connection_cannot_write(sqlite: SqliteStore) -> None:
    """A write that slips into the reads is refused, as an error of the store."""
    with pytest.raises(StoreError, match="readonly"):
        await sqlite._rows("DELETE FROM meta")


def test_times_are_kept_to_the_microsecond() -> None:
    """A time comes back as it went in."""
    assert moment(stamp(START)) == START
    assert stamp(None) is None


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE tasks SET state = 'lost'",
        "UPDATE tasks SET state = 'delivered'",
        "UPDATE tasks SET state = 'submitting'",
        "UPDATE tasks SET state = 'running'",
        "UPDATE tasks SET state = 'waiting'",
        "INSERT INTO images (task_id, n, sub_task_id) VALUES (99, 0, '')",
    ],
)
async def test_the_database_refuses_what_must_not_be(sqlite: SqliteStore, sql: str) -> None:
    """A state without what belongs to it is refused by the database itself."""
    await add(sqlite)
    with pytest.raises(StoreError, match="constraint"):
        await sqlite._change(None, sql, ())


# --- plans

_STATES: Final = tuple(TaskState)


async def _use_everything(store: TaskStore) -> None:
    """Call every method that a loop or a handler calls."""
    for n, state in enumerate(_STATES):
        await reach(store, state, n, user_id=n + 1)
    task = await add(store, 50, user_id=50)
    await store.receive(BOT, [update(1), update(2)], START)
    head = (await store.inbox_heads(START, 5))[0]
    await store.inbox_defer(head, due_at=START, error="", failed=True)
    await store.next_inbox_due()
    await store.inbox_set_aside(head, error="", now=START)
    await store.inbox_done(head, START)
    await store.add_draft(new_draft(), START)
    await store.open_draft(5, 5, START)
    await store.draft_asked_by(5, 5, 1)
    await store.asked(1, 1)
    for look in (
        store.get(1),
        store.tasks_of(5, limit=5),
        store.tasks_of(5, limit=5, chat_id=5),
        store.unfinished_child(1),
        store.place_in_line(task),
        store.next_queued(5),
        store.requeue_due(START),
        store.slots_held(START),
        store.next_hold_end(),
        store.charges(START),
        store.uncertain(START),
        store.running(),
        store.note_completion(5, 0.5),
        store.release("hidream 5", START),
        store.next_delivery_due(),
        store.steps(1),
        store.unannounced(5),
        store.announced(5),
        store.note_progress_message(1, 1),
        store.note_shown_place(1, 1),
        store.move_chat(5, 6),
        store.counts(),
        store.files_removed(1),
        store.with_files_before(START, 5),
        store.recover(owner="next", now=START, sole=True),
        store.recover(owner="next", now=START, sole=False),
        store.prune(
            now=START + 9 * HOUR,
            inbox_before=START + HOUR,
            finished_before=START + HOUR,
            limit=100,
        ),
        store.cancel_queued(50, 50, START),
        store.cancel_queued(None, 50, START),
    ):
        await look
    delivering = await claim_delivery(store)
    assert delivering is not None
    await store.step_started(delivering, "text", START)
    await store.step_not_sent(delivering, "text")
    await store.step_sent(delivering, "text", [1], [], START)


async def test_no_statement_scans_a_table(
    sqlite: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the bot does, SQLite finds its rows by an index: a million finished ones cost nothing."""
    seen: set[str] = set()

    def noting(method: str) -> Callable[..., Awaitable[object]]:
        real = getattr(sqlite, method)

        def noted(*arguments: object) -> Awaitable[object]:
            seen.add(str(arguments[0]))
            result: Awaitable[object] = real(*arguments)
            return result

        return noted

    for method in ("_rows", "_run", "_run_many"):
        monkeypatch.setattr(sqlite, method, noting(method))
    await _use_everything(sqlite)
    plans = {}
    for sql in sorted(seen - {"BEGIN IMMEDIATE", "COMMIT"}):
        values = [1] * (3 if "?3" in sql else 2 if "?2" in sql else sql.count("?"))
        rows = await sqlite._writer.execute_fetchall("EXPLAIN QUERY PLAN " + sql, values)
        plans[sql] = [row["detail"] for row in rows]
    assert len(plans) > 60
    scans = [
        (sql, detail)
        for sql, details in plans.items()
        for detail in details
        if detail.startswith("SCAN") and not _is_small(detail)
    ]
    assert scans == []


def _is_small(scan: str) -> bool:
    """Say whether what is read from end to end is short by its nature, or read in order up to a limit."""
    if scan.startswith(("SCAN json_each", "SCAN (subquery", "SCAN tallies")):
        return True
    return " INDEX " in scan and scan.split(" INDEX ")[1].split(maxsplit=1)[0] in _PARTIAL


_PARTIAL: Final = {
    "inbox_new",
    "inbox_put_off",
    "tasks_line",
    "tasks_waiting",
    "tasks_claimed",
    "tasks_uncertain",
    "tasks_running",
    "tasks_ready",
    "tasks_ready_due",
    "tasks_unannounced",
    "tasks_announced_at_hidream",
    "tasks_announced_in_line",
}
"""Indexes that hold only what is unfinished, so that reading them in order is no scan of the table."""


# --- transactions and cancellation


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


async def test_a_write_that_is_itself_cancelled_is_rolled_back(sqlite: SqliteStore) -> None:
    """When the event loop ends everything, an open transaction is undone, not left open."""
    task = await add(sqlite)
    undone = 0
    for steps in range(1, 60, 3):
        call = asyncio.create_task(claim(sqlite, task))
        for _ in range(steps):
            await asyncio.sleep(0)
        for inner in list(sqlite._pending):
            inner.cancel()
        await asyncio.wait((call,))
        assert not sqlite._writer.in_transaction
        assert not sqlite._writing.locked()
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

    async def work() -> None:
        await sqlite._run("UPDATE meta SET value = 99")
        await asyncio.sleep(0.01)
        await sqlite._run("nonsense")

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
    going, go_on = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        await sqlite._run("UPDATE tasks SET turn = 99")
        going.set()
        await go_on.wait()

    writing = asyncio.create_task(sqlite._write(None, work))
    await going.wait()
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


# --- closing


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
        with pytest.raises(sqlite3.OperationalError):
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
