"""Builds the file of a store with a long past and a long line.

By SQL alone, on the program's own layout and with its triggers: what rows the program would have made one by
one in a year is made within a minute.
"""

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from storage.database import prepare

OWNERS: Final = 10_000
"""People whose tasks are finished."""
EACH: Final = 20
"""Tasks in line of each person who waits: as many as one may have."""
_APART: Final = 30_000_000
"""Microseconds between two finished tasks: a million of them are a year."""

_FAST: Final = (
    "PRAGMA journal_mode = OFF",
    "PRAGMA synchronous = OFF",
    "PRAGMA cache_size = -1000000",
    "PRAGMA temp_store = MEMORY",
)
_PHOTOS: Final = (
    """'[{"file_id": "AgACAgIAAxkBAA' || hex(randomblob(28)) || '", "file_unique_id": "AQAD' ||"""
    """ hex(randomblob(6)) || '", "kind": "photo", "width": 1280, "height": 960, "size": 150000}]'"""
)
_PROMPT: Final = "'make it winter, with snow on the roofs and a low sun, ' || i"
_COUNTED: Final = (
    "WITH RECURSIVE counted (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM counted WHERE i < :n) "
)
_COMMON: Final = (
    "bot_id, update_id, n, user_id, chat_id, chat_type, message_id, photos, prompt, negative,"
    " ratio, count, language, turn, created_at"
)

# A person's finished tasks lie spread over all of the past, as they would.
_TASKS: Final = (
    f"{_COUNTED} INSERT INTO tasks ({_COMMON}, state, claim_no, request_id, hidream_task_id,"  # noqa: S608 - no one's words
    " ratio_used, completion, submitted_at, accepted_at, ended_at, ready_at, finished_at,"
    " files_removed)"
    f" SELECT 7, i, 0, 1 + i % {OWNERS}, 1 + i % {OWNERS}, 'private', i, {_PHOTOS}, {_PROMPT}, '',"
    f" '4:3', 1, 'en', i / :owners, :begins + i * {_APART}, 'delivered', 2, hex(randomblob(16)),"
    f" 'task-' || i, '4:3', 1.0, :begins + i * {_APART}, :begins + i * {_APART},"
    f" :begins + i * {_APART} + 9000000, :begins + i * {_APART} + 9000000,"
    f" :begins + i * {_APART} + 10000000, 1 FROM counted"
)
_SUBMISSIONS: Final = (
    "INSERT INTO submissions (task_id, request_id, images, sent_at, answered_at, outcome,"
    " hidream_task_id, held_until, released_at)"
    " SELECT id, request_id, 1, submitted_at, accepted_at, 'accepted', hidream_task_id,"
    " ended_at, ended_at FROM tasks WHERE finished_at IS NOT NULL ORDER BY id"
)
_IMAGES: Final = (
    "INSERT INTO images (task_id, n, sub_task_id, state, media_type, width, height, size, file_id,"
    " sent_as) SELECT id, 0, 'sub-' || id, 'stored', 'image/jpeg', 1024, 768, 200000,"
    " 'AgACAgIAAxkBAA' || hex(randomblob(28)), 'photo'"
    " FROM tasks WHERE finished_at IS NOT NULL ORDER BY id"
)
_STEPS: Final = (
    "INSERT INTO steps (task_id, name, state, message_ids, started_at, sent_at)"
    " SELECT id, 'pictures', 'sent', '[' || id || ']', ready_at, finished_at"
    " FROM tasks WHERE finished_at IS NOT NULL ORDER BY id"
)
# In line: everybody's n-th task is in turn n, so the line goes round.
_QUEUED: Final = (
    f"{_COUNTED} INSERT INTO tasks ({_COMMON}, progress_message_id)"  # noqa: S608 - as above
    f" SELECT 8, i, 0, 1 + i % :waiting, 1 + i % :waiting, 'private', i, {_PHOTOS}, {_PROMPT}, '',"
    " NULL, 1, 'en', 1 + :current + i / :waiting, :now + i, i FROM counted"
)


def build(path: Path, *, finished: int, queued: int) -> None:
    """Make a store with so many finished tasks and so many in line."""
    prepare(path)
    waiting = max(1, queued // EACH)
    current = finished // OWNERS
    now = time.time_ns() // 1000
    begins = now - (finished + 1) * _APART
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in _FAST:
            connection.execute(pragma)
        connection.execute("BEGIN")
        connection.execute(_TASKS, {"n": finished, "owners": OWNERS, "begins": begins})
        for statement in (_SUBMISSIONS, _IMAGES, _STEPS):
            connection.execute(statement)
        values = {"n": queued, "waiting": waiting, "current": current, "now": now - queued}
        connection.execute(_QUEUED, values)
        connection.execute("UPDATE meta SET value = ? WHERE key = 'current_turn'", (current,))
        connection.execute("COMMIT")
    # now, and not while the store is measured
    with path.open("rb+") as file:
        os.fsync(file.fileno())
