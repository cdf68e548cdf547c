"""What is computed from times: how full the slots were, and percentiles. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """From when to when a task ran at HiDream, in seconds of one clock."""

    begins: float
    ends: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """From all slots full until the queue is empty."""

    opens: float
    closes: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.closes - self.opens


def window(spans: Sequence[Span], slots: int) -> Window:
    """Give the time in which every slot could have been busy.

    It opens when so many tasks run for the first time, and closes when the last task of all has
    begun: then the queue is empty.

    Raises:
        ValueError: the slots were never all full, or nothing waited when they were.
    """
    running = 0
    for at, change in sorted(_changes(spans)):
        running += change
        if running >= slots:
            closes = max(span.begins for span in spans)
            if closes > at:
                return Window(opens=at, closes=closes)
            break
    raise ValueError(f"{slots} slots were never full with a task waiting behind them")


def _changes(spans: Sequence[Span]) -> list[tuple[float, int]]:
    # An end sorts before a beginning at the same moment: a slot has to be free to be taken.
    return [(s.begins, 1) for s in spans] + [(s.ends, -1) for s in spans]


def utilisation(spans: Sequence[Span], slots: int) -> float:
    """Give the share of the slots' time within the window in which tasks ran, 0 to 1.

    Raises:
        ValueError: as `window`.
    """
    within = window(spans, slots)
    busy = sum(
        max(0.0, min(span.ends, within.closes) - max(span.begins, within.opens)) for span in spans
    )
    return busy / (slots * within.seconds)


def percentile(values: Sequence[float], share: float) -> float:
    """Give the smallest value that at least this share (0 to 1) of the values does not exceed.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("there is nothing to take a percentile of")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def mean(values: Sequence[float]) -> float:
    """Give the average.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("there is nothing to take an average of")
    return sum(values) / len(values)
