"""An event loop in which time passes at once: whoever sleeps an hour wakes in the same instant."""

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")
_START = datetime(2026, 1, 1, tzinfo=UTC)


class _Skipping(selectors.DefaultSelector):
    """Instead of waiting, lets the loop's time go on."""

    skipped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.skipped += timeout or 0.0
        if timeout is None:
            raise AssertionError("nothing is left that could ever happen")
        return super().select(0)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._skipping = _Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.skipped


class LoopClock:
    """A clock that shows the loop's time."""

    def now(self) -> datetime:
        """Give a date that goes on with the loop."""
        return _START + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Give the loop's time."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Wait as long as the loop thinks."""
        await asyncio.sleep(seconds)


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """Run something in a loop in which time passes at once."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(work)


def asleep(seconds: float) -> None:
    """Let the loop be as after a machine's sleep: the time has gone on, and nothing else has."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, _Loop)
    loop._skipping.skipped += seconds
