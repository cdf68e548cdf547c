"""What the bench computes from times."""

import pytest

from bench.arithmetic import Span, mean, percentile, utilisation, window


def spans(*pairs: tuple[float, float]) -> list[Span]:
    """Make spans of pairs."""
    return [Span(begins=begins, ends=ends) for begins, ends in pairs]


def test_window_goes_from_all_full_until_the_queue_is_empty() -> None:
    """It opens when the last slot is taken for the first time, and closes when the last task begins."""
    within = window(spans((0, 10), (2, 8), (8.5, 20), (11, 12)), slots=2)
    assert (within.opens, within.closes, within.seconds) == (2, 11, 9)


def test_utilisation_is_the_share_of_slot_time_in_use() -> None:
    """Half a second and a whole one idle, of two slots for nine seconds, are 16.5 of 18."""
    assert utilisation(spans((0, 10), (2, 8), (8.5, 20), (11, 12)), slots=2) == pytest.approx(
        16.5 / 18
    )


def test_slots_without_a_gap_are_all_in_use() -> None:
    """A slot that is taken at the moment at which it is given back was never idle."""
    assert utilisation(spans((0, 4), (0, 6), (4, 9), (6, 8), (8, 11)), slots=2) == 1


def test_what_lies_outside_the_window_does_not_count() -> None:
    """Neither the filling before nor the emptying after changes the share."""
    begun = spans((0, 10), (5, 9), (9, 12))
    assert utilisation(begun, slots=2) == 1
    assert utilisation([*begun[:2], Span(begins=9, ends=900)], slots=2) == 1


def test_an_end_and_a_beginning_at_once_are_not_both_running() -> None:
    """Two tasks one after another never fill two slots."""
    with pytest.raises(ValueError, match="never full"):
        window(spans((0, 1), (1, 2), (2, 3)), slots=2)


def test_slots_that_nobody_waited_for_have_no_utilisation() -> None:
    """Where no task is left when all slots are full, there is no window to speak of."""
    with pytest.raises(ValueError, match="never full"):
        utilisation(spans((0, 5), (1, 6)), slots=2)


@pytest.mark.parametrize(
    ("share", "expected"), [(0, 1), (0.01, 1), (0.5, 50), (0.95, 95), (0.99, 99), (1, 100)]
)
def test_percentile_is_a_measured_value(share: float, expected: float) -> None:
    """Of 1 to 100 each percentile is the number itself, whatever the order they came in."""
    assert percentile([*range(100, 0, -1)], share) == expected


def test_percentile_of_few_is_the_largest() -> None:
    """Of three values, the one that 95 % do not exceed is the largest."""
    assert percentile([3, 1, 2], 0.95) == 3
    assert percentile([3, 1, 2], 0.5) == 2


def test_nothing_has_no_percentile_and_no_average() -> None:
    """What was not measured at all is an error, not a zero."""
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 0.5)
    with pytest.raises(ValueError, match="nothing"):
        mean([])
    assert mean([1, 2, 6]) == 3
