"""The way back: both the database and its pictures, or neither; and what was there is kept."""

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from storage.database import prepare
from storage.examining import examine as look_at
from storage.files import PictureFiles, pictures_beside
from storage.keeping import places, swap
from storage.keeping.backup import back_up
from storage.keeping.restore import restore
from storage.sqlite import open_store
from storage.store import DatabaseRefused
from storage.tasks import TaskState
from tests.storage.database_files import everything
from tests.storage.making import START, HandClock, add, reach

ROOT: Final = Path(__file__).parents[2]


async def then_and_now(path: Path, target: Path) -> None:
    """Make a backup with one task and its picture; after it another task, and another picture."""
    store = await open_store(path, clock=HandClock())
    files = PictureFiles(pictures_beside(path))
    task = await reach(store, TaskState.READY)
    await files.put(task.id, 0, b"then")
    back_up(path, target, now=START)
    await files.put(task.id, 0, b"now")
    await files.put(99, 0, b"now")
    await add(store, 2)
    await store.close()


def tasks_of(path: Path) -> int:
    """Count the tasks in a database."""
    with closing(sqlite3.connect(path)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM tasks").fetchone()
    return int(count)


async def test_what_was_then_is_there_again(path: Path, tmp_path: Path) -> None:
    """Rows and pictures are those of the backup, and the store goes on from there; what was there is aside."""
    target = tmp_path / "saved.db"
    await then_and_now(path, target)
    saved = target.read_bytes()
    done = restore(target, path, now=START)
    assert target.read_bytes() == saved, "it can be restored again"
    assert done.pictures == 1
    database, pictures = done.aside
    assert (tasks_of(path), tasks_of(database)) == (1, 2)
    files = PictureFiles(pictures_beside(path))
    assert files.find(1, 0).read_bytes() == b"then"
    with pytest.raises(FileNotFoundError):
        files.find(99, 0)
    assert PictureFiles(pictures).find(99, 0).read_bytes() == b"now"
    modes = [
        one.stat().st_mode & 0o777 for one in (path, files.find(1, 0), files.find(1, 0).parent)
    ]
    assert modes == [0o600, 0o600, 0o700]
    with closing(sqlite3.connect(path)) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    assert not {name for name in names if name.startswith("backup")}
    assert b"then" not in path.read_bytes(), "what is unpacked is not in the database as well"
    store = await open_store(path, clock=HandClock())
    assert [task.state for task in await store.tasks_of(5, limit=9)] == [TaskState.READY]
    await store.close()


async def test_twice_in_a_second_both_are_kept(path: Path, tmp_path: Path) -> None:
    """Each restore puts aside what was there, under a name of its own."""
    target = tmp_path / "saved.db"
    await then_and_now(path, target)
    first, second = restore(target, path, now=START), restore(target, path, now=START)
    assert len({*first.aside, *second.aside}) == 4
    assert all(one.exists() for one in (*first.aside, *second.aside))


async def test_a_log_beside_the_old_database_goes_with_it(path: Path, tmp_path: Path) -> None:
    """What a killed bot has left in its log is put aside with the database, and never read into the new one."""
    target = tmp_path / "saved.db"
    await then_and_now(path, target)
    code = (
        "import os, sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('PRAGMA journal_mode = WAL')\n"
        "c.execute('DELETE FROM images')\n"
        "c.execute('DELETE FROM submissions')\n"
        "c.execute('DELETE FROM tasks')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    database, _ = restore(target, path, now=START).aside
    assert (tasks_of(path), tasks_of(database)) == (1, 0)


async def test_where_there_is_nothing_it_is_put_there(path: Path, tmp_path: Path) -> None:
    """On another machine nothing is put aside."""
    target = tmp_path / "saved.db"
    await then_and_now(path, target)
    shutil.rmtree(path.parent)
    path.parent.mkdir()
    assert restore(target, path, now=START + timedelta(days=1)).aside == ()
    assert tasks_of(path) == 1


async def test_without_room_nothing_changes(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the disk has too little room, or a file cannot be written, all is as it was."""
    target = tmp_path / "saved.db"
    await then_and_now(path, target)
    before = everything(path.parent)
    with monkeypatch.context() as patch:
        patch.setattr(places, "_MARGIN", 2**62)
        with pytest.raises(DatabaseRefused, match="no room"):
            restore(target, path, now=START)
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", _no_room)
        with pytest.raises(DatabaseRefused, match="no room"):
            restore(target, path, now=START)
    assert everything(path.parent) == before
    assert PictureFiles(pictures_beside(path)).find(99, 0).read_bytes() == b"now"
    assert not swap.staging(path).exists()


def _no_room(_: int) -> None:
    raise OSError(28, "No space left on device")


async def test_what_cannot_be_put_in_its_place_is_told(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the swap fails before its moment nothing has changed, and after it the next start does the rest."""
    target = tmp_path / "saved.db"
    await then_and_now(path, target)
    real = Path.rename

    def rename(self: Path, to: Path) -> Path:
        if self == failing:
            raise OSError(5, "Input/output error", str(self))
        return real(self, to)

    monkeypatch.setattr(Path, "rename", rename)
    failing = swap.staging(path)
    with pytest.raises(DatabaseRefused, match="Nothing has changed"):
        restore(target, path, now=START)
    assert tasks_of(path) == 2
    failing = swap.staged(path) / swap.DATABASE
    with pytest.raises(DatabaseRefused, match="next start"):
        restore(target, path, now=START)
    assert not path.exists()
    with pytest.raises(DatabaseRefused, match="a restore was cut off"):
        back_up(path, tmp_path / "other.db", now=START)
    with pytest.raises(DatabaseRefused, match="a restore was cut off"):
        look_at(path, thorough=False, seconds=5, fact="presence")
    failing = tmp_path
    prepare(path)
    assert tasks_of(path) == 1
    assert not swap.staged(path).exists()


KILLER: Final = """
import json, os, shutil, sqlite3, sys
from datetime import UTC, datetime
from pathlib import Path
from storage.database import prepare
from storage.files import pictures_beside
from storage.keeping.restore import restore
from storage.keeping.swap import staging, staged

SOURCE, SAVED, WORK = (Path(one) for one in sys.argv[1:])
WATCHED = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "sqlite3.connect"}
STAMP = datetime(2026, 1, 1, tzinfo=UTC)

def child(path, at):
    count = 0
    def hook(event, arguments):
        nonlocal count
        if event in WATCHED:
            if count == at:
                os.kill(os.getpid(), 9)
            count += 1
    sys.addaudithook(hook)
    restore(SAVED, path, now=STAMP)
    os._exit(0)

def tasks(path):
    connection = sqlite3.connect(f"file:{path}?immutable=1", uri=True)
    (found,) = connection.execute("SELECT count(*) FROM tasks").fetchone()
    connection.close()
    return found

for at in range(1000):
    path = WORK / f"{at}" / "bot.db"
    shutil.copytree(SOURCE, path.parent)
    pid = os.fork()
    if not pid:
        child(path, at)
    _, status = os.waitpid(pid, 0)
    prepare(path)  # as the next start does
    pictures = pictures_beside(path)
    picture = (pictures / "1" / "0").read_text()
    aside = [one for one in path.parent.glob("bot*.before-restore-*")]
    print(json.dumps({
        "done": os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0,
        "tasks": tasks(path),
        "picture": picture,
        "others": (pictures / "99").exists(),
        "aside": sorted((tasks(one) if one.is_file() else (one / "1" / "0").read_text()
                         for one in aside), key=str),
        "left": [one.name for one in (staging(path), staged(path)) if one.exists()],
    }))
    shutil.rmtree(path.parent)
    if os.WIFEXITED(status):
        break
"""


async def test_killed_at_any_moment_the_old_or_the_new_is_there(path: Path, tmp_path: Path) -> None:
    """Killed before each of its steps, the next start finds the old ones whole or the new ones whole, and the old aside."""
    target = tmp_path / "saved.db"
    await then_and_now(path, target)
    ended = subprocess.run(
        [sys.executable, "-c", KILLER, str(path.parent), str(target), str(tmp_path / "work")],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=100,
    )
    seen = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]
    old = {"tasks": 2, "picture": "now", "others": True, "aside": []}
    new = {"tasks": 1, "picture": "then", "others": False, "aside": [2, "now"]}
    found = [{name: one[name] for name in old} for one in seen]
    moment = found.index(new)
    assert found[:moment] == [old] * moment
    assert found[moment:] == [new] * (len(found) - moment)
    assert moment > 10, "many steps before the moment"
    assert len(found) - moment > 5, "and after it"
    assert all(one["left"] == [] for one in seen)
    assert seen[-1]["done"]
