"""Progress bars: on a terminal, for what takes long."""

import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any, Final, Self

import click

LONG: Final = 32 * 2**20
"""Bytes of a database from which on a bar is shown: less is done before it is read."""


class Bars:
    """Shows how far it is: a bar for each thing that is done, one after the other."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown and sys.stderr.isatty()
        self._stack = ExitStack()
        self._what: str | None = None
        self._bar: Any = None
        self._done = 0

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the last bar's line."""
        self._stack.close()

    def tell(self, what: str, done: int, of: int) -> None:
        """Say what is being done, how much of it is, and how much there is in all."""
        if not self._shown:
            return
        if what != self._what:
            self._stack.close()
            self._what, self._done = what, 0
            bar = click.progressbar(length=max(of, 1), label=f"{what:<18}", file=sys.stderr)
            self._bar = self._stack.enter_context(bar)
        if done > self._done:
            self._bar.update(done - self._done)
            self._done = done


@contextmanager
def stoppable() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM be a KeyboardInterrupt in here, so that nothing half done is left."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, stop) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
