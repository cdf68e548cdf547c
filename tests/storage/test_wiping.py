"""What is forgotten is gone from the disk, too: not only from the tables."""

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

from storage.sqlite import SqliteStore, open_store
from storage.tasks import NewUpdate, Photo, Settings, TaskState
from tests.storage.making import BOT, START, HandClock, add, new_draft, new_task, reach

WHO: Final = 987654321
_THEIRS: Final = (b"zebra", b"secret", str(WHO).encode(), WHO.to_bytes(4))
_KILLED: Final = """
import asyncio, os, signal, sys
from pathlib import Path
from storage.sqlite import open_store
from tests.storage.making import START, HandClock
from tests.storage.test_wiping import WHO, live

async def main():
    store = await open_store(Path(sys.argv[1]), clock=HandClock())
    await live(store)
    store._checkpoints.clean = lambda: os.kill(os.getpid(), signal.SIGKILL)
    await store.forget_person(WHO, START)

asyncio.run(main())
"""


async def live(store: SqliteStore) -> None:
    """Leave something behind in many pages of the file, between what is others'."""
    photo = Photo(file_id="secret", file_unique_id="secret")
    settings = Settings(prompt="zebra " * 50, negative="zebra")
    for n in range(200):
        theirs = replace(new_task(n, user_id=WHO), photos=(photo,), settings=settings)
        await store.add(theirs, now=START, max_unfinished=None)
        await add(store, 1000 + n, user_id=6)
        draft = replace(new_draft(2000 + n, user_id=WHO, chat_id=WHO), caption="zebra " * 50)
        await store.add_draft(draft, START)
    await reach(store, TaskState.DELIVERED, 5000, user_id=7)
    raw = json.dumps({"message": {"from": {"id": WHO}, "text": "zebra"}})
    await store.receive(BOT, [NewUpdate(update_id=1, chat_id=WHO, raw=raw)], START)
    [row] = await store.inbox_heads(START, 9)
    await store.inbox_set_aside(row, error="zebra", now=START)


def _found(path: Path) -> set[bytes]:
    """Say what of theirs is in the files, whether a table still knows of it or not."""
    files = [path.with_name(path.name + end) for end in ("", "-wal")]
    content = b"".join(file.read_bytes() for file in files if file.exists())
    return {one for one in _THEIRS if one in content}


async def test_nothing_of_a_forgotten_person_is_readable(
    sqlite: SqliteStore, tmp_path: Path
) -> None:
    """Neither the file's free pages nor its log have their id, words or file ids."""
    path = tmp_path / "bot.db"
    await live(sqlite)
    assert _found(path) == set(_THEIRS)
    await sqlite.forget_person(WHO, START)
    assert _found(path) == set()


async def test_nor_where_the_process_was_killed_just_then(tmp_path: Path) -> None:
    """Killed before the log was cut off, the next start does it."""
    path = tmp_path / "bot.db"
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", _KILLED, str(path)], timeout=60, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert _found(path) != set()
    store = await open_store(path, clock=HandClock())
    try:
        assert await store.tasks_of(WHO, limit=1) == []
        assert _found(path) == set()
    finally:
        await store.close()


async def test_forgetting_does_not_wait_for_ever_for_a_reader(
    sqlite: SqliteStore, tmp_path: Path
) -> None:
    """Where somebody else is reading the file, the log stays a while, and all is forgotten all the same."""
    await live(sqlite)
    await sqlite._checkpoints._connection.execute_fetchall("PRAGMA busy_timeout = 10")
    with closing(sqlite3.connect(tmp_path / "bot.db", isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM tasks").fetchall()
        assert (await sqlite.forget_person(WHO, START)).cancelled == 200
    assert _found(tmp_path / "bot.db") != set()
    touched = await sqlite.prune(now=START, inbox_before=START, finished_before=None, limit=9)
    assert touched == 0
    await sqlite.forget_person(WHO, START)
    assert _found(tmp_path / "bot.db") == set()
