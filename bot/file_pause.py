"""The pause while Telegram gives out no files."""

from typing import Final

from bot.delays import backoff
from storage.clock import Clock

_LONGEST_PAUSE: Final = 30.0
"""Seconds; Telegram may ask for longer ones."""


class FilePause:
    """While Telegram gives out no files, whichever: none is asked for until a pause is over.

    A photo that waits for that is no try of its task. So an outage, or a 429, costs a call or two a
    pause, however long the line is.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until = float("-inf")
        self._failures = 0

    def left(self) -> float:
        """Give the seconds for which nothing is to be fetched; 0: go on."""
        return max(0.0, self._until - self._clock.monotonic())

    async def over(self) -> None:
        """Wait until files may be asked for."""
        while left := self.left():
            await self._clock.sleep(left)

    def failed(self, seconds: float) -> None:
        """Note a try that failed for now, with the pause that it asked for."""
        if not self.left():  # those under way at the same time say the same
            longer = backoff(self._failures, longest=_LONGEST_PAUSE)
            self._until = self._clock.monotonic() + longer
            self._failures += 1
        self._until = max(self._until, self._clock.monotonic() + seconds)

    def went_well(self) -> None:
        """Note that Telegram answered for a file."""
        self._failures = 0
