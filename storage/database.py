"""The database file, before the first statement of the store: made, checked, brought up to date.

A file that is refused has not been written to: it stays as it is, byte for byte.
"""

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Final

import structlog

from storage.folders import make_folder, sync_folder
from storage.keeping.before import keep_before
from storage.keeping.swap import finish
from storage.layout import Migration, migrate, migrations
from storage.soundness import (
    APPLICATION_ID,
    RESTORE,
    beside,
    check_header,
    check_inside,
    holds_something,
    is_there,
    refusing,
    writable,
)
from storage.store import DatabaseRefused

__all__ = ["APPLICATION_ID", "check_place", "prepare", "refusing"]

log = structlog.get_logger(__name__)

_OLDEST_SQLITE: Final = (3, 35, 0)


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
    if finish(path):
        log.warning("restore_finished", why="it was cut off")
    if is_new(path):
        _create(path, steps)
        return
    check_header(path, steps[-1].number)
    layout = check_inside(path, steps)
    if layout < steps[-1].number:
        kept = keep_before(path, steps)
        log.info("kept_before_new_layout", file=str(kept), layout=layout, new=steps[-1].number)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        path.chmod(0o600)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, steps)


def check_place(path: Path) -> None:
    """See whether a file of ours can be at `path`, and make its folder; reads nothing of it.

    Raises:
        DatabaseRefused: it cannot be there, or it cannot be written.
    """
    if not is_there(path):
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
    is_there(path)
    if path.is_dir():
        raise DatabaseRefused(f"{path} is a folder. Name a file in it, such as {path / 'bot.db'}.")
    if path.exists() and not path.is_file():
        raise DatabaseRefused(f"{path} is not an ordinary file. Name another one.")
    if path.exists() and not writable(path):
        raise DatabaseRefused(f"{path} is read-only. Give the bot's user the right to write to it.")
    folder = path.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent  # what is missing of it is made at the start
    if not writable(folder):
        raise DatabaseRefused(
            f"{path}: its folder is read-only, and SQLite keeps files of its own beside the "
            "database. Give the bot's user the right to write there."
        )


def is_new(path: Path) -> bool:
    """Say whether there is no database yet.

    Raises:
        DatabaseRefused: its log is there, and it is not.
    """
    if holds_something(path):
        return False
    for suffix in ("-wal", "-journal"):
        if holds_something(beside(path, suffix)):
            raise DatabaseRefused(
                f"{path} is empty or missing, but {beside(path, suffix).name} beside it holds "
                f"changes to it. {RESTORE}"
            )
    return True


def _create(path: Path, steps: tuple[Migration, ...]) -> None:
    # Complete at another name first: a crash leaves no half of a database.
    draft = beside(path, ".new")
    for leftover in (draft, beside(draft, "-journal")):
        leftover.unlink(missing_ok=True)
    os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        migrate(connection, steps)
    draft.replace(path)
    sync_folder(path.parent)
