"""The write-ahead log: it is taken into the file aside, stays short, and loses nothing that was committed."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from storage.sqlite import SqliteStore, open_store
from storage.sqlite.checkpoints import PAGES, WRITES
from tests.storage.making import BOT, START, HandClock, there, update

_PAGE: Final = 4096
_FRAME: Final = _PAGE + 24
_WRITER: Final = """
import asyncio, sys
from pathlib import Path
from typing import Final
from storage.sqlite import open_store
from tests.storage.making import HandClock, add

async def main():
    store = await open_store(Path(sys.argv[1]), clock=HandClock())
    n = 0
    while True:
        n += 1
        await add(store, n)
        print(n, flush=True)

asyncio.run(main())
"""


def _in_the_file(path: Path) -> int:
    """Count the updates that are in the file itself, whatever its log holds."""
    frozen = f"file:{path}?mode=ro&immutable=1"
    with closing(sqlite3.connect(frozen, uri=True)) as connection:
        (found,) = connection.execute("SELECT count(*) FROM inbox").fetchone()
    return int(found)


async def _under_way(store: SqliteStore) -> None:
    task = store._checkpoints._under_way
    if task is not None:
        await asyncio.wait((task,))


async def test_the_log_is_taken_in_after_so_many_writes(
    sqlite: SqliteStore, tmp_path: Path
) -> None:
    """What has been written since the last time is in the file itself then, and not before."""
    for n in range(WRITES - 1):
        await sqlite.receive(BOT, [update(n)], START)
    await _under_way(sqlite)
    assert _in_the_file(tmp_path / "bot.db") == 0
    await sqlite.receive(BOT, [update(WRITES)], START)
    await _under_way(sqlite)
    assert _in_the_file(tmp_path / "bot.db") == WRITES


async def test_the_log_is_begun_anew(sqlite: SqliteStore, tmp_path: Path) -> None:
    """However much is written, the log stays as long as what lies between a few checkpoints."""
    log = tmp_path / "bot.db-wal"
    lengths = []
    for n in range(20 * WRITES):
        await sqlite.receive(BOT, [update(n)], START)
        if n % WRITES == WRITES - 1:
            await _under_way(sqlite)
            lengths.append(log.stat().st_size)
    assert max(lengths) <= 2 * lengths[0]


async def test_a_commit_takes_in_a_log_that_nobody_took_in_aside(
    sqlite: SqliteStore, tmp_path: Path
) -> None:
    """Where aside it never comes to it, the log is bounded all the same."""
    sqlite._checkpoints._writes = -(10**6)
    long = "x" * 100 * _PAGE
    for n in range(3 * PAGES // 100):
        await sqlite._change(
            None,
            "INSERT INTO inbox (bot_id, update_id, raw, received_at) VALUES (1, ?, ?, 0)",
            (n, long),
        )
    assert (tmp_path / "bot.db-wal").stat().st_size <= (PAGES + 200) * _FRAME


async def test_a_checkpoint_that_fails_is_in_nobody_s_way(
    sqlite: SqliteStore, tmp_path: Path
) -> None:
    """While somebody else keeps the log from being taken in, writes go on; afterwards it is taken in."""
    with closing(sqlite3.connect(tmp_path / "bot.db", isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM inbox").fetchall()
        for n in range(WRITES):
            await sqlite.receive(BOT, [update(n)], START)
        await _under_way(sqlite)
        assert _in_the_file(tmp_path / "bot.db") == 0
        other.execute("COMMIT")
    for n in range(WRITES, 2 * WRITES):
        await sqlite.receive(BOT, [update(n)], START)
    await _under_way(sqlite)
    assert _in_the_file(tmp_path / "bot.db") == 2 * WRITES


async def test_a_backup_holds_up_the_cutting_of_the_log_and_nothing_else(
    sqlite: SqliteStore, tmp_path: Path
) -> None:
    """Where somebody reads for long, writes wait for the cutting half a second at most; it is done after the next ones."""
    log = tmp_path / "bot.db-wal"
    with closing(sqlite3.connect(tmp_path / "bot.db", isolation_level=None)) as other:
        await sqlite.receive(BOT, [update(1)], START)
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM inbox").fetchall()
        began = time.monotonic()
        forgetting = asyncio.create_task(sqlite.forget_person(5, START))
        await asyncio.sleep(0.1)
        await sqlite.receive(BOT, [update(2)], START)
        await forgetting
        assert time.monotonic() - began < 3
        assert log.stat().st_size > 0
        other.execute("COMMIT")
    for n in range(3, 3 + WRITES):
        await sqlite.receive(BOT, [update(n)], START)
        if sqlite._checkpoints._under_way is not None:
            break
    await _under_way(sqlite)
    assert log.stat().st_size == 0


async def test_what_was_committed_outlives_a_kill_between_checkpoints(tmp_path: Path) -> None:
    """Killed at any moment, in the midst of a checkpoint too, each answered write is there afterwards."""
    path = tmp_path / "bot.db"
    for rounds in range(1, 6):
        path.unlink(missing_ok=True)
        with subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            answered = 0
            while answered < rounds * WRITES:
                answered = int(process.stdout.readline())
            process.send_signal(signal.SIGKILL)
            answered = max(
                [answered, *(int(line) for line in process.stdout if line.endswith("\n"))]
            )
        store = await open_store(path, clock=HandClock())
        try:
            for task_id in range(1, answered + 1):
                assert there(await store.get(task_id)).origin.update_id == task_id
            ((verdict,),) = await store._rows("PRAGMA integrity_check")
            assert verdict == "ok"
        finally:
            await store.close()
