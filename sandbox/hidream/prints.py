"""Looks that are printed, developed or lit: of film, of glass, of light."""

import math
import random

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from sandbox.brush import (
    Colour,
    between,
    clamp,
    clouds,
    colour_at,
    curve,
    edges,
    faded,
    glow,
    noise,
    ramp,
    smoothed,
    tinted,
    unit_of,
    vignette,
)


def sepia(image: Image.Image, rng: random.Random) -> Image.Image:
    """An old print: brown, faded, with dust and a pale edge."""
    size, unit = image.size, unit_of(image.size)
    grey = ImageOps.autocontrast(image.convert("L"), cutoff=0.5)
    grey = curve(grey, lambda v: 0.06 + 0.88 * (v * v * (3 - 2 * v) * 0.55 + v * 0.45))
    grain = noise(size, rng).filter(ImageFilter.GaussianBlur(0.7 * unit))
    grey = ImageChops.add(
        grey, grain.point([clamp(128 + (v - 128) * 0.16) for v in range(256)]), 1, -128
    )
    picture = tinted(
        grey,
        [(0, (38, 22, 12)), (0.45, (134, 94, 58)), (0.8, (222, 188, 138)), (1, (250, 234, 202))],
    )
    picture = vignette(picture, 0.62, (58, 34, 16))
    draw = ImageDraw.Draw(picture, "RGBA")
    for _ in range(46):
        x, y, r = rng.random() * size[0], rng.random() * size[1], rng.uniform(0.4, 1.5) * unit
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(255, 244, 220, 150))
    for _ in range(6):
        x, y, long = rng.random() * size[0], rng.random() * size[1], rng.uniform(20, 110) * unit
        draw.line(
            [(x, y), (x + rng.uniform(-5, 5) * unit, y + long)],
            fill=(255, 244, 220, 70),
            width=max(1, round(unit)),
        )
    border = round(22 * unit)
    frame = Image.new("L", size, 255)
    ImageDraw.Draw(frame).rounded_rectangle(
        (border, border, size[0] - border, size[1] - border), border / 2, fill=0
    )
    picture.paste((244, 232, 208), (0, 0), frame.filter(ImageFilter.GaussianBlur(1.2 * unit)))
    return picture


def noir(image: Image.Image, rng: random.Random) -> Image.Image:
    """Black and white film: deep shadows and grain."""
    grey = ImageOps.autocontrast(image.convert("L"), cutoff=1)
    grey = curve(grey, lambda v: v * v * (3 - 2 * v) * 0.85 + 0.12 * v)
    grain = noise(image.size, rng).filter(ImageFilter.GaussianBlur(0.8 * unit_of(image.size)))
    grey = ImageChops.add(
        grey, grain.point([clamp(128 + (v - 128) * 0.28) for v in range(256)]), 1, -128
    )
    return vignette(grey.convert("RGB"), 0.8)


