"""A look at a database: what it finds, and that it changes nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from storage.examining import Examined, bot_runs_on, examine
from storage.lock import Lock
from storage.sqlite import open_store
from storage.store import DatabaseRefused
from tests.storage.database_files import change, everything, make
from tests.storage.making import HandClock


def look(path: Path, *, thorough: bool = False, seconds: float = 5) -> Examined:
    """Look at a database, and see that nothing has changed by it."""
    before = lasting(path.parent)
    try:
        return examine(path, thorough=thorough, seconds=seconds, fact="secret")
    finally:
        assert lasting(path.parent) == before


def lasting(folder: Path) -> dict[str, bytes]:
    """Give what lasts of a folder: the marks of who is reading do not."""
    files = everything(folder) if folder.exists() else {}
    return {name: content for name, content in files.items() if not name.endswith("-shm")}


@pytest.mark.parametrize("thorough", [False, True])
async def test_a_sound_database(tmp_path: Path, thorough: bool) -> None:
    """What is sound is said to be so, with its size, its layout, and that nobody uses it."""
    path = tmp_path / "bot.db"
    await make(path)
    found = look(path, thorough=thorough)
    assert (found.exists, found.in_use, found.read_through) == (True, False, True)
    assert found.layout == found.newest > 2
    assert found.size == path.stat().st_size
    assert (found.latest, found.fact) == (None, None)
    assert found.free > 0


async def test_one_that_is_in_use(tmp_path: Path) -> None:
    """While the bot runs it is looked at too, as it stands on the disk, the log beside it included."""
    path = tmp_path / "bot.db"
    store = await open_store(path, clock=HandClock())
    try:
        await store.note_fact("secret", "hush")
        found = look(path)
        assert (found.in_use, found.fact) == (True, "hush")
        assert found.size > path.stat().st_size
    finally:
        await store.close()


def test_none_at_all(tmp_path: Path) -> None:
    """Where there is no database yet, nor its folder, that is no fault, and none is made."""
    path = tmp_path / "not" / "yet" / "bot.db"
    found = look(path)
    assert (found.exists, found.in_use) == (False, False)
    assert not path.parent.exists()


async def test_no_time_to_read_it(tmp_path: Path) -> None:
    """What cannot be read through in time is not called sound."""
    path = tmp_path / "bot.db"
    await make(path)
    change(
        path,
        "CREATE TABLE large AS WITH RECURSIVE n(i) AS "
        "(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000) SELECT i, hex(i) FROM n",
    )
    assert look(path, seconds=0).read_through is False
    assert look(path, seconds=0, thorough=True).read_through is True


async def test_what_the_bot_would_refuse(tmp_path: Path) -> None:
    """A folder, somebody else's file, a newer, a damaged and a read-only one are told as at a start."""
    path = tmp_path / "bot.db"
    await make(path)
    sound = path.read_bytes()
    change(path, "PRAGMA user_version = 9999")
    with pytest.raises(DatabaseRefused, match="newer version"):
        look(path)
    path.write_bytes(sound[: len(sound) // 2])
    with pytest.raises(DatabaseRefused, match="cut short"):
        look(path)
    path.write_bytes(sound[:4096] + b"\xff" * (len(sound) - 4096))
    with pytest.raises(DatabaseRefused, match="damaged"):
        look(path)
    path.write_bytes(b"a letter to my aunt" * 99)
    with pytest.raises(DatabaseRefused, match="not an SQLite database"):
        look(path)
    path.write_bytes(sound)
    path.chmod(0o400)
    with pytest.raises(DatabaseRefused, match="read-only"):
        look(path)
    with pytest.raises(DatabaseRefused, match="is a folder"):
        look(tmp_path)


async def test_rows_that_do_not_fit_are_found_by_reading_all(tmp_path: Path) -> None:
    """An index that lacks a row escapes a quick look, and no thorough one."""
    path = tmp_path / "bot.db"
    await make(path)
    change(
        path,
        "CREATE TABLE large (i INTEGER, t TEXT)",
        "INSERT INTO large VALUES (1, 'a'), (2, 'b')",
        "CREATE INDEX by_t ON large (t)",
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = 'CREATE INDEX by_t ON large (i)' WHERE name = 'by_t'",
    )
    assert look(path).read_through is True
    with pytest.raises(DatabaseRefused, match="damaged"):
        look(path, thorough=True)


def test_a_lock_is_seen_and_not_taken(tmp_path: Path) -> None:
    """Whether a bot runs is seen from its lock; one that was left by a killed bot is none."""
    path = tmp_path / "bot.db"
    assert bot_runs_on(path) is False
    lock = Lock(path)
    lock.acquire()
    assert bot_runs_on(path) is True
    lock.release()
    path.with_name("bot.db.lock").touch()
    assert bot_runs_on(path) is False
    lock.acquire()  # nobody holds it back
    lock.release()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_lock_that_is_somebody_elses(tmp_path: Path) -> None:
    """Where the lock cannot be read it is not known whether a bot runs."""
    path = tmp_path / "bot.db"
    path.with_name("bot.db.lock").touch(mode=0o600)
    program = (
        "import os, sys; from pathlib import Path; from storage.examining import bot_runs_on; "
        "os.setuid(65534); print(bot_runs_on(Path(sys.argv[1])))"
    )
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    told = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )
    assert told.stdout == "None\n"
