"""What is said of how long it takes: only what was measured, and nothing where that is not honest."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from bot.estimates import Estimates, Span
from bot.pace import Durations
from storage.tasks import Measured, TaskState
from tests.test_reports import NOW, task


@dataclass
class Parallel:
    """So many slots."""

    limit: int


def estimates(
    seconds: range, *, ratio: str = "1:1", count: int = 1, parallel: int = 1, minute: int = 100
) -> Estimates:
    """Give the estimates from these measures."""
    measured = (Measured(ratio=ratio, count=count, seconds=one) for one in seconds)
    return Estimates(
        Durations(measured), slots=Parallel(parallel), images_per_minute=lambda: minute
    )


def test_few_measures_say_nothing() -> None:
    """Nothing is said before enough has been measured."""
    few = estimates(range(10, 14))
    running = task(TaskState.RUNNING, accepted_at=NOW)
    assert (few.at_hidream(task()), few.in_line(3), few.longer_in(running, NOW)) == (None,) * 3


def test_such_tasks() -> None:
    """What is usual are p50 to p90 of such tasks, and longer is what takes more than p90."""
    known = estimates(range(10, 21))
    running = task(TaskState.RUNNING, accepted_at=NOW, ratio_used="1:1")
    assert known.at_hidream(running) == Span(low=15, high=19)
    assert known.longer_in(running, NOW + timedelta(seconds=9)) == 10
    assert known.longer_in(running, NOW + timedelta(seconds=25)) == 0
    assert known.longer_in(task(), NOW) is None, "in line nothing has begun"


@pytest.mark.parametrize(("parallel", "low", "high"), [(1, 45, 57), (3, 15, 19), (0, 45, 57)])
def test_in_line(parallel: int, low: float, high: float) -> None:
    """A place has its turn when as many slots as it counts have become free."""
    assert estimates(range(10, 21), parallel=parallel).in_line(3) == Span(low=low, high=high)


@pytest.mark.parametrize(
    ("seconds", "parallel", "minute"), [(0, 1, 100), (15, 10, 100), (15, 1, 9)]
)
def test_in_line_nothing_is_said_where_the_minute_may_hold_it_up(
    seconds: int, parallel: int, minute: int
) -> None:
    """Where the images a minute may be what is waited for, no wait is named."""
    known = estimates(range(seconds, seconds + 1), parallel=parallel, minute=minute)
    assert known.in_line(3) is None
    many = Durations(Measured(ratio="1:1", count=1, seconds=seconds) for _ in range(9))
    known = Estimates(many, slots=Parallel(parallel), images_per_minute=lambda: minute)
    assert known.in_line(3) is None
