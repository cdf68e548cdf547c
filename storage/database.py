"""The database file: is it ours and sound, is it free, is it of this program's version.

Everything here happens before the first statement of the store, and without one of SQLite's writes
where the file is refused: a file that is not accepted stays as it is, byte for byte.
"""

import os
import sqlite3
import stat
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from storage.folders import make_folder, sync_folder
from storage.layout import Migration, migrate, migrations
from storage.store import DatabaseRefused

APPLICATION_ID: Final = 0x48446274
"""Marks a database file as this program's (`PRAGMA application_id`)."""
QUICK_CHECK_BELOW: Final = 64 * 1024 * 1024
"""Bytes; larger files are not read through at each start."""

_MAGIC: Final = b"SQLite format 3\x00"
_HEADER_SIZE: Final = 100
_OLDEST_SQLITE: Final = (3, 35, 0)
_BACKUP: Final = "Restore a backup, or move it away to start with an empty one."
_IN_USE: Final = (
    "is held by another program",
    "End that one (a backup, a shell of somebody's), and start the bot again.",
)
_DAMAGED: Final = ("is damaged", _BACKUP)
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
_OTHER_FAULT: Final = ("cannot be used", f"Check its disk. {_BACKUP}")


@contextmanager
def refusing(path: Path) -> Iterator[None]:
    """Tell an error of SQLite's in here as a refusal of the file: what is wrong, and what to do.

    Raises:
        DatabaseRefused: in the place of any sqlite3.Error.
    """
    try:
        yield
    except sqlite3.Error as error:
        # The lowest byte is the primary code; one that is not of SQLite's own has none.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        wrong, remedy = _FAULTS.get(code, _OTHER_FAULT)
        raise DatabaseRefused(f"{path} {wrong} ({error}). {remedy}") from error


def prepare(path: Path) -> None:
    """Make the file one that the store can work with: there, ours, sound, and of the newest layout.

    Raises:
        DatabaseRefused: it cannot be used as it is; it has not been changed.
        sqlite3.Error: SQLite itself finds fault with it; `refusing` tells it as a refusal.
    """
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise DatabaseRefused(
            f"{path}: this Python comes with SQLite {sqlite3.sqlite_version}, and the bot needs "
            "3.35 or newer. Use a newer Python."
        )
    steps = migrations()
    if is_new(path):
        _create(path, steps)
        return
    check_header(path, steps[-1].number)
    _check_sound(path)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        path.chmod(0o600)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, steps)


def check_place(path: Path) -> None:
    """See whether a file of ours can be at `path`, and make its folder; reads nothing of it.

    Raises:
        DatabaseRefused: it cannot be there, or it cannot be written.
    """
    if not path.exists():
        try:
            make_folder(path.parent)
        except OSError as error:
            raise DatabaseRefused(
                f"{path.parent} cannot be made ({error.strerror}). "
                "Name a folder that the bot may write to."
            ) from error
    check_file(path)


def check_file(path: Path) -> None:
    """See whether a file of ours can be at `path`; makes nothing, and reads nothing of it.

    Raises:
        DatabaseRefused: it cannot be there, or it cannot be written.
    """
    if path.is_dir():
        raise DatabaseRefused(f"{path} is a folder. Name a file in it, such as {path / 'bot.db'}.")
    if path.exists() and not path.is_file():
        raise DatabaseRefused(f"{path} is not an ordinary file. Name another one.")
    if path.exists() and not _writable(path):
        raise DatabaseRefused(f"{path} is read-only. Give the bot's user the right to write to it.")
    folder = path.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent  # what is missing of it is made at the start
    if not _writable(folder):
        raise DatabaseRefused(
            f"{path}: its folder is read-only, and SQLite keeps files of its own beside the "
            "database. Give the bot's user the right to write there."
        )


