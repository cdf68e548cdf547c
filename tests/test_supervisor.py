"""Supervision: loops that fail are started again, and all of them stop in time."""

import asyncio
import itertools
from collections.abc import Coroutine, Mapping
from typing import Any

import pytest
import structlog

from bot.errors import TokenInUse
from bot.metrics import REGISTRY
from bot.supervisor import Fatal, GivenUp, Kept, Loop, supervise
from storage.store import StoreError
from tests.time_machine import LoopClock, at_once


async def watched(
    loops: Mapping[str, Loop],
    stop: asyncio.Event,
    *,
    stop_seconds: float = 4,
    kept: dict[str, Kept] | None = None,
) -> None:
    """Supervise; afterwards nothing is left running."""
    try:
        await supervise(
            loops,
            wake=lambda: None,
            stop=stop,
            clock=LoopClock(),
            stop_seconds=lambda: stop_seconds,
            kept=kept,
        )
    finally:
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}


async def quiet(stop: asyncio.Event) -> None:
    """Do nothing until the stop."""
    await stop.wait()


def now() -> float:
    """Give the loop's time."""
    return asyncio.get_running_loop().time()


def unwritten(work: Coroutine[Any, Any, None]) -> None:
    """Run it, and write no log: hundreds of tracebacks take longer than all the rest."""
    with structlog.testing.capture_logs():
        at_once(work)


def test_a_loop_that_fails_is_started_again() -> None:
    """A loop that raises comes back after a delay, each time a longer one."""

    async def work() -> None:
        stop, starts = asyncio.Event(), []

        async def stumbling(stop: asyncio.Event) -> None:
            starts.append(now())
            if len(starts) <= 3:
                raise RuntimeError("stumbled")
            stop.set()

        await watched({"stumbling": stumbling, "quiet": quiet}, stop)
        delays = [b - a for a, b in itertools.pairwise(starts)]
        assert len(delays) == 3
        assert 0.16 <= delays[0] < delays[1] < delays[2] <= 1.0

    at_once(work())


def test_a_store_that_fails_for_long_ends_nothing() -> None:
    """A loop that cannot read or write the store begins anew, for as long as that takes."""

    async def work() -> None:
        stop, starts = asyncio.Event(), []

        async def without_store(stop: asyncio.Event) -> None:
            starts.append(now())
            if len(starts) <= 300:
                raise StoreError("the database is locked")
            stop.set()

        await watched({"without": without_store, "quiet": quiet}, stop)
        assert 290 < starts[-1] - starts[0] < 310

    unwritten(work())


def test_a_store_that_never_comes_back_ends_it() -> None:
    """A database that is no better after ten minutes ends the process: whoever runs it is to see that."""

    async def work() -> None:
        stop = asyncio.Event()

        async def without_store(_: asyncio.Event) -> None:
            raise StoreError("the disk is gone")

        with pytest.raises(GivenUp, match="could not use the database"):
            await watched({"without": without_store, "quiet": quiet}, stop)
        assert 590 < now() < 620

    unwritten(work())


def test_five_failures_within_a_minute_end_it() -> None:
    """A loop that keeps failing ends the process, and the others are stopped in order."""

    async def work() -> None:
        stop, ended = asyncio.Event(), []

        async def failing(stop: asyncio.Event) -> None:
            raise RuntimeError("always")

        async def other(stop: asyncio.Event) -> None:
            await stop.wait()
            ended.append("other")

        with pytest.raises(GivenUp, match="failing failed 5 times within 60 s"):
            await watched({"failing": failing, "other": other}, stop)
        assert ended == ["other"]

    at_once(work())


def test_failures_that_are_far_apart_are_borne() -> None:
    """Five failures over more than a minute do not end the process."""

    async def work() -> None:
        stop, starts = asyncio.Event(), []

        async def failing(stop: asyncio.Event) -> None:
            starts.append(now())
            if len(starts) == 12:
                stop.set()
                return
            await asyncio.sleep(20)
            raise RuntimeError("now and then")

        await watched({"failing": failing}, stop)
        assert len(starts) == 12

    at_once(work())


