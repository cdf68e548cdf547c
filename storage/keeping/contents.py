"""What is in a backup: its tables, and whether all of it is there and sound."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

from storage.layout import migrations
from storage.soundness import (
    APPLICATION_ID,
    BACKUP_ID,
    altered_in,
    beside,
    check_header,
    holds_something,
    lacking,
    layout_of,
    refusing,
    tables_of,
)
from storage.store import DatabaseRefused
from storage.tasks import AT_HIDREAM, FINAL, IN_LINE

TABLES: Final = (
    # Pictures that exist nowhere else: one file is the whole backup.
    (
        "CREATE TABLE backup_files (task_id INTEGER NOT NULL, n INTEGER NOT NULL,"
        " content BLOB NOT NULL, PRIMARY KEY (task_id, n))"
    ),
    "CREATE TABLE backup_facts (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
)
"""What a backup has beyond the tables of the database."""
_NO_PICTURE: Final = (
    "SELECT 1 FROM backup_files WHERE (typeof(task_id), typeof(n), typeof(content))"
    " <> ('integer', 'integer', 'blob') OR task_id < 0 OR n < 0 LIMIT 1"
)
NAMES: Final = ("backup_files", "backup_facts")
ANOTHER: Final = "Use another backup."


@dataclass(frozen=True, kw_only=True, slots=True)
class Contents:
    """What a backup holds."""

    made_at: datetime
    layout: int
    size: int
    tasks: int
    in_line: int
    at_hidream: int
    to_be_brought: int
    pictures: int

    @property
    def unfinished(self) -> int:
        """So many tasks were not over."""
        return self.in_line + self.at_hidream + self.to_be_brought


def contents_of(path: Path, *, remedy: str = ANOTHER) -> Contents:
    """Read a backup through, without a write. A plain copy of a database is one, too.

    Raises:
        DatabaseRefused: it is not ours, newer, cut short, damaged, or lacks what it should have.
    """
    if not path.is_file():
        raise DatabaseRefused(f"There is no file {path}. Name a backup.")
    steps = migrations()
    try:
        mark = check_header(
            path, steps[-1].number, marks=(APPLICATION_ID, BACKUP_ID), remedy=remedy
        )
    except OSError as error:
        raise DatabaseRefused(f"{path} cannot be read ({error.strerror}). {remedy}") from error
    for suffix in ("-wal", "-journal"):
        if holds_something(beside(path, suffix)):
            raise DatabaseRefused(
                f"{beside(path, suffix)} holds changes to {path}, so this is no backup but a "
                "database that is, or was, at work. Use: hidream-bot backup"
            )
    uri = f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1"
    with (
        refusing(path, remedy=remedy),
        _readable(path, remedy),
        closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection,
    ):
        layout = layout_of(connection)
        missing = lacking(connection, layout, steps)
        if mark == BACKUP_ID:
            missing += sorted(set(NAMES) - tables_of(connection))
        wrong = _wrong(connection, missing, mark)
        if wrong is not None:
            raise DatabaseRefused(f"{path} is damaged ({wrong}). {remedy}")
        return _counted(connection, path, layout, packed=mark == BACKUP_ID)


@contextmanager
def _readable(path: Path, remedy: str) -> Iterator[None]:
    """Tell what is noted in another form than ours as a refusal."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        raise DatabaseRefused(
            f"{path} is damaged (what it says of itself cannot be read). {remedy}"
        ) from error


def _wrong(connection: sqlite3.Connection, missing: list[str], mark: int) -> str | None:
    if missing:
        return f"it lacks {', '.join(missing)}"
    layout = layout_of(connection)
    packed = TABLES if mark == BACKUP_ID else ()
    altered, foreign = altered_in(connection, layout, migrations(), packed)
    for kind, name in altered:
        return f"its {kind} {name} is missing, or not as this program makes it"
    for kind, name in foreign:
        return f"its {kind} {name} is not this program's, and would act by itself"
    (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if verdict != "ok":
        return str(verdict)
    for table, *_ in connection.execute("PRAGMA foreign_key_check"):
        return f"a row of {table} belongs to none"
    if mark == BACKUP_ID:
        for _ in connection.execute(_NO_PICTURE):
            return "a picture in it is none"
        noted = json.loads(facts_of(connection)["rows"])
        for table, count in noted.items():
            if count_of(connection, table) != count:
                return f"{table} had {count} rows when it was made, and has not"
    return None


def count_of(connection: sqlite3.Connection, table: str) -> int:
    """Count the rows of a table, whose name is ours or the database's own."""
    (count,) = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()  # noqa: S608 - as said
    return int(count)


def facts_of(connection: sqlite3.Connection) -> dict[str, str]:
    """Give what was noted of a backup when it was made."""
    return dict(connection.execute("SELECT name, value FROM backup_facts"))


def _counted(connection: sqlite3.Connection, path: Path, layout: int, *, packed: bool) -> Contents:
    states = dict(connection.execute("SELECT state, count(*) FROM tasks GROUP BY state"))
    file = path.stat()
    made_at = (
        datetime.fromisoformat(facts_of(connection)["made_at"]).astimezone(UTC)
        if packed
        else datetime.fromtimestamp(file.st_mtime, UTC)
    )
    in_line = sum(states.get(state, 0) for state in IN_LINE)
    at_hidream = sum(states.get(state, 0) for state in AT_HIDREAM)
    finished = sum(states.get(state, 0) for state in FINAL)
    tasks = sum(states.values())
    return Contents(
        made_at=made_at,
        layout=layout,
        size=file.st_size,
        tasks=tasks,
        in_line=in_line,
        at_hidream=at_hidream,
        to_be_brought=tasks - finished - in_line - at_hidream,
        pictures=count_of(connection, "backup_files") if packed else 0,
    )
