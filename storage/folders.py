"""Folders on disk: made for this user only, and there after a power cut."""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path


def make_folder(folder: Path) -> bool:
    """Make a folder and those above it that are missing, for this user only; say whether it was.

    Raises:
        OSError: it cannot be made.
    """
    if folder.is_dir():
        return False
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    return True


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names that are in a folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def room_in(folder: Path) -> Callable[[], Awaitable[int]]:
    """Give what tells how many bytes are free where this folder is."""

    def look() -> int:
        return shutil.disk_usage(folder).free

    # a disk that hangs must not hold up the event loop
    return lambda: asyncio.to_thread(look)
