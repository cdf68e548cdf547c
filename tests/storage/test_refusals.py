"""Which database files are refused, and that they stay as they are."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from storage import soundness
from storage.database import refusing
from storage.sqlite import open_store
from storage.store import DatabaseRefused
from tests.storage.database_files import change, make, refuse
from tests.storage.making import HandClock


async def test_a_newer_database_is_refused(path: Path) -> None:
    """A layout that this program does not know is left to the program that does."""
    await make(path)
    change(path, "PRAGMA user_version = 999")
    await refuse(path, "newer version", "999")


async def test_a_newer_database_is_refused_also_when_only_its_log_says_so(path: Path) -> None:
    """A newer program that was killed leaves its version in the log; that counts, and both files stay."""
    await make(path)
    code = (
        "import os, sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('PRAGMA journal_mode = WAL')\n"
        "c.execute('PRAGMA user_version = 999')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert (path.parent / "bot.db-wal").stat().st_size > 0
    (path.parent / "bot.db-shm").unlink()
    await refuse(path, "newer version", "999")


@pytest.mark.parametrize(
    "sql", ["CREATE TABLE songs (name)", "PRAGMA application_id = 5", "CREATE TABLE tasks (id)"]
)
async def test_another_programs_database_is_refused(path: Path, sql: str) -> None:
    """An SQLite file that does not bear our mark is not ours, whatever its tables are called."""
    path.parent.mkdir()
    change(path, sql)
    await refuse(path, "another program")


@pytest.mark.parametrize("content", [b"x", b"SQLite format 3\x00", b"hello " * 100])
async def test_what_is_not_a_database_is_refused(path: Path, content: bytes) -> None:
    """Any other file is not touched."""
    path.parent.mkdir()
    path.write_bytes(content)
    await refuse(path, "not an SQLite database")


def cut(content: bytes) -> bytes:
    """Leave half of it."""
    return content[: len(content) // 2]


def scribble(content: bytes) -> bytes:
    """Overwrite two pages."""
    return content[:4096] + b"\xff" * 8192 + content[12288:]


@pytest.mark.parametrize(("damage", "word"), [(cut, "cut short"), (scribble, "damaged")])
async def test_a_damaged_database_is_refused(
    path: Path, damage: Callable[[bytes], bytes], word: str
) -> None:
    """A file that is cut short or overwritten is left for a repair."""
    await make(path)
    path.write_bytes(damage(path.read_bytes()))
    await refuse(path, word, "backup")


async def test_a_database_with_an_overwritten_schema_is_refused(path: Path) -> None:
    """Damage that SQLite itself cannot read past is told as damage, not as an exception of its."""
    await make(path)
    content = path.read_bytes()
    path.write_bytes(content[:100] + b"\xff" * 3996 + content[4096:])
    await refuse(path, "damaged", "backup")


async def test_a_database_that_lacks_a_table_is_refused(path: Path) -> None:
    """Our mark alone is not enough: what is missing is named."""
    await make(path)
    change(path, "DROP TABLE steps")
    await refuse(path, "lacks steps")


async def test_a_large_database_is_not_read_through(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond a size the start does not look into each page, so that it stays fast."""
    await make(path)
    change(path, "DROP INDEX tasks_line", "PRAGMA writable_schema = ON")
    monkeypatch.setattr(soundness, "QUICK_CHECK_BELOW", 0)
    store = await open_store(path, clock=HandClock())
    await store.close()


@pytest.mark.parametrize("what", ["file", "folder"])
async def test_a_read_only_database_is_refused(path: Path, what: str) -> None:
    """Without the right to write to file or folder nothing is opened, also for root."""
    await make(path)
    one = path if what == "file" else path.parent
    before = one.stat().st_mode
    one.chmod(before & ~0o222)
    try:
        await refuse(path, "read-only")
    finally:
        one.chmod(before)


async def test_a_folder_is_refused(path: Path) -> None:
    """Where a folder stands in the place of the file, the message names a file."""
    path.mkdir(parents=True)
    await refuse(path, "is a folder", "bot.db")


async def test_a_device_is_refused(path: Path) -> None:
    """Only an ordinary file can be a database."""
    path.parent.mkdir()
    os.mkfifo(path)
    with pytest.raises(DatabaseRefused, match="not an ordinary file"):
        await open_store(path, clock=HandClock())


async def test_a_folder_that_cannot_be_made_is_told(path: Path) -> None:
    """A file in the place of the folder is told as such."""
    path.parent.write_text("in the way")
    with pytest.raises(DatabaseRefused, match="cannot be made"):
        await open_store(path / "deeper.db", clock=HandClock())


@pytest.mark.parametrize("suffix", ["-wal", "-journal"])
async def test_changes_without_their_database_are_not_thrown_away(path: Path, suffix: str) -> None:
    """Where the file is gone but its log is there, nothing new is made over it."""
    path.parent.mkdir()
    path.with_name(path.name + suffix).write_bytes(b"changes")
    await refuse(path, "beside it", "backup")


async def test_an_old_sqlite_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python whose SQLite is too old is named as the reason."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    with pytest.raises(DatabaseRefused, match="newer Python"):
        await open_store(path, clock=HandClock())


def _busy(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with closing(sqlite3.connect(path, timeout=0)) as connection:
            connection.execute("SELECT * FROM meta")


def _full(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA max_page_count = 1")
        connection.execute("INSERT INTO facts VALUES ('x', hex(zeroblob(100000)))")


def _read_only(path: Path) -> None:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        connection.execute("DELETE FROM meta")


def _out_of_reach(path: Path) -> None:
    sqlite3.connect(path / "deeper.db").close()


def _no_database(path: Path) -> None:
    path.write_bytes(b"hello " * 1000)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT * FROM meta")


def _anything_else(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("nonsense")


@pytest.mark.parametrize(
    ("trouble", "wrong", "remedy"),
    [
        (_busy, "held by another program", "End that one"),
        (_full, "no room", "Make room"),
        (_read_only, "read-only", "the right to write"),
        (_out_of_reach, "cannot be opened", "the right to read"),
        (_no_database, "damaged", "backup"),
        (_anything_else, "cannot be used", "backup"),
    ],
)
async def test_each_error_of_sqlite_is_told_as_a_refusal(
    path: Path, trouble: Callable[[Path], None], wrong: str, remedy: str
) -> None:
    """The message names the file, what is wrong with it, what SQLite said, and what to do."""
    await make(path)
    change(path)
    with pytest.raises(DatabaseRefused) as caught, refusing(path):
        trouble(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    for words in (wrong, remedy, str(caught.value.__cause__)):
        assert words in message
