"""Forgetting by hand what the housekeeping forgets by itself, and giving the room back."""

import asyncio
import contextlib
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from storage.clock import Clock
from storage.files import PictureFiles, pictures_beside
from storage.keeping.places import Progress, quiet, sized
from storage.keeping.reading import check_own_layout, check_source, snapshot
from storage.soundness import refusing
from storage.sqlite import open_beside
from storage.sqlite.forgetting import FINISHED, HANDLED, RELEASED, TO_EMPTY, WAITED
from storage.sqlite.rows import stamp
from storage.store import DatabaseRefused, StoreError
from storage.tasks import DRAFTS_KEPT, INBOX_KEPT

BATCH: Final = 200
"""Rows at a time, so that a bot at work does not wait for it."""
_PAUSE: Final = 0.02
"""Seconds between two batches: its turn."""
_FILES: Final = (
    "SELECT count(*) FROM tasks WHERE files_removed = 0 AND finished_at IS NOT NULL"
    " AND (finished_at < ? OR pruned = 1)"
)
FILES: Final = "tasks whose picture files may be there"
TASKS: Final = "finished tasks, of their words and ids"


def count_old(database: Path, *, now: datetime, older_than: timedelta) -> Mapping[str, int]:
    """Count what is to be forgotten; changes nothing.

    Raises:
        DatabaseRefused: the database cannot be read, or has another layout than this program's.
    """
    check_source(database)
    before, handled = stamp(now - older_than), stamp(now - INBOX_KEPT)
    with refusing(database), snapshot(database) as connection:
        check_own_layout(connection, database)

        def count(sql: str, *values: int) -> int:
            return int(connection.execute(sql, values).fetchone()[0])

        tasks = "SELECT count(*) FROM tasks WHERE "
        found = {
            FILES: count(_FILES, before),
            TASKS: count(tasks + TO_EMPTY, before, stamp(now))
            + count(tasks + RELEASED, stamp(now)),
        }
        for old in HANDLED:
            found[old.what] = count(old.counted, handled)
        for old in FINISHED:
            found[old.what] = count(old.counted, before)
        # drafts go by either of two rules
        found[WAITED.what] = count(
            "SELECT count(*) FROM drafts WHERE created_at < ?"  # noqa: S608 - ours
            f" OR ({WAITED.condition})",
            before,
            stamp(now - DRAFTS_KEPT),
        )
        return found


async def prune(
    database: Path, *, clock: Clock, older_than: timedelta, progress: Progress = quiet
) -> tuple[int, int]:
    """Forget what is over and older than that; a bot may be at work meanwhile.

    Returns of how many tasks files were removed, and how many rows were touched.

    Raises:
        DatabaseRefused: the database cannot be used, or has another layout than this program's.
    """
    now = clock.now()
    of = sum(count_old(database, now=now, older_than=older_than).values())
    files = PictureFiles(pictures_beside(database), tidy=False)
    removed = touched = 0
    store = await open_beside(database, clock=clock)
    try:
        more = True
        while more:
            old = await store.with_files_before(now - older_than, BATCH)
            for task_id in old:
                await files.remove(task_id)
                await store.files_removed(task_id)
            rows = await store.prune(
                now=now,
                inbox_before=now - INBOX_KEPT,
                finished_before=now - older_than,
                limit=BATCH,
            )
            removed, touched = removed + len(old), touched + rows
            progress("Forgetting", removed + touched, of)
            more = len(old) == BATCH or rows == BATCH
            await asyncio.sleep(_PAUSE)
    except StoreError as error:
        raise DatabaseRefused(
            f"{error}. Check the disk of {database}, and the room there."
        ) from error
    finally:
        # nothing is lost: its log has what the file has not
        with contextlib.suppress(sqlite3.Error):
            await store.close()
    return removed, touched


def give_back(database: Path) -> int:
    """Give the disk the room of what is deleted; returns how many bytes. Only with the lock held.

    Raises:
        DatabaseRefused: it cannot be done now; nothing is lost by it.
    """
    size = database.stat().st_size
    free = shutil.disk_usage(database.parent).free
    if free < 2 * size:
        raise DatabaseRefused(
            f"{database} keeps its size for now: giving room back needs {sized(2 * size)} for a "
            f"while, and {sized(free)} are free. Its free room is used again all the same."
        )
    with refusing(database), closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return size - database.stat().st_size