def test_a_loop_that_ends_by_itself_counts_as_failed() -> None:
    """A loop that returns without a stop is started again, and not in a circle without end."""

    async def work() -> None:
        stop = asyncio.Event()

        async def ending(stop: asyncio.Event) -> None:
            return

        with pytest.raises(GivenUp, match="ending failed 5 times"):
            await watched({"ending": ending}, stop)

    at_once(work())


def test_fatal_ends_at_once() -> None:
    """A loop that says that nothing helps is not started again."""

    async def work() -> None:
        stop, starts = asyncio.Event(), []

        async def hopeless(stop: asyncio.Event) -> None:
            starts.append(now())
            raise Fatal("the token was revoked")

        with pytest.raises(GivenUp, match="the token was revoked"):
            await watched({"hopeless": hopeless, "quiet": quiet}, stop)
        assert len(starts) == 1
        assert now() < 1

    at_once(work())


def test_a_stop_lets_work_under_way_finish() -> None:
    """What ends within the time that is allowed is not cut off, and nothing waits longer."""

    async def work() -> None:
        stop, done = asyncio.Event(), []

        async def finishing(stop: asyncio.Event) -> None:
            await stop.wait()
            await asyncio.sleep(3)
            done.append("finished")

        asyncio.get_running_loop().call_later(1, stop.set)
        await watched({"finishing": finishing}, stop, stop_seconds=4)
        assert done == ["finished"]
        assert 4 <= now() < 4.5

    at_once(work())


def test_a_stop_cuts_off_what_takes_too_long() -> None:
    """What does not end in time is cancelled, and gets to tidy up."""

    async def work() -> None:
        stop, seen = asyncio.Event(), []

        async def endless(stop: asyncio.Event) -> None:
            try:
                await asyncio.sleep(3600)
            finally:
                seen.append("tidied")

        asyncio.get_running_loop().call_later(1, stop.set)
        await watched({"endless": endless}, stop, stop_seconds=2)
        assert seen == ["tidied"]
        assert 3 <= now() < 3.5

    at_once(work())


def test_a_stop_does_not_wait_for_a_loop_to_be_started_again() -> None:
    """A loop that waits for its next start is over with the stop."""

    async def work() -> None:
        stop, starts = asyncio.Event(), []

        async def failing(stop: asyncio.Event) -> None:
            starts.append(now())
            raise RuntimeError("stumbled")

        asyncio.get_running_loop().call_later(0.1, stop.set)
        await watched({"failing": failing}, stop)
        assert len(starts) == 1
        assert now() < 0.2

    at_once(work())


def test_loops_are_woken_until_they_see_the_stop() -> None:
    """A loop that was just between its look and its wait is woken again."""

    async def work() -> None:
        stop, bell = asyncio.Event(), asyncio.Condition()

        async def late(stop: asyncio.Event) -> None:
            while not stop.is_set():
                await asyncio.sleep(1)  # does not listen
                async with bell:
                    await bell.wait()

        woken = []

        def wake() -> None:
            woken.append(now())

            async def ring() -> None:
                async with bell:
                    bell.notify_all()

            rings.append(asyncio.create_task(ring()))

        rings: list[asyncio.Task[None]] = []
        asyncio.get_running_loop().call_later(0.1, stop.set)
        await supervise(
            {"late": late}, wake=wake, stop=stop, clock=LoopClock(), stop_seconds=lambda: 4
        )
        assert 1 <= now() < 1.5
        assert len(woken) > 3

    at_once(work())


def test_a_cancelled_supervisor_leaves_nothing_running() -> None:
    """Whoever cuts the whole thing off cuts the loops off too."""

    async def work() -> None:
        whole = asyncio.create_task(watched_alone())
        await asyncio.sleep(1)
        whole.cancel()
        await asyncio.wait([whole])
        assert asyncio.all_tasks() == {asyncio.current_task()}

    async def watched_alone() -> None:
        await supervise(
            {"quiet": quiet},
            wake=lambda: None,
            stop=asyncio.Event(),
            clock=LoopClock(),
            stop_seconds=lambda: 4,
        )

    at_once(work())


