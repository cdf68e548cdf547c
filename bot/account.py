"""The HiDream account as it stands: what it allows a minute, and whether it is in trouble.

Trouble pauses submitting and nothing else: tasks stay queued, and it goes on by itself.
"""

from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from bot.delays import backoff
from storage.clock import Clock
from storage.tasks import Charge

MINUTE: Final = 60.0
"""Seconds for which an image goes on counting after its request was answered."""


class Trouble(StrEnum):
    """Why nothing is submitted right now."""

    TOKEN = "token"  # noqa: S105 - the kind of trouble, not a token
    BUSY = "busy"
    UNREACHABLE = "unreachable"


_PAUSE: Final = {Trouble.TOKEN: 60.0, Trouble.BUSY: 2.0, Trouble.UNREACHABLE: 1.0}
"""Seconds of the first pause; BUSY and UNREACHABLE pauses grow, up to a minute."""


_TOKEN_LOOK: Final = 2.0
"""Seconds after which to look whether the operator has put in another token."""


class Account:
    """What all parts that talk to HiDream know of the account together."""

    def __init__(self, clock: Clock, *, new_token: Callable[[], bool] = lambda: False) -> None:
        """Take the clock, and what tells whether there is another token than the refused one."""
        self._clock = clock
        self._new_token = new_token
        self._trouble: Trouble | None = None
        self._failures = 0
        self._until = 0.0

    @property
    def trouble(self) -> Trouble | None:
        """Why nothing is submitted, until a submission goes well again."""
        return self._trouble

    def pause_left(self) -> float:
        """Give the seconds until the next try, or until it is worth asking again; 0: now."""
        left = max(0.0, self._until - self._clock.monotonic())
        if self._trouble is not Trouble.TOKEN or left == 0:
            return left
        return 0.0 if self._new_token() else min(left, _TOKEN_LOOK)

    def in_trouble(self, trouble: Trouble, *, at_least: float | None = None) -> bool:
        """Pause; `at_least` is what the service asked for, in seconds. True if it is news."""
        news = trouble is not self._trouble
        self._failures = 0 if news else self._failures + 1
        self._trouble = trouble
        first = _PAUSE[trouble]
        seconds = first if trouble is Trouble.TOKEN else backoff(self._failures, first=first)
        self._until = self._clock.monotonic() + max(seconds, at_least or 0.0)
        return news

    def well(self) -> bool:
        """A submission was answered as it should be. True if there was trouble before."""
        news = self._trouble is not None
        self._trouble = None
        self._failures = 0
        self._until = 0.0
        return news


class Minute:
    """Counts images against the minute: each from its request's start until 60 s after its answer."""

    def __init__(self, images_per_minute: int, clock: Clock) -> None:
        self._limit = images_per_minute
        self._clock = clock
        self._open = 0
        self._answered: deque[tuple[float, int]] = deque()

    def restore(self, charges: Iterable[Charge], now: datetime) -> None:
        """Take over what an earlier process submitted; stamps from the future are read as now."""
        ends: list[tuple[float, int]] = []
        for charge in charges:
            answered = min(charge.answered_at or now, now)
            age = (now - answered).total_seconds()
            ends.append((self._clock.monotonic() - age, charge.images))
        self._answered = deque(sorted(ends))

    def sent(self, images: int) -> None:
        """A request for so many images is about to be sent."""
        self._open += images

    def answered(self, images: int) -> None:
        """That request was answered, or given up."""
        self._open -= images
        self._answered.append((self._clock.monotonic(), images))

    def wait_for(self, images: int) -> float:
        """Give the seconds until so many images fit; 0: now. Infinite while it depends on answers."""
        now = self._clock.monotonic()
        while self._answered and self._answered[0][0] + MINUTE <= now:
            self._answered.popleft()
        over = self._open + sum(n for _, n in self._answered) + images - self._limit
        if over <= 0:
            return 0.0
        for at, n in self._answered:
            over -= n
            if over <= 0:
                return at + MINUTE - now
        return float("inf")


def since(now: datetime) -> datetime:
    """Give the moment before which answered submissions no longer count."""
    return now - timedelta(seconds=MINUTE)
