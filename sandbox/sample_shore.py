"""The near half of the sample photo: the house on its spit of land, and the meadow in front."""

import math
import random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from sandbox.brush import Colour, between, gradient
from sandbox.sample_canvas import SPIT, Point, height_of, paint

Tones = tuple[Colour, Colour]
"""The darkest and the lightest colour of something that is lit from one side."""


def spit(picture: Image.Image, rng: random.Random) -> None:
    """Paint the spit of land, with trees and the house, and its reflection below."""
    size = picture.size
    width, height = size
    land = Image.new("RGBA", size)
    draw = ImageDraw.Draw(land)
    base = SPIT * height
    crest = [(0.52, 0.0), (0.58, 0.012), (0.66, 0.028), (0.76, 0.040), (0.90, 0.050), (1.02, 0.070)]
    points = [(x * width, base - up * height) for x, up in crest]
    draw.polygon([*points, (width * 1.02, base), (0.5 * width, base)], fill=(96, 122, 62, 255))
    for _ in range(5200):
        x = rng.uniform(0.51, 1.0)
        up = rng.random() * height_of(crest, x)
        tall = rng.uniform(0.003, 0.009) * height
        px, py = x * width, base - up * height
        tone = between((62, 92, 46), (178, 176, 92), rng.random() ** 1.7)
        draw.line([(px, py), (px + rng.uniform(-3, 3), py - tall)], fill=(*tone, 255), width=2)
    for x, tall in ((0.975, 0.25), (0.925, 0.19), (0.885, 0.225), (0.66, 0.125), (0.635, 0.09)):
        foot = base - height_of(crest, x) * height * 0.8
        _conifer(draw, rng, (x * width, foot), tall * height)
    _house(draw, (0.775 * width, base - 0.030 * height), 0.155 * width)
    for x, r in ((0.685, 0.012), (0.70, 0.016), (0.862, 0.017), (0.845, 0.012), (0.60, 0.008)):
        foot = base - height_of(crest, x) * height * 0.55
        _crown(draw, rng, (x * width, foot - r * height), r * width, ((44, 72, 38), (170, 172, 84)))
    for _ in range(260):
        x = rng.uniform(0.515, 1.0)
        r = rng.uniform(0.0015, 0.005) * width
        tone = between((74, 68, 64), (176, 158, 138), rng.random())
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
    fade = gradient(rippled.size, [(0, (205,) * 3), (1, (95,) * 3)]).convert("L")
    alpha = ImageChops.multiply(rippled.getchannel("A"), fade)
    dark = ImageChops.multiply(
        rippled.convert("RGB"), Image.new("RGB", rippled.size, (196, 204, 214))
    )
    picture.paste(dark, (0, round(base)), alpha)
    picture.paste(land.convert("RGB"), (0, 0), land.getchannel("A"))


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
        for side, dark, light in (
            (-1, (38, 66, 46), (108, 126, 66)),
            (1, (18, 38, 34), (46, 72, 48)),
        ):
            edge = [(x, top)]
            for i in range(1, 8):
                share = i / 7
                sag = drop * (0.55 + 0.45 * share) + (rng.uniform(-0.2, 0.25) * drop)
                edge.append((x + side * half * share, top + sag * (0.35 + 0.65 * share)))
                edge.append((x + side * half * (share - 0.07), top + sag * (0.55 + 0.4 * share)))
            edge.append((x, top + drop * 1.1))
            tone = between(dark, light, rng.uniform(0.0, 0.55))
            draw.polygon(edge, fill=(*tone, 255))


def _crown(
    draw: ImageDraw.ImageDraw,
    rng: random.Random,
    centre: Point,
    radius: float,
    tones: Tones,
) -> None:
    """Paint a round crown of leaves, lit from the upper left."""
    x, y = centre
    leaves = 90
    for number in range(leaves):
        angle, reach = rng.random() * math.tau, math.sqrt(rng.random()) * radius
        dx, dy = math.cos(angle) * reach, math.sin(angle) * reach * 0.82
        sunny = 0.5 - (dx + dy) / radius * 0.42 + rng.uniform(-0.2, 0.2)
        share = min(1.0, max(0.0, sunny)) * (0.35 + 0.65 * number / leaves)
        r = radius * rng.uniform(0.06, 0.15)
        tone = between(*tones, share)
        draw.ellipse(
            (x + dx - r, y + dy - r * 0.8, x + dx + r, y + dy + r * 0.8), fill=(*tone, 255)
        )


def _house(draw: ImageDraw.ImageDraw, foot: Point, wide: float) -> None:
    """Paint the house: a lit gable to the left, a long wall to the right, a red roof."""
    x, y = foot
    left, gable, right = x - wide * 0.5, x - wide * 0.08, x + wide * 0.5
    eaves, top = y - wide * 0.34, y - wide * 0.66
    ridge = (left + gable) / 2
    far = right - wide * 0.17
    draw.rectangle(
        (x + wide * 0.20, top - wide * 0.14, x + wide * 0.28, eaves), fill=(132, 84, 70, 255)
    )
    draw.rectangle(
        (x + wide * 0.185, top - wide * 0.16, x + wide * 0.295, top - wide * 0.125),
        fill=(92, 62, 56, 255),
    )
    draw.rectangle((gable, eaves - wide * 0.02, right - wide * 0.04, y), fill=(196, 172, 144, 255))
    draw.polygon(
        [(left, y), (left, eaves), (ridge, top), (gable, eaves), (gable, y)],
        fill=(250, 228, 190, 255),
    )
    for i in range(1, 9):
        line = y - (y - eaves) * i / 9
        draw.line([(left, line), (gable, line)], fill=(226, 200, 160, 255), width=2)
        draw.line([(gable, line), (right - wide * 0.04, line)], fill=(172, 148, 124, 255), width=2)
    roof = [
        (ridge, top - wide * 0.02),
        (far, top),
        (right, eaves + wide * 0.03),
        (gable + wide * 0.035, eaves + wide * 0.03),
    ]
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


