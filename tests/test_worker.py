"""Blocking work aside: one at a time, given up in time, and never in the way of the process's end."""

import asyncio
import contextlib
import gc
import subprocess
import sys
import threading
import time
import weakref
from functools import partial

import pytest
import structlog

from bot.worker import Busy, TookTooLong, Worker


def running(name: str) -> int:
    """Count the threads of this name."""
    return sum(thread.name == name for thread in threading.enumerate())


async def test_what_work_gives_or_raises_comes_back() -> None:
    """The result or the error of the work is that of the call, and the thread isn't the loop's."""
    worker = Worker("aside")
    thread = await worker.do(threading.current_thread)
    assert (thread.name, thread.daemon) == ("aside", True)
    with pytest.raises(ZeroDivisionError):
        await worker.do(lambda: 1 // 0)


class Large:
    """Something that is worth letting go of."""

    def fail(self) -> None:
        """Fail, as a decoder does."""
        raise ValueError


async def test_what_failed_is_let_go_at_once() -> None:
    """What failing work was done to is freed with its error, and does not wait for the garbage."""
    worker, large = Worker("aside"), Large()
    alive = weakref.ref(large)
    gc.disable()
    try:
        with contextlib.suppress(ValueError):
            await worker.do(large.fail)
        del large
        # the thread lets go of it in its own time
        async with asyncio.timeout(5):
            while alive() is not None:
                await asyncio.sleep(0.01)
    finally:
        gc.enable()


async def test_one_at_a_time_in_order() -> None:
    """Work that comes at once is done one after the other, in the order in which it came."""
    seen: list[str] = []

    def work(n: int) -> None:
        seen.append(f"in {n}")
        time.sleep(0.01)
        seen.append(f"out {n}")

    worker = Worker("aside")
    await asyncio.gather(*(worker.do(partial(work, n)) for n in range(4)))
    assert seen == [f"{what} {n}" for n in range(4) for what in ("in", "out")]


async def test_stuck_work_is_abandoned_and_the_next_is_done() -> None:
    """What takes too long fails after its time, and what waited behind it is done then."""
    go_on = threading.Event()
    worker = Worker("aside", seconds=0.1)
    try:
        stuck = asyncio.create_task(worker.do(go_on.wait))
        after = asyncio.create_task(worker.do(lambda: "done"))
        with pytest.raises(TookTooLong):
            await stuck
        assert await after == "done"
    finally:
        go_on.set()


async def test_only_so_many_are_abandoned() -> None:
    """With as many stuck as may be, no work is begun until one of them has ended."""
    go_on = [threading.Event() for _ in range(2)]
    worker = Worker("counted", seconds=0.05, most_abandoned=2)
    try:
        for event in go_on:
            with pytest.raises(TookTooLong):
                await worker.do(event.wait)
        for _ in range(3):
            with pytest.raises(Busy):
                await worker.do(lambda: "done")
        assert running("counted") == 2
        go_on[0].set()
        async with asyncio.timeout(5):
            while running("counted") > 1:
                await asyncio.sleep(0.01)
        assert await worker.do(lambda: "done") == "done"
    finally:
        for event in go_on:
            event.set()


async def test_whoever_gives_up_leaves_the_work_alone() -> None:
    """Work nobody waits for any more still ends before the next is begun; the waiting is not begun."""
    seen: list[str] = []

    def work(name: str) -> None:
        seen.append(f"in {name}")
        time.sleep(0.1)
        seen.append(f"out {name}")

    worker = Worker("aside")
    first = asyncio.create_task(worker.do(partial(work, "first")))
    waiting = asyncio.create_task(worker.do(partial(work, "waiting")))
    await asyncio.sleep(0.03)
    first.cancel()
    waiting.cancel()
    await worker.do(partial(work, "next"))
    assert seen == ["in first", "out first", "in next", "out next"]


async def test_a_closed_worker_takes_no_more() -> None:
    """After close, work is a programming error, and closing again does no harm."""
    worker = Worker("aside")
    worker.close()
    worker.close()
    with pytest.raises(RuntimeError, match="closed"):
        await worker.do(lambda: None)


STUCK = """
import asyncio, threading
from bot.worker import Worker

async def main():
    doing = asyncio.create_task(Worker("aside", seconds={seconds}).do(threading.Event().wait))
    await asyncio.wait([doing], timeout=0.2)
    doing.cancel()

asyncio.run(main())
"""


@pytest.mark.parametrize("seconds", [0.1, 60])
def test_stuck_work_does_not_keep_the_process_alive(seconds: float) -> None:
    """A process ends although work is stuck, whether that was given up yet or not."""
    program = [sys.executable, "-c", STUCK.format(seconds=seconds)]
    ended = subprocess.run(program, capture_output=True, timeout=20, check=False)
    assert (ended.returncode, b"Traceback" in ended.stderr) == (0, False), ended.stderr


async def test_log_lines_in_the_thread_say_whose_work_it_is() -> None:
    """What is bound to log lines where work is given is bound in its thread, and not in the next one's."""
    worker = Worker("aside")

    def look() -> dict[str, object]:
        return dict(structlog.contextvars.get_contextvars())

    with structlog.contextvars.bound_contextvars(task=1):
        assert await worker.do(look) == {"task": 1}
    assert await worker.do(look) == {}
