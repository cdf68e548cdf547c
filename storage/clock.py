"""Time as the program sees it, so that a test can hand out its own."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

CATCHES_UP: Final = 0.1
"""By which share of the time that passes a gap to the machine's clock is closed."""


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """Give the date, UTC-aware: for stamps and due times on rows. It never jumps."""
        ...

    def monotonic(self) -> float:
        """Give seconds that never go back, from an arbitrary start: for intervals."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait so many seconds."""
        ...


def _wall() -> datetime:
    return datetime.now(UTC)


class SystemClock:
    """The machine's clock without its jumps.

    Slots, deadlines and due times are stamps on rows. If the machine's clock is set by an hour, none
    of them may end an hour early or late. So the date goes on from the start by the monotonic clock;
    where the machine's clock is found elsewhere, the gap is closed slowly: by a tenth of the time
    that passes. A restart takes over the machine's clock as it is (see `rebase` in the store).

    Args:
        wall: the machine's clock.
        monotonic: seconds that never go back.
    """

    def __init__(
        self,
        *,
        wall: Callable[[], datetime] = _wall,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._at = monotonic()
        self._now = wall()

    def now(self) -> datetime:
        """Give the date, UTC-aware."""
        at, wall = self._monotonic(), self._wall()
        passed = timedelta(seconds=at - self._at)
        gap = wall - (self._now + passed)
        most = passed * CATCHES_UP
        self._at, self._now = at, self._now + passed + min(max(gap, -most), most)
        return self._now

    def monotonic(self) -> float:
        """Give the seconds since some fixed moment."""
        return self._monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait so many seconds."""
        await asyncio.sleep(seconds)
