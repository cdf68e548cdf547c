"""Reading a database while a bot writes to it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from storage.keeping.places import telling
from storage.keeping.swap import FINISH_RESTORE, is_cut_off
from storage.layout import migrations
from storage.soundness import check_header, check_layout, is_there
from storage.store import DatabaseRefused

BUSY_TIMEOUT: Final = 5000
"""Milliseconds to wait where somebody holds the file."""


def check_source(database: Path) -> None:
    """See that there is a database of ours that this program knows.

    Raises:
        DatabaseRefused: there is none.
    """
    is_there(database)
    if is_cut_off(database):
        raise DatabaseRefused(f"{database}: a restore was cut off. {FINISH_RESTORE}")
    if not database.is_file() or not database.stat().st_size:
        raise DatabaseRefused(f"There is no database {database} (yet). See storage.url.")
    with telling(database):
        check_header(database, migrations()[-1].number)


@contextmanager
def snapshot(database: Path) -> Iterator[sqlite3.Connection]:
    """Read a database as it is at this moment, while others write to it."""
    uri = f"file:{quote(str(database.absolute()))}?mode=rw"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT}")
        connection.execute("PRAGMA query_only = ON")
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        yield connection


def check_own_layout(connection: sqlite3.Connection, path: Path) -> int:
    """See that a database has the layout of this program, whose words for its rows are used; gives it.

    Raises:
        DatabaseRefused: it is older, or newer.
    """
    version, newest = check_layout(connection, path), migrations()[-1].number
    if version < newest:
        raise DatabaseRefused(
            f"{path} still has layout {version}, and this version works with {newest}. Start the "
            "bot once: it makes a backup, and brings the database to its layout."
        )
    return version
