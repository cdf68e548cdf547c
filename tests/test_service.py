"""What the service manager is told, over a real socket; and nothing where there is none."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import health
from bot.checkup import BEAT
from bot.service import ServiceManager
from tests.engine import HiDream, accepted, engine
from tests.service_manager import Manager, listening
from tests.test_checkup import Sticking
from tests.time_machine import at_once


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    """Give a service manager, whose socket the environment names."""
    with listening() as one:
        monkeypatch.setenv("NOTIFY_SOCKET", one.address)
        yield one


def test_each_thing_has_its_word(manager: Manager) -> None:
    """Start, reload, state, life and stop are told as sd_notify(3) has them; a state once."""
    service = ServiceManager()
    service.ready()
    service.status("Ready")
    service.status("Ready")
    service.reloading()
    service.alive()
    service.stopping()
    start, status, reloading, alive, stopping = manager.news()
    assert (start, status, alive, stopping) == (
        "READY=1",
        "STATUS=Ready",
        "WATCHDOG=1",
        "STOPPING=1",
    )
    first, _, second = reloading.partition("\n")
    assert (first, second.startswith("MONOTONIC_USEC=")) == ("RELOADING=1", True)
    service.close()
    service.ready()
    assert manager.news() == []


def test_without_a_service_manager_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """All may be said, and nobody hears it; a watchdog without a socket is none."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.setenv("WATCHDOG_USEC", "1000000")
    service = ServiceManager()
    service.ready()
    service.status("Ready")
    assert service.watchdog is None
    service.close()


# the library leaves a socket that it could not connect to whoever collects the garbage
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_manager_that_has_gone_is_no_trouble(
    manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who does not read, or is not there, holds nobody up."""
    service = ServiceManager()
    for _ in range(5000):
        service.alive()
    assert 0 < len(manager.news()) < 5000
    service.close()
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/notify")
    lost = ServiceManager()
    lost.ready()
    lost.close()


@pytest.mark.parametrize(
    ("micros", "pid", "seconds"),
    [
        ("20000000", None, 20.0),
        ("20000000", "own", 20.0),
        ("20000000", "1", None),
        ("0", None, None),
        ("", None, None),
        ("soon", None, None),
    ],
)
def test_how_often_it_wants_to_hear(
    manager: Manager,
    monkeypatch: pytest.MonkeyPatch,
    micros: str,
    pid: str | None,
    seconds: float | None,
) -> None:
    """The environment says within how long, and which process is meant."""
    monkeypatch.setenv("WATCHDOG_USEC", micros)
    if pid is None:
        monkeypatch.delenv("WATCHDOG_PID", raising=False)
    else:
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()) if pid == "own" else pid)
    service = ServiceManager()
    assert service.watchdog == seconds
    service.close()


def test_life_is_told_until_a_loop_is_past_hope(
    manager: Manager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At half the time it asks for, it hears of life; no more once a loop stands still that cannot begin anew."""
    monkeypatch.setenv("WATCHDOG_USEC", "4000000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)

    async def work() -> None:
        store = Sticking()
        async with engine(tmp_path, HiDream(submit=accepted), store=store, looked_after=True):
            await asyncio.sleep(60)
            first = manager.news()
            assert first[:3] == [
                "STATUS=Not ready: starting. 0 in line, 0 at HiDream, 0 to be sent",
                "READY=1",
                "WATCHDOG=1",
            ]
            assert 28 <= first.count("WATCHDOG=1") <= 31
            store.silent, store.sticks = True, "requeue_due"
            store.wake()
            await asyncio.sleep(health.LOOPS["dispatcher"][1] + health.PAST_HOPE + BEAT)
            assert manager.news().count("WATCHDOG=1") > 80
            await asyncio.sleep(60)
            assert manager.news().count("WATCHDOG=1") == 0

    at_once(work())


def test_life_is_told_while_a_loop_begins_anew(
    manager: Manager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No beat is left out for a loop that was started again: whoever asks for one in ten seconds gets two."""
    monkeypatch.setenv("WATCHDOG_USEC", "10000000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)

    async def work() -> None:
        store = Sticking()
        async with engine(tmp_path, HiDream(submit=accepted), store=store, looked_after=True) as it:
            store.sticks = "requeue_due"
            store.wake()
            seconds = health.LOOPS["dispatcher"][1] + health.PAST_HOPE + 8 * BEAT
            await asyncio.sleep(seconds)
            assert it.kept["dispatcher"].started_again == 1
            assert manager.news().count("WATCHDOG=1") >= seconds // BEAT

    at_once(work())


def test_a_stop_ends_it_all(manager: Manager, tmp_path: Path) -> None:
    """A look that never ends holds up no stop."""

    async def work() -> None:
        store = Sticking()
        store.silent = True
        async with engine(tmp_path, HiDream(submit=accepted), store=store, looked_after=True):
            await asyncio.sleep(1)

    at_once(work())
    assert "READY=1" in manager.news()
