"""Plays the conversations and writes docs/conversations.md anew."""

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.conversations.document import DOCUMENT, document
from tests.conversations.stage import play_all

if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python -m tests.conversations --write")
    with tempfile.TemporaryDirectory() as folder:
        played = asyncio.run(play_all(Path(folder)))
    if errors := [f"{one.title}, in {one.scene}: {one.error}" for one in played if one.error]:
        sys.exit("\n".join(errors))
    DOCUMENT.write_text(document(played))
