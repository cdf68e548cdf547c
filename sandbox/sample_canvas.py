"""What the sample photo is drawn with, beside brush.py: outlines, and clouds drawn out long."""

import random
from collections.abc import Sequence
from itertools import pairwise

from PIL import Image, ImageDraw

from sandbox.brush import noise

Point = tuple[float, float]

SUN = (0.335, 0.385)
"""Where the sun stands, in widths and heights of the picture, as all places here are."""

HORIZON = 0.535
"""Where sky and hills end."""

SPIT = 0.625
"""The waterline of the spit of land that the house stands on."""


def clouds(size: tuple[int, int], rng: random.Random, cells: tuple[int, int]) -> Image.Image:
    """Sum noise of ever finer grain: soft shapes, mean 128."""
    total = Image.new("L", size, 128)
    weight = 0.5
    columns, rows = cells
    for _ in range(6):
        octave = noise((columns, rows), rng).resize(size, Image.Resampling.BICUBIC)
        total = Image.blend(total, octave, weight)
        columns, rows, weight = columns * 2, rows * 2, weight * 0.62
    return total


def ridge(
    rng: random.Random, start: float, end: float, levels: Sequence[float], rough: float
) -> list[Point]:
    """Displace midpoints between the given heights: a mountain's outline, all in 0..1."""
    heights = list(levels)
    spread = rough
    while len(heights) < 700:
        finer = [heights[0]]
        for left, right in pairwise(heights):
            finer += [(left + right) / 2 + rng.uniform(-spread, spread), right]
        heights, spread = finer, spread * 0.52
    step = (end - start) / (len(heights) - 1)
    return [(start + i * step, y) for i, y in enumerate(heights)]


def paint(
    picture: Image.Image, outline: Sequence[Point], colours: Image.Image, closing: Sequence[Point]
) -> Image.Image:
    """Paste colours where the outline says, and return its mask."""
    width, height = picture.size
    mask = Image.new("L", picture.size)
    points = [(x * width, y * height) for x, y in (*outline, *closing)]
    ImageDraw.Draw(mask).polygon(points, fill=255)
    picture.paste(colours, (0, 0), mask)
    return mask


def ramp(value: float, low: float, high: float) -> int:
    """Tell how far a value is from `low` (0) to `high` (255)."""
    return round(255 * min(1.0, max(0.0, (value - low) / (high - low))))


def height_of(crest: Sequence[Point], x: float) -> float:
    """Tell how high an outline is at a place between its points; 0 beside it."""
    for (left, low), (right, high) in pairwise(crest):
        if left <= x <= right:
            return low + (high - low) * (x - left) / (right - left)
    return 0.0
