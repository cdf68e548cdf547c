"""What looks are painted with: noise, gradients, curves, and masks found in a photo."""

import random
from collections.abc import Callable, Sequence
from itertools import pairwise

from PIL import Image, ImageChops, ImageFilter

Colour = tuple[int, int, int]
Size = tuple[int, int]


def clamp(value: float) -> int:
    """Round to a channel's value, 0 to 255."""
    return max(0, min(255, round(value)))


def unit_of(size: Size) -> float:
    """Tell how large a stroke is on a picture of this size: 1 where the shorter side is 768."""
    return min(size) / 768


def between(first: Colour, second: Colour, share: float) -> Colour:
    """Mix two colours: 0 is the first, 1 the second."""
    red, green, blue = (clamp(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def curve(image: Image.Image, change: Callable[[float], float]) -> Image.Image:
    """Change each channel of an image by a function of 0..1."""
    table = [clamp(255 * change(value / 255)) for value in range(256)]
    return image.point(table * len(image.getbands()))


def ramp(image: Image.Image, low: float, high: float) -> Image.Image:
    """Stretch a mask so that `low` becomes 0 and `high` 255; low above high turns it over."""
    return image.point([clamp(255 * (value - low) / (high - low)) for value in range(256)])


def faded(mask: Image.Image, share: float) -> Image.Image:
    """Weaken a mask to this share of itself, or strengthen it above 1."""
    return mask.point([clamp(value * share) for value in range(256)])


def noise(size: Size, rng: random.Random) -> Image.Image:
    """Fill with even noise, a grain for each pixel."""
    return Image.frombytes("L", size, rng.randbytes(size[0] * size[1]))


def clouds(size: Size, rng: random.Random, cells: int, octaves: int = 5) -> Image.Image:
    """Fill with soft shapes, about so many across the shorter side; mean 128."""
    short = min(size)
    columns, rows = max(2, cells * size[0] // short), max(2, cells * size[1] // short)
    total = Image.new("L", size, 128)
    weight = 0.6
    for _ in range(octaves):
        octave = noise((columns, rows), rng).resize(size, Image.Resampling.BICUBIC)
        total = Image.blend(total, octave, weight)
        columns, rows, weight = columns * 2, rows * 2, weight * 0.6
    return total


def gradient(size: Size, stops: Sequence[tuple[float, Colour]]) -> Image.Image:
    """Fill from top to bottom with colours at the given heights (0 top, 1 bottom)."""
    column = Image.new("RGB", (1, 256), stops[-1][1])
    for y in range(256):
        for (low, first), (high, second) in pairwise(stops):
            if low <= y / 255 <= high:
                share = (y / 255 - low) / max(1e-6, high - low)
                column.putpixel((0, y), between(first, second, share))
                break
    return column.resize(size, Image.Resampling.BILINEAR)


def levels(size: Size, stops: Sequence[tuple[float, int]]) -> Image.Image:
    """Make a mask from top to bottom with values at the given heights."""
    return gradient(size, [(at, (value, value, value)) for at, value in stops]).getchannel("R")


def colour_at(image: Image.Image, x: int, y: int) -> Colour:
    """Read the colour of a pixel of an RGB image."""
    red, green, blue = image.crop((x, y, x + 1, y + 1)).tobytes()
    return red, green, blue


def vignette(image: Image.Image, strength: float, colour: Colour = (0, 0, 0)) -> Image.Image:
    """Darken the corners, or colour them."""
    reach = Image.radial_gradient("L").resize(image.size, Image.Resampling.BILINEAR)
    mask = reach.point(
        [clamp(255 * strength * max(0.0, v / 255 - 0.35) / 0.65) for v in range(256)]
    )
    return Image.composite(Image.new("RGB", image.size, colour), image, mask)


def tinted(grey: Image.Image, stops: Sequence[tuple[float, Colour]]) -> Image.Image:
    """Colour a grey image by its brightness, 0..1."""
    scale = gradient((1, 256), stops).convert("RGB")
    tables: list[int] = []
    for channel in scale.split():
        tables += list(channel.tobytes())
    return Image.merge("RGB", (grey, grey, grey)).point(tables)


def glow(image: Image.Image, mask: Image.Image, colour: Colour, radius: float) -> Image.Image:
    """Let light of a colour shine from where the mask is."""
    light = mask.filter(ImageFilter.GaussianBlur(radius))
    channels = [light.point([clamp(v * part / 255) for v in range(256)]) for part in colour]
    return ImageChops.screen(image, Image.merge("RGB", channels))


def edges(image: Image.Image, width: float) -> Image.Image:
    """Find outlines, bright on black: where brightness or colour differs within `width` pixels."""
    fine = image.filter(ImageFilter.GaussianBlur(width * 0.6))
    coarse = image.filter(ImageFilter.GaussianBlur(width * 1.6))
    parts = ImageChops.difference(fine, coarse).split()
    found = parts[0]
    for part in parts[1:]:
        found = ImageChops.lighter(found, part)
    return found


def smoothed(image: Image.Image, longer_side: int, size: int, times: int = 1) -> Image.Image:
    """Flatten detail but keep outlines, worked at a smaller size for the sake of time."""
    scale = min(1.0, longer_side / max(image.size))
    small = image.resize((round(image.width * scale), round(image.height * scale)))
    for _ in range(times):
        small = small.filter(ImageFilter.MedianFilter(size))
    return small.resize(image.size, Image.Resampling.BICUBIC)
