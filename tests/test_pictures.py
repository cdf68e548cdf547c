"""The seven ratios, and a request's limits."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.pictures import COUNT_MAX, COUNT_MIN, AspectRatio, PictureRequest, nearest_ratio

SIDES = st.integers(min_value=1, max_value=10**9)


def test_ratios_are_the_seven_that_hidream_takes() -> None:
    """The ratios are HiDream's seven, written as it writes them."""
    assert list(AspectRatio) == ["9:16", "2:3", "4:3", "1:1", "3:4", "3:2", "16:9"]


def test_a_ratio_knows_its_numbers() -> None:
    """A ratio's width, height and fraction are its two numbers and their quotient."""
    ratio = AspectRatio("16:9")
    assert (ratio.width, ratio.height, ratio.fraction) == (16, 9, Fraction(16, 9))


@pytest.mark.parametrize("ratio", AspectRatio)
@pytest.mark.parametrize("scale", [1, 7, 1000])
def test_a_picture_in_a_ratio_gets_that_ratio(ratio: AspectRatio, scale: int) -> None:
    """A picture that is exactly in one of the ratios keeps it, at any size."""
    assert nearest_ratio(ratio.width * scale, ratio.height * scale) is ratio


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (1280, 960, "4:3"),
        (4032, 3024, "4:3"),
        (1080, 2340, "9:16"),
        (1000, 999, "1:1"),
        (5, 4, "4:3"),
        (8, 5, "3:2"),
        (1, 10_000, "9:16"),
        (10_000, 1, "16:9"),
        (1, 1, "1:1"),
    ],
)
def test_nearest_ratio(width: int, height: int, expected: str) -> None:
    """The nearest ratio is by the quotient, extremes included."""
    assert nearest_ratio(width, height) == expected


def test_between_two_ratios_the_log_scale_decides() -> None:
    """17 to 12 is nearer to 3:2 (by 18/17) than to 4:3 (by 17/16), though a plain mean is 17/12."""
    assert nearest_ratio(17, 12) == "3:2"
    assert nearest_ratio(12, 17) == "2:3"


@given(SIDES, SIDES)
def test_a_turned_picture_gets_the_turned_ratio(width: int, height: int) -> None:
    """Nearness is symmetric: turning the picture turns its ratio."""
    ratio = nearest_ratio(width, height)
    turned = nearest_ratio(height, width)
    assert (turned.width, turned.height) == (ratio.height, ratio.width)


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (-1, 5)])
def test_a_picture_without_pixels_has_no_ratio(size: tuple[int, int]) -> None:
    """A side below one pixel is an error that names both sides."""
    with pytest.raises(ValueError, match=f"{size[0]} and {size[1]}"):
        nearest_ratio(*size)


def test_a_request_has_defaults() -> None:
    """Only the prompt must be given: one picture, nothing to avoid, the photo's own ratio."""
    request = PictureRequest(prompt="snow")
    assert (request.negative, request.ratio, request.count) == ("", None, 1)


@pytest.mark.parametrize("count", [COUNT_MIN, COUNT_MAX])
def test_counts_at_the_limits_are_taken(count: int) -> None:
    """One and four pictures are allowed."""
    assert PictureRequest(prompt="snow", count=count).count == count


@pytest.mark.parametrize("count", [COUNT_MIN - 1, COUNT_MAX + 1, -3])
def test_counts_outside_the_limits_are_refused(count: int) -> None:
    """A count outside 1 to 4 is an error with field, value and what is allowed."""
    with pytest.raises(ValueError, match=f"count is {count}; allowed are 1 to 4"):
        PictureRequest(prompt="snow", count=count)
