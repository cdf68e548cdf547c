"""Looks that change the season."""

import math
import random

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter

from sandbox.brush import (
    between,
    clamp,
    clouds,
    curve,
    faded,
    gradient,
    levels,
    ramp,
    unit_of,
    vignette,
)
from sandbox.hidream.horizon import sky


def snow(image: Image.Image, photo: Image.Image, rng: random.Random) -> Image.Image:
    """White ground and roofs under a pale sky, and flakes near and far."""
    size, unit = image.size, unit_of(image.size)
    above = sky(photo)
    hue, saturation, value = image.convert("HSV").split()
    # What is green or brown is ground, and lies under snow; the lower, the deeper.
    plants = hue.point([255 if 20 <= h <= 118 else 0 for h in range(256)])
    plants = ImageChops.multiply(plants, ramp(saturation, 30, 90))
    plants = plants.filter(ImageFilter.MaxFilter(3)).filter(ImageFilter.GaussianBlur(1.6 * unit))
    depth = levels(size, [(0, 60), (0.45, 120), (0.7, 235), (1, 255)])
    lit = ImageChops.lighter(
        ramp(value, 30, 130), levels(size, [(0, 0), (0.62, 0), (0.75, 255), (1, 255)])
    )
    plants = ImageChops.multiply(plants, lit)
    patches = ramp(clouds(size, rng, 14), 60, 118)
    ground = ImageChops.multiply(ImageChops.multiply(plants, depth), patches)

    # Ledges: what is darker than what is just above it catches snow on its upper side.
    grey = image.convert("L").filter(ImageFilter.GaussianBlur(0.8 * unit))
    step = max(2, round(5 * unit))
    ledges = ImageChops.subtract(ImageChops.offset(grey, 0, step), grey)
    ledges = ramp(ledges, 14, 60).filter(ImageFilter.MaxFilter(3))
    ledges = ledges.filter(ImageFilter.GaussianBlur(1.2 * unit))
    red = ramp(hue.point([255 if h < 16 or h > 240 else 0 for h in range(256)]), 0, 255)
    roofs = ImageChops.multiply(red, ramp(saturation, 90, 150))
    roofs = roofs.filter(ImageFilter.MedianFilter(5)).filter(ImageFilter.GaussianBlur(1.5 * unit))
    below = ImageChops.invert(above)
    cover = ImageChops.lighter(faded(ground, 0.93), ImageChops.multiply(ledges, below))
    cover = ImageChops.lighter(cover, faded(ImageChops.multiply(roofs, below), 0.86))

    cold = ImageEnhance.Color(image).enhance(0.55)
    cold = curve(cold, lambda v: 0.02 + 0.95 * v)
    cold = ImageChops.multiply(cold, Image.new("RGB", size, (226, 238, 255)))
    light = ramp(grey.filter(ImageFilter.GaussianBlur(0.5 * unit)), 10, 190)
    relief = ImageChops.blend(light, ramp(value, 0, 200), 0.4)
    white = Image.merge(
        "RGB",
        (
            relief.point([clamp(186 + v * 0.27) for v in range(256)]),
            relief.point([clamp(202 + v * 0.21) for v in range(256)]),
            relief.point([clamp(226 + v * 0.12) for v in range(256)]),
        ),
    )
    picture = Image.composite(white, cold, cover)
    heavy = gradient(size, [(0, (178, 192, 212)), (0.5, (232, 236, 242)), (1, (236, 238, 242))])
    picture = Image.composite(Image.blend(picture, heavy, 0.62), picture, above)
    haze = levels(size, [(0, 30), (0.5, 52), (0.75, 14), (1, 0)])
    picture.paste((226, 233, 243), (0, 0), haze)
    return _flakes(picture, rng)


def _flakes(picture: Image.Image, rng: random.Random) -> Image.Image:
    size, unit = picture.size, unit_of(picture.size)
    area = size[0] * size[1] / (unit * unit) / 786_432
    for count, smallest, largest, blur, light in (
        (1500, 0.5, 1.1, 0.5, 190),
        (420, 1.2, 2.4, 0.8, 225),
        (70, 3.5, 7.0, 2.6, 215),
    ):
        layer = Image.new("L", size)
        draw = ImageDraw.Draw(layer)
        for _ in range(round(count * area)):
            x, y = rng.random() * size[0], rng.random() * size[1]
            r = rng.uniform(smallest, largest) * unit
            draw.ellipse(
                (x - r, y - r * 1.15, x + r, y + r * 1.15), fill=clamp(rng.gauss(light, 25))
            )
        picture.paste((252, 253, 255), (0, 0), layer.filter(ImageFilter.GaussianBlur(blur * unit)))
    return picture


