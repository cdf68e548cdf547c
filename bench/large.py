"""Pictures of 24 megapixels in files of about 20 MB: as large as Telegram gives out to bots."""

import io
from typing import Final

from PIL import Image

SIZE: Final = (6000, 4000)
MOST: Final = 20_000_000
"""Bytes; Telegram gives out no larger files (Bot API: getFile)."""
LEAST: Final = 15_000_000
_GRAIN: Final = 60
_FINE_GRAIN: Final = 0.75


def large_jpeg() -> bytes:
    """Make a JPEG, grainy as one taken at night, in the best quality that still fits."""
    picture = _picture(_GRAIN)
    low, high, best = 50, 100, b""
    while low < high:
        quality = (low + high + 1) // 2
        encoded = _encoded(picture, "JPEG", quality=quality)
        if len(encoded) < MOST:
            low, best = quality, encoded
        else:
            high = quality - 1
    return _checked(best)


def large_png() -> bytes:
    """Make a PNG, with as much grain as still fits."""
    return _checked(_encoded(_picture(_FINE_GRAIN), "PNG", compress_level=3))


def _picture(grain: float) -> Image.Image:
    """Draw slopes of light, a different one in each channel, and grain over them."""
    slope = Image.linear_gradient("L")
    slopes = (slope, slope.rotate(90), Image.radial_gradient("L"))
    channels = []
    for each in slopes:
        light = each.resize(SIZE, Image.Resampling.BICUBIC)
        noise = Image.effect_noise(SIZE, grain)
        channels.append(Image.blend(light, noise, 0.5))
    return Image.merge("RGB", channels)


def _encoded(picture: Image.Image, form: str, **how: int) -> bytes:
    out = io.BytesIO()
    picture.save(out, form, **how)
    return out.getvalue()


def _checked(content: bytes) -> bytes:
    if not LEAST < len(content) < MOST:
        raise ValueError(f"{len(content)} bytes: not about 20 MB")
    return content
