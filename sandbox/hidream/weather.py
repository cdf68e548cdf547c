"""Looks that change the weather or the hour.

Those that need to know where the sky or a lamp is look for it in the photo itself, as `image` may
have been snowed on by then.
"""

import random

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter

from sandbox.brush import (
    clamp,
    clouds,
    curve,
    faded,
    glow,
    gradient,
    levels,
    ramp,
    unit_of,
    vignette,
)
from sandbox.hidream.horizon import sky


def night(image: Image.Image, photo: Image.Image, rng: random.Random) -> Image.Image:
    """Moonlight: dark and blue, stars and a moon where sky is, and what shone warm still shines."""
    size, unit = image.size, unit_of(image.size)
    above = sky(photo)
    red, _, blue = photo.split()
    warm = ramp(ImageChops.subtract(red, blue), 84, 130)
    bright = ramp(photo.convert("L"), 150, 195)
    lamps = ImageChops.multiply(warm, bright)
    # A lamp is small: what is as warm all around is daylight.
    around = lamps.filter(ImageFilter.BoxBlur(30 * unit))
    lamps = ImageChops.multiply(lamps, ramp(around, 120, 60))
    lamps = ImageChops.multiply(lamps, ImageChops.invert(above))
    lamps = lamps.filter(ImageFilter.MedianFilter(5)).filter(ImageFilter.GaussianBlur(0.6 * unit))

    dim = ImageEnhance.Color(image).enhance(0.38)
    dim = curve(dim, lambda v: 0.04 + 0.66 * v**1.6)
    dim = ImageChops.multiply(dim, Image.new("RGB", size, (128, 168, 255)))
    deep = gradient(
        size, [(0, (7, 11, 34)), (0.35, (18, 32, 74)), (0.55, (46, 70, 118)), (1, (46, 70, 118))]
    )
    detail = ImageChops.screen(deep, faded_rgb(dim, 0.50))
    picture = Image.composite(detail, dim, above)

    stars = Image.new("L", size)
    draw = ImageDraw.Draw(stars)
    for _ in range(round(900 * size[0] * size[1] / (unit * unit) / 786_432)):
        x, y = rng.random() * size[0], rng.random() ** 1.3 * size[1]
        r = (0.35 + 0.75 * rng.random() ** 6 * 2) * unit
        draw.ellipse((x - r, y - r, x + r, y + r), fill=clamp(70 + 185 * rng.random() ** 2))
    stars = ImageChops.multiply(stars, ramp(above, 215, 255))
    fading = levels(size, [(0, 255), (0.3, 210), (0.55, 40), (1, 0)])
    stars = ImageChops.multiply(stars, fading)
    picture = glow(picture, stars, (150, 180, 255), 2.2 * unit)
    picture = glow(picture, stars, (235, 240, 255), 0.3 * unit)
    if _share(above) > 0.12:
        picture = _moon(picture, above, rng)
    picture = Image.composite(photo, picture, lamps)
    for radius, colour in ((5, (255, 190, 96)), (18, (236, 140, 58)), (52, (190, 96, 36))):
        picture = glow(picture, lamps, colour, radius * unit)
    return vignette(picture, 0.5, (2, 4, 16))


def faded_rgb(image: Image.Image, share: float) -> Image.Image:
    """Darken an image to this share of itself."""
    return image.point([clamp(v * share) for v in range(256)] * 3)


def _share(mask: Image.Image) -> float:
    return sum(i * n for i, n in enumerate(mask.histogram())) / 255 / (mask.width * mask.height)


def _moon(picture: Image.Image, above: Image.Image, rng: random.Random) -> Image.Image:
    size, unit = picture.size, unit_of(picture.size)
    r = 30 * unit
    x, y = size[0] * rng.uniform(0.56, 0.70), size[1] * rng.uniform(0.13, 0.19)
    disc = Image.new("L", size)
    ImageDraw.Draw(disc).ellipse((x - r, y - r, x + r, y + r), fill=255)
    disc = ImageChops.multiply(disc.filter(ImageFilter.GaussianBlur(0.8 * unit)), above)
    for radius, colour in ((110, (90, 112, 170)), (38, (120, 140, 190)), (12, (150, 160, 190))):
        picture = glow(picture, disc, colour, radius * unit)
    face = clouds(size, rng, 22).point([clamp(205 + (v - 128) * 0.5) for v in range(256)])
    shade = ImageChops.offset(disc, round(-r * 0.25), round(-r * 0.1))
    face = ImageChops.multiply(face, shade.point([clamp(150 + v * 0.42) for v in range(256)]))
    moon = Image.merge(
        "RGB",
        (
            face.point([clamp(v * 1.1) for v in range(256)]),
            face.point([clamp(v * 1.08) for v in range(256)]),
            face,
        ),
    )
    picture.paste(moon, (0, 0), disc)
    return picture


