"""What a user may ask HiDream for: the seven aspect ratios, and one request with its limits."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from bot.texts import Say

COUNT_MIN = 1
COUNT_MAX = 4
TELEGRAMS_LIMIT = 20_000_000
"""Bytes of a file that Telegram's own servers give a bot (Bot API: getFile)."""


class AspectRatio(StrEnum):
    """The seven ratios that HiDream takes, as it writes them (docs/hidream-api.md section 1)."""

    R9_16 = "9:16"
    R2_3 = "2:3"
    R4_3 = "4:3"
    R1_1 = "1:1"
    R3_4 = "3:4"
    R3_2 = "3:2"
    R16_9 = "16:9"

    @property
    def width(self) -> int:
        """The first number: 16 of 16:9."""
        return int(self.value.partition(":")[0])

    @property
    def height(self) -> int:
        """The second number: 9 of 16:9."""
        return int(self.value.partition(":")[2])

    @property
    def fraction(self) -> Fraction:
        """Width over height, exactly."""
        return Fraction(self.width, self.height)


def nearest_ratio(width: int, height: int) -> AspectRatio:
    """The ratio nearest to a picture of this size, so that as little as possible is cropped.

    Nearness is by the quotient of the two ratios (a log scale), in exact arithmetic. No size in
    whole pixels is equally near to two neighbours: the means between them are irrational.

    Raises:
        ValueError: a side is not at least 1 pixel.
    """
    if width < 1 or height < 1:
        raise ValueError(f"width and height are {width} and {height}; each must be at least 1")
    own = Fraction(width, height)
    return min(AspectRatio, key=lambda ratio: max(own / ratio.fraction, ratio.fraction / own))


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureRequest:
    """What to make of a photo. `ratio` None is auto: the one nearest to the photo's own.

    Raises:
        ValueError: `count` is not allowed.
    """

    prompt: str
    negative: str = ""
    ratio: AspectRatio | None = None
    count: int = 1

    def __post_init__(self) -> None:
        if not COUNT_MIN <= self.count <= COUNT_MAX:
            raise ValueError(f"count is {self.count}; allowed are {COUNT_MIN} to {COUNT_MAX}")


def too_large(most: int) -> Say:
    """Say that a file has more than so many bytes, to whoever sent it."""
    if most == TELEGRAMS_LIMIT:
        return Say("file-too-large")
    return Say("file-over-limit", {"megabytes": most // 1_000_000})
