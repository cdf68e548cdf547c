"""Draws the project's own sample photo: a house by a lake on a summer evening.

Everything is painted with Pillow from a fixed seed, so that the project needs nobody's photo, and
the same size always gives the same picture.
"""

import io
import random
from collections.abc import Sequence

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from sandbox.brush import between, gradient, noise
from sandbox.sample_canvas import HORIZON, SUN, Point, clouds, paint, ramp, ridge
from sandbox.sample_shore import meadow, spit

_OVERSAMPLING = 2


def draw_sample(width: int = 1280, height: int = 960) -> bytes:
    """Draw the sample photo and return it as a JPEG of exactly that size, in pixels."""
    size = (width * _OVERSAMPLING, height * _OVERSAMPLING)
    rng = random.Random(1887)
    picture = _sky(size, rng)
    _mountains(picture, rng)
    _lake(picture, rng)
    spit(picture, rng)
    _glow(picture)
    meadow(picture, rng)
    small = picture.resize((width, height), Image.Resampling.LANCZOS)
    grain = noise(small.size, rng).point([128 + (v - 128) // 22 for v in range(256)])
    small = ImageChops.add(small, grain.convert("RGB"), 1, -128)
    out = io.BytesIO()
    small.save(out, "JPEG", quality=90)
    return out.getvalue()


def _sky(size: tuple[int, int], rng: random.Random) -> Image.Image:
    stops = [
        (0.0, (52, 98, 158)),
        (0.22, (108, 156, 200)),
        (0.38, (205, 205, 202)),
        (0.47, (250, 219, 170)),
        (0.56, (253, 198, 140)),
        (1.0, (253, 198, 140)),
    ]
    picture = gradient(size, stops)
    width, height = size
    shapes = clouds((size[0] // 2, size[1] // 2), rng, (5, 14)).resize(size)
    # Clouds thin out towards the zenith's corner and dissolve in the haze of the horizon.
    reach = gradient(
        size,
        [(0, (120,) * 3), (0.16, (235,) * 3), (0.34, (200,) * 3), (0.47, (0,) * 3), (1, (0,) * 3)],
    ).convert("L")
    cover = ImageChops.multiply(shapes.point([ramp(v, 122, 190) for v in range(256)]), reach)
    lit = ImageChops.offset(cover, round(width * 0.004), -round(height * 0.008))
    under = ImageChops.subtract(cover, lit).filter(ImageFilter.GaussianBlur(height / 300))
    tint = gradient(size, [(0, (250, 246, 242)), (0.3, (255, 238, 214)), (0.5, (255, 214, 168))])
    picture.paste(tint, (0, 0), cover)
    picture.paste((150, 146, 172), (0, 0), under)
    sun = Image.new("L", size)
    x, y, r = SUN[0] * width, SUN[1] * height, height * 0.026
    ImageDraw.Draw(sun).ellipse((x - r, y - r, x + r, y + r), fill=255)
    picture.paste((255, 250, 226), (0, 0), sun.filter(ImageFilter.GaussianBlur(height / 500)))
    return picture


def _mountains(picture: Image.Image, rng: random.Random) -> None:
    size = picture.size
    width, height = size
    floor = [(1.05, HORIZON), (-0.05, HORIZON)]
    ranges = [
        (
            [0.44, 0.37, 0.31, 0.40, 0.43, 0.38, 0.27, 0.33, 0.41],
            0.030,
            (118, 130, 172),
            (226, 200, 186),
        ),
        (
            [0.42, 0.45, 0.44, 0.47, 0.475, 0.46, 0.43, 0.40, 0.36],
            0.022,
            (104, 122, 152),
            (202, 184, 172),
        ),
    ]
    for number, (levels, rough, top, bottom) in enumerate(ranges):
        outline = ridge(rng, -0.05, 1.05, levels, rough)
        colours = gradient(size, [(0.27, top), (HORIZON, bottom), (1, bottom)])
        mask = paint(picture, outline, colours, floor)
        # Slopes away from the sun: noise stretched along them, darker.
        facets = clouds((width // 2, height // 2), rng, (14, 10)).resize(size)
        facets = facets.point([ramp(v, 120, 150) * 2 // 7 for v in range(256)])
        fade = gradient(
            size,
            [(0.26, (255,) * 3), (0.40, (200,) * 3), (HORIZON - 0.03, (20,) * 3), (1, (0,) * 3)],
        ).convert("L")
        shade = ImageChops.multiply(ImageChops.multiply(facets, mask), fade)
        picture.paste(between(top, (40, 52, 92), 0.55), (0, 0), shade)
        if number == 0:
            _snow_caps(picture, outline, rng, mask)
    for base, lift, colour, tall in (
        (0.505, 0.012, (92, 112, 104), 0.013),
        (0.520, 0.008, (58, 84, 72), 0.018),
    ):
        outline = ridge(
            rng, -0.05, 1.05, [base + rng.uniform(-lift, lift) for _ in range(7)], 0.004
        )
        foot = between(colour, (236, 200, 150), 0.35)
        paint(
            picture,
            outline,
            gradient(size, [(base - 0.03, colour), (HORIZON, foot), (1, foot)]),
            floor,
        )
        draw = ImageDraw.Draw(picture)
        for x, y in outline[::3]:
            tip = tall * rng.uniform(0.4, 1.0) * height
            half = tip * rng.uniform(0.22, 0.30)
            px, py = (x + rng.uniform(-0.002, 0.002)) * width, (y + 0.003) * height
            tone = between(colour, (28, 46, 46), rng.uniform(0.0, 0.45))
            draw.polygon([(px - half, py), (px, py - tip), (px + half, py)], fill=tone)


def _snow_caps(
    picture: Image.Image, outline: Sequence[Point], rng: random.Random, mask: Image.Image
) -> None:
    """Lay snow on the summits, in tongues that reach down the gullies."""
    width, height = picture.size
    caps = Image.new("L", picture.size)
    line = 0.360
    gullies = ridge(rng, 0, 1, [rng.uniform(0.1, 0.9) for _ in range(40)], 0.35)
    depths = [min(1.0, max(0.0, depth)) for _, depth in gullies]
    lower = [
        (x, y + max(0.0, line - y) * (0.35 + 0.75 * depths[i * len(depths) // len(outline)]))
        for i, (x, y) in enumerate(outline)
    ]
    points = [(x * width, y * height) for x, y in (*outline, *reversed(lower))]
    ImageDraw.Draw(caps).polygon(points, fill=225)
    caps = ImageChops.multiply(caps, mask)
    rock = clouds((width // 2, height // 2), rng, (46, 34)).resize(picture.size)
    caps = ImageChops.multiply(caps, rock.point([ramp(v, 84, 124) for v in range(256)]))
    caps = caps.filter(ImageFilter.GaussianBlur(height / 900))
    # The side away from the sun is blue.
    lit = gradient(picture.size, [(0.27, (252, 240, 232)), (0.40, (236, 220, 220)), (1, (0, 0, 0))])
    picture.paste(lit, (0, 0), caps)
    shade = ImageChops.offset(caps, round(width * 0.012), round(height * 0.006))
    shade = ImageChops.multiply(caps, ImageChops.invert(shade))
    picture.paste((178, 178, 212), (0, 0), shade.point([v * 3 // 5 for v in range(256)]))


def _lake(picture: Image.Image, rng: random.Random) -> None:
    width, height = picture.size
    shore = round(HORIZON * height)
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
    tint = gradient(
        (width, depth), [(0, (196, 164, 132)), (0.35, (70, 100, 128)), (1, (24, 52, 78))]
    )
    veil = gradient((width, depth), [(0, (40,) * 3), (1, (175,) * 3)]).convert("L")
    water.paste(tint, (0, 0), veil)
    picture.paste(water, (0, shore))
    draw = ImageDraw.Draw(picture, "RGBA")
    for _ in range(900):
        near = rng.random() ** 1.6
        y = shore + round(near * depth)
        reach = 0.015 + 0.10 * near
        x = (SUN[0] + rng.gauss(0, reach * 0.6)) * width
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
    ImageDraw.Draw(mist).rectangle(
        (0, shore - height // 160, width, shore + height // 110), fill=120
    )
    picture.paste((255, 226, 190), (0, 0), mist.filter(ImageFilter.GaussianBlur(height / 130)))


def _glow(picture: Image.Image) -> None:
    """Lay the sun's light over everything that is far away."""
    width, height = picture.size
    x, y = SUN[0] * width, SUN[1] * height
    small = Image.new("L", (width // 8, height // 8))
    draw = ImageDraw.Draw(small)
    for r, light in ((0.34, 26), (0.22, 46), (0.13, 74), (0.07, 120), (0.03, 190)):
        reach = r * height / 8
        draw.ellipse((x / 8 - reach, y / 8 - reach, x / 8 + reach, y / 8 + reach), fill=light)
    shine = small.filter(ImageFilter.GaussianBlur(height / 8 / 16)).resize(picture.size)
    warm = Image.merge(
        "RGB",
        (
            shine,
            shine.point([v * 78 // 100 for v in range(256)]),
            shine.point([v * 45 // 100 for v in range(256)]),
        ),
    )
    picture.paste(ImageChops.screen(picture, warm), (0, 0))
