"""A backup: the database as it was at one moment, and the pictures that exist nowhere else.

SQLite's online backup begins anew whenever another connection has written between two steps, and
with a bot that writes all the time it would never end. So a read transaction is held open: all
steps see that one moment, and the bot goes on. (Meanwhile its write-ahead log only grows.)
"""

import json
import sqlite3
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from storage.files import PictureFiles, pictures_beside
from storage.keeping import contents
from storage.keeping.places import Progress, check_room, check_target, draft_of, quiet, taken
from storage.keeping.reading import check_source, snapshot
from storage.layout import migrations
from storage.soundness import (
    BACKUP_ID,
    altered_in,
    beside,
    check_layout,
    frozen,
    holds_something,
    layout_of,
    refusing,
    tables_of,
)

PAGES: Final = 1000
"""Pages a step, of 4 kB: so often progress is told, and Ctrl-C heard."""
_TRIES: Final = 2
"""A picture that is gone was delivered since the copy, and removed: then another copy knows that."""
_TRY_AGAIN: Final = "Check the disk that it is on, and try again."


@dataclass(frozen=True, kw_only=True, slots=True)
class Saved:
    """What a backup has become."""

    path: Path
    contents: contents.Contents
    missing: int
    """Pictures that are to be brought, and whose files are not there."""


def back_up(
    database: Path,
    target: Path,
    *,
    now: datetime,
    force: bool = False,
    all_pictures: bool = False,
    nobody_writes: bool = False,
    progress: Progress = quiet,
) -> Saved:
    """Save a database, and the pictures that are to be brought, in one file; checks it afterwards.

    Where it fails, nothing of it is left. `nobody_writes`: the caller sees to that; then nothing is
    written beside the database either, so that it stays as it is to the byte.

    Raises:
        DatabaseRefused: it cannot be saved; the message says why, and what to do.
    """
    check_source(database)
    check_target(target, database)
    if target.exists() and not force:
        raise taken(target)
    check_room(target.parent, _size(database))
    opened = frozen if nobody_writes else snapshot
    with draft_of(target) as draft:
        writing = _Writing(
            database=database,
            path=draft.path,
            now=now,
            all_pictures=all_pictures,
            progress=progress,
        )
        missing = 0
        for _ in range(_TRIES):
            draft.empty()
            missing = writing.fill(opened(database))
            if not missing:
                break
        progress("Checking", 0, 1)
        found = contents.contents_of(draft.path, remedy=_TRY_AGAIN)
        progress("Checking", 1, 1)
        draft.place(force=force)
    return Saved(path=target, contents=found, missing=missing)


def _size(database: Path) -> int:
    log = beside(database, "-wal")
    return database.stat().st_size + (log.stat().st_size if holds_something(log) else 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Writing:
    """A backup as it is being written."""

    database: Path
    path: Path
    now: datetime
    all_pictures: bool
    progress: Progress

    def fill(self, source: AbstractContextManager[sqlite3.Connection]) -> int:
        """Write all of it; returns how many pictures are missing."""
        with refusing(self.database), source as reading:
            # by the log: a newer program that was killed leaves its layout there
            check_layout(reading, self.database)
            rows = {table: contents.count_of(reading, table) for table in tables_of(reading)}
            with refusing(self.path, remedy=_TRY_AGAIN):
                self._copy(reading)
        with (
            refusing(self.path, remedy=_TRY_AGAIN),
            closing(sqlite3.connect(self.path, isolation_level=None)) as copy,
        ):
            # takes back the mark that makes SQLite want a log beside the file
            copy.execute("PRAGMA synchronous = OFF")
            copy.execute("PRAGMA journal_mode = DELETE")
            copy.execute("PRAGMA journal_mode = OFF")
            _leave_out(copy)
            for statement in contents.TABLES:
                copy.execute(statement)
            missing = self._pack(copy)
            rows["backup_files"] = contents.count_of(copy, "backup_files")
            facts = {"made_at": self.now.isoformat(), "rows": json.dumps(rows)}
            copy.executemany("INSERT INTO backup_facts VALUES (?, ?)", facts.items())
            copy.execute(f"PRAGMA application_id = {BACKUP_ID}")
        return missing

    def _copy(self, source: sqlite3.Connection) -> None:
        def tell(_: int, left: int, of: int) -> None:
            self.progress("Copying", of - left, of)

        with closing(sqlite3.connect(self.path, isolation_level=None)) as copy:
            # what a crash would leave is thrown away, and the end is waited for by `Draft.place`
            copy.execute("PRAGMA journal_mode = OFF")
            copy.execute("PRAGMA synchronous = OFF")
            source.backup(copy, pages=PAGES, progress=tell, sleep=0.05)

    def _pack(self, copy: sqlite3.Connection) -> int:
        files = PictureFiles(pictures_beside(self.database), tidy=False)
        sizes: dict[tuple[int, int], int] = {}
        missing = 0
        for task_id, n, to_be_brought in _pictures(copy):
            if not to_be_brought and not self.all_pictures:
                continue
            try:
                sizes[task_id, n] = files.find(task_id, n).stat().st_size
            except FileNotFoundError:
                missing += to_be_brought
        total, done = sum(sizes.values()), 0
        check_room(self.path.parent, total)
        for (task_id, n), size in sizes.items():
            try:
                content = files.find(task_id, n).read_bytes()
            except FileNotFoundError:
                missing += 1
                continue
            copy.execute("INSERT INTO backup_files VALUES (?, ?, ?)", (task_id, n, content))
            done += size
            self.progress("Packing pictures", done, total)
        return missing


def _leave_out(copy: sqlite3.Connection) -> None:
    """Take out what somebody else has put in, and which would be refused at the way back."""
    _, foreign = altered_in(copy, layout_of(copy), migrations())
    for kind, name in foreign:
        quoted = name.replace('"', '""')
        copy.execute(f'DROP {kind} IF EXISTS "{quoted}"')


def _pictures(copy: sqlite3.Connection) -> list[tuple[int, int, bool]]:
    """Give the pictures that have a file, and whether it is still to be brought to somebody."""
    columns = {name for _, name, *_ in copy.execute("PRAGMA table_info(images)")}
    late = " OR images.late IS 'due'" if "late" in columns else ""
    rows = copy.execute(
        f"SELECT task_id, images.n, tasks.finished_at IS NULL{late} FROM images"  # noqa: S608 - ours
        " JOIN tasks ON tasks.id = task_id WHERE images.state = 'stored' ORDER BY task_id, images.n"
    )
    return [(task_id, n, bool(to_be_brought)) for task_id, n, to_be_brought in rows]