def neon(image: Image.Image, rng: random.Random) -> Image.Image:
    """Glowing tubes along every outline, on a dark violet night."""
    size, unit = image.size, unit_of(image.size)
    plain = smoothed(image, 900, 5)
    lines = ramp(edges(plain, 2.2 * unit), 7, 34)
    thin = lines.filter(ImageFilter.GaussianBlur(0.7 * unit))
    start = rng.randrange(256)
    across = Image.linear_gradient("L").rotate(90).resize(size)
    drift = ImageChops.add(
        across.point([v * 2 // 5 for v in range(256)]), faded(clouds(size, rng, 3), 0.9)
    )
    hue = drift.point([(start + v) % 256 for v in range(256)])
    # Greens and yellows are left out: cyan over blue and violet to pink.
    hue = hue.point([128 + round(110 * abs(v - 128) / 128) for v in range(256)])
    tubes = Image.merge("HSV", (hue, Image.new("L", size, 225), Image.new("L", size, 255))).convert(
        "RGB"
    )
    base = tinted(plain.convert("L"), [(0, (6, 3, 20)), (0.6, (34, 14, 70)), (1, (74, 34, 110))])
    picture = Image.blend(base, ImageChops.multiply(base, tubes), 0.4)
    black = Image.new("RGB", size)
    lit = Image.composite(tubes, black, thin)
    for radius, share in ((22, 0.9), (7, 0.85), (2, 0.8)):
        halo = lit.filter(ImageFilter.GaussianBlur(radius * unit))
        picture = ImageChops.screen(
            picture, halo.point([clamp(v * share * 1.3) for v in range(256)] * 3)
        )
    picture = ImageChops.screen(picture, lit)
    core = ramp(thin, 130, 255)
    picture = glow(picture, core, (190, 190, 200), 0.4 * unit)
    return vignette(picture, 0.5, (2, 0, 10))


def pixel(image: Image.Image, rng: random.Random) -> Image.Image:
    """Pixel art: large squares in few colours."""
    across = 132 + rng.randrange(-8, 9)
    scale = across / max(image.size)
    small_size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    vivid = ImageEnhance.Contrast(ImageEnhance.Color(image).enhance(1.35)).enhance(1.12)
    small = vivid.resize(small_size, Image.Resampling.BOX)
    small = small.filter(ImageFilter.UnsharpMask(1, 80, 2))
    palette = small.quantize(28, Image.Quantize.MEDIANCUT, kmeans=2, dither=Image.Dither.NONE)
    return palette.convert("RGB").resize(image.size, Image.Resampling.NEAREST)


def mosaic(image: Image.Image, rng: random.Random) -> Image.Image:
    """Stained glass: plates of one colour each, set in lead, lit from behind."""
    size, unit = image.size, unit_of(image.size)
    pitch = 27 * unit
    columns, rows = math.ceil(size[0] / pitch) + 2, math.ceil(size[1] / pitch) + 2
    corners = {
        (i, j): (
            (i - 1 + rng.uniform(-0.36, 0.36)) * pitch,
            (j - 1 + rng.uniform(-0.36, 0.36)) * pitch,
        )
        for i in range(columns + 1)
        for j in range(rows + 1)
    }
    blurred = ImageEnhance.Color(image.filter(ImageFilter.GaussianBlur(pitch * 0.22))).enhance(1.7)
    picture = Image.new("RGB", size)
    draw = ImageDraw.Draw(picture)
    lead = max(1, round(1.6 * unit))
    for i in range(columns):
        for j in range(rows):
            a, b = corners[i, j], corners[i + 1, j]
            c, d = corners[i + 1, j + 1], corners[i, j + 1]
            whole = ((a, b, c, d),)
            halves = whole if rng.random() < 0.7 else ((a, b, c), (a, c, d))
            for plate in halves:
                x = min(size[0] - 1, max(0, round(sum(p[0] for p in plate) / len(plate))))
                y = min(size[1] - 1, max(0, round(sum(p[1] for p in plate) / len(plate))))
                red, green, blue = colour_at(blurred, x, y)
                k = rng.uniform(0.88, 1.14)
                draw.polygon(plate, fill=(clamp(red * k), clamp(green * k), clamp(blue * k)))
                draw.line([*plate, plate[0]], fill=(26, 24, 28), width=lead)
    picture = Image.blend(
        picture, ImageChops.overlay(picture, clouds(size, rng, 40).convert("RGB")), 0.5
    )
    lit = ImageChops.screen(picture, faded_light(picture, unit))
    return vignette(lit, 0.4)


def faded_light(picture: Image.Image, unit: float) -> Image.Image:
    """Give the light that shines through: a soft, weaker copy."""
    return picture.filter(ImageFilter.GaussianBlur(9 * unit)).point(
        [clamp(v * 0.28) for v in range(256)] * 3
    )


def pop(image: Image.Image, rng: random.Random) -> Image.Image:
    """Pop art: a print in four loud colours."""
    flat = smoothed(image.convert("L").convert("RGB"), 700, 7, 1).convert("L")
    flat = ImageOps.equalize(ImageOps.autocontrast(flat))
    inks: tuple[tuple[Colour, ...], ...] = (
        ((32, 16, 84), (226, 32, 110), (255, 150, 40), (255, 236, 120)),
        ((12, 42, 92), (0, 136, 176), (250, 92, 120), (255, 226, 170)),
        ((56, 8, 78), (120, 40, 190), (60, 200, 190), (250, 246, 150)),
        ((20, 20, 60), (228, 52, 60), (60, 170, 220), (250, 240, 220)),
    )
    chosen = inks[rng.randrange(len(inks))]
    table = [chosen[min(3, v // 64)] for v in range(256)]
    grey = flat.filter(ImageFilter.GaussianBlur(unit_of(image.size)))
    return Image.merge("RGB", tuple(grey.point([c[k] for c in table]) for k in range(3)))


def fancy(image: Image.Image, rng: random.Random) -> Image.Image:
    """A grade of its own for every prompt that names no look: two tones, contrast and a light."""
    unit = unit_of(image.size)
    shadow_hue, light_hue = rng.random(), rng.random()
    shadows = _hsv(shadow_hue, 0.75, 0.22)
    middle = _hsv((shadow_hue + light_hue) / 2, 0.5, 0.62)
    lights = _hsv(light_hue, 0.28, 1.0)
    grey = ImageOps.autocontrast(image.convert("L"), cutoff=0.5)
    duotone = tinted(grey, [(0, shadows), (0.5, middle), (1, lights)])
    hue, saturation, value = image.convert("HSV").split()
    turn = rng.choice((0, 0, 18, -18, 60, 128))
    turned = Image.merge(
        "HSV", (hue.point([(v + turn) % 256 for v in range(256)]), saturation, value)
    ).convert("RGB")
    picture = Image.blend(turned, duotone, rng.uniform(0.42, 0.72))
    if rng.random() < 0.4:
        picture = Image.blend(picture, ImageOps.posterize(picture, rng.choice((2, 3))), 0.6)
    picture = ImageEnhance.Contrast(picture).enhance(rng.uniform(1.0, 1.3))
    dreamy = picture.filter(ImageFilter.GaussianBlur(rng.uniform(4, 12) * unit))
    picture = Image.blend(picture, ImageChops.screen(picture, dreamy), rng.uniform(0.1, 0.4))
    return vignette(picture, rng.uniform(0.2, 0.6), between(shadows, (0, 0, 0), 0.5))


def _hsv(hue: float, saturation: float, value: float) -> Colour:
    parts = (clamp(hue * 255), clamp(saturation * 255), clamp(value * 255))
    return colour_at(Image.new("HSV", (1, 1), parts).convert("RGB"), 0, 0)
