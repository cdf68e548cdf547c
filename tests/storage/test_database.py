"""The database file: what is refused stays as it is; what is ours opens, also after a kill."""

import fcntl
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from storage import database
from storage.database import Lock, Migration, migrate, migrations, statements
from storage.sqlite import open_store
from storage.store import DatabaseRefused
from tests.storage.making import HandClock, add


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give a place for a database, in a folder that is not there yet."""
    return tmp_path / "data" / "bot.db"


async def make(path: Path) -> None:
    """Make a sound database of ours, with a task in it."""
    store = await open_store(path, clock=HandClock())
    await add(store)
    await store.close()


def everything(folder: Path) -> dict[str, bytes]:
    """Give all files of a folder."""
    return {one.name: one.read_bytes() for one in sorted(folder.iterdir()) if not one.is_dir()}


async def refuse(path: Path, *words: str, create: bool = True) -> None:
    """Open, and see that it is refused with these words, and that nothing has changed."""
    before = everything(path.parent)
    with pytest.raises(DatabaseRefused) as caught:
        await open_store(path, clock=HandClock(), create=create)
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


# --- what is refused


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
    monkeypatch.setattr(database, "QUICK_CHECK_BELOW", 0)
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


async def test_a_missing_database_is_made_only_if_asked(path: Path) -> None:
    """With create=False a missing file is refused, and not made."""
    path.parent.mkdir()
    await refuse(path, "does not exist", create=False)
    assert not path.exists()


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


async def test_a_database_in_use_is_refused_until_it_is_closed(path: Path) -> None:
    """Two processes never share a file: the second is refused; after closing, the next may."""
    store = await open_store(path, clock=HandClock())
    await refuse(path, "in use")
    await store.close()
    await make(path)
    assert list(everything(path.parent)) == ["bot.db"]


async def test_a_refusal_gives_the_lock_back(path: Path) -> None:
    """After a file was refused it can be replaced, and opened."""
    path.parent.mkdir()
    path.write_bytes(b"hello")
    await refuse(path)
    path.unlink()
    await make(path)


async def test_without_a_lock_it_can_be_opened_beside_another(path: Path) -> None:
    """lock=False leaves the lock to whoever holds it."""
    store = await open_store(path, clock=HandClock())
    beside = await open_store(path, clock=HandClock(), lock=False)
    await beside.close()
    await refuse(path, "in use")
    await store.close()
    change(path, "PRAGMA user_version = 999")
    with pytest.raises(DatabaseRefused, match="newer"):
        await open_store(path, clock=HandClock(), lock=False)


def test_a_lock_whose_name_was_taken_away_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock file that its last holder removed just now protects nothing, so another one is made."""
    lock = Lock(tmp_path / "bot.db")
    name = tmp_path / "bot.db.lock"
    flock = fcntl.flock
    tries = 0

    def racing(file: int, how: int) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            name.unlink()
        flock(file, how)

    monkeypatch.setattr(fcntl, "flock", racing)
    lock.acquire()
    assert tries == 2
    assert name.exists()
    lock.release()
    lock.release()
    assert not name.exists()


# --- what is opened


@pytest.mark.parametrize("there", [True, False])
async def test_a_new_database_is_for_this_user_only(path: Path, there: bool) -> None:
    """A missing or empty file becomes a database; folder 0700, files 0600, also those beside it."""
    before = os.umask(0)
    try:
        if there:
            path.parent.mkdir(mode=0o700)
            path.touch()
        store = await open_store(path, clock=HandClock())
        await add(store)
    finally:
        os.umask(before)
    files = {one.name: stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()}
    await store.close()
    assert set(files) == {"bot.db", "bot.db-shm", "bot.db-wal", "bot.db.lock"}
    assert set(files.values()) == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_a_file_that_others_could_read_is_closed_to_them(path: Path) -> None:
    """A database that was copied with a looser mode is made private again."""
    await make(path)
    path.chmod(0o644)
    await make(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_what_a_killed_start_left_is_no_obstacle(path: Path) -> None:
    """A half-made new database is thrown away and made again."""
    path.parent.mkdir()
    path.with_name("bot.db.new").write_bytes(b"half")
    await make(path)
    assert list(everything(path.parent)) == ["bot.db"]


async def test_what_was_committed_survives_a_kill(path: Path) -> None:
    """After kill -9 the log is there, the lock is not held, and every committed task is found."""
    code = (
        "import asyncio, os, signal, sys\n"
        "from pathlib import Path\n"
        "from storage.clock import SystemClock\n"
        "from storage.sqlite import open_store\n"
        "from tests.storage.making import add\n"
        "async def main():\n"
        "    store = await open_store(Path(sys.argv[1]), clock=SystemClock())\n"
        "    for n in range(5):\n"
        "        await add(store, n)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    root = Path(__file__).parents[2]
    ended = subprocess.run([sys.executable, "-c", code, str(path)], cwd=root, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert (path.parent / "bot.db-wal").stat().st_size > 0
    store = await open_store(path, clock=HandClock())
    assert len(await store.next_queued(10)) == 5
    await store.close()


async def test_a_process_with_a_store_ends_once_it_is_closed(path: Path) -> None:
    """An open connection would keep the process alive; a closed store does not, nor does a refused one."""
    code = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from storage.clock import SystemClock\n"
        "from storage.sqlite import open_store\n"
        "async def main():\n"
        "    store = await open_store(Path(sys.argv[1]), clock=SystemClock())\n"
        "    try:\n"
        "        await open_store(Path(sys.argv[1]), clock=SystemClock())\n"
        "    finally:\n"
        "        await store.close()\n"
        "asyncio.run(main())\n"
    )
    root = Path(__file__).parents[2]
    ended = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        cwd=root,
        check=False,
        timeout=20,
        stderr=subprocess.PIPE,
    )
    assert b"DatabaseRefused" in ended.stderr


# --- migrations


def test_migrations_are_numbered_without_gaps() -> None:
    """The files that come with the program are 1, 2, 3, … in order, each with something to do."""
    steps = migrations()
    assert [step.number for step in steps] == list(range(1, len(steps) + 1))
    assert all(step.statements for step in steps)


def test_a_script_is_split_into_its_statements() -> None:
    """A semicolon in a string, a comment or a trigger ends nothing."""
    script = (
        "-- one; two\nCREATE TABLE a (b DEFAULT ';');\n"
        "CREATE TRIGGER t AFTER INSERT ON a\nBEGIN\n  DELETE FROM a;\n  SELECT 1;\nEND;\n"
    )
    first, second = statements(script)
    assert first.endswith("';');")
    assert second.startswith("CREATE TRIGGER")
    assert second.endswith("END;")


async def test_a_migration_goes_through_whole_or_not_at_all(path: Path) -> None:
    """A step that fails leaves layout and number as they were; those before it stay."""
    await make(path)
    good = Migration(number=2, name="good", statements=("CREATE TABLE two (x)",))
    bad = Migration(number=3, name="bad", statements=("CREATE TABLE three (x)", "nonsense"))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection, (*migrations(), good, bad))
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        version = connection.execute("PRAGMA user_version").fetchone()
    assert version == (2,)
    assert "two" in names
    assert "three" not in names
