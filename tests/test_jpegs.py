"""The scans of a JPEG: what costs decoding time is counted, and nothing else."""

import io
import random

import pytest
from PIL import Image

from bot.jpegs import MOST_SCANS, has_too_many_scans
from tests.bombs import scan_bomb

SCAN = b"\xff\xda"


def jpeg(**options: object) -> bytes:
    """A progressive JPEG with a lot in it."""
    out = io.BytesIO()
    noise = Image.frombytes("RGB", (200, 200), random.Random(1).randbytes(120_000))
    noise.save(out, "JPEG", progressive=True, quality=95, **options)
    return out.getvalue()


def segment(code: int, data: bytes) -> bytes:
    """A segment of a JPEG."""
    return bytes((0xFF, code)) + (len(data) + 2).to_bytes(2) + data


def decodes(content: bytes) -> bool:
    """Say whether Pillow takes it."""
    with Image.open(io.BytesIO(content)) as image:
        image.load()
    return True


PLAIN = jpeg()
BOMB = scan_bomb(150, 64)


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        scan_bomb(MOST_SCANS - 6, 64),  # six are its own
        PLAIN[:2] + segment(0xE1, SCAN * 300) + PLAIN[2:],
        PLAIN + SCAN * 300,
        PLAIN + BOMB,
        b"",
        b"\xff\xd8\xff" + SCAN,
    ],
    ids=["plain", "at the limit", "in metadata", "behind", "second picture", "empty", "cut off"],
)
def test_few_scans_are_fine(content: bytes) -> None:
    """Start marks in metadata, and behind the picture's end, are not the picture's scans."""
    assert not has_too_many_scans(content)


@pytest.mark.parametrize(
    "content",
    [
        BOMB,
        scan_bomb(MOST_SCANS - 5, 64),
        # an end mark that no decoder sees: inside of a comment
        BOMB[:2] + segment(0xFE, b"\xff\xd9") + BOMB[2:],
        BOMB.replace(SCAN, segment(0xFE, b"\xff\xd9") + SCAN),
        BOMB.replace(SCAN, b"\xff" * 3 + SCAN),
        # Pillow would not read these before the first scan
        BOMB[:300] + BOMB[300:].replace(SCAN, b"\xff\xd0\xff\x01" + SCAN),
    ],
    ids=["bomb", "just above", "comment first", "comments between", "fill bytes", "restarts"],
)
def test_many_scans_are_found(content: bytes) -> None:
    """Whatever stands between the scans, what a decoder would decode is counted."""
    assert decodes(content)
    assert has_too_many_scans(content)
