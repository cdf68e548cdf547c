"""The way back: what a backup holds takes the place of what is there, which is kept aside."""

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from storage.files import pictures_beside
from storage.folders import make_folder, sync_folder
from storage.keeping.contents import NAMES
from storage.keeping.places import Progress, check_room, quiet, stamp_of, telling
from storage.keeping.swap import DATABASE, PICTURES, STAMP, aside, finish, is_cut_off, staging, swap
from storage.layout import migrations
from storage.soundness import APPLICATION_ID, check_inside, refusing, tables_of
from storage.store import DatabaseRefused

_PIECE: Final = 4 * 2**20


@dataclass(frozen=True, kw_only=True, slots=True)
class Restored:
    """What has become of what was there before."""

    aside: tuple[Path, ...]
    pictures: int


def restore(backup: Path, database: Path, *, now: datetime, progress: Progress = quiet) -> Restored:
    """Put a backup that was examined in the place of the database and its pictures.

    Only with the database's lock held. Killed at any moment, either the old ones or the new ones
    are there; nothing of the old is deleted.

    Raises:
        DatabaseRefused: it cannot be done; nothing has changed.
    """
    if database.exists() and backup.samefile(database):
        raise DatabaseRefused(f"{backup} is the bot's database itself. Name a backup.")
    # of an earlier one that was cut off: the new ones are what this is about to put aside
    finish(database)
    # the copy, and what is unpacked of it
    check_room(database.parent, 2 * backup.stat().st_size)
    stamp = _free_stamp(database, now)
    folder = staging(database)
    try:
        with telling(folder), refusing(backup):
            pictures = _put_together(backup, folder, stamp, progress)
        try:
            swap(database)
        except OSError as error:
            raise DatabaseRefused(
                f"{error.filename or database} cannot be put in its place ({error.strerror}). "
                + (
                    "The backup counts all the same: the next start of the bot does what is left."
                    if is_cut_off(database)
                    else "Nothing has changed."
                )
            ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    kept = (aside(database, stamp), aside(pictures_beside(database), stamp))
    return Restored(aside=tuple(path for path in kept if path.exists()), pictures=pictures)


def _free_stamp(database: Path, now: datetime) -> str:
    """Give the time, in a form that no earlier restore of the same second has taken."""
    stamp, n = stamp_of(now), 1
    pictures = pictures_beside(database)
    while aside(database, stamp).exists() or aside(pictures, stamp).exists():
        n += 1
        stamp = f"{stamp_of(now)}-{n}"
    return stamp


def _put_together(backup: Path, folder: Path, stamp: str, progress: Progress) -> int:
    """Unpack a backup into a folder, and wait until the disk has it; returns how many pictures."""
    make_folder(folder / PICTURES)
    copy = folder / DATABASE
    _copy(backup, copy, progress)
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        # what is taken out is not to stay readable in pages that are free
        connection.execute("PRAGMA secure_delete = ON")
        count = _unpack(connection, folder / PICTURES, progress)
        for table in NAMES:
            connection.execute(f"DROP TABLE IF EXISTS {table}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    check_inside(copy, migrations())
    (folder / STAMP).write_text(stamp, encoding="ascii")
    for file in (copy, folder / STAMP):
        with file.open("rb") as written:
            os.fsync(written.fileno())
    sync_folder(folder / PICTURES)
    sync_folder(folder)
    return count


def _copy(backup: Path, copy: Path, progress: Progress) -> None:
    of, done = backup.stat().st_size, 0
    with backup.open("rb") as source, open(copy, "wb", opener=_private) as target:
        while piece := source.read(_PIECE):
            target.write(piece)
            done += len(piece)
            progress("Copying", done, of)


def _unpack(connection: sqlite3.Connection, folder: Path, progress: Progress) -> int:
    if NAMES[0] not in tables_of(connection):
        return 0
    rows = connection.execute("SELECT task_id, n FROM backup_files ORDER BY task_id, n").fetchall()
    for done, (task_id, n) in enumerate(rows, start=1):
        (content,) = connection.execute(
            "SELECT content FROM backup_files WHERE task_id = ? AND n = ?", (task_id, n)
        ).fetchone()
        own = folder / f"{int(task_id)}"
        make_folder(own)
        with open(own / f"{int(n)}", "wb", opener=_private) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(own)
        progress("Unpacking pictures", done, len(rows))
    return len(rows)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
