"""Work side by side: one piece a key, and what fails hinders nobody else."""

import asyncio

import click
import pytest
import structlog

from bot.lanes import REST, Lanes
from storage.store import StoreError
from tests.time_machine import at_once


def now() -> float:
    """Give the loop's time."""
    return asyncio.get_running_loop().time()


def state(lanes: Lanes[str]) -> tuple[set[str], int]:
    """Give the keys in hand, and how many places are free."""
    return set(lanes.busy), lanes.free


async def failing(error: Exception) -> None:
    """Fail."""
    raise error


def test_keys_and_places() -> None:
    """A key in hand is busy, a place in use is not free, and the end of work is told."""

    async def work() -> None:
        ended: list[float] = []
        lanes: Lanes[str] = Lanes(2, ended=lambda: ended.append(now()))
        async with lanes:
            lanes.start("a", asyncio.sleep(1))
            lanes.start("b", asyncio.sleep(3))
            assert state(lanes) == ({"a", "b"}, 0)
            with pytest.raises(ValueError, match="no lane"):
                lanes.start("c", asyncio.sleep(1))
            await asyncio.sleep(2)
            assert state(lanes) == ({"b"}, 1)
            assert ended == [1.0]
            with pytest.raises(ValueError, match="no lane"):
                lanes.start("b", asyncio.sleep(1))
        assert now() == 3.0
        assert state(lanes) == (set(), 2)

    at_once(work())


def test_a_failure_stays_with_its_key(capsys: pytest.CaptureFixture[str]) -> None:
    """What fails is logged, its key rests a while, and all others go on."""

    async def work() -> None:
        ended: list[float] = []
        lanes: Lanes[str] = Lanes(2, ended=lambda: ended.append(now()))
        async with lanes:
            lanes.start("other", asyncio.sleep(10))
            lanes.start("a", failing(RuntimeError("boom")))
            await asyncio.sleep(0.1)
            lanes.check()
            assert lanes.busy == {"a", "other"}, "it would be tried again at once"
            assert lanes.free == 1, "who rests takes no place"
            await asyncio.sleep(REST)
            assert lanes.busy == {"other"}
            assert ended == [0.0, REST]
        assert now() == 10.0

    at_once(work())
    assert "boom" in capsys.readouterr().out


def test_a_failing_store_reaches_the_loop() -> None:
    """The loop hears of it, once, after the others have finished what they had in hand."""

    async def work() -> None:
        done: list[str] = []

        async def other() -> None:
            await asyncio.sleep(5)
            done.append("other")

        lanes: Lanes[str] = Lanes(3, ended=lambda: None)

        async def loop() -> None:
            async with lanes:
                lanes.start("other", other())
                lanes.start("a", failing(StoreError("disk full")))
                await asyncio.sleep(1)
                lanes.check()

        with pytest.raises(StoreError, match="disk full"):
            await loop()
        assert (done, now()) == (["other"], 5.0)
        async with lanes:
            assert lanes.busy == set(), "a loop that is started again has nothing in hand"
            lanes.check()
            lanes.start("a", failing(StoreError("disk still full")))
            with pytest.raises(StoreError, match="still"):
                await _left(lanes)

    at_once(work())


async def _left(lanes: Lanes[str]) -> None:
    """Leave without another look: what the last work met is not lost."""
    await lanes.__aexit__(None, None, None)


def test_a_cancelled_loop_cancels_its_work() -> None:
    """Whoever cuts the loop off, also while it waits for the last work, cuts that off too."""

    async def work() -> None:
        tidied: list[str] = []

        async def endless(name: str) -> None:
            try:
                await asyncio.sleep(3600)
            finally:
                tidied.append(name)

        async def loop(name: str, seconds: float) -> None:
            async with lanes:
                lanes.start(name, endless(name))
                await asyncio.sleep(seconds)

        for name, seconds in (("in the loop", 3600.0), ("at its end", 0.0)):
            lanes: Lanes[str] = Lanes(1, ended=lambda: None)
            whole = asyncio.create_task(loop(name, seconds))
            await asyncio.sleep(1)
            whole.cancel()
            await asyncio.wait([whole])
            assert whole.cancelled()
            assert lanes.busy == set()
        assert tidied == ["in the loop", "at its end"]
        assert now() == 2.0

    at_once(work())


def test_what_work_is_about_is_in_its_lines_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """Work begins with what it is about bound to its log lines, and leaves nothing of it to the next."""
    bound: list[dict[str, object]] = []

    async def look() -> None:
        bound.append(dict(structlog.contextvars.get_contextvars()))
        structlog.contextvars.bind_contextvars(left="behind")

    async def work() -> None:
        lanes: Lanes[str] = Lanes(2, ended=lambda: None)
        async with lanes:
            lanes.start("a", look(), task=1)
            lanes.start("b", look(), task=2)
            await asyncio.sleep(1)
            lanes.start("a", look())
            lanes.start("b", failing(ValueError("so it is")), task=3)
            await asyncio.sleep(1)
            assert structlog.contextvars.get_contextvars() == {}

    at_once(work())
    assert bound == [{"task": 1}, {"task": 2}, {}]
    assert "task=3" in click.unstyle(capsys.readouterr().out)
