"""Photos as Telegram keeps them: JPEG, in several sizes, the largest last."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageOps

from sandbox.telegram.rules import bad_request

SIDES: Final = (90, 320, 800, 1280)
"""The longer sides of the sizes, in pixels; the last is the most that a photo keeps."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """One size of a photo."""

    width: int
    height: int
    jpeg: bytes


def sizes(content: bytes) -> list[Size]:
    """Make the sizes of an uploaded photo, smallest first. Takes some 50 ms: call it in a thread.

    Raises:
        Refusal: it is no picture, or not of a shape that is shown as a photo.
    """
    try:
        with Image.open(io.BytesIO(content)) as opened:
            width, height = opened.size
            if width + height > 10_000 or max(width, height) > 20 * min(width, height):
                raise bad_request("PHOTO_INVALID_DIMENSIONS")
            picture = ImageOps.exif_transpose(opened).convert("RGB")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise bad_request("PHOTO_INVALID_DIMENSIONS") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise bad_request("IMAGE_PROCESS_FAILED") from error
    longest = max(picture.size)
    wanted = [side for side in SIDES if side < longest] + (
        [longest] if longest <= SIDES[-1] else []
    )
    return [_scaled(picture, side / longest) for side in wanted]


def _scaled(picture: Image.Image, factor: float) -> Size:
    width, height = (max(1, round(side * factor)) for side in picture.size)
    scaled = picture if factor == 1 else picture.resize((width, height), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    scaled.save(out, "JPEG", quality=87)
    return Size(width=width, height=height, jpeg=out.getvalue())
