"""Where in a photo the sky is: a guess that is good enough to put stars into it."""

from typing import Final

from PIL import Image, ImageFilter

_COLUMNS: Final = 96
_ROWS: Final = 120
_ENOUGH: Final = 22.0
"""A fall in brightness that counts as an edge in full: the horizon need not be the sharpest."""
_NOTHING: Final = 9.0
"""What a column gains that has no sky: less than an edge, more than a smooth gradient."""
_STEP: Final = 1.6
"""What it costs to move by one row from a column to the next."""
_LEAP: Final = 55.0
"""What it costs at most, such as from a tree's top to the hills behind it."""
_REACH: Final = 12


def sky(image: Image.Image) -> Image.Image:
    """Make a mask of the sky.

    Its lower end is the line from left to right along which brightness falls most steadily. A
    cloud has such edges too, but none that goes all the way. Empty where no such line is.
    """
    grey = image.convert("L").resize((_COLUMNS, _ROWS), Image.Resampling.BOX)
    line = _line(_falls(grey))
    mask = Image.new("L", grey.size)
    for x, y in enumerate(line):
        mask.paste(255, (x, 0, x + 1, y))
    return mask.filter(ImageFilter.GaussianBlur(0.6)).resize(image.size, Image.Resampling.BICUBIC)


def _falls(grey: Image.Image) -> list[list[float]]:
    """Tell for each column and row what a horizon just above that row would gain."""
    values = grey.tobytes()
    columns = []
    for x in range(_COLUMNS):
        column = values[x::_COLUMNS]
        gains = [_NOTHING]
        for y in range(1, _ROWS):
            above, below = column[max(0, y - 3) : y], column[y : y + 3]
            fall = sum(above) / len(above) - sum(below) / len(below)
            # Of two edges as good the upper one is the sky's.
            gains.append(min(_ENOUGH, max(0.0, fall)) - 6 * y / _ROWS)
        columns.append(gains)
    return columns


def _line(columns: list[list[float]]) -> list[int]:
    """Find the line of the greatest gain, column by column from the left."""
    best = columns[0]
    origins: list[list[int]] = []
    for gains in columns[1:]:
        leap_from = max(range(_ROWS), key=best.__getitem__)
        here, came = [], []
        for y, gain in enumerate(gains):
            near = range(max(0, y - _REACH), min(_ROWS, y + _REACH + 1))
            value, origin = max((best[row] - _STEP * abs(row - y), row) for row in near)
            if best[leap_from] - _LEAP > value:
                origin, value = leap_from, best[leap_from] - _LEAP
            here.append(value + gain)
            came.append(origin)
        best = here
        origins.append(came)
    y = max(range(_ROWS), key=best.__getitem__)
    line = [y]
    for came in reversed(origins):
        y = came[y]
        line.append(y)
    return line[::-1]