def _writable(path: Path) -> bool:
    # The mode as well: for root, whom it does not bind, it still says what is meant.
    return os.access(path, os.R_OK | os.W_OK) and bool(path.stat().st_mode & 0o222)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _holds_something(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def is_new(path: Path) -> bool:
    """Say whether there is no database yet.

    Raises:
        DatabaseRefused: its log is there, and it is not.
    """
    if _holds_something(path):
        return False
    for suffix in ("-wal", "-journal"):
        if _holds_something(_beside(path, suffix)):
            raise DatabaseRefused(
                f"{path} is empty or missing, but {_beside(path, suffix).name} beside it holds "
                f"changes to it. {_BACKUP}"
            )
    return True


def _create(path: Path, steps: tuple[Migration, ...]) -> None:
    # Complete at another name first: a crash leaves no half of a database.
    draft = _beside(path, ".new")
    for leftover in (draft, _beside(draft, "-journal")):
        leftover.unlink(missing_ok=True)
    os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        migrate(connection, steps)
    draft.replace(path)
    sync_folder(path.parent)


def check_header(path: Path, newest: int) -> None:
    """Read the first bytes of the file: is it ours, of a version that is known, and whole.

    Raises:
        DatabaseRefused: it is not.
    """
    # By hand, since SQLite may write as soon as it opens. See "The Database File Format", 1.3.
    with path.open("rb") as file:
        header = file.read(_HEADER_SIZE)
    if len(header) < _HEADER_SIZE or not header.startswith(_MAGIC):
        raise DatabaseRefused(f"{path} is not an SQLite database. Name another file.")
    if _number(header, 68) != APPLICATION_ID:
        raise DatabaseRefused(
            f"{path} is an SQLite database of another program. Name another file."
        )
    _check_version(path, _number(header, 60), newest)
    page_size = int.from_bytes(header[16:18], "big")
    whole = _number(header, 28) * (65536 if page_size == 1 else page_size)
    # With a write-ahead log beside it the file need not be whole: the log completes it.
    if path.stat().st_size < whole and not _holds_something(_beside(path, "-wal")):
        raise DatabaseRefused(
            f"{path} is cut short: {path.stat().st_size} of {whole} bytes are there. {_BACKUP}"
        )


def _number(header: bytes, offset: int) -> int:
    return int.from_bytes(header[offset : offset + 4], "big")


def _check_version(path: Path, version: int, newest: int) -> None:
    if version > newest:
        raise DatabaseRefused(
            f"{path} was made by a newer version of the bot (layout {version}, this one knows "
            f"{newest}). Use that version, or restore a backup from before it."
        )


def _check_sound(path: Path) -> None:
    """Read through SQLite, without a write: as a frozen file, or together with its log."""
    log, shared = _beside(path, "-wal"), _beside(path, "-shm")
    with_log, was_shared = _holds_something(log), shared.exists()
    how = "mode=ro" if with_log else "mode=ro&immutable=1"
    try:
        uri = f"file:{quote(str(path.absolute()))}?{how}"
        with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
            check_inside(connection, path)
            verdict = _quick_check(connection, path)
    finally:
        if with_log and not was_shared:
            shared.unlink(missing_ok=True)
    if verdict != "ok":
        raise DatabaseRefused(f"{path} is damaged ({verdict}). {_BACKUP}")


def check_inside(connection: sqlite3.Connection, path: Path) -> tuple[int, frozenset[str]]:
    """See whether the file's version is known, and its tables are there; returns both.

    Raises:
        DatabaseRefused: they are not.
    """
    steps = migrations()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    _check_version(path, version, steps[-1].number)
    tables = _tables_of(connection)
    missing = sorted(_tables_at(version, steps) - tables)
    if missing:
        raise DatabaseRefused(f"{path} is damaged: it lacks {', '.join(missing)}. {_BACKUP}")
    return version, tables


def _tables_at(version: int, steps: tuple[Migration, ...]) -> frozenset[str]:
    """The tables that a database of this version has."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, tuple(step for step in steps if step.number <= version))
        return _tables_of(connection)


def _tables_of(connection: sqlite3.Connection) -> frozenset[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return frozenset(name for (name,) in rows)


def _quick_check(connection: sqlite3.Connection, path: Path) -> str:
    if path.stat().st_size >= QUICK_CHECK_BELOW:
        return "ok"
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    return str(verdict)
