"""What only SQLite can break: its settings, and what it refuses."""

import pytest

from storage.sqlite import SqliteStore, checkpoints, connection
from storage.sqlite.rows import moment, stamp
from storage.store import StoreError
from storage.tasks import TaskState
from tests.storage.making import HOUR, START, add, reach


async def test_the_settings_that_kill_cannot_show(sqlite: SqliteStore) -> None:
    """Every connection has what a power cut, a foreign key or a busy file would need."""
    aside = sqlite._checkpoints._connection
    for one in (sqlite._writer, sqlite._reader, aside):
        found = {}
        for name in (
            "journal_mode",
            "synchronous",
            "foreign_keys",
            "busy_timeout",
            "secure_delete",
        ):
            ((found[name],),) = await one.execute_fetchall(f"PRAGMA {name}")
        assert found == {
            "journal_mode": "wal",
            "synchronous": 2,
            "secure_delete": 1,
            "foreign_keys": 1,
            # whoever cuts the log holds the writers up meanwhile
            "busy_timeout": checkpoints.PATIENCE if one is aside else connection.BUSY_TIMEOUT,
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


async def test_submissions_are_closed_by_whoever_hands_in(sqlite: SqliteStore) -> None:
    """A submission that nobody is making any more is left open by the courier's recovery alone."""
    await reach(sqlite, TaskState.SUBMITTING)
    await sqlite._change(
        None,
        "UPDATE tasks SET state = 'uncertain', claimed_by = NULL, lease_until = NULL",
        (),
    )
    await sqlite.recover(owner="next", now=START, sole=True, state=TaskState.DELIVERING)
    assert [one.answered_at for one in await sqlite.charges(START - HOUR)] == [None]
    await sqlite.recover(owner="next", now=START, sole=True, state=TaskState.SUBMITTING)
    assert [one.answered_at for one in await sqlite.charges(START - HOUR)] == [START]
