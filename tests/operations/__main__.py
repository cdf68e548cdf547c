"""`python -m tests.operations page` plays docs/operations.md, `image` the Dockerfile, and shows each step."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.operations import image, play
from tests.operations.machine import UNSHARE, mount_point, obstacle

SECONDS: Final = 100.0
PLAYS: Final = {"page": play.play, "image": image.play}


def main() -> None:
    """Play one of them on a machine of its own."""
    name = sys.argv[1] if sys.argv[1:] else "page"
    if root := sys.argv[2] if sys.argv[2:] else "":
        # it ends by itself, whatever becomes of who waits for it; and with it all that it has started
        playing = PLAYS[name](Path(root), lambda line: print(line, flush=True))
        asyncio.run(asyncio.wait_for(playing, SECONDS))
        return
    if why := obstacle():
        sys.exit(f"It can't be played here: {why}.")
    with mount_point() as empty:
        again = [*UNSHARE, sys.executable, "-m", "tests.operations", name, str(empty)]
        sys.exit(subprocess.run(again, check=False).returncode)


if __name__ == "__main__":
    main()