def autumn(image: Image.Image, rng: random.Random) -> Image.Image:
    """Green turns to gold, orange and red, in patches; a few leaves are in the air."""
    size, unit = image.size, unit_of(image.size)
    hue, saturation, value = image.convert("HSV").split()
    green = hue.point([255 if 26 <= h <= 122 else 0 for h in range(256)])
    green = ImageChops.multiply(green, ramp(saturation, 25, 80))
    green = green.filter(ImageFilter.GaussianBlur(0.8 * unit))
    tones = ramp(clouds(size, rng, 9), 84, 172)
    warm_hue = tones.point([clamp(3 + 27 * (v / 255)) for v in range(256)])
    rich = saturation.point([clamp(70 + v * 0.85) for v in range(256)])
    lit = value.point([clamp(255 * (v / 255) ** 0.72) for v in range(256)])
    leaves = Image.merge("HSV", (warm_hue, rich, lit)).convert("RGB")
    # What is dark green is evergreen, unless it is the ground.
    broad = ImageChops.lighter(
        ramp(value, 58, 118), levels(size, [(0, 0), (0.66, 0), (0.8, 255), (1, 255)])
    )
    picture = Image.composite(leaves, image, ImageChops.multiply(green, broad))
    picture = ImageChops.multiply(picture, Image.new("RGB", size, (255, 240, 214)))
    picture = ImageEnhance.Contrast(picture).enhance(1.06)
    layer = Image.new("RGBA", size)
    draw = ImageDraw.Draw(layer)
    for _ in range(34):
        x, y = rng.random() * size[0], rng.random() * size[1]
        r, turn = rng.uniform(3, 10) * unit, rng.random() * math.tau
        tone = between((190, 52, 22), (246, 184, 52), rng.random())
        _leaf(draw, (x, y), r, turn, (*tone, 235))
    near = layer.filter(ImageFilter.GaussianBlur(0.7 * unit))
    picture.paste(near.convert("RGB"), (0, 0), near.getchannel("A"))
    return vignette(picture, 0.3, (40, 16, 0))


def _leaf(
    draw: ImageDraw.ImageDraw,
    at: tuple[float, float],
    r: float,
    turn: float,
    fill: tuple[int, int, int, int],
) -> None:
    points = []
    for i in range(15):
        angle = i / 14 * math.tau
        reach = r * (0.35 + 0.65 * abs(math.cos(angle / 2)) ** 1.5)
        dx, dy = math.cos(angle) * reach, math.sin(angle) * reach * 0.55
        points.append(
            (
                at[0] + dx * math.cos(turn) - dy * math.sin(turn),
                at[1] + dx * math.sin(turn) + dy * math.cos(turn),
            )
        )
    draw.polygon(points, fill=fill)


def spring(image: Image.Image, rng: random.Random) -> Image.Image:
    """Fresh greens, pink blossom in the trees, petals in the air."""
    size, unit = image.size, unit_of(image.size)
    hue, saturation, value = image.convert("HSV").split()
    green = hue.point([255 if 26 <= h <= 122 else 0 for h in range(256)])
    green = ImageChops.multiply(green, ramp(saturation, 30, 80))
    high = levels(size, [(0, 255), (0.55, 255), (0.66, 60), (1, 0)])
    bloom = ImageChops.multiply(ImageChops.multiply(green, high), ramp(value, 52, 104))
    bloom = bloom.filter(ImageFilter.GaussianBlur(unit))
    lit = value.point([clamp(110 + v * 0.75) for v in range(256)])
    pink = Image.merge("HSV", (Image.new("L", size, 238), ramp(value, 330, -60), lit)).convert(
        "RGB"
    )
    fresh = ImageEnhance.Color(curve(image, lambda v: v**0.86)).enhance(1.22)
    picture = Image.composite(pink, fresh, bloom)
    layer = Image.new("RGBA", size)
    draw = ImageDraw.Draw(layer)
    for _ in range(150):
        x, y = rng.random() * size[0], rng.random() * size[1]
        r, turn = rng.uniform(1.5, 5) * unit, rng.random() * math.tau
        tone = between((255, 196, 214), (255, 240, 246), rng.random())
        _leaf(draw, (x, y), r, turn, (*tone, 230))
    near = layer.filter(ImageFilter.GaussianBlur(0.6 * unit))
    picture.paste(near.convert("RGB"), (0, 0), near.getchannel("A"))
    return picture
