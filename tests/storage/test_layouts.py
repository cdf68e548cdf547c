"""From every layout that has landed to the newest: nothing is lost, and there is a way back."""

import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib import resources
from pathlib import Path
from typing import Any, Final

import pytest

from storage.keeping import places
from storage.keeping.contents import contents_of
from storage.keeping.restore import restore
from storage.layout import migrations
from storage.soundness import layout_of
from storage.sqlite import open_store
from storage.store import DatabaseRefused
from storage.tasks import TaskState
from tests.storage.database_files import change, everything
from tests.storage.filling import LAYOUTS, NEWEST, build, rows_of
from tests.storage.making import START, HandClock, add

OLDER: Final = LAYOUTS[:-1]
LANDED: Final = {
    "0001_start.sql": "0cb0b6e22a87a3619045ad8d4494179f962646fd76a9934e483211d76a754a90",
    "0002_engine.sql": "a7a26a0be6c895147c9b17e4213f07c34072aafe03d49516adbaa12169f66aa1",
    "0003_conversation.sql": "ced80cc25b9eed321d955ec8a31e75e09d79b58e06b1de2a26f22dae02405a46",
    "0004_figures.sql": "880cc6acabf42026eeed305617007041a6f76d307314c87becc14d371d90f806",
}
"""What somebody's database was made with can't be changed any more: a change is a new step."""


def test_what_has_landed_stays_as_it_is() -> None:
    """No landed migration has been changed, and new ones come after them."""
    folder = resources.files("storage") / "migrations"
    found = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.iterdir()
        if file.name.endswith(".sql")
    }
    assert {name: found.get(name) for name in LANDED} == LANDED
    assert all(name > max(LANDED) for name in found if name not in LANDED)


def read(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Give all rows, and see that the database is sound."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        return rows_of(connection)


@pytest.mark.parametrize("layout", LAYOUTS)
async def test_nothing_is_lost_on_the_way_to_the_newest(path: Path, layout: int) -> None:
    """Each row of each table has the same in every column that both layouts have, and the store works with it."""
    build(path, layout)
    before = read(path)
    assert all(before.values()), "every table has rows"
    assert {row["state"] for row in before["tasks"]} == set(TaskState)
    store = await open_store(path, clock=HandClock())
    try:
        counts = await store.counts()
        assert [counts[state] for state in TaskState] == [1] * len(TaskState)
        assert [task.id for task in await store.next_queued(9)] == [1]
        of_everybody = {row["user_id"] for row in before["tasks"]}
        found = [kind for user_id in of_everybody async for kind, _ in store.everything_of(user_id)]
        assert {"task", "image", "submission", "step"} <= set(found)
        await store.recover(owner="new", now=START, sole=True)
        added = await add(store, 99)
        assert await store.get(added.id) == added
    finally:
        await store.close()


@pytest.mark.parametrize("layout", LAYOUTS)
async def test_rows_are_the_same_in_the_newest_layout(path: Path, layout: int) -> None:
    """Opened and closed, the database has all its rows, with the values they had."""
    build(path, layout)
    before = read(path)
    await (await open_store(path, clock=HandClock())).close()
    after = read(path)
    for table, rows in before.items():
        assert len(after[table]) == len(rows), table
        kept = [
            {name: value for name, value in row.items() if name in after[table][0]} for row in rows
        ]
        assert kept == [{name: row[name] for name in kept[0]} for row in after[table]], table


@pytest.mark.parametrize("layout", OLDER)
async def test_there_is_a_backup_before_the_layout_is_changed(path: Path, layout: int) -> None:
    """Beside the database stands a sound backup of the old layout, which brings all back; the newest needs none."""
    build(path, layout)
    before = read(path)
    await (await open_store(path, clock=HandClock())).close()
    kept = path.with_name(f"bot.db.before-layout-{NEWEST}")
    assert contents_of(kept).layout == layout
    assert kept.stat().st_mode & 0o777 == 0o600
    content = kept.read_bytes()
    await (await open_store(path, clock=HandClock())).close()
    assert kept.read_bytes() == content, "made once"
    restore(kept, path, now=START)
    assert read(path) == before


async def test_without_room_for_the_backup_the_layout_stays(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no backup can be made before it, the database is refused, and is the same to the byte."""
    build(path, OLDER[-1])
    before = everything(path.parent)
    with monkeypatch.context() as patch:
        patch.setattr(places, "_MARGIN", 2**62)
        with pytest.raises(DatabaseRefused, match=r"no backup .* left as it is.* no room"):
            await open_store(path, clock=HandClock())
    assert everything(path.parent) == before
    await (await open_store(path, clock=HandClock())).close()


async def test_what_a_killed_bot_has_left_in_its_log_is_in_the_backup(path: Path) -> None:
    """A version that was killed and not started again before the upgrade loses nothing by it."""
    build(path, OLDER[-1])
    code = (
        "import os, sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute(\"UPDATE tasks SET prompt = 'the last words'\")\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert path.with_name("bot.db-wal").stat().st_size > 0
    path.with_name("bot.db-shm").unlink()
    await (await open_store(path, clock=HandClock())).close()
    for one in (path, path.with_name(f"bot.db.before-layout-{NEWEST}")):
        assert {row["prompt"] for row in read(one)["tasks"]} == {"the last words"}


KILLED: Final = """
import os, sqlite3, sys
from dataclasses import replace
from storage.layout import migrate, migrations

def kill():
    os.kill(os.getpid(), 9)

*before, last = migrations()
at = int(sys.argv[2])
statements = (*last.statements[:at], "SELECT killed()", *last.statements[at:])
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode = WAL")
connection.create_function("killed", 0, kill)
connection.execute("PRAGMA cache_size = 1")  # what is changed gets to the disk at once
migrate(connection, (*before, replace(last, statements=statements)))
"""


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
async def test_killed_while_the_layout_is_changed_it_is_the_old_one(
    path: Path, share: float
) -> None:
    """Killed at the beginning, in the midst or at the end of a step, layout and rows are as before it."""
    build(path, NEWEST - 1)
    before = read(path)
    at = int(share * len(migrations()[-1].statements))
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(path), str(at)],
        cwd=Path(__file__).parents[2],
        check=False,
        timeout=60,
        env={**os.environ},
    )
    assert ended.returncode == -signal.SIGKILL
    assert read(path) == before
    with closing(sqlite3.connect(path)) as connection:
        assert layout_of(connection) == NEWEST - 1
    await (await open_store(path, clock=HandClock())).close()
    change(path)
    assert len(read(path)["tasks"]) == len(before["tasks"])
