"""Backups that were made to do harm, and names that lead to the bot's own files by another way."""

import asyncio
import fcntl
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from storage.files import PictureFiles, pictures_beside
from storage.keeping import places
from storage.keeping.backup import back_up
from storage.keeping.contents import contents_of
from storage.keeping.restore import restore
from storage.sqlite import open_store
from storage.store import DatabaseRefused
from storage.tasks import TaskState
from tests.storage.database_files import change, everything, make
from tests.storage.making import START, HandClock, reach


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a sound backup with one picture once."""
    folder = tmp_path_factory.mktemp("sound")

    async def fill() -> None:
        store = await open_store(folder / "bot.db", clock=HandClock())
        task = await reach(store, TaskState.READY)
        await PictureFiles(pictures_beside(folder / "bot.db")).put(task.id, 0, b"picture")
        await store.close()

    asyncio.run(fill())
    back_up(folder / "bot.db", folder / "saved.db", now=START)
    return folder / "saved.db"


_NO_FACT: Final = "cannot be read"
_NO_PICTURE: Final = "a picture in it is none"
_NOT_OURS: Final = "is not this program's, and would act by itself"
CRAFTED: Final = {
    "a path in the place of a number": (
        "UPDATE backup_files SET task_id = '../../x'",
        _NO_PICTURE,
    ),
    "a number below zero": ("UPDATE backup_files SET n = -1", _NO_PICTURE),
    "a text in the place of a picture": ("UPDATE backup_files SET content = 'x'", _NO_PICTURE),
    "no counts": ("DELETE FROM backup_facts WHERE name = 'rows'", _NO_FACT),
    "counts that are no JSON": (
        "UPDATE backup_facts SET value = '{' WHERE name = 'rows'",
        _NO_FACT,
    ),
    "counts in a list": ("UPDATE backup_facts SET value = '[1]' WHERE name = 'rows'", _NO_FACT),
    "a time that is none": (
        "UPDATE backup_facts SET value = 'now' WHERE name = 'made_at'",
        _NO_FACT,
    ),
    "a time beyond all calendars": (
        "UPDATE backup_facts SET value = '9999-12-31T23:59:59-23:59' WHERE name = 'made_at'",
        _NO_FACT,
    ),
    "a trigger": (
        "CREATE TRIGGER evil AFTER INSERT ON inbox BEGIN DELETE FROM tasks; END",
        f"its trigger evil {_NOT_OURS}",
    ),
    "a view": ("CREATE VIEW evil AS SELECT * FROM tasks", f"its view evil {_NOT_OURS}"),
    "an index": ("CREATE UNIQUE INDEX evil ON tasks (state)", f"its index evil {_NOT_OURS}"),
    "a trigger less": ("DROP TRIGGER tasks_moved", "its trigger tasks_moved is missing"),
    "pictures that are computed": (
        "ALTER TABLE backup_files ADD COLUMN more GENERATED ALWAYS AS (zeroblob(9)) VIRTUAL",
        "its table backup_files is missing, or not as this program makes it",
    ),
}


@pytest.mark.parametrize("what", CRAFTED)
def test_a_crafted_backup_is_refused(tmp_path: Path, sound: Path, what: str) -> None:
    """What this program has never written into a backup is said, and nothing of it is put in place."""
    sql, words = CRAFTED[what]
    file = Path(shutil.copy(sound, tmp_path / "copy.db"))
    change(file, sql)
    before = everything(tmp_path)
    with pytest.raises(DatabaseRefused) as caught:
        contents_of(file)
    assert words in str(caught.value)
    assert everything(tmp_path) == before


async def test_what_somebody_has_put_into_the_database_is_left_out(
    path: Path, tmp_path: Path
) -> None:
    """An operator's own index or trigger keeps no backup from being made, and none from its way back."""
    await make(path)
    change(
        path,
        'CREATE INDEX "my ""own" ON tasks (prompt)',
        "CREATE TRIGGER mine AFTER INSERT ON tasks BEGIN SELECT 1; END",
        "CREATE TABLE notes (words TEXT)",
        "INSERT INTO notes VALUES ('kept')",
    )
    target = tmp_path / "saved.db"
    back_up(path, target, now=START)
    restore(target, path, now=START)
    with closing(sqlite3.connect(path)) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        assert connection.execute("SELECT words FROM notes").fetchall() == [("kept",)]
    assert not names & {'my "own', "mine"}


async def test_no_other_name_leads_to_the_bots_own_files(path: Path, tmp_path: Path) -> None:
    """By dots, by a link to its folder or to itself: the database is not overwritten, even if forced."""
    await make(path)
    (path.parent / "sub").mkdir()
    (tmp_path / "folder").symlink_to(path.parent)
    (tmp_path / "hard.db").hardlink_to(path)
    before = everything(path.parent)
    for target in (
        path,
        path.parent / "sub" / ".." / path.name,
        tmp_path / "folder" / path.name,
        tmp_path / "folder" / f"{path.name}-wal",
        tmp_path / "hard.db",
    ):
        with pytest.raises(DatabaseRefused, match="the bot's own"):
            back_up(path, target, now=START, force=True)
    assert everything(path.parent) == before


async def test_only_an_ordinary_file_is_overwritten(path: Path, tmp_path: Path) -> None:
    """A device, a pipe or a folder does not become a backup, even if forced: it would be gone."""
    await make(path)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for target in (pipe, tmp_path):
        with pytest.raises(DatabaseRefused, match="not an ordinary file"):
            back_up(path, target, now=START, force=True)
    assert pipe.is_fifo()


def test_a_draft_that_was_placed_meanwhile_is_not_emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever opens a draft just before its writer places it gets one of its own, not the finished file."""
    target = tmp_path / "saved.db"
    part = tmp_path / "saved.db.part"
    part.write_bytes(b"whole")
    real = fcntl.flock

    def flock(handle: int, how: int) -> None:
        if not target.exists():
            part.rename(target)
        real(handle, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    with places.draft_of(target) as draft:
        draft.path.write_bytes(b"another")
        assert target.read_bytes() == b"whole"
    assert list(everything(tmp_path)) == ["saved.db"]


def test_the_draft_of_whoever_comes_next_is_left_alone(tmp_path: Path) -> None:
    """Once a file has its name, the draft's name belongs to the next writer, whose file stays."""
    target = tmp_path / "saved.db"
    with places.draft_of(target) as first:
        first.place(force=True)
        handle = os.open(first.path, os.O_CREAT | os.O_RDWR, 0o600)
        os.close(handle)
    assert (tmp_path / "saved.db.part").exists()
