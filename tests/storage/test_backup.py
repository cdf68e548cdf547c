"""A backup is whole, and of one moment; where it can't be made, nothing is left."""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from storage.files import PictureFiles, pictures_beside
from storage.keeping import backup, contents, places
from storage.keeping.backup import back_up
from storage.keeping.contents import contents_of
from storage.keeping.restore import restore
from storage.sqlite import open_store
from storage.store import DatabaseRefused
from storage.tasks import TaskState
from tests.storage.database_files import change, everything, make
from tests.storage.filling import build
from tests.storage.making import START, HandClock, make_late, reach

ROOT: Final = Path(__file__).parents[2]


async def world(path: Path) -> dict[TaskState, int]:
    """Make a database with a task in every state, and a file of each picture; gives their ids."""
    store = await open_store(path, clock=HandClock())
    files = PictureFiles(pictures_beside(path))
    ids = {}
    for number, state in enumerate(TaskState, start=1):
        ids[state] = (await reach(store, state, number, user_id=number)).id
        await files.put(ids[state], 0, f"picture of {state}".encode())
    await store.close()
    return ids


def packed(path: Path) -> dict[int, bytes]:
    """Give the pictures in a backup, by their task."""
    with closing(sqlite3.connect(path)) as connection:
        return dict(connection.execute("SELECT task_id, content FROM backup_files"))


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Give a place for a backup."""
    return tmp_path / "saved.db"


def refused(path: Path, target: Path, *words: str) -> None:
    """See that no backup is made, with a sentence that has these words, and nothing is left."""
    before = everything(target.parent), everything(path.parent)
    with pytest.raises(DatabaseRefused) as caught:
        back_up(path, target, now=START)
    for word in words:
        assert word in str(caught.value)
    assert (everything(target.parent), everything(path.parent)) == before


async def test_pictures_that_are_to_be_brought_are_in_it(path: Path, target: Path) -> None:
    """Only what is to be delivered is packed; with all pictures, those that were delivered too."""
    ids = await world(path)
    saved = back_up(path, target, now=START)
    assert packed(target) == {
        ids[state]: f"picture of {state}".encode()
        for state in (TaskState.READY, TaskState.DELIVERING)
    }
    found = saved.contents
    assert (found.tasks, found.unfinished, found.pictures, saved.missing) == (11, 7, 2, 0)
    assert (found.in_line, found.at_hidream, found.to_be_brought) == (2, 3, 2)
    assert found.made_at == START
    back_up(path, target, now=START, force=True, all_pictures=True)
    stored = (TaskState.DELIVERED, TaskState.FAILED, TaskState.GONE)
    assert set(packed(target)) == {
        ids[state] for state in (*stored, TaskState.READY, TaskState.DELIVERING)
    }
    assert target.stat().st_mode & 0o777 == 0o600
    assert sorted(everything(target.parent)) == ["saved.db"], "one file is all of it"


async def test_a_late_picture_is_in_it(path: Path, target: Path) -> None:
    """What has come after its task was over, and was not brought yet, is packed too."""
    store = await open_store(path, clock=HandClock())
    task = await reach(store, TaskState.FAILED)
    await make_late(store, task)
    late = [image.n for image in await store.images(task.id) if image.late == "due"]
    await store.close()
    files = PictureFiles(pictures_beside(path))
    for n in late:
        await files.put(task.id, n, b"late")
    back_up(path, target, now=START)
    assert late
    assert packed(target) == {task.id: b"late"}


async def test_it_is_of_one_moment_and_ends_while_somebody_writes(
    path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside a writer that commits between all steps it comes to its end, without half of a write."""
    await make(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE pairs (a INTEGER, b TEXT)")
        connection.executemany(
            "INSERT INTO pairs VALUES (?, ?)", ((0, "x" * 2000) for _ in range(2000))
        )
        connection.commit()
    monkeypatch.setattr(backup, "PAGES", 50)
    writes, steps = 0, 0
    wrote, over = threading.Event(), threading.Event()

    def write() -> None:
        nonlocal writes
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            while not over.is_set():
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("UPDATE pairs SET a = a + 1 WHERE rowid IN (1, 2000)")
                connection.execute("INSERT INTO pairs VALUES (1, 'new')")
                connection.execute("INSERT INTO pairs VALUES (-1, 'new')")
                connection.execute("COMMIT")
                writes += 1
                wrote.set()

    def step(what: str, done: int, of: int) -> None:
        nonlocal steps
        assert done <= of
        steps += what == "Copying"
        assert steps < 100, "it begins anew each time"
        wrote.clear()
        assert wrote.wait(10), "somebody writes between any two steps"

    writer = threading.Thread(target=write)
    writer.start()
    try:
        back_up(path, target, now=START, progress=step)
    finally:
        over.set()
        writer.join()
    assert writes >= steps > 10
    with closing(sqlite3.connect(target)) as copy:
        first, last = copy.execute("SELECT a FROM pairs WHERE rowid IN (1, 2000)").fetchall()
        assert first == last
        assert copy.execute("SELECT sum(a) FROM pairs WHERE b = 'new'").fetchone() in {
            (0,),
            (None,),
        }


async def test_the_store_goes_on_meanwhile(path: Path, target: Path) -> None:
    """A store that is open, with all that is still in its log, is saved as it is, and works on."""
    store = await open_store(path, clock=HandClock())
    for number in range(1, 6):
        await reach(store, TaskState.QUEUED, number)
    saving = asyncio.create_task(asyncio.to_thread(back_up, path, target, now=START))
    for number in range(6, 30):
        await reach(store, TaskState.QUEUED, number)
    saved = await saving
    assert len(await store.next_queued(100)) == 29
    await store.close()
    assert 5 <= saved.contents.tasks <= 29


async def test_a_picture_that_is_delivered_meanwhile_is_not_missed(
    path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a file goes between copying and packing, the copy is made anew, and knows that it was delivered."""
    ids = await world(path)
    files = pictures_beside(path)
    real = PictureFiles.find
    gone = False

    def find(self: PictureFiles, task_id: int, n: int) -> Path:
        nonlocal gone
        if not gone:
            gone = True
            change(
                path,
                "UPDATE tasks SET state = 'delivered', finished_at = 1, ready_at = NULL"
                f" WHERE id = {ids[TaskState.READY]}",
            )
            shutil.rmtree(files / str(ids[TaskState.READY]))
        return real(self, task_id, n)

    monkeypatch.setattr(PictureFiles, "find", find)
    saved = back_up(path, target, now=START)
    assert (saved.missing, saved.contents.to_be_brought) == (0, 1)
    assert set(packed(target)) == {ids[TaskState.DELIVERING]}


async def test_a_picture_that_is_lost_is_told(path: Path, target: Path) -> None:
    """Where a file that is to be brought is not there, the rest is saved, and it is counted."""
    ids = await world(path)
    shutil.rmtree(pictures_beside(path) / str(ids[TaskState.READY]))
    saved = back_up(path, target, now=START)
    assert (saved.missing, saved.contents.pictures) == (1, 1)


async def test_nothing_is_overwritten_unless_forced(path: Path, target: Path) -> None:
    """A file that is there stays, also one that comes while the backup is made."""
    await make(path)
    target.write_bytes(b"mine")
    refused(path, target, "not overwritten", "--force")
    target.unlink()

    def meanwhile(what: str, *_: int) -> None:
        if what == "Checking":
            target.write_bytes(b"mine")

    with pytest.raises(DatabaseRefused, match="not overwritten"):
        back_up(path, target, now=START, progress=meanwhile)
    assert everything(target.parent) == {"saved.db": b"mine"}
    back_up(path, target, now=START, force=True)
    assert contents_of(target).tasks == 1
    for own in (path, path.with_name("bot.db-wal"), path.with_name("bot.db.lock")):
        with pytest.raises(DatabaseRefused, match="bot's own"):
            back_up(path, own, now=START, force=True)


async def test_on_a_file_system_without_links_it_is_renamed(
    path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stick that knows no links takes backups too, and nothing there is overwritten either."""
    await make(path)

    def no_links(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)

    def meanwhile(what: str, *_: int) -> None:
        if what == "Checking":
            target.write_bytes(b"mine")

    with pytest.raises(DatabaseRefused, match="not overwritten"):
        back_up(path, target, now=START, progress=meanwhile)
    assert everything(target.parent) == {"saved.db": b"mine"}
    target.unlink()
    back_up(path, target, now=START)
    assert contents_of(target).tasks == 1
    assert list(everything(target.parent)) == ["saved.db"]


async def test_where_two_write_one_file_the_second_is_refused(path: Path, target: Path) -> None:
    """A backup that another process is writing is left to it; what a killed one left is no obstacle."""
    await make(path)
    target.with_name("saved.db.part").write_bytes(b"half")
    with (
        places.draft_of(target),
        pytest.raises(DatabaseRefused, match="being written by another process"),
    ):
        back_up(path, target, now=START)
    back_up(path, target, now=START)
    assert list(everything(target.parent)) == ["saved.db"]


async def test_what_cannot_be_saved_is_told(path: Path, target: Path, tmp_path: Path) -> None:
    """No database, an empty one, another program's, a newer one: each has its sentence, and nothing is left."""
    refused_there = path.parent
    refused_there.mkdir()
    refused(path, target, "There is no database", "storage.url")
    path.touch()
    refused(path, target, "There is no database")
    path.unlink()
    await make(path)
    change(path, "PRAGMA user_version = 999")
    refused(path, target, "newer version", "999")
    change(path, "PRAGMA user_version = 1", "PRAGMA application_id = 5")
    refused(path, target, "another program")
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseRefused, match="its folder is not"):
        back_up(await _sound(tmp_path), tmp_path / "nowhere" / "x.db", now=START)
    with pytest.raises(DatabaseRefused, match="its folder is not one"):
        back_up(await _sound(tmp_path), tmp_path / "file" / "x.db", now=START)


async def _sound(tmp_path: Path) -> Path:
    path = tmp_path / "sound" / "bot.db"
    await make(path)
    return path


async def test_a_newer_database_that_was_killed_is_refused(path: Path, target: Path) -> None:
    """The layout counts that is in the log."""
    await make(path)
    code = (
        "import os, sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('PRAGMA journal_mode = WAL')\n"
        "c.execute('PRAGMA user_version = 999')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    with pytest.raises(DatabaseRefused, match="newer version"):
        back_up(path, target, now=START)
    assert everything(target.parent) == {}


async def test_without_room_nothing_is_left(
    path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the disk has too little room it is said how much is needed; where it is full all at once, the rest is removed."""
    await make(path)
    with monkeypatch.context() as patch:
        patch.setattr(places, "_MARGIN", 2**62)
        refused(path, target, "no room on its disk", "are free")
    await world(path.with_name("other.db"))
    code = (
        "import resource, sys\n"
        "from datetime import UTC, datetime\n"
        "from pathlib import Path\n"
        "from storage.keeping.backup import back_up\n"
        "no_limit = resource.getrlimit(resource.RLIMIT_FSIZE)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, no_limit[1]))\n"
        "try:\n"
        "    back_up(Path(sys.argv[1]), Path(sys.argv[2]), now=datetime.now(UTC))\n"
        "finally:\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, no_limit)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, str(path), str(target)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "DatabaseRefused" in ended.stderr
    assert "try again" in ended.stderr
    assert everything(target.parent) == {}


async def test_a_folder_that_may_not_be_written_is_told(
    path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the right to write there, the sentence says so."""
    await make(path)

    def forbidden(*_: object) -> int:
        raise PermissionError(13, "Permission denied", str(target))

    monkeypatch.setattr(os, "open", forbidden)
    with pytest.raises(DatabaseRefused, match=r"saved\.db cannot be written"):
        back_up(path, target, now=START)


async def test_a_backup_that_does_not_check_is_not_kept(
    path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not as it should be afterwards never gets its name."""
    await make(path)
    real = contents.count_of

    def count(connection: sqlite3.Connection, table: str) -> int:
        return real(connection, table) + (table == "tasks" and "part" in _file_of(connection))

    monkeypatch.setattr(contents, "count_of", count)
    refused(path, target, "damaged (tasks had 1 rows")


def _file_of(connection: sqlite3.Connection) -> str:
    (_, _, file) = connection.execute("PRAGMA database_list").fetchone()
    return str(file)


async def test_an_interrupted_backup_leaves_nothing(path: Path, target: Path) -> None:
    """Ctrl-C in the midst of it removes what was there."""
    await make(path)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        back_up(path, target, now=START, progress=interrupt)
    assert everything(target.parent) == {}


@pytest.mark.parametrize("layout", [1, 2])
def test_an_older_layout_is_saved_as_it_is(path: Path, target: Path, layout: int) -> None:
    """A database that was not brought up to date yet is saved in the layout that it has."""
    build(path, layout)
    assert back_up(path, target, now=START).contents.layout == layout


# --- what is no good backup


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-5000])


def _scribble(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:8192] + b"\xff" * 8192 + content[16384:])


def _newer(file: Path) -> None:
    change(file, "PRAGMA user_version = 999")


def _others(file: Path) -> None:
    change(file, "PRAGMA application_id = 5")


def _lacking(file: Path) -> None:
    change(file, "DROP TABLE backup_files")


def _fewer(file: Path) -> None:
    change(file, "DELETE FROM backup_files")


def _orphan(file: Path) -> None:
    change(file, "INSERT INTO steps VALUES (999, 'x', 'sending', '[]', 0, 1, NULL)")


def _log(file: Path) -> None:
    file.with_name(file.name + "-wal").write_bytes(b"changes")


def _gone(file: Path) -> None:
    file.unlink()


def _text(file: Path) -> None:
    file.write_text("hello")


DAMAGES: Final[tuple[tuple[Callable[[Path], None], str], ...]] = (
    (_cut, "cut short"),
    (_scribble, "damaged"),
    (_newer, "newer version"),
    (_others, "another program"),
    (_lacking, "lacks backup_files"),
    (_fewer, "backup_files had 2 rows"),
    (_orphan, "a row of steps belongs to none"),
    (_log, "no backup but a database"),
    (_gone, "There is no file"),
    (_text, "not an SQLite database"),
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a sound backup once."""
    folder = tmp_path_factory.mktemp("sound")
    asyncio.run(world(folder / "bot.db"))
    back_up(folder / "bot.db", folder / "saved.db", now=START)
    return folder / "saved.db"


@pytest.mark.parametrize(("damage", "words"), DAMAGES)
def test_a_bad_backup_is_known_as_such(
    tmp_path: Path, sound: Path, damage: Callable[[Path], None], words: str
) -> None:
    """Whatever is wrong with a backup is said before anything is touched."""
    file = Path(shutil.copy(sound, tmp_path / "copy.db"))
    assert contents_of(file).pictures == 2
    damage(file)
    before = everything(tmp_path)
    with pytest.raises(DatabaseRefused) as caught:
        contents_of(file)
    assert words in str(caught.value)
    assert everything(tmp_path) == before


async def test_a_plain_copy_of_a_database_is_one_too(path: Path, tmp_path: Path) -> None:
    """What was copied while the bot was stopped can be restored, without pictures."""
    await make(path)
    copy = Path(shutil.copy(path, tmp_path / "copy.db"))
    assert (contents_of(copy).tasks, contents_of(copy).pictures) == (1, 0)
    assert restore(copy, path, now=START).pictures == 0
    with pytest.raises(DatabaseRefused, match="the bot's database itself"):
        restore(path, path, now=START)


async def test_a_backup_in_the_place_of_the_database_is_refused(path: Path, sound: Path) -> None:
    """A backup that was copied there by hand is not opened without its pictures: the right way is named."""
    path.parent.mkdir()
    shutil.copy(sound, path)
    with pytest.raises(DatabaseRefused, match="hidream-bot restore"):
        await open_store(path, clock=HandClock())
    assert contents_of(path).pictures == 2
