"""Looks that draw or paint the photo anew."""

import math
import random

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from sandbox.brush import (
    clamp,
    clouds,
    colour_at,
    curve,
    edges,
    faded,
    noise,
    ramp,
    smoothed,
    tinted,
    unit_of,
)


def sketch(image: Image.Image, rng: random.Random) -> Image.Image:
    """Pencil on paper: outlines, and shadows hatched."""
    size, unit = image.size, unit_of(image.size)
    grey = ImageOps.autocontrast(image.convert("L"), cutoff=1)
    soft = ImageOps.invert(grey).filter(ImageFilter.GaussianBlur(7 * unit))
    # Colour dodge: flat parts burn out to paper, outlines stay.
    dodge = ImageChops.add(grey, soft)
    lines = curve(dodge, lambda v: max(0.0, (v - 0.35) / 0.65) ** 1.8)
    outlines = ramp(edges(image, 2.0 * unit), 46, 6)
    lines = ImageChops.multiply(lines, outlines)
    for turn, below in ((38, 112), (-40, 74), (80, 44)):
        strokes = _hatching(size, rng, turn, unit)
        dark = ramp(grey.filter(ImageFilter.GaussianBlur(2.5 * unit)), below + 20, below - 50)
        strokes = ImageChops.multiply(strokes, dark)
        lines = ImageChops.multiply(lines, ImageOps.invert(faded(strokes, 0.62)))
    grain = noise(size, rng).filter(ImageFilter.GaussianBlur(0.6 * unit))
    rough = ImageChops.screen(lines, faded(ramp(grain, 96, 190), 0.30))
    return tinted(rough, [(0, (52, 50, 56)), (0.5, (142, 139, 140)), (1, (250, 246, 236))])


def _hatching(size: tuple[int, int], rng: random.Random, turn: float, unit: float) -> Image.Image:
    """Fill with pencil strokes at an angle: noise, drawn out long and turned."""
    side = round(math.hypot(*size)) + 2
    fine = (max(2, round(side / (34 * unit))), max(2, round(side / (1.7 * unit))))
    strokes = noise(fine, rng).resize((side, side), Image.Resampling.BICUBIC)
    strokes = strokes.rotate(turn, Image.Resampling.BILINEAR)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    return ramp(strokes.crop((left, top, left + size[0], top + size[1])), 110, 190)


def oil(image: Image.Image, rng: random.Random) -> Image.Image:
    """Oil on canvas: strokes along the forms, broad ones first, with the light on their ridges."""
    # Painted at one size and enlarged: strokes are as broad on a large canvas.
    scale = 1024 / max(image.size)
    canvas = (round(image.width * scale), round(image.height * scale))
    source = ImageEnhance.Color(image.resize(canvas, Image.Resampling.LANCZOS)).enhance(1.28)
    painted = source.filter(ImageFilter.GaussianBlur(10))
    relief = Image.new("L", canvas, 128)
    for width, length, count in ((15, 44, 1700), (8, 26, 4600), (4, 13, 9000)):
        _strokes(source, (painted, relief), rng, width=width, length=length, count=count)
    bumps = relief.filter(ImageFilter.GaussianBlur(0.8)).filter(
        ImageFilter.Kernel((3, 3), (-2, -1, 0, -1, 0, 1, 0, 1, 2), 3, 128)
    )
    bumps = bumps.point([clamp(128 + (v - 128) * 0.55) for v in range(256)])
    picture = ImageChops.overlay(painted, Image.merge("RGB", (bumps, bumps, bumps)))
    picture = ImageEnhance.Contrast(picture).enhance(1.08)
    return picture.resize(image.size, Image.Resampling.LANCZOS)


def _strokes(
    source: Image.Image,
    canvas: tuple[Image.Image, Image.Image],
    rng: random.Random,
    *,
    width: int,
    length: int,
    count: int,
) -> None:
    """Paint strokes of one breadth on a canvas of colour and relief.

    Each lies across the slope of the brightness below it.
    """
    blurred = source.filter(ImageFilter.GaussianBlur(width * 0.5))
    slopes = source.convert("L").filter(ImageFilter.GaussianBlur(width * 0.8 + 2))
    slope = slopes.tobytes()
    detail = edges(source, 3.0).filter(ImageFilter.GaussianBlur(3)).tobytes()
    across = source.width
    draw, height = (ImageDraw.Draw(layer) for layer in canvas)
    reach = 3
    for _ in range(count):
        x = rng.randrange(reach, source.width - reach)
        y = rng.randrange(reach, source.height - reach)
        # Fine strokes go where there is something fine to paint.
        at = y * across + x
        if width < 6 and detail[at] < 4 + rng.random() * 8:
            continue
        dx = slope[at + reach] - slope[at - reach]
        dy = slope[at + reach * across] - slope[at - reach * across]
        turn = math.atan2(dx, -dy) if abs(dx) + abs(dy) > 3 else 0.25
        turn += rng.gauss(0, 0.22)
        long = length * rng.uniform(0.5, 1.1) / 2
        cx, cy = math.cos(turn) * long, math.sin(turn) * long
        red, green, blue = colour_at(blurred, x, y)
        light = rng.gauss(0, 9)
        tone = (clamp(red + light), clamp(green + light), clamp(blue + light * 0.8))
        line = [(x - cx, y - cy), (x + cx, y + cy)]
        breadth = max(2, round(width * rng.uniform(0.7, 1.1)))
        level = clamp(128 + rng.gauss(0, 50))
        for pen, fill in ((draw, tone), (height, level)):
            pen.line(line, fill=fill, width=breadth)
            for px, py in line:
                r = breadth / 2 - 0.5
                pen.ellipse((px - r, py - r, px + r, py + r), fill=fill)


