"""Draws the project's own sample photo: a house by a lake on a summer evening.

Everything is painted with Pillow from a fixed seed, so that the project needs nobody's photo, and
the same size always gives the same picture.
"""

import io
import math
import random
from collections.abc import Sequence

from PIL import Image, ImageChops, ImageDraw, ImageFilter

Colour = tuple[int, int, int]
Point = tuple[float, float]

_OVERSAMPLING = 2
_HORIZON = 0.535  # where sky and hills end, in heights of the picture
_SPIT = 0.625  # the waterline of the spit of land that the house stands on
_SUN = (0.335, 0.385)


def draw_sample(width: int = 1280, height: int = 960) -> bytes:
    """Draw the sample photo and return it as a JPEG of exactly that size, in pixels."""
    size = (width * _OVERSAMPLING, height * _OVERSAMPLING)
    rng = random.Random(1887)
    picture = _sky(size, rng)
    _mountains(picture, rng)
    _lake(picture, rng)
    _spit(picture, rng)
    _glow(picture)
    _meadow(picture, rng)
    small = picture.resize((width, height), Image.Resampling.LANCZOS)
    grain = _noise(small.size, rng).point([128 + (v - 128) // 22 for v in range(256)])
    small = ImageChops.add(small, grain.convert("RGB"), 1, -128)
    out = io.BytesIO()
    small.save(out, "JPEG", quality=90)
    return out.getvalue()


def _noise(size: tuple[int, int], rng: random.Random) -> Image.Image:
    return Image.frombytes("L", size, rng.randbytes(size[0] * size[1]))


def _clouds(size: tuple[int, int], rng: random.Random, cells: tuple[int, int]) -> Image.Image:
    """Sum noise of ever finer grain: soft shapes, mean 128."""
    total = Image.new("L", size, 128)
    weight = 0.5
    columns, rows = cells
    for _ in range(6):
        octave = _noise((columns, rows), rng).resize(size, Image.Resampling.BICUBIC)
        total = Image.blend(total, octave, weight)
        columns, rows, weight = columns * 2, rows * 2, weight * 0.62
    return total


def _gradient(size: tuple[int, int], stops: Sequence[tuple[float, Colour]]) -> Image.Image:
    """Fill from top to bottom with colours at the given heights (0 top, 1 bottom)."""
    column = Image.new("RGB", (1, 512))
    for y in range(512):
        column.putpixel((0, y), _mix(stops, y / 511))
    return column.resize(size, Image.Resampling.BILINEAR)


def _mix(stops: Sequence[tuple[float, Colour]], at: float) -> Colour:
    for (low, first), (high, second) in zip(stops, stops[1:], strict=False):
        if at <= high:
            share = max(0.0, (at - low) / (high - low))
            return _between(first, second, share)
    return stops[-1][1]


def _between(first: Colour, second: Colour, share: float) -> Colour:
    red, green, blue = (
        round(a + (b - a) * share) for a, b in zip(first, second, strict=True)
    )
    return red, green, blue


def _ridge(
    rng: random.Random, start: float, end: float, levels: Sequence[float], rough: float
) -> list[Point]:
    """Displace midpoints between the given heights: a mountain's outline, all in 0..1."""
    heights = list(levels)
    spread = rough
    while len(heights) < 700:
        finer = [heights[0]]
        for left, right in zip(heights, heights[1:], strict=False):
            finer += [(left + right) / 2 + rng.uniform(-spread, spread), right]
        heights, spread = finer, spread * 0.52
    step = (end - start) / (len(heights) - 1)
    return [(start + i * step, y) for i, y in enumerate(heights)]


def _paint(
    picture: Image.Image, outline: Sequence[Point], paint: Image.Image, closing: Sequence[Point]
) -> Image.Image:
    """Paste `paint` where the outline (in 0..1) says, and return the mask."""
    width, height = picture.size
    mask = Image.new("L", picture.size)
    points = [(x * width, y * height) for x, y in (*outline, *closing)]
    ImageDraw.Draw(mask).polygon(points, fill=255)
    picture.paste(paint, (0, 0), mask)
    return mask


def _sky(size: tuple[int, int], rng: random.Random) -> Image.Image:
    stops = [
        (0.0, (52, 98, 158)),
        (0.22, (108, 156, 200)),
        (0.38, (205, 205, 202)),
        (0.47, (250, 219, 170)),
        (0.56, (253, 198, 140)),
        (1.0, (253, 198, 140)),
    ]
    picture = _gradient(size, stops)
    width, height = size
    shapes = _clouds((size[0] // 2, size[1] // 2), rng, (5, 14)).resize(size)
    # Clouds thin out towards the zenith's corner and dissolve in the haze of the horizon.
    reach = _gradient(
        size,
        [(0, (120,) * 3), (0.16, (235,) * 3), (0.34, (200,) * 3), (0.47, (0,) * 3), (1, (0,) * 3)],
    ).convert("L")
    cover = ImageChops.multiply(shapes.point([_ramp(v, 122, 190) for v in range(256)]), reach)
    lit = ImageChops.offset(cover, round(width * 0.004), -round(height * 0.008))
    under = ImageChops.subtract(cover, lit).filter(ImageFilter.GaussianBlur(height / 300))
    tint = _gradient(size, [(0, (250, 246, 242)), (0.3, (255, 238, 214)), (0.5, (255, 214, 168))])
    picture.paste(tint, (0, 0), cover)
    picture.paste((150, 146, 172), (0, 0), under)
    sun = Image.new("L", size)
    x, y, r = _SUN[0] * width, _SUN[1] * height, height * 0.026
    ImageDraw.Draw(sun).ellipse((x - r, y - r, x + r, y + r), fill=255)
    picture.paste((255, 250, 226), (0, 0), sun.filter(ImageFilter.GaussianBlur(height / 500)))
    return picture


def _ramp(value: float, low: float, high: float) -> int:
    return round(255 * min(1.0, max(0.0, (value - low) / (high - low))))


def _mountains(picture: Image.Image, rng: random.Random) -> None:
    size = picture.size
    width, height = size
    floor = [(1.05, _HORIZON), (-0.05, _HORIZON)]
    ranges = [
        ([0.44, 0.37, 0.31, 0.40, 0.43, 0.38, 0.27, 0.33, 0.41], 0.030, (142, 152, 186), (226, 200, 186)),
        ([0.42, 0.45, 0.44, 0.47, 0.475, 0.46, 0.43, 0.40, 0.36], 0.022, (104, 122, 152), (202, 184, 172)),
    ]
    for number, (levels, rough, top, bottom) in enumerate(ranges):
        outline = _ridge(rng, -0.05, 1.05, levels, rough)
        paint = _gradient(size, [(0.27, top), (_HORIZON, bottom), (1, bottom)])
        mask = _paint(picture, outline, paint, floor)
        # Slopes away from the sun: noise stretched along them, darker.
        facets = _clouds((width // 2, height // 2), rng, (14, 10)).resize(size)
        facets = facets.point([_ramp(v, 120, 150) * 2 // 7 for v in range(256)])
        fade = _gradient(
            size, [(0.26, (255,) * 3), (0.40, (200,) * 3), (_HORIZON - 0.03, (20,) * 3), (1, (0,) * 3)]
        ).convert("L")
        shade = ImageChops.multiply(ImageChops.multiply(facets, mask), fade)
        picture.paste(_between(top, (40, 52, 92), 0.55), (0, 0), shade)
        if number == 0:
            _snow_caps(picture, outline, rng, mask)
    for base, lift, colour, tall in (
        (0.505, 0.012, (92, 112, 104), 0.013),
        (0.520, 0.008, (58, 84, 72), 0.018),
    ):
        outline = _ridge(rng, -0.05, 1.05, [base + rng.uniform(-lift, lift) for _ in range(7)], 0.004)
        foot = _between(colour, (236, 200, 150), 0.35)
        _paint(picture, outline, _gradient(size, [(base - 0.03, colour), (_HORIZON, foot), (1, foot)]), floor)
        draw = ImageDraw.Draw(picture)
        for x, y in outline[::3]:
            tip = tall * rng.uniform(0.4, 1.0) * height
            half = tip * rng.uniform(0.22, 0.30)
            px, py = (x + rng.uniform(-0.002, 0.002)) * width, (y + 0.003) * height
            tone = _between(colour, (28, 46, 46), rng.uniform(0.0, 0.45))
            draw.polygon([(px - half, py), (px, py - tip), (px + half, py)], fill=tone)


def _snow_caps(
    picture: Image.Image, outline: Sequence[Point], rng: random.Random, mask: Image.Image
) -> None:
    width, height = picture.size
    caps = Image.new("L", picture.size)
    line = 0.345
    lower = [
        (x, min(0.40, y + max(0.0, line - y) * rng.uniform(0.45, 0.95))) for x, y in outline
    ]
    points = [(x * width, y * height) for x, y in (*outline, *reversed(lower))]
    ImageDraw.Draw(caps).polygon(points, fill=215)
    caps = ImageChops.multiply(caps, mask).filter(ImageFilter.GaussianBlur(height / 700))
    picture.paste((250, 236, 226), (0, 0), caps)


def _lake(picture: Image.Image, rng: random.Random) -> None:
    width, height = picture.size
    shore = round(_HORIZON * height)
    depth = height - shore
    mirror = picture.crop((0, shore - min(depth, shore), width, shore))
    mirror = mirror.transpose(Image.Transpose.FLIP_TOP_BOTTOM).resize((width, depth))
    water = Image.new("RGB", (width, depth))
    y = 0
    while y < depth:
        # Ripples: bands that grow taller and sway further towards the viewer.
        near = y / depth
        band = max(1, round((0.8 + 7 * near) * height / 960))
        sway = round(rng.gauss(0, 1) * (1 + 26 * near) * width / 1280)
        lift = round(rng.uniform(-1, 1) * near * height / 90)
        top = min(max(0, y + lift), depth - band)
        strip = mirror.crop((0, top, width, top + band))
        water.paste(ImageChops.offset(strip, sway, 0), (0, y))
        y += band
    water = water.filter(ImageFilter.BoxBlur((width / 420, height / 900)))
    tint = _gradient((width, depth), [(0, (196, 164, 132)), (0.35, (70, 100, 128)), (1, (24, 52, 78))])
    veil = _gradient((width, depth), [(0, (40,) * 3), (1, (175,) * 3)]).convert("L")
    water.paste(tint, (0, 0), veil)
    picture.paste(water, (0, shore))
    draw = ImageDraw.Draw(picture, "RGBA")
    for _ in range(900):
        near = rng.random() ** 1.6
        y = shore + round(near * depth)
        reach = 0.015 + 0.10 * near
        x = (_SUN[0] + rng.gauss(0, reach * 0.6)) * width
        long = (0.003 + 0.014 * near * rng.random()) * width
        thick = max(1, round((0.6 + 2.4 * near) * height / 960))
        alpha = round(rng.uniform(60, 210) * (1 - 0.5 * near))
        draw.line([(x - long, y), (x + long, y)], fill=(255, 226, 168, alpha), width=thick)
    for _ in range(500):
        near = rng.random() ** 1.3
        y = shore + round(near * depth)
        x, long = rng.random() * width, (0.004 + 0.03 * near * rng.random()) * width
        thick = max(1, round((0.5 + 2 * near) * height / 960))
        bright = rng.random() < 0.5
        fill = (220, 226, 232, 34) if bright else (14, 34, 58, 44)
        draw.line([(x - long, y), (x + long, y)], fill=fill, width=thick)
    mist = Image.new("L", picture.size)
    ImageDraw.Draw(mist).rectangle((0, shore - height // 160, width, shore + height // 110), fill=120)
    picture.paste((255, 226, 190), (0, 0), mist.filter(ImageFilter.GaussianBlur(height / 130)))


def _spit(picture: Image.Image, rng: random.Random) -> None:
    """Paint the spit of land, with trees and the house, and its reflection below."""
    size = picture.size
    width, height = size
    land = Image.new("RGBA", size)
    draw = ImageDraw.Draw(land)
    base = _SPIT * height
    crest = [(0.52, 0.0), (0.58, 0.012), (0.66, 0.028), (0.76, 0.040), (0.90, 0.050), (1.02, 0.070)]
    points = [(x * width, base - up * height) for x, up in crest]
    draw.polygon([*points, (width * 1.02, base), (0.5 * width, base)], fill=(96, 122, 62, 255))
    for _ in range(5200):
        x = rng.uniform(0.51, 1.0)
        up = rng.random() * _height_of(crest, x)
        tall = rng.uniform(0.003, 0.009) * height
        px, py = x * width, base - up * height
        tone = _between((62, 92, 46), (178, 176, 92), rng.random() ** 1.7)
        draw.line([(px, py), (px + rng.uniform(-3, 3), py - tall)], fill=(*tone, 255), width=2)
    for x, tall in ((0.975, 0.25), (0.925, 0.19), (0.885, 0.225), (0.66, 0.125), (0.635, 0.09)):
        foot = base - _height_of(crest, x) * height * 0.8
        _conifer(draw, rng, (x * width, foot), tall * height)
    _house(draw, (0.775 * width, base - 0.030 * height), 0.155 * width)
    for x, r in ((0.685, 0.012), (0.70, 0.016), (0.862, 0.017), (0.845, 0.012), (0.60, 0.008)):
        foot = base - _height_of(crest, x) * height * 0.55
        _crown(draw, rng, (x * width, foot - r * height), r * width, 90, (44, 72, 38), (170, 172, 84))
    for _ in range(260):
        x = rng.uniform(0.515, 1.0)
        r = rng.uniform(0.0015, 0.005) * width
        tone = _between((74, 68, 64), (176, 158, 138), rng.random())
        px, py = x * width, base + rng.uniform(-0.004, 0.001) * height
        draw.ellipse((px - r, py - r * 0.6, px + r, py + r * 0.5), fill=(*tone, 255))
    top = round(base - 0.34 * height)
    image = land.crop((0, top, width, round(base)))
    mirror = image.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    rippled = Image.new("RGBA", mirror.size)
    y, band = 0, max(1, round(height / 480))
    while y < mirror.height:
        sway = round(rng.gauss(0, 1) * (1 + 10 * y / mirror.height) * width / 1280)
        rippled.paste(mirror.crop((0, y, width, y + band)), (sway, y))
        y += band
    rippled = rippled.filter(ImageFilter.BoxBlur((width / 700, height / 500)))
    fade = _gradient(rippled.size, [(0, (205,) * 3), (1, (95,) * 3)]).convert("L")
    alpha = ImageChops.multiply(rippled.getchannel("A"), fade)
    dark = ImageChops.multiply(rippled.convert("RGB"), Image.new("RGB", rippled.size, (196, 204, 214)))
    picture.paste(dark, (0, round(base)), alpha)
    picture.paste(land.convert("RGB"), (0, 0), land.getchannel("A"))


def _height_of(crest: Sequence[Point], x: float) -> float:
    for (left, low), (right, high) in zip(crest, crest[1:], strict=False):
        if left <= x <= right:
            return low + (high - low) * (x - left) / (right - left)
    return 0.0


def _conifer(draw: ImageDraw.ImageDraw, rng: random.Random, foot: Point, tall: float) -> None:
    x, y = foot
    trunk = tall * 0.022
    draw.rectangle((x - trunk, y - tall * 0.2, x + trunk, y + tall * 0.02), fill=(62, 48, 40, 255))
    tiers = 13
    for tier in range(tiers):
        level = tier / tiers
        top = y - tall * (0.08 + 0.92 * (1 - level * 0.05)) + tall * 0.92 * level * 0.95
        top = y - tall + tall * 0.88 * level * 0.98
        half = tall * (0.035 + 0.21 * level) * rng.uniform(0.85, 1.1)
        drop = tall * 0.15 * (0.6 + 0.6 * level)
        for side, dark, light in ((-1, (38, 66, 46), (108, 126, 66)), (1, (18, 38, 34), (46, 72, 48))):
            edge = [(x, top)]
            for i in range(1, 8):
                share = i / 7
                sag = drop * (0.55 + 0.45 * share) + (rng.uniform(-0.2, 0.25) * drop)
                edge.append((x + side * half * share, top + sag * (0.35 + 0.65 * share)))
                edge.append((x + side * half * (share - 0.07), top + sag * (0.55 + 0.4 * share)))
            edge.append((x, top + drop * 1.1))
            tone = _between(dark, light, rng.uniform(0.0, 0.55))
            draw.polygon(edge, fill=(*tone, 255))


def _crown(
    draw: ImageDraw.ImageDraw,
    rng: random.Random,
    centre: Point,
    radius: float,
    leaves: int,
    dark: Colour,
    light: Colour,
) -> None:
    """Paint a round crown of leaves, lit from the upper left."""
    x, y = centre
    for number in range(leaves):
        angle, reach = rng.random() * math.tau, math.sqrt(rng.random()) * radius
        dx, dy = math.cos(angle) * reach, math.sin(angle) * reach * 0.82
        sunny = 0.5 - (dx + dy) / radius * 0.42 + rng.uniform(-0.2, 0.2)
        share = min(1.0, max(0.0, sunny)) * (0.35 + 0.65 * number / leaves)
        r = radius * rng.uniform(0.06, 0.15)
        tone = _between(dark, light, share)
        draw.ellipse((x + dx - r, y + dy - r * 0.8, x + dx + r, y + dy + r * 0.8), fill=(*tone, 255))


def _house(draw: ImageDraw.ImageDraw, foot: Point, wide: float) -> None:
    """Paint the house: a lit gable to the left, a long wall to the right, a red roof."""
    x, y = foot
    left, gable, right = x - wide * 0.5, x - wide * 0.08, x + wide * 0.5
    eaves, top = y - wide * 0.34, y - wide * 0.66
    ridge = (left + gable) / 2
    far = right - wide * 0.17
    draw.rectangle((x + wide * 0.20, top - wide * 0.14, x + wide * 0.28, eaves), fill=(132, 84, 70, 255))
    draw.rectangle(
        (x + wide * 0.185, top - wide * 0.16, x + wide * 0.295, top - wide * 0.125), fill=(92, 62, 56, 255)
    )
    draw.rectangle((gable, eaves - wide * 0.02, right - wide * 0.04, y), fill=(196, 172, 144, 255))
    draw.polygon(
        [(left, y), (left, eaves), (ridge, top), (gable, eaves), (gable, y)], fill=(250, 228, 190, 255)
    )
    for i in range(1, 9):
        line = y - (y - eaves) * i / 9
        draw.line([(left, line), (gable, line)], fill=(226, 200, 160, 255), width=2)
        draw.line([(gable, line), (right - wide * 0.04, line)], fill=(172, 148, 124, 255), width=2)
    roof = [(ridge, top - wide * 0.02), (far, top), (right, eaves + wide * 0.03), (gable + wide * 0.035, eaves + wide * 0.03)]
    draw.polygon(roof, fill=(158, 74, 56, 255))
    for i in range(1, 8):
        share = i / 8
        a = (ridge + (roof[3][0] - ridge) * share, roof[0][1] + (roof[3][1] - roof[0][1]) * share)
        b = (far + (right - far) * share, top + (roof[2][1] - top) * share)
        draw.line([a, b], fill=(128, 56, 46, 255), width=3)
    trim = round(wide * 0.028)
    draw.line(
        [(left - wide * 0.03, eaves + wide * 0.035), (ridge, top - wide * 0.02), roof[3]],
        fill=(112, 52, 44, 255),
        width=trim,
        joint="curve",
    )
    panes = [
        (left + wide * 0.07, y - wide * 0.25),
        (left + wide * 0.235, y - wide * 0.25),
        (gable + wide * 0.09, y - wide * 0.235),
        (gable + wide * 0.38, y - wide * 0.235),
    ]
    for px, py in panes:
        w, h = wide * 0.095, wide * 0.135
        draw.rectangle((px - 4, py - 4, px + w + 4, py + h + 4), fill=(246, 240, 228, 255))
        draw.rectangle((px, py, px + w, py + h), fill=(255, 204, 112, 255))
        draw.line([(px + w / 2, py), (px + w / 2, py + h)], fill=(246, 240, 228, 255), width=4)
        draw.line([(px, py + h / 2), (px + w, py + h / 2)], fill=(246, 240, 228, 255), width=4)
    door = gable + wide * 0.235
    draw.rectangle((door, y - wide * 0.24, door + wide * 0.105, y), fill=(66, 92, 98, 255))
    r = wide * 0.045
    draw.ellipse(
        (ridge - r, eaves - wide * 0.12 - r, ridge + r, eaves - wide * 0.12 + r),
        fill=(255, 204, 112, 255),
        outline=(246, 240, 228, 255),
        width=5,
    )


def _glow(picture: Image.Image) -> None:
    """Lay the sun's light over everything that is far away."""
    width, height = picture.size
    x, y = _SUN[0] * width, _SUN[1] * height
    small = Image.new("L", (width // 8, height // 8))
    draw = ImageDraw.Draw(small)
    for r, light in ((0.34, 26), (0.22, 46), (0.13, 74), (0.07, 120), (0.03, 190)):
        reach = r * height / 8
        draw.ellipse((x / 8 - reach, y / 8 - reach, x / 8 + reach, y / 8 + reach), fill=light)
    light = small.filter(ImageFilter.GaussianBlur(height / 8 / 16)).resize(picture.size)
    warm = Image.merge("RGB", (light, light.point([v * 78 // 100 for v in range(256)]), light.point([v * 45 // 100 for v in range(256)])))
    picture.paste(ImageChops.screen(picture, warm))


def _meadow(picture: Image.Image, rng: random.Random) -> None:
    """Paint the near shore: grass that grows taller towards the viewer, flowers, a birch."""
    width, height = picture.size
    bank = [(-0.02, 0.775), (0.15, 0.80), (0.32, 0.845), (0.5, 0.89), (0.72, 0.915), (0.88, 0.90), (1.02, 0.865)]
    paint = _gradient(picture.size, [(0.76, (104, 118, 58)), (0.9, (62, 88, 40)), (1, (30, 52, 28))])
    _paint(picture, bank, paint, [(1.02, 1.02), (-0.02, 1.02)])
    draw = ImageDraw.Draw(picture, "RGBA")
    for number in range(15000):
        depth = (number / 15000) ** 0.75
        x = rng.uniform(-0.02, 1.02)
        edge = _height_of(bank, x)
        y = edge + (1.03 - edge) * depth
        tall = (0.010 + 0.055 * depth * depth) * rng.uniform(0.5, 1.2) * height
        lean = rng.gauss(0.1, 0.28) * tall
        sun = rng.random() ** 1.8 * (1.0 - 0.45 * depth)
        tone = _between(_between((70, 96, 40), (22, 46, 24), depth), (214, 200, 104), sun)
        px, py = x * width, y * height
        draw.line(
            [(px, py), (px + lean * 0.35, py - tall * 0.6), (px + lean, py - tall)],
            fill=(*tone, 255),
            width=max(1, round((0.8 + 1.6 * depth) * height / 960)),
        )
        if number % 46 == 0 and depth < 0.93:
            petals = ((236, 232, 240), (238, 190, 74), (200, 96, 118), (150, 130, 206))
            r = (0.0022 + 0.0036 * depth) * height
            tip = (px + lean, py - tall)
            tone = petals[rng.randrange(len(petals))]
            for k in range(5):
                a = k * math.tau / 5
                cx, cy = tip[0] + math.cos(a) * r, tip[1] + math.sin(a) * r * 0.8
                draw.ellipse((cx - r * 0.8, cy - r * 0.8, cx + r * 0.8, cy + r * 0.8), fill=(*tone, 255))
            draw.ellipse((tip[0] - r * 0.6, tip[1] - r * 0.6, tip[0] + r * 0.6, tip[1] + r * 0.6), fill=(244, 210, 96, 255))
    _birch(draw, rng, (0.085 * width, 0.93 * height), 0.62 * height)


def _birch(draw: ImageDraw.ImageDraw, rng: random.Random, foot: Point, tall: float) -> None:
    x, y = foot
    steps = 60
    bend = [(x + math.sin(i / steps * 2.2) * tall * 0.05, y - tall * i / steps) for i in range(steps + 1)]
    for i, (px, py) in enumerate(bend):
        half = tall * 0.020 * (1 - 0.72 * i / steps)
        draw.rectangle((px - half, py - tall / steps, px + half, py), fill=(206, 200, 188, 255))
        draw.rectangle((px + half * 0.2, py - tall / steps, px + half, py), fill=(150, 144, 140, 255))
        if rng.random() < 0.55:
            at = rng.uniform(-0.9, 0.3)
            draw.rectangle(
                (px + half * at, py - tall * 0.004, px + half * (at + rng.uniform(0.3, 0.7)), py),
                fill=(58, 52, 50, 255),
            )
    top = bend[-1]
    for dx, dy, r in (
        (-0.03, 0.26, 0.10), (0.11, 0.22, 0.09), (0.02, 0.12, 0.14), (-0.10, 0.08, 0.11),
        (0.13, 0.06, 0.10), (0.03, -0.02, 0.13), (-0.05, -0.06, 0.09),
    ):
        centre = (top[0] + dx * tall, top[1] + dy * tall)
        _crown(draw, rng, centre, r * tall, 520, (36, 64, 34), (206, 196, 92))
