"""When to ask HiDream about a task: by what this installation has measured. Pure.

Asked seldom while an answer is impossible, often while it is likely, and less and less when it is
overdue. Times are seconds.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from storage.tasks import Measured

KEPT: Final = 200
"""So many of the latest measures of a kind count: the service changes."""
ENOUGH: Final = 8
"""Fewer measures say nothing of a kind."""
OFTEN: Final = 0.5
SELDOM: Final = 5.0
RARELY: Final = 300.0
"""Between two questions about a task that has been given up, and may still come late."""
_EARLY: Final = 0.9
"""By this share an answer may come earlier than the earliest measured."""
_LATE: Final = 1.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """How long tasks of a kind take."""

    earliest: float
    p50: float
    p90: float
    latest: float


class Durations:
    """The latest measures, by ratio and number of images."""

    def __init__(self, measured: Iterable[Measured] = ()) -> None:
        self._kinds: dict[tuple[str | None, int | None], deque[float]] = {}
        self._spreads: dict[tuple[str | None, int | None], Spread] = {}
        for one in measured:
            self.add(one)

    def add(self, measured: Measured) -> None:
        """Take a measure into account."""
        for kind in _kinds(measured.ratio, measured.count):
            self._kinds.setdefault(kind, deque(maxlen=KEPT)).append(measured.seconds)
            self._spreads.pop(kind, None)

    def of(self, ratio: str | None, count: int) -> Spread | None:
        """Give the spread of such tasks, or of the most alike that enough is known of; None: nothing is."""
        for kind in _kinds(ratio, count):
            measures = self._kinds.get(kind, ())
            if len(measures) >= ENOUGH:
                if kind not in self._spreads:
                    self._spreads[kind] = _spread(sorted(measures))
                return self._spreads[kind]
        return None


def _kinds(ratio: str | None, count: int) -> tuple[tuple[str | None, int | None], ...]:
    """Name what a task belongs to, the most alike first: the number says more than the shape."""
    return ((ratio, count), (None, count), (None, None))


def _spread(measures: list[float]) -> Spread:
    last = len(measures) - 1
    return Spread(
        earliest=measures[0],
        p50=measures[round(last * 0.5)],
        p90=measures[round(last * 0.9)],
        latest=measures[-1],
    )


def next_look(age: float, spread: Spread | None, *, called_back: bool = False) -> float:
    """Give the seconds until a task of this age is asked about again.

    Args:
        age: since its acceptance.
        spread: how long such tasks take, where that is known.
        called_back: callbacks come, so that asking is no more than the floor under them.
    """
    if spread is None:
        likely = min(SELDOM, max(OFTEN, age / 20))
        return SELDOM if called_back else likely
    begin, end = spread.earliest * _EARLY, spread.latest * _LATE
    if age < begin:
        # Not one long wait: how far it is is shown, too.
        return min(SELDOM, max(OFTEN, begin - age))
    if called_back:
        return SELDOM
    return OFTEN if age <= end else min(SELDOM, max(OFTEN, (age - end) / 10))


def next_late_look(age: float) -> float:
    """The same for a task that has been given up, and whose picture would come late."""
    return min(RARELY, max(SELDOM, age / 20))
