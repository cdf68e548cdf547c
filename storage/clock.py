"""Time as the program sees it, so that a test can hand out its own."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """Give the wall clock's time, UTC-aware: for stamps, never for intervals within a process."""
        ...

    def monotonic(self) -> float:
        """Give seconds that never go back, from an arbitrary start: for intervals."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait so many seconds."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Give the time now, UTC-aware."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Give the seconds since some fixed moment."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait so many seconds."""
        await asyncio.sleep(seconds)
