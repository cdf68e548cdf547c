"""The moment at which one database takes the place of another, with its pictures: both, or neither.

What is to come stands complete in a folder beside the database. That the folder gets its second name
is the moment: before it the old ones count, after it the new ones. What is left to do then is done
by whoever comes next, should this process be killed.
"""

import contextlib
import shutil
from pathlib import Path
from typing import Final

from storage.files import pictures_beside
from storage.folders import sync_folder
from storage.keeping.places import telling
from storage.soundness import beside

STAMP: Final = "stamp"
DATABASE: Final = "database"
PICTURES: Final = "pictures"
FINISH_RESTORE: Final = "Start the bot, which brings it to its end, or restore again."
"""What is to be done after one that was cut off."""


def staging(database: Path) -> Path:
    """Name the folder in which what is to come is being put together."""
    return beside(database, ".restoring")


def staged(database: Path) -> Path:
    """Name the folder in which it is complete, and counts."""
    return beside(database, ".restored")


def aside(path: Path, stamp: str) -> Path:
    """Name what was there before."""
    return beside(path, f".before-restore-{stamp}")


def is_cut_off(database: Path) -> bool:
    """Say whether a restore has happened, and is not through."""
    return staged(database).is_dir()


def swap(database: Path) -> None:
    """Let what is complete count from now on."""
    staging(database).rename(staged(database))
    sync_folder(database.parent)
    _finish(database)


def finish(database: Path) -> bool:
    """Do what a restore has left to do; says whether there was something. Only with the lock held.

    Each step is seen to be done, or not, by what is there: so it can be begun anew anywhere.

    Raises:
        DatabaseRefused: it cannot be done; nothing is lost by it.
    """
    with telling(database):
        if staging(database).is_dir():
            shutil.rmtree(staging(database))
        return _finish(database)


def _finish(database: Path) -> bool:
    whole = staged(database)
    if not whole.is_dir():
        return False
    if (whole / DATABASE).exists():
        _take_places(database, whole, (whole / STAMP).read_text(encoding="ascii"))
    shutil.rmtree(whole)
    sync_folder(database.parent)
    return True


def _take_places(database: Path, whole: Path, stamp: str) -> None:
    old = aside(database, stamp)
    # The log goes with its database, by SQLite's names, so that both can be put back.
    _move(database, old)
    _move(beside(database, "-wal"), beside(old, "-wal"))
    _move(beside(database, "-journal"), beside(old, "-journal"))
    beside(database, "-shm").unlink(missing_ok=True)
    if (whole / PICTURES).is_dir():
        pictures = pictures_beside(database)
        _move(pictures, aside(pictures, stamp))
        (whole / PICTURES).rename(pictures)
    sync_folder(database.parent)
    (whole / DATABASE).rename(database)
    sync_folder(database.parent)


def _move(path: Path, to: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        path.rename(to)
