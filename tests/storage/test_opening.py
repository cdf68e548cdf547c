"""What is ours opens: for this user only, also after a kill."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from storage.sqlite import open_store
from tests.storage.database_files import everything, make
from tests.storage.making import HandClock, add


@pytest.mark.parametrize("there", [True, False])
async def test_a_new_database_is_for_this_user_only(path: Path, there: bool) -> None:
    """A missing or empty file becomes a database; folder 0700, files 0600, also those beside it."""
    before = os.umask(0)
    try:
        if there:
            path.parent.mkdir(mode=0o700)
            path.touch()
        store = await open_store(path, clock=HandClock())
        await add(store)
    finally:
        os.umask(before)
    files = {one.name: stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()}
    await store.close()
    assert set(files) == {"bot.db", "bot.db-shm", "bot.db-wal", "bot.db.lock"}
    assert set(files.values()) == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_a_file_that_others_could_read_is_closed_to_them(path: Path) -> None:
    """A database that was copied with a looser mode is made private again."""
    await make(path)
    path.chmod(0o644)
    await make(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_what_a_killed_start_left_is_no_obstacle(path: Path) -> None:
    """A half-made new database is thrown away and made again."""
    path.parent.mkdir()
    path.with_name("bot.db.new").write_bytes(b"half")
    await make(path)
    assert list(everything(path.parent)) == ["bot.db"]


async def test_what_was_committed_survives_a_kill(path: Path) -> None:
    """After kill -9 the log is there, the lock is not held, and every committed task is found."""
    code = (
        "import asyncio, os, signal, sys\n"
        "from pathlib import Path\n"
        "from storage.clock import SystemClock\n"
        "from storage.sqlite import open_store\n"
        "from tests.storage.making import add\n"
        "async def main():\n"
        "    store = await open_store(Path(sys.argv[1]), clock=SystemClock())\n"
        "    for n in range(5):\n"
        "        await add(store, n)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    root = Path(__file__).parents[2]
    ended = subprocess.run([sys.executable, "-c", code, str(path)], cwd=root, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert (path.parent / "bot.db-wal").stat().st_size > 0
    store = await open_store(path, clock=HandClock())
    assert len(await store.next_queued(10)) == 5
    await store.close()


async def test_a_process_with_a_store_ends_once_it_is_closed(path: Path) -> None:
    """An open connection would keep the process alive; a closed store does not, nor does a refused one."""
    code = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from storage.clock import SystemClock\n"
        "from storage.sqlite import open_store\n"
        "async def main():\n"
        "    store = await open_store(Path(sys.argv[1]), clock=SystemClock())\n"
        "    try:\n"
        "        await open_store(Path(sys.argv[1]), clock=SystemClock())\n"
        "    finally:\n"
        "        await store.close()\n"
        "asyncio.run(main())\n"
    )
    root = Path(__file__).parents[2]
    ended = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        cwd=root,
        check=False,
        timeout=20,
        stderr=subprocess.PIPE,
    )
    assert b"DatabaseRefused" in ended.stderr
