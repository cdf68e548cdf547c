"""`python -m tests.operations`: play docs/operations.md and show what each block says."""

import asyncio
import subprocess
import sys
from pathlib import Path

from tests.operations.machine import UNSHARE, mount_point, obstacle
from tests.operations.play import play


def main() -> None:
    """Play it on a machine of its own."""
    if sys.argv[1:2] == ["--within"]:
        asyncio.run(play(Path(sys.argv[2]), lambda line: print(line, flush=True)))
        return
    if why := obstacle():
        sys.exit(f"The page can't be played here: {why}.")
    with mount_point() as root:
        within = [*UNSHARE, sys.executable, "-m", "tests.operations", "--within", str(root)]
        sys.exit(subprocess.run(within, check=False).returncode)


if __name__ == "__main__":
    main()