def test_who_is_cut_off_at_once_is_named() -> None:
    """Of the loops only those that the caller names are not waited for."""

    async def work() -> None:
        stop, done = asyncio.Event(), []

        async def finishing(stop: asyncio.Event) -> None:
            await stop.wait()
            await asyncio.sleep(3)
            done.append("finished")

        async def polling(stop: asyncio.Event) -> None:
            await asyncio.sleep(3600)

        asyncio.get_running_loop().call_later(1, stop.set)
        await supervise(
            {"intake": finishing, "news": polling},
            wake=lambda: None,
            stop=stop,
            clock=LoopClock(),
            stop_seconds=lambda: 10,
            at_once=("news",),
        )
        assert done == ["finished"]
        assert 4 <= now() < 4.5

    at_once(work())


async def _in_vain() -> None:
    await asyncio.sleep(10**6)


def test_a_loop_that_stands_still_can_be_started_again() -> None:
    """It is cut off once, wherever it stands, and begins anew; the others hear nothing of it."""

    async def work() -> None:
        stop, starts = asyncio.Event(), []
        kept: dict[str, Kept] = {}
        counted = {"loop": "other", "why": "stood_still"}

        async def standing(stop: asyncio.Event) -> None:
            starts.append(now())
            if len(starts) == 1:
                secret = "what somebody wrote"
                await _in_vain()
                del secret
            await stop.wait()

        async def healer(stop: asyncio.Event) -> None:
            await asyncio.sleep(100)
            where = kept["standing"].where()
            assert [line.rpartition(" ")[2].rpartition(".")[2] for line in where] == [
                "standing",
                "_in_vain",
                "sleep",
            ]
            assert all(line.partition(":")[2].partition(" ")[0].isdecimal() for line in where)
            assert "somebody" not in str(where)
            assert [kept["standing"].start_again() for _ in range(2)] == [True, False]
            await asyncio.sleep(1)
            stop.set()

        known = REGISTRY.get_sample_value("hidream_bot_loop_restarts_total", counted) or 0
        await watched({"standing": standing, "healer": healer}, stop, kept=kept)
        assert REGISTRY.get_sample_value("hidream_bot_loop_restarts_total", counted) == known + 1
        assert starts == [0, 100]
        assert (kept["standing"].began, kept["standing"].started_again) == (100, 1)
        assert kept["healer"].started_again == 0
        assert not kept["standing"].start_again(), "it has ended"

    at_once(work())


def test_who_is_started_again_at_the_stop_ends() -> None:
    """A stop at the same moment wins: nothing begins anew."""

    async def work() -> None:
        stop, starts = asyncio.Event(), []
        kept: dict[str, Kept] = {}

        async def standing(stop: asyncio.Event) -> None:
            starts.append(now())
            await _in_vain()

        async def healer(stop: asyncio.Event) -> None:
            await asyncio.sleep(100)
            kept["standing"].start_again()
            stop.set()

        await watched({"standing": standing, "healer": healer}, stop, kept=kept)
        assert starts == [0]

    at_once(work())


def test_failures_are_counted_for_a_while() -> None:
    """Whoever watches over the loops sees how often one failed lately, the store's failures among them."""

    async def work() -> None:
        stop, fails = asyncio.Event(), [RuntimeError("a"), StoreError("b")]
        kept: dict[str, Kept] = {}

        async def failing(stop: asyncio.Event) -> None:
            if fails:
                raise fails.pop()
            await stop.wait()

        async def watcher(stop: asyncio.Event) -> None:
            await asyncio.sleep(50)
            assert [kept["failing"].failures(within) for within in (100, 1)] == [2, 0]
            stop.set()

        await watched({"failing": failing, "watcher": watcher}, stop, kept=kept)


def test_what_only_the_operator_can_mend_ends_it_at_once() -> None:
    """It is told as it is, and the others stop: the program then ends as it does for wrong settings."""

    async def work() -> None:
        async def refused(stop: asyncio.Event) -> None:
            raise TokenInUse("stop one of the two")

        stop = asyncio.Event()
        with pytest.raises(TokenInUse, match="stop one of the two"):
            await watched({"refused": refused, "quiet": quiet}, stop)
        assert stop.is_set()

    at_once(work())
