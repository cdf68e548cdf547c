"""Programs that some tests run: where one is not installed they are left out, and say so."""

import os
import shutil
import sys
from typing import NoReturn

import pytest


def program(name: str, package: str) -> str:
    """Give the path of a program, which is in this package of Debian's.

    Where it is not installed the test is left out; but not where CI is to have everything.
    """
    # where not only root may look for programs of root's
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if found is None:
        left_out(f"{name} is not installed (on Debian: apt install {package})")
    return found


def left_out(reason: str) -> NoReturn:
    """Leave the test out for this reason, unless this is CI on Linux, which has all that tests need."""
    if os.environ.get("CI") == "true" and sys.platform == "linux":
        pytest.fail(f"{reason}, and CI leaves nothing out")
    pytest.skip(reason)