def meadow(picture: Image.Image, rng: random.Random) -> None:
    """Paint the near shore: grass that grows taller towards the viewer, flowers, a birch."""
    width, height = picture.size
    bank = [
        (-0.02, 0.775),
        (0.15, 0.80),
        (0.32, 0.845),
        (0.5, 0.89),
        (0.72, 0.915),
        (0.88, 0.90),
        (1.02, 0.865),
    ]
    colours = gradient(
        picture.size, [(0.76, (104, 118, 58)), (0.9, (62, 88, 40)), (1, (30, 52, 28))]
    )
    paint(picture, bank, colours, [(1.02, 1.02), (-0.02, 1.02)])
    draw = ImageDraw.Draw(picture, "RGBA")
    for number in range(15000):
        if number == 8000:
            # The grass that is painted after the birch stands before it.
            _birch(draw, rng, (0.075 * width, 0.945 * height), 0.865 * height)
        depth = (number / 15000) ** 0.75
        x = rng.uniform(-0.02, 1.02)
        edge = height_of(bank, x)
        y = edge + (1.03 - edge) * depth
        tall = (0.010 + 0.055 * depth * depth) * rng.uniform(0.5, 1.2) * height
        lean = rng.gauss(0.1, 0.28) * tall
        sun = rng.random() ** 1.8 * (1.0 - 0.45 * depth)
        tone = between(between((70, 96, 40), (22, 46, 24), depth), (214, 200, 104), sun)
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
                draw.ellipse(
                    (cx - r * 0.8, cy - r * 0.8, cx + r * 0.8, cy + r * 0.8), fill=(*tone, 255)
                )
            draw.ellipse(
                (tip[0] - r * 0.6, tip[1] - r * 0.6, tip[0] + r * 0.6, tip[1] + r * 0.6),
                fill=(244, 210, 96, 255),
            )


def _birch(draw: ImageDraw.ImageDraw, rng: random.Random, foot: Point, tall: float) -> None:
    """Paint a birch: a slender trunk, boughs, and leaves in loose bunches around them."""
    x, y = foot
    steps = 240

    def stem(share: float) -> Point:
        return x + math.sin(share * 2.4) * tall * 0.055, y - tall * share

    def half(share: float) -> float:
        return tall * (0.019 * math.pow(1 - share, 0.8) + 0.003)

    for i in range(steps):
        (px, py), r = stem(i / steps), half(i / steps)
        step = tall / steps + 1
        for side in range(8):
            tone = between((226, 220, 206), (112, 106, 108), (side / 7) ** 1.4)
            left = px - r + 2 * r * side / 8
            draw.rectangle((left, py - step, left + r / 4 + 1, py), fill=(*tone, 255))
    for _ in range(95):
        share = rng.random() ** 1.2 * 0.95
        (px, py), r = stem(share), half(share)
        long, thick = r * rng.uniform(0.3, 1.0), tall * rng.uniform(0.0008, 0.0030)
        at = px + rng.uniform(-r, r - long)
        draw.ellipse((at, py - thick, at + long, py + thick), fill=(52, 46, 46, 255))
    boughs: list[tuple[Point, float]] = []
    for number in range(30):
        share = 0.46 + 0.54 * number / 29
        (px, py), side = stem(share), (-1) ** number
        reach = tall * (0.25 - 0.20 * (share - 0.46) / 0.54) * rng.uniform(0.55, 1.1)
        tip = (px + side * reach, py - reach * rng.uniform(0.15, 0.6))
        width = max(2, round(half(share) * 0.5))
        draw.line([(px, py), tip], fill=(84, 76, 72, 255), width=width)
        boughs += [
            ((px + (tip[0] - px) * k, py + (tip[1] - py) * k + tall * 0.012), k)
            for k in (0.35, 0.6, 0.8, 1.0)
        ]
    rng.shuffle(boughs)
    middle = stem(0.78)
    for (bx, by), k in boughs:
        # Bunches towards the sun, up and to the right, are the bright ones.
        sunny = 0.5 + ((bx - middle[0]) * 0.8 - (by - middle[1])) / tall * 1.1
        sunny = min(1.0, max(0.0, sunny + rng.uniform(-0.15, 0.15)))
        dark = between((28, 54, 30), (74, 98, 40), sunny)
        light = between((92, 118, 48), (238, 220, 112), sunny)
        radius = tall * rng.uniform(0.030, 0.052) * (1.25 - 0.35 * k)
        _leaves(draw, rng, (bx, by), radius, (dark, light))


def _leaves(
    draw: ImageDraw.ImageDraw,
    rng: random.Random,
    centre: Point,
    radius: float,
    tones: Tones,
) -> None:
    for number in range(105):
        dx, dy = rng.gauss(0, 0.62) * radius, rng.gauss(0.1, 0.55) * radius
        share = min(1.0, max(0.0, 0.35 + (dx - dy) / radius * 0.22 + rng.uniform(-0.3, 0.3)))
        tone = between(*tones, share * (0.5 + 0.5 * number / 105))
        r = radius * rng.uniform(0.06, 0.13)
        px, py, slim = centre[0] + dx, centre[1] + dy, rng.uniform(0.5, 1.0)
        draw.ellipse((px - r * slim, py - r, px + r * slim, py + r), fill=(*tone, 255))
