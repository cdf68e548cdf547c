"""The picture that stands where one was that Telegram no longer lets us delete."""

import io
from functools import cache
from typing import Final

from PIL import Image

from bot.messages import Picture

_SIDE: Final = 256
_GREY: Final = (222, 222, 222)


@cache
def placeholder() -> Picture:
    """Give a plain grey square: nothing of what was there before."""
    out = io.BytesIO()
    Image.new("RGB", (_SIDE, _SIDE), _GREY).save(out, "PNG")
    return Picture(content=out.getvalue(), name="0.png")
