"""Looks at a database without changing it, while the bot runs or not: for whoever looks after it."""

import fcntl
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from storage.database import check_file, is_new
from storage.keeping.swap import FINISH_RESTORE, is_cut_off
from storage.layout import migrations
from storage.soundness import (
    RESTORE,
    beside,
    check_header,
    check_layout,
    holds_something,
    lacking,
    refusing,
    tables_of,
)
from storage.store import DatabaseRefused

SQLITE_VERSION: Final = sqlite3.sqlite_version

_STEPS: Final = 100_000
"""Instructions of SQLite's between two looks at the clock: some milliseconds."""
_FACT: Final = "SELECT value FROM facts WHERE name = ?"
_LATEST: Final = (
    "SELECT s.hidream_task_id, t.user_id FROM submissions s JOIN tasks t ON t.id = s.task_id "
    "WHERE s.hidream_task_id IS NOT NULL ORDER BY s.id DESC LIMIT 1"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Examined:
    """What a look at a database has found."""

    exists: bool
    in_use: bool | None
    """Whether a bot runs on it; None: that could not be seen."""
    free: int
    """Bytes that its disk has left."""
    size: int = 0
    """Bytes of the file, and of the changes beside it."""
    layout: int = 0
    newest: int = 0
    """The layout that this version of the bot makes of it."""
    read_through: bool = False
    """Whether all of it was read; False: there was no time for that."""
    latest: tuple[str, int] | None = None
    """The last task that HiDream took: its id there, and whose it is."""
    fact: str | None = None
    """The fact that was asked for."""


def examine(path: Path, *, thorough: bool, seconds: float, fact: str) -> Examined:
    """Look at a database, for at most so many seconds, or (thorough) as long as it takes.

    Raises:
        DatabaseRefused: the bot could not use it as it is.
    """
    try:
        check_file(path)
        if is_cut_off(path):
            raise DatabaseRefused(f"{path}: a restore was cut off. {FINISH_RESTORE}")
        in_use = bot_runs_on(path)
        free = shutil.disk_usage(_nearest(path.parent)).free
        if is_new(path):
            return Examined(exists=False, in_use=in_use, free=free)
        newest = migrations()[-1].number
        check_header(path, newest)
        size = sum(one.stat().st_size for one in (path, beside(path, "-wal")) if one.exists())
    except OSError as error:
        raise DatabaseRefused(
            f"{path} cannot be read ({error.strerror}). "
            "Give the bot's user the right to read and write it and its folder."
        ) from error
    with refusing(path):
        try:
            look = _look(path, in_use, thorough=thorough, seconds=seconds, fact=fact)
        except (DatabaseRefused, sqlite3.Error):
            if in_use or not bot_runs_on(path):
                raise
            # a bot has started meanwhile, and wrote to what was read as if nobody did
            in_use = True
            look = _look(path, in_use, thorough=thorough, seconds=seconds, fact=fact)
    layout, read_through, latest, value = look
    return Examined(
        exists=True,
        in_use=in_use,
        free=free,
        size=size,
        layout=layout,
        newest=newest,
        read_through=read_through,
        latest=latest,
        fact=value,
    )


def bot_runs_on(path: Path) -> bool | None:
    """Say whether a process of the bot holds this database; None: that cannot be seen."""
    try:
        file = os.open(beside(path, ".lock"), os.O_RDONLY)
    except FileNotFoundError:
        return False
    except OSError:
        return None
    try:
        # shared, and for no longer than this: a bot that starts hardly ever meets it
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def _nearest(folder: Path) -> Path:
    """Give the folder, or what is there of the way to it."""
    return next(one for one in (folder, *folder.absolute().parents) if one.exists())


_Look = tuple[int, bool, tuple[str, int] | None, str | None]


def _look(path: Path, in_use: bool | None, *, thorough: bool, seconds: float, fact: str) -> _Look:
    alone = in_use is False and not holds_something(beside(path, "-wal"))
    # SQLite makes files of its own beside what it only reads, unless it is told that nobody writes.
    how = "mode=ro&immutable=1" if alone else "mode=ro"
    uri = f"file:{quote(str(path.absolute()))}?{how}"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=5)) as connection:
        connection.execute("PRAGMA query_only = ON")
        layout = check_layout(connection, path)
        if missing := lacking(connection, layout, migrations()):
            raise DatabaseRefused(f"{path} is damaged: it lacks {', '.join(missing)}. {RESTORE}")
        read_through = _read_through(connection, path, None if thorough else seconds)
        latest = connection.execute(_LATEST).fetchone()
        row = (
            connection.execute(_FACT, (fact,)).fetchone()
            if "facts" in tables_of(connection)
            else None
        )
    return layout, read_through, latest, row[0] if row else None


def _read_through(connection: sqlite3.Connection, path: Path, seconds: float | None) -> bool:
    """Let SQLite check the file, by its quick way where there is little time; say whether it came to its end."""
    if seconds is not None:
        connection.set_progress_handler(_over(time.monotonic() + seconds), _STEPS)
    pragma = "PRAGMA integrity_check(1)" if seconds is None else "PRAGMA quick_check(1)"
    try:
        (verdict,) = connection.execute(pragma).fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            return False
        raise
    finally:
        connection.set_progress_handler(None, 0)
    if verdict != "ok":
        raise DatabaseRefused(f"{path} is damaged ({verdict}). {RESTORE}")
    return True


def _over(end: float) -> Callable[[], bool]:
    return lambda: time.monotonic() > end
