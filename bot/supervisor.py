"""Keeps the loops running: starts one again that failed, stops them all in time."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Mapping
from pathlib import Path
from typing import Any, Final

import structlog

from bot import metrics
from bot.delays import backoff
from bot.errors import ConfigurationError
from bot.labels import Fell, LoopName
from storage.clock import Clock
from storage.store import StoreError

log = structlog.get_logger(__name__)

Loop = Callable[[asyncio.Event], Coroutine[Any, Any, None]]

CRASHES: Final = 5
_STORE_PAUSE: Final = 1.0
"""Seconds after which a loop that could not read or write the store begins anew."""
WITHOUT_STORE: Final = 600
"""So often in a row: a database that is no better after ten minutes is a matter for the operator."""
_REMEMBERED: Final = 20
"""So many of a loop's latest failures are remembered."""
CRASH_SPAN: Final = 60.0
"""A loop that fails so often in so many seconds ends the process."""


class GivenUp(Exception):
    """A loop keeps failing: the process ends, and whoever runs it starts it anew."""


class Fatal(Exception):
    """Raised by a loop: starting it again cannot help."""


class StoodStill(Exception):
    """A loop was cut off because it stood still: it begins anew."""


class Kept:
    """A loop as the supervisor knows it."""

    def __init__(self, name: str, clock: Clock) -> None:
        self.name = name
        self.began = clock.monotonic()
        """When it was last started, by the monotonic clock."""
        self.started_again = 0
        """How often that was because it stood still."""
        self._clock = clock
        self._failed: deque[float] = deque(maxlen=_REMEMBERED)
        self._task: asyncio.Task[None] | None = None
        self._cut_off = False

    async def run(self, loop: Loop, stop: asyncio.Event) -> None:
        """Run it.

        Raises:
            StoodStill: `start_again` was called.
        """
        self.began, self._cut_off = self._clock.monotonic(), False
        self._task = asyncio.create_task(loop(stop), name=self.name)
        try:
            await self._task
        except asyncio.CancelledError:
            # whoever keeps it may be told to end at the same time, and then has to
            current = asyncio.current_task()
            if not self._cut_off or stop.is_set() or (current and current.cancelling()):
                raise
            raise StoodStill from None

    def failed(self) -> None:
        """Note a failure."""
        self._failed.append(self._clock.monotonic())

    def failures(self, within: float) -> int:
        """Count the failures of the last so many seconds."""
        since = self._clock.monotonic() - within
        return sum(at > since for at in self._failed)

    def start_again(self) -> bool:
        """Cut it off, so that it begins anew; says whether that is news, as once for each start."""
        if self._task is None or self._task.done() or self._cut_off:
            return False
        self._cut_off = True
        self.started_again += 1
        self._task.cancel()
        return True

    def where(self) -> list[str]:
        """Say where it is, from the outside in: files, lines and functions, and none of their values."""
        found = []
        at: Any = self._task.get_coro() if self._task else None
        while at is not None:
            frame = getattr(at, "cr_frame", None) or getattr(at, "gi_frame", None)
            if frame is None:
                break
            code = frame.f_code
            found.append(f"{Path(code.co_filename).name}:{frame.f_lineno} {code.co_qualname}")
            at = getattr(at, "cr_await", None) or getattr(at, "gi_yieldfrom", None)
        return found


async def supervise(
    loops: Mapping[str, Loop],
    *,
    wake: Callable[[], None],
    stop: asyncio.Event,
    clock: Clock,
    stop_seconds: Callable[[], float],
    at_once: Collection[str] = (),
    kept: dict[str, Kept] | None = None,
) -> None:
    """Keep the loops running until the stop; then give them `stop_seconds()` to finish.

    `wake` wakes whatever the loops wait for, so that they see the stop. The loops named in `at_once`
    are cancelled without such a delay: what they have in hand is not lost by it. `kept` is filled with
    what whoever watches over the loops wants to know of each.

    Raises:
        GivenUp: a loop failed too often in too short a time.
        ConfigurationError: a loop found what only the operator can mend.
    """
    kept = {} if kept is None else kept
    kept.update({name: Kept(name, clock) for name in loops})
    tasks = [
        asyncio.create_task(_keep(kept[name], loop, stop, clock), name=name)
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
        began = clock.monotonic()
        # asked anew each time: a stop may become more urgent
        while left and (more := began + stop_seconds() - clock.monotonic()) > 0:
            wake()
            _, left = await asyncio.wait(left, timeout=min(0.2, more))
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


async def _keep(kept: Kept, loop: Loop, stop: asyncio.Event, clock: Clock) -> None:
    """Run a loop, and start it again when it fails.

    Raises:
        GivenUp: it failed too often in too short a time, or starting it again cannot help.
        ConfigurationError: only the operator can mend it.
    """
    name = kept.name
    crashes: deque[float] = deque(maxlen=CRASHES)
    without_store = 0
    while not stop.is_set():
        began = clock.monotonic()
        try:
            await kept.run(loop, stop)
        except Fatal as exc:
            raise GivenUp(str(exc)) from exc
        except StoodStill:
            metrics.loop_restarts.labels(LoopName(name), Fell.STOOD_STILL).inc()
            continue
        except ConfigurationError:
            raise
        except StoreError:
            # a database that is held or full may be free again: no reason to end everything else
            log.exception("loop_without_store", loop=name)
            kept.failed()
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
        kept.failed()
        crashes.append(clock.monotonic())
        if len(crashes) == CRASHES and crashes[-1] - crashes[0] < CRASH_SPAN:
            raise GivenUp(f"{name} failed {CRASHES} times within {CRASH_SPAN:.0f} s")
        await _pause(stop, backoff(len(crashes) - 1, first=0.2, longest=5))


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
