"""Time in the sandbox: the machine's, moved as a test asks; and a bell to wait for."""

from __future__ import annotations

import asyncio
import contextlib
import time


class Clock:
    """Seconds since 1970, plus what was skipped."""

    def __init__(self) -> None:
        self._skipped = 0.0

    def now(self) -> float:
        """Give the sandbox's time, in seconds since 1970."""
        return time.time() + self._skipped

    def advance(self, seconds: float) -> None:
        """Skip so many seconds."""
        self._skipped += seconds


class Bell:
    """Wakes everybody who waits for it."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def ring(self) -> None:
        """Wake those who wait now."""
        self._next.set()
        self._next = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Wait for the next ring, or so many seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._next.wait(), seconds)
