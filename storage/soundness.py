"""What an SQLite file of ours looks like from outside: its mark, its layout, whether it is sound.

Nothing here writes to the file, so what is refused stays as it is, byte for byte.
"""

import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from storage.layout import Migration, migrate, migrations
from storage.store import DatabaseRefused

APPLICATION_ID: Final = 0x48446274
"""Marks a database file as this program's (`PRAGMA application_id`)."""
BACKUP_ID: Final = 0x48446262
"""Marks a backup of one, which `restore` puts in place: pictures are packed into it."""
QUICK_CHECK_BELOW: Final = 64 * 1024 * 1024
"""Bytes; larger files are not read through at each start."""

_MAGIC: Final = b"SQLite format 3\x00"
_HEADER_SIZE: Final = 100
RESTORE: Final = "Restore a backup, or move it away to start with an empty one."
"""What can be done where a database is damaged."""
_IN_USE: Final = (
    "is held by another program",
    "End that one (a backup, a shell of somebody's), and start the bot again.",
)
_DAMAGED: Final = ("is damaged", RESTORE)
_FAULTS: Final[Mapping[int, tuple[str, str]]] = {
    sqlite3.SQLITE_BUSY: _IN_USE,
    sqlite3.SQLITE_LOCKED: _IN_USE,
    sqlite3.SQLITE_FULL: ("has no room on its disk", "Make room there."),
    sqlite3.SQLITE_READONLY: ("is read-only", "Give the bot's user the right to write to it."),
    sqlite3.SQLITE_PERM: (
        "is not open to the bot",
        "Give the bot's user the right to write to it.",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "cannot be opened",
        "Give the bot's user the right to read and write it and its folder.",
    ),
    sqlite3.SQLITE_IOERR: ("cannot be read or written", "Check its disk, and the room there."),
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
}
"""What SQLite's primary result codes say of the file, and what to do. See "Result and Error Codes"."""
_OTHER_FAULT: Final = ("cannot be used", f"Check its disk. {RESTORE}")


@contextmanager
def refusing(path: Path, *, remedy: str | None = None) -> Iterator[None]:
    """Tell an error of SQLite's in here as a refusal of the file: what is wrong, and what to do.

    What to do is the usual, where no other `remedy` is given.

    Raises:
        DatabaseRefused: in the place of any sqlite3.Error.
    """
    try:
        yield
    except sqlite3.Error as error:
        # The lowest byte is the primary code; one that is not of SQLite's own has none.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        wrong, usual = _FAULTS.get(code, _OTHER_FAULT)
        raise DatabaseRefused(f"{path} {wrong} ({error}). {remedy or usual}") from error


def writable(path: Path) -> bool:
    """Say whether a file or folder may be read and written."""
    # The mode as well: for root, whom it does not bind, it still says what is meant.
    return os.access(path, os.R_OK | os.W_OK) and bool(path.stat().st_mode & 0o222)


def beside(path: Path, suffix: str) -> Path:
    """Name a file beside another, as SQLite does: `bot.db` and its `bot.db-wal`."""
    return path.with_name(path.name + suffix)


def is_there(path: Path) -> bool:
    """Say whether something is at a path.

    Raises:
        DatabaseRefused: a folder on the way to it may not be looked into, so it cannot be known.
    """
    try:
        return path.exists()
    except PermissionError as error:
        raise DatabaseRefused(
            f"{path} cannot be looked for: {error.strerror}. Run this as the bot's user, or give that "
            "user the right to read and write it and its folder."
        ) from error


def holds_something(path: Path) -> bool:
    """Say whether a file is there and not empty."""
    return path.exists() and path.stat().st_size > 0


def check_header(
    path: Path,
    newest: int,
    *,
    marks: Collection[int] = (APPLICATION_ID,),
    remedy: str = RESTORE,
) -> int:
    """Look at the first bytes alone: is it SQLite's, ours, whole, and not newer; gives its mark.

    By hand, since SQLite may write as soon as it opens. See "The Database File Format", 1.3.

    Raises:
        DatabaseRefused: it is not.
    """
    with path.open("rb") as file:
        header = file.read(_HEADER_SIZE)
    if len(header) < _HEADER_SIZE or not header.startswith(_MAGIC):
        raise DatabaseRefused(f"{path} is not an SQLite database. Name another file.")
    mark = _number(header, 68)
    if mark == BACKUP_ID and mark not in marks:
        raise DatabaseRefused(
            f"{path} is a backup, and not put in place by copying: its pictures are packed into it. "
            f"Name another file, and use: hidream-bot restore {path}"
        )
    if mark not in marks:
        raise DatabaseRefused(
            f"{path} is an SQLite database of another program. Name another file."
        )
    _check_version(path, _number(header, 60), newest)
    page_size = int.from_bytes(header[16:18], "big")
    whole = _number(header, 28) * (65536 if page_size == 1 else page_size)
    # With a write-ahead log beside it the file need not be whole: the log completes it.
    if path.stat().st_size < whole and not holds_something(beside(path, "-wal")):
        raise DatabaseRefused(
            f"{path} is cut short: {path.stat().st_size} of {whole} bytes are there. {remedy}"
        )
    return mark