def fog(image: Image.Image, rng: random.Random) -> Image.Image:
    """Mist that swallows what is far, in drifting banks."""
    size, unit = image.size, unit_of(image.size)
    far = levels(size, [(0, 205), (0.3, 225), (0.55, 225), (0.72, 150), (0.88, 60), (1, 25)])
    banks = clouds((max(2, size[0] // 3), size[1]), rng, 5).resize(size)
    far = ImageChops.overlay(far, banks.filter(ImageFilter.GaussianBlur(6 * unit)))
    pale = ImageEnhance.Color(image).enhance(0.5)
    pale = pale.filter(ImageFilter.GaussianBlur(0.8 * unit))
    air = gradient(size, [(0, (190, 199, 208)), (0.5, (222, 224, 224)), (1, (206, 210, 208))])
    picture = Image.composite(air, pale, faded(far, 0.95))
    return vignette(picture, 0.3, (120, 130, 140))


def rain(image: Image.Image, photo: Image.Image, rng: random.Random) -> Image.Image:
    """A grey downpour, slanting."""
    size, unit = image.size, unit_of(image.size)
    above = sky(photo)
    wet = ImageEnhance.Color(image).enhance(0.5)
    wet = curve(wet, lambda v: 0.06 + 0.80 * v**1.1)
    wet = ImageChops.multiply(wet, Image.new("RGB", size, (200, 218, 240)))
    lid = clouds((size[0], size[1] * 2), rng, 4).resize(size)
    lid = Image.merge(
        "RGB", tuple(lid.point([clamp(v * k + 30) for v in range(256)]) for k in (0.74, 0.80, 0.88))
    )
    picture = Image.composite(Image.blend(wet, lid, 0.78), wet, above)
    slant = rng.uniform(0.14, 0.30)
    for count, length, width, light, blur in (
        (1500, 16, 1, 80, 0.7),
        (560, 40, 1, 110, 0.8),
        (90, 90, 2, 95, 1.6),
    ):
        layer = Image.new("L", size)
        draw = ImageDraw.Draw(layer)
        for _ in range(round(count * size[0] * size[1] / (unit * unit) / 786_432)):
            x, y = rng.uniform(-0.1, 1.1) * size[0], rng.uniform(-0.1, 1) * size[1]
            long = length * rng.uniform(0.6, 1.4) * unit
            draw.line(
                [(x, y), (x - long * slant, y + long)],
                fill=clamp(light * rng.uniform(0.6, 1.4)),
                width=max(1, round(width * unit)),
            )
        picture.paste((222, 232, 244), (0, 0), layer.filter(ImageFilter.GaussianBlur(blur * unit)))
    haze = levels(size, [(0, 30), (0.5, 90), (0.8, 30), (1, 10)])
    picture.paste((168, 180, 194), (0, 0), haze)
    return vignette(picture, 0.45, (16, 22, 32))


def sunset(image: Image.Image, photo: Image.Image, rng: random.Random) -> Image.Image:
    """A burning sky over land that turns dark."""
    size = image.size
    above = sky(photo)
    grey = image.convert("L")
    fire = gradient(
        size,
        [
            (0, (54, 34, 92)),
            (0.22, (160, 56, 106)),
            (0.38, (240, 106, 70)),
            (0.52, (255, 196, 96)),
            (1, (255, 206, 120)),
        ],
    )
    burning = ImageChops.overlay(fire, Image.merge("RGB", (grey, grey, grey)))
    land = curve(ImageEnhance.Color(image).enhance(1.15), lambda v: 0.92 * v**1.35)
    land = ImageChops.multiply(land, Image.new("RGB", size, (255, 186, 150)))
    land = Image.blend(
        land, ImageChops.overlay(land, fire.transpose(Image.Transpose.FLIP_TOP_BOTTOM)), 0.35
    )
    picture = Image.composite(burning, land, above)
    warmth = rng.uniform(0.9, 1.1)
    picture = ImageEnhance.Color(picture).enhance(1.1 * warmth)
    return vignette(picture, 0.5, (30, 10, 30))
