"""One process of the bot has a database at a time."""

import fcntl
import os
from pathlib import Path

import pytest

from storage.lock import Lock
from storage.sqlite import open_store
from storage.store import DatabaseRefused
from tests.storage.database_files import change, everything, make, refuse
from tests.storage.making import HandClock


async def test_a_database_in_use_is_refused_until_it_is_closed(path: Path) -> None:
    """Two processes never share a file: the second is refused; after closing, the next may."""
    store = await open_store(path, clock=HandClock())
    await refuse(path, "in use")
    await store.close()
    await make(path)
    assert list(everything(path.parent)) == ["bot.db"]


async def test_a_refusal_gives_the_lock_back(path: Path) -> None:
    """After a file was refused it can be replaced, and opened."""
    path.parent.mkdir()
    path.write_bytes(b"hello")
    await refuse(path)
    path.unlink()
    await make(path)


async def test_without_a_lock_it_can_be_opened_beside_another(path: Path) -> None:
    """lock=False leaves the lock to whoever holds it."""
    store = await open_store(path, clock=HandClock())
    beside = await open_store(path, clock=HandClock(), lock=False)
    await beside.close()
    await refuse(path, "in use")
    await store.close()
    change(path, "PRAGMA user_version = 999")
    with pytest.raises(DatabaseRefused, match="newer"):
        await open_store(path, clock=HandClock(), lock=False)


def test_a_lock_whose_name_was_taken_away_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock file that its last holder removed just now protects nothing, so another one is made."""
    lock = Lock(tmp_path / "bot.db")
    name = tmp_path / "bot.db.lock"
    flock = fcntl.flock
    tries = 0

    def racing(file: int, how: int) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            name.unlink()
        flock(file, how)

    monkeypatch.setattr(fcntl, "flock", racing)
    lock.acquire()
    assert tries == 2
    assert name.exists()
    lock.release()
    lock.release()
    assert not name.exists()


def test_whoever_only_looks_keeps_no_bot_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look at the lock takes an instant, which a start waits out: else it would have to be started by hand."""
    name = tmp_path / "bot.db.lock"
    looking = os.open(name, os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(looking, fcntl.LOCK_SH)
    monkeypatch.setattr("time.sleep", lambda _seconds: os.close(looking))
    lock = Lock(tmp_path / "bot.db")
    lock.acquire()
    lock.release()
    assert not name.exists()