def _number(header: bytes, offset: int) -> int:
    return int.from_bytes(header[offset : offset + 4], "big")


def _check_version(path: Path, version: int, newest: int) -> None:
    if version > newest:
        raise DatabaseRefused(
            f"{path} was made by a newer version of the bot (layout {version}, this one knows "
            f"{newest}). Use that version, or restore a backup from before it."
        )


def check_layout(connection: sqlite3.Connection, path: Path) -> int:
    """See that a database is not of a newer layout; gives its own.

    Raises:
        DatabaseRefused: it is.
    """
    version = layout_of(connection)
    _check_version(path, version, migrations()[-1].number)
    return version


@contextmanager
def frozen(path: Path) -> Iterator[sqlite3.Connection]:
    """Read a file that nobody writes to, without a write: as it is, or together with its log."""
    log, shared = beside(path, "-wal"), beside(path, "-shm")
    with_log, was_shared = holds_something(log), shared.exists()
    how = "mode=ro" if with_log else "mode=ro&immutable=1"
    try:
        uri = f"file:{quote(str(path.absolute()))}?{how}"
        with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
            yield connection
    finally:
        if with_log and not was_shared:
            shared.unlink(missing_ok=True)


def check_inside(path: Path, steps: tuple[Migration, ...]) -> int:
    """Look whether all tables of its layout are there, and small files through; gives its layout.

    Raises:
        DatabaseRefused: it is newer, or damaged.
    """
    with frozen(path) as connection:
        version = layout_of(connection)
        _check_version(path, version, steps[-1].number)
        missing = lacking(connection, version, steps)
        verdict = _quick_check(connection, path)
    if missing:
        raise DatabaseRefused(f"{path} is damaged: it lacks {', '.join(missing)}. {RESTORE}")
    if verdict != "ok":
        raise DatabaseRefused(f"{path} is damaged ({verdict}). {RESTORE}")
    return version


def layout_of(connection: sqlite3.Connection) -> int:
    """Give the number of the layout that a database has."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def lacking(
    connection: sqlite3.Connection, version: int, steps: tuple[Migration, ...]
) -> list[str]:
    """Give the tables that a database of this layout has, and this one has not."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as model:
        migrate(model, tuple(step for step in steps if step.number <= version))
        return sorted(tables_of(model) - tables_of(connection))


Made = tuple[str, str]
"""Something that a statement made: of which kind, and its name."""


def altered_in(
    connection: sqlite3.Connection,
    version: int,
    steps: tuple[Migration, ...],
    more: Iterable[str] = (),
) -> tuple[list[Made], list[Made]]:
    """Give what of a layout (and of `more`) is otherwise here, and what is not of it and acts by itself.

    A trigger, a view or an index that is not ours would be at work in each of the bot's statements. A
    table is not: ours may have a column more, and others are nobody's business.
    """
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as model:
        migrate(model, tuple(step for step in steps if step.number <= version))
        ours = {made: sql for made, sql in _made_in(model).items() if made[0] != "table"}
        of_layout = _made_in(model)
        for statement in more:
            model.execute(statement)
        ours |= {made: sql for made, sql in _made_in(model).items() if made not in of_layout}
    found = _made_in(connection)
    return (
        sorted(made for made, sql in ours.items() if found.get(made) != sql),
        sorted(
            made
            for made, sql in found.items()
            if made not in ours and (made[0] != "table" or sql.upper().startswith("CREATE VIRTUAL"))
        ),
    )


def _made_in(connection: sqlite3.Connection) -> dict[Made, str]:
    rows = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {(kind, name): sql for kind, name, sql in rows if not name.startswith("sqlite_")}


def tables_of(connection: sqlite3.Connection) -> frozenset[str]:
    """Give the names of a database's tables."""
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return frozenset(name for (name,) in rows)


def _quick_check(connection: sqlite3.Connection, path: Path) -> str:
    if path.stat().st_size >= QUICK_CHECK_BELOW:
        return "ok"
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    return str(verdict)
