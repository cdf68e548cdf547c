"""When HiDream is asked about a task."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.pace import (
    ENOUGH,
    KEPT,
    OFTEN,
    RARELY,
    SELDOM,
    Durations,
    Spread,
    next_late_look,
    next_look,
)
from storage.tasks import Measured

SPREAD = Spread(earliest=10, p50=14, p90=18, latest=20)


def _measures(seconds: float, times: int, *, ratio: str = "1:1", count: int = 1) -> list[Measured]:
    return [Measured(ratio=ratio, count=count, seconds=seconds) for _ in range(times)]


@pytest.mark.parametrize(
    ("age", "spread", "called_back", "seconds"),
    [
        pytest.param(0, SPREAD, False, SELDOM, id="impossible"),
        pytest.param(6, SPREAD, False, 3, id="not beyond the first likely moment"),
        pytest.param(8.9, SPREAD, False, OFTEN, id="nearly likely"),
        pytest.param(9, SPREAD, False, OFTEN, id="likely"),
        pytest.param(22, SPREAD, False, OFTEN, id="still likely"),
        pytest.param(40, SPREAD, False, 1.8, id="overdue"),
        pytest.param(900, SPREAD, False, SELDOM, id="long overdue"),
        pytest.param(15, SPREAD, True, SELDOM, id="likely, but HiDream calls"),
        pytest.param(6, SPREAD, True, 3, id="floor under callbacks"),
        pytest.param(3, None, False, OFTEN, id="nothing known, new"),
        pytest.param(50, None, False, 2.5, id="nothing known, older"),
        pytest.param(3, None, True, SELDOM, id="nothing known, but HiDream calls"),
    ],
)
def test_how_soon_to_look_again(
    age: float, spread: Spread | None, called_back: bool, seconds: float
) -> None:
    """Seldom while it is impossible, often while it is likely, ever less when it is overdue."""
    assert next_look(age, spread, called_back=called_back) == pytest.approx(seconds)


@given(st.floats(0, 1e6), st.floats(0, 1e4), st.floats(0, 1e4), st.booleans())
def test_a_look_is_never_too_soon_nor_too_late(
    age: float, one: float, other: float, called_back: bool
) -> None:
    """Whatever was measured, two looks at a running task are half a second to five apart."""
    low, high = sorted((one, other))
    spread = Spread(earliest=low, p50=low, p90=high, latest=high)
    assert OFTEN <= next_look(age, spread, called_back=called_back) <= SELDOM


@pytest.mark.parametrize(("age", "seconds"), [(10, SELDOM), (600, 30), (80_000, RARELY)])
def test_what_may_come_late_is_asked_about_rarely(age: float, seconds: float) -> None:
    """The longer ago it was given up, the less often it is asked about."""
    assert next_late_look(age) == seconds


def test_few_measures_say_nothing() -> None:
    """Only from enough measures a spread is given."""
    assert Durations(_measures(3, ENOUGH - 1)).of("1:1", 1) is None
    assert Durations(_measures(3, ENOUGH)).of("1:1", 1) == Spread(
        earliest=3, p50=3, p90=3, latest=3
    )


def test_the_most_alike_measures_count() -> None:
    """Its own kind first, then the same number of images, then all."""
    durations = Durations(
        [*_measures(3, 8), *_measures(30, 8, count=4), *_measures(5, 8, ratio="16:9")]
    )
    kinds = {kind: durations.of(*kind) for kind in (("1:1", 1), ("4:3", 4), ("4:3", 1), ("x", 2))}
    latest = {kind: spread and (spread.earliest, spread.latest) for kind, spread in kinds.items()}
    assert latest == {
        ("1:1", 1): (3, 3),
        ("4:3", 4): (30, 30),
        ("4:3", 1): (3, 5),
        ("x", 2): (3, 30),
    }


def test_old_measures_are_forgotten() -> None:
    """The service changes: only the latest ones count."""
    durations = Durations(_measures(100, KEPT))
    before = durations.of("1:1", 1)
    for one in _measures(7, KEPT):
        durations.add(one)
    assert (before, durations.of("1:1", 1)) == (
        Spread(earliest=100, p50=100, p90=100, latest=100),
        Spread(earliest=7, p50=7, p90=7, latest=7),
    )


def test_a_spread_is_of_what_was_measured() -> None:
    """Half are over by p50, nine of ten by p90."""
    measures = [Measured(ratio="1:1", count=1, seconds=n) for n in range(101)]
    assert Durations(measures).of("1:1", 1) == Spread(earliest=0, p50=50, p90=90, latest=100)
