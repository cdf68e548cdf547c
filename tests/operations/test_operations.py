"""docs/operations.md is played word for word, and the Dockerfile step by step, where a machine can be made."""

import subprocess
import sys

from tests.operations.machine import obstacle
from tests.operations.page import ROOT
from tests.programs import left_out


def played(name: str) -> str:
    """Play it in a process of its own; returns what was shown."""
    if why := obstacle():
        left_out(f"no machine can be made: {why}")
    ended = subprocess.run(
        [sys.executable, "-m", "tests.operations", name],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout[-6000:]
    return ended.stdout


def test_the_page_leads_from_nothing_to_a_bot_that_is_watched_and_backed_up() -> None:
    """Every command of docs/operations.md works, in order, on a machine that has nothing; pictures come."""
    assert "Send a photo, and wait for the picture." in played("page")


def test_what_the_image_has_is_enough_to_run_the_bot() -> None:
    """The Dockerfile's steps make a bot that works without rights, on a root that can't be written."""
    assert "a picture came" in played("image")
