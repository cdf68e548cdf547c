"""What the operator is shown of a span of days: counted, without a word or a name of anybody. Pure.

Both stores only pick the rows; what they come to is reckoned here. Days are those of UTC.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from storage.tasks import TaskState

DAY: Final = timedelta(days=1)
_MICROSECOND: Final = timedelta(microseconds=1)

TaskRow = tuple[int, str, int, int | None, str | None, int | None, int | None]
"""When it was asked for (in microseconds since the span began), its state, how many pictures were asked for
and brought, the failure's id, how long it waited and how long HiDream took (in microseconds)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """How long something took: half of them took no longer than `median`, nine in ten than `p90`."""

    median: timedelta
    p90: timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class DayFigures:
    """The tasks that were asked for on one day, and what has become of them."""

    begins: datetime
    states: Mapping[TaskState, int]
    """How many there are in each state now."""
    partly: int
    """How many of the delivered ones brought fewer pictures than were asked for."""
    failures: Mapping[str, int]
    """How many of the failed ones failed for this reason; "": for none that is known."""
    pictures: int
    """How many were brought."""
    waiting: Spread | None
    """From the request to the (last) submission; None: there was none."""
    making: Spread | None
    """From HiDream's yes to its end; None: there was none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SlotUse:
    """How many slots were in use from this moment to the next one's."""

    begins: datetime
    mean: float
    most: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """A span of days."""

    days: tuple[DayFigures, ...]
    waiting: Spread | None
    making: Spread | None
    """Of all days together."""
    slots: tuple[SlotUse, ...]
    """Step by step, up to now."""


@dataclass(slots=True)
class _Day:
    """One day, as it is counted."""

    states: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    partly: int = 0
    pictures: int = 0
    waits: "array[int]" = field(default_factory=lambda: array("q"))
    makings: "array[int]" = field(default_factory=lambda: array("q"))


def since(moment: datetime, began: datetime) -> int:
    """Give a moment in microseconds since the span began."""
    return (moment - began) // _MICROSECOND


def reckoned(
    tasks: Iterable[TaskRow],
    held: Iterable[tuple[int, int]],
    *,
    began: datetime,
    now: datetime,
    step: timedelta,
) -> Figures:
    """Reckon what the rows of a span come to.

    Args:
        tasks: those that were asked for in it, in any order.
        held: from when to when each slot was held, in microseconds since it began, in any order.
        began: its beginning.
        now: its end.
        step: in which steps the slots in use are given.
    """
    days = [_Day() for _ in range((now - began) // DAY + 1)]
    day_long = DAY // _MICROSECOND
    for asked, state, count, brought, failure, waited, made in tasks:
        day = days[asked // day_long]
        day.states[state] += 1
        if state == "delivered":
            got = count if brought is None else min(brought, count)
            day.pictures += got
            day.partly += got < count
        elif state == "failed":
            day.failures[failure or ""] += 1
        if waited is not None:
            day.waits.append(waited)
        if made is not None:
            day.makings.append(made)
    return Figures(
        days=tuple(_closed(day, began + n * DAY) for n, day in enumerate(days)),
        waiting=_spread(wait for day in days for wait in day.waits),
        making=_spread(making for day in days for making in day.makings),
        slots=tuple(
            SlotUse(begins=began + n * step, mean=mean, most=most)
            for n, (mean, most) in enumerate(
                _in_use(held, since(now, began), max(1, step // _MICROSECOND))
            )
        ),
    )


def _closed(day: _Day, begins: datetime) -> DayFigures:
    return DayFigures(
        begins=begins,
        states={TaskState(state): n for state, n in day.states.items()},
        partly=day.partly,
        failures=dict(day.failures),
        pictures=day.pictures,
        waiting=_spread(day.waits),
        making=_spread(day.makings),
    )


def _spread(taken: Iterable[int]) -> Spread | None:
    """Give the nearest ranks: each is a time that one of them took."""
    ranked = sorted(taken)
    if not ranked:
        return None
    median, p90 = (ranked[-(-len(ranked) * share // 100) - 1] for share in (50, 90))
    return Spread(median=median * _MICROSECOND, p90=p90 * _MICROSECOND)


def _in_use(held: Iterable[tuple[int, int]], end: int, step: int) -> list[tuple[float, int]]:
    """Give mean and most of each step."""
    # Odd: one is taken; even: one is given back. So of two at the same moment the giving back is first.
    turns: list[int] = []
    for begin, until in held:
        if begin < until:
            turns.append(2 * begin + 1 if begin > 0 else 1)
            turns.append(2 * until if until < end else 2 * end)
    turns.sort()
    turns.append(2 * end)
    found: list[tuple[float, int]] = []
    level, most, area, at, begins, edge = 0, 0, 0, 0, 0, min(step, end)
    for turn in turns:
        moment = turn >> 1
        while moment >= edge > at:
            found.append(((area + level * (edge - at)) / (edge - begins), max(most, level)))
            area, most, at, begins, edge = 0, 0, edge, edge, min(edge + step, end)
        if moment > at:
            area += level * (moment - at)
            most = max(most, level)
            at = moment
        level += 1 if turn & 1 else -1
    return found
