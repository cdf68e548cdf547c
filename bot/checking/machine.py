"""What the bot runs on."""

import platform
import sys

from bot.checking.lines import Lines, ok
from bot.checking.subject import Subject
from storage.examining import SQLITE_VERSION


async def versions(subject: Subject | None = None) -> Lines:
    """Name the versions of what comes with the machine."""
    del subject
    return [
        ok(
            f"Python {platform.python_version()}, SQLite {SQLITE_VERSION}, "
            f"{sys.platform} on {platform.machine()}"
        )
    ]
