"""Keeps the loops running: starts one again that failed, stops them all in time."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Final

import structlog

from bot import metrics
from bot.delays import backoff
from bot.labels import Fell, LoopName
from storage.clock import Clock
from storage.store import StoreError

log = structlog.get_logger(__name__)

Loop = Callable[[asyncio.Event], Awaitable[None]]

CRASHES: Final = 5
_STORE_PAUSE: Final = 1.0
"""Seconds after which a loop that could not read or write the store begins anew."""
WITHOUT_STORE: Final = 600
"""So often in a row: a database that is no better after ten minutes is a matter for the operator."""
CRASH_SPAN: Final = 60.0
"""A loop that fails so often in so many seconds ends the process."""


class GivenUp(Exception):
    """A loop keeps failing: the process ends, and whoever runs it starts it anew."""


class Fatal(Exception):
    """Raised by a loop: starting it again cannot help."""


async def supervise(
    loops: Mapping[str, Loop],
    *,
    wake: Callable[[], None],
    stop: asyncio.Event,
    clock: Clock,
    stop_seconds: float,
    at_once: Collection[str] = (),
) -> None:
    """Keep the loops running until the stop; then give them `stop_seconds` to finish.

    `wake` wakes whatever the loops wait for, so that they see the stop. The loops named in `at_once`
    are cancelled without such a delay: what they have in hand is not lost by it.

    Raises:
        GivenUp: a loop failed too often in too short a time.
    """
    tasks = [
        asyncio.create_task(_keep(name, loop, stop, clock), name=name)
        for name, loop in loops.items()
    ]
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({*tasks, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        log.info("stopping")
        for task in tasks:
            if task.get_name() in at_once:
                task.cancel()
        # woken again and again: a loop may just be between its look and its wait
        left = set(tasks)
        until = clock.monotonic() + stop_seconds
        while left and clock.monotonic() < until:
            wake()
            _, left = await asyncio.wait(left, timeout=max(0, min(0.2, until - clock.monotonic())))
        if left:
            log.warning("stopped_before_all_was_done", loops=sorted(t.get_name() for t in left))
    finally:
        stopping.cancel()
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result


async def _keep(name: str, loop: Loop, stop: asyncio.Event, clock: Clock) -> None:
    """Run a loop, and start it again when it fails.

    Raises:
        GivenUp: it failed too often in too short a time, or starting it again cannot help.
    """
    crashes: deque[float] = deque(maxlen=CRASHES)
    without_store = 0
    while not stop.is_set():
        began = clock.monotonic()
        try:
            await loop(stop)
        except Fatal as exc:
            raise GivenUp(str(exc)) from exc
        except StoreError:
            # a database that is held or full may be free again: no reason to end everything else
            log.exception("loop_without_store", loop=name)
            metrics.loop_restarts.labels(LoopName(name), Fell.STORE).inc()
            lasted = clock.monotonic() - began
            without_store = 1 if lasted > CRASH_SPAN else without_store + 1
            if without_store >= WITHOUT_STORE:
                raise GivenUp(f"{name} could not use the database {WITHOUT_STORE} times") from None
            await _pause(stop, _STORE_PAUSE)
            continue
        except Exception:
            log.exception("loop_failed", loop=name)
            metrics.loop_restarts.labels(LoopName(name), Fell.FAILED).inc()
        else:
            if stop.is_set():
                return
            log.error("loop_ended_by_itself", loop=name)
            metrics.loop_restarts.labels(LoopName(name), Fell.ENDED).inc()
        crashes.append(clock.monotonic())
        if len(crashes) == CRASHES and crashes[-1] - crashes[0] < CRASH_SPAN:
            raise GivenUp(f"{name} failed {CRASHES} times within {CRASH_SPAN:.0f} s")
        await _pause(stop, backoff(len(crashes) - 1, first=0.2, longest=5))


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
