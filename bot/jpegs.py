"""How many scans a JPEG has: each is one pass of the decoder over the whole picture. Pure.

A scan that says nothing new takes ten bytes, so a small file can hold thousands, and minutes of work.
"""

import re
from typing import Final

MOST_SCANS: Final = 100
"""Cameras write one scan, libjpeg ten into a progressive file, optimizers not even half of this."""

_START_OF_SCAN: Final = b"\xff\xda"
_END: Final = 0xD9
# What has a length behind it, or ends the picture. The others stand alone: fill bytes, a 0xFF of the
# picture's own (followed by 0), TEM, restarts (ITU-T T.81, table B.1).
_MARKER: Final = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])", re.DOTALL)


def has_too_many_scans(jpeg: bytes) -> bool:
    """Say whether a JPEG's main picture has more than `MOST_SCANS`.

    What stands beside it is not counted: a preview in its metadata, further pictures, a film.
    """
    if jpeg.count(_START_OF_SCAN) <= MOST_SCANS:
        return False  # the usual case, at the speed of a search
    position, scans = 2, 0
    while (marker := _MARKER.search(jpeg, position)) and marker[1][0] != _END:
        scans += marker[0] == _START_OF_SCAN
        if scans > MOST_SCANS:
            return True
        # as decoders do: what a segment holds is skipped by its length
        position = marker.end() + int.from_bytes(jpeg[marker.end() : marker.end() + 2])
    return False
