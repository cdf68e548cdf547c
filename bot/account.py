"""The HiDream account as it stands: what it allows a minute, and whether it is in trouble.

Trouble pauses submitting and nothing else: tasks stay queued, and it goes on by itself.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
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


_TOKEN_LOOK: Final = 5.0
"""Seconds after which to look whether the operator has put in another token."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowance:
    """What the account allows."""

    deadline: Callable[[], timedelta]
    """Gives how long HiDream may take for a task, from its acceptance."""

    def deadline_at(self, accepted_at: datetime) -> datetime:
        """Say until when a task may take."""
        return accepted_at + self.deadline()

    def held_until(self, begun_at: datetime) -> datetime:
        """Say until when a submission holds its slot if HiDream never reports its end."""
        return begun_at + 2 * self.deadline()


class Account:
    """What all parts that talk to HiDream know of the account together.

    Args:
        clock: gives the time.
        new_token: tells whether there is another token than the one that was refused.
        on_change: hears of each trouble that begins, and (None) of its end; of the first success, too.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        new_token: Callable[[], bool] = lambda: False,
        on_change: Callable[[Trouble | None], None] = lambda _: None,
    ) -> None:
        self._clock = clock
        self._new_token = new_token
        self._on_change = on_change
        self._trouble: Trouble | None = None
        self._failures = 0
        self._until = 0.0
        self._successes = 0
        self._known = False

    @property
    def trouble(self) -> Trouble | None:
        """Why nothing is submitted, until a call goes well again."""
        return self._trouble

    @property
    def successes(self) -> int:
        """How many submissions went well so far."""
        return self._successes

    def pause(self) -> float:
        """Give the seconds until the next try."""
        return max(0.0, self._until - self._clock.monotonic())

    def pause_left(self) -> float:
        """Give the seconds until the next try, or until it is worth asking again; 0: now."""
        left = self.pause()
        if self._trouble is not Trouble.TOKEN or left == 0:
            return left
        return 0.0 if self._new_token() else min(left, _TOKEN_LOOK)

    def in_trouble(self, trouble: Trouble, *, at_least: float | None = None) -> None:
        """Pause; `at_least` is what the service asked for, in seconds."""
        news, self._known = trouble is not self._trouble, True
        self._failures = 0 if news else self._failures + 1
        self._trouble = trouble
        first = _PAUSE[trouble]
        seconds = first if trouble is Trouble.TOKEN else backoff(self._failures, first=first)
        self._until = self._clock.monotonic() + max(seconds, at_least or 0.0)
        if news:
            self._on_change(trouble)

    def look_again(self) -> None:
        """The operator may have mended it: what is refused is tried again now."""
        if self._trouble is Trouble.TOKEN:
            self._until = self._clock.monotonic()

    def submitted(self) -> None:
        """A submission was accepted."""
        self._successes += 1
        self.well()

    def well(self) -> None:
        """A call was answered as only an account that is well is answered."""
        news = self._trouble is not None or not self._known
        self._known = True
        self._trouble = None
        self._failures = 0
        self._until = 0.0
        if news:
            self._on_change(None)


class Minute:
    """Counts images against the minute: each from its request's start until 60 s after its answer."""

    def __init__(self, images_per_minute: Callable[[], int], clock: Clock) -> None:
        self._limit = images_per_minute
        self._clock = clock
        self._open = 0
        self._answered: deque[tuple[float, int]] = deque()

    @property
    def limit(self) -> int:
        """How many images the account takes a minute."""
        return self._limit()

    @property
    def used(self) -> int:
        """How many of them count now."""
        ended = self._clock.monotonic() - MINUTE
        return self._open + sum(n for at, n in self._answered if at > ended)

    def restore(self, charges: Iterable[Charge], now: datetime) -> None:
        """Take over what an earlier run submitted; stamps from the future are read as now."""
        self._open = 0
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
        over = self._open + sum(n for _, n in self._answered) + images - self._limit()
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