def watercolor(image: Image.Image, rng: random.Random) -> Image.Image:
    """Watercolour: flat washes with dark rims on rough paper, left white towards the edge."""
    size, unit = image.size, unit_of(image.size)
    flat = smoothed(ImageEnhance.Color(image).enhance(1.45), 520, 5, 2)
    # The brush bleeds a little past every outline.
    wander = clouds(size, rng, 34, 3)
    shifted = ImageChops.offset(flat, round(4 * unit), round(3 * unit))
    flat = Image.composite(flat, shifted, ramp(wander, 118, 138))
    wash = curve(flat, lambda v: 1 - (1 - v) ** 1.08 * 0.70)
    steps = ImageOps.posterize(flat.filter(ImageFilter.GaussianBlur(2 * unit)), 3)
    rims = ramp(edges(steps.filter(ImageFilter.GaussianBlur(0.6 * unit)), 2.4 * unit), 2, 34)
    rims = ImageChops.lighter(faded(rims, 0.4), faded(ramp(edges(flat, 2 * unit), 3, 36), 0.8))
    darker = ImageChops.multiply(wash, wash)
    picture = Image.composite(darker, wash, faded(rims, 0.8))
    pools = clouds(size, rng, 6)
    tone = pools.point([clamp(246 + (v - 128) * 0.30) for v in range(256)])
    picture = ImageChops.multiply(picture, Image.merge("RGB", (tone, tone, tone)))
    fibres = clouds(size, rng, 170, 2).filter(
        ImageFilter.Kernel((3, 3), (-1, -1, 0, -1, 0, 1, 0, 1, 1), 1, 200)
    )
    fibres = fibres.point([clamp(251 + (v - 200) * 0.09) for v in range(256)])
    picture = ImageChops.multiply(picture, Image.merge("RGB", (fibres, fibres, fibres)))
    return _on_paper(picture, rng)


def _on_paper(picture: Image.Image, rng: random.Random) -> Image.Image:
    size, unit = picture.size, unit_of(picture.size)
    inner = Image.new("L", size)
    margin = 30 * unit
    ImageDraw.Draw(inner).rectangle((margin, margin, size[0] - margin, size[1] - margin), fill=255)
    inner = inner.filter(ImageFilter.GaussianBlur(14 * unit))
    ragged = ImageChops.overlay(inner, clouds(size, rng, 16, 5))
    ragged = ramp(ragged, 96, 128)
    paper = Image.new("RGB", size, (251, 249, 243))
    return Image.composite(picture, paper, ragged)


def comic(image: Image.Image, rng: random.Random) -> Image.Image:
    """Ink outlines, few bright colours, dots in the shadows."""
    size, unit = image.size, unit_of(image.size)
    flat = smoothed(ImageEnhance.Color(image).enhance(1.32), 800, 7, 1)
    flat = ImageEnhance.Contrast(flat).enhance(1.12)
    bands = flat.point([clamp((v // 43) * 51) for v in range(256)] * 3)
    flat = Image.blend(bands, flat, 0.25)
    grey = image.convert("L").filter(ImageFilter.GaussianBlur(4 * unit))
    dots = _dots(size, max(5, round(7 * unit)), rng.uniform(12, 40))
    # A dot grows as the photo darkens: the threshold runs over a screen of cones.
    shadow = ramp(ImageChops.subtract(dots, grey, 1, -62), 0, 26)
    tinted_dots = ImageChops.multiply(flat, Image.new("RGB", size, (168, 150, 196)))
    picture = Image.composite(tinted_dots, flat, shadow)
    ink = ramp(edges(smoothed(image, 900, 3), 1.5 * unit), 13, 26)
    ink = ramp(ink.filter(ImageFilter.GaussianBlur(0.8 * unit)), 70, 150)
    picture.paste((18, 14, 28), (0, 0), ink)
    border = round(12 * unit)
    framed = ImageOps.expand(
        picture.crop((border, border, size[0] - border, size[1] - border)), border, (252, 250, 244)
    )
    ImageDraw.Draw(framed).rectangle(
        (border, border, size[0] - border, size[1] - border),
        outline=(18, 14, 28),
        width=max(2, round(3 * unit)),
    )
    return framed


def _dots(size: tuple[int, int], pitch: int, turn: float) -> Image.Image:
    cell = Image.radial_gradient("L").resize((pitch, pitch), Image.Resampling.BILINEAR)
    cell = ImageOps.invert(cell)
    side = round(math.hypot(*size)) + 2 * pitch
    screen = Image.new("L", (side, side))
    screen.paste(cell, (0, 0))
    filled = pitch
    while filled < side:
        screen.paste(screen.crop((0, 0, filled, pitch)), (filled, 0))
        filled *= 2
    filled = pitch
    while filled < side:
        screen.paste(screen.crop((0, 0, side, filled)), (0, filled))
        filled *= 2
    screen = screen.rotate(turn, Image.Resampling.BILINEAR)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    return screen.crop((left, top, left + size[0], top + size[1]))
