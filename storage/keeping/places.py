"""Where what is kept goes: names with the time in them, room, and files that are whole or not there."""

import contextlib
import errno
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from storage.folders import sync_folder
from storage.soundness import beside
from storage.store import DatabaseRefused

Progress = Callable[[str, int, int], None]
"""Is told what is being done, how much of it is, and how much there is in all."""

PART: Final = ".part"
_OWN: Final = ("", "-wal", "-shm", "-journal", ".lock")
"""What a database's own files have behind its name."""
_MARGIN: Final = 2**20
"""Bytes that a disk should have left beyond what is counted."""
_NO_ROOM: Final = "has no room on its disk. Make room there, or name another place."
_NO_RIGHT: Final = "cannot be written. Name a place that the bot's user may write to."
_FAULTS: Final[Mapping[int | None, str]] = {
    errno.ENOSPC: _NO_ROOM,
    errno.EDQUOT: _NO_ROOM,
    errno.EFBIG: _NO_ROOM,
    errno.EACCES: _NO_RIGHT,
    errno.EPERM: _NO_RIGHT,
    errno.EROFS: _NO_RIGHT,
    errno.ENOENT: "cannot be made: its folder is not there. Make the folder, or name another one.",
    errno.ENOTDIR: "cannot be made: its folder is not one. Name another one.",
}
"""What an error of the system's says of a place, and what to do."""


def quiet(what: str, done: int, of: int) -> None:
    """Tell nobody how far it is."""


def stamp_of(now: datetime) -> str:
    """Give a time as it can stand in a file's name."""
    return now.strftime("%Y-%m-%dT%H-%M-%SZ")


def sized(count: int) -> str:
    """Give a number of bytes as people read it."""
    size = float(count)
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def check_room(folder: Path, needed: int) -> None:
    """See that a folder's disk has room for so many bytes.

    Raises:
        DatabaseRefused: it has not.
    """
    with telling(folder):
        free = shutil.disk_usage(folder).free
    if free < needed + _MARGIN:
        raise DatabaseRefused(
            f"{folder} has no room on its disk: {sized(free)} are free, and {sized(needed)} are "
            "needed. Make room there, or name another place."
        )


@contextlib.contextmanager
def telling(path: Path) -> Iterator[None]:
    """Tell an error of the system's in here as a refusal: which place, what is wrong, what to do.

    Raises:
        DatabaseRefused: in the place of any OSError.
    """
    try:
        yield
    except OSError as error:
        wrong = _FAULTS.get(error.errno, "cannot be used. Check its disk, or name another place.")
        raise DatabaseRefused(f"{error.filename or path} {wrong} ({error.strerror})") from error


class Draft:
    """A file that becomes whole at another name, and is gone where it does not."""

    def __init__(self, target: Path, handle: int) -> None:
        self.path = beside(target, PART)
        self._target = target
        self._handle = handle

    def empty(self) -> None:
        """Begin anew."""
        os.ftruncate(self._handle, 0)

    def place(self, *, force: bool) -> None:
        """Let it have its name, once the disk has all of it.

        Raises:
            DatabaseRefused: somebody else has the name by now.
        """
        os.fsync(self._handle)
        if force:
            self.path.replace(self._target)
        else:
            self._place_where_nothing_is()
        sync_folder(self._target.parent)

    def _place_where_nothing_is(self) -> None:
        try:
            # unlike renaming, it never takes another file's place
            os.link(self.path, self._target)
        except FileExistsError:
            raise taken(self._target) from None
        except OSError:
            # a file system without links
            if self._target.exists():
                raise taken(self._target) from None
            self.path.rename(self._target)


def check_target(target: Path, database: Path) -> None:
    """See that a file to be written is none of the bot's own, by whatever way its name leads there.

    Raises:
        DatabaseRefused: it is; or a folder, or a device.
    """
    folder = Path(os.path.realpath(database.parent))
    own = {beside(folder / database.name, suffix) for suffix in _OWN}
    with telling(target):
        if target.exists() and not target.is_file():
            raise DatabaseRefused(f"{target} is not an ordinary file. Name another one.")
        same = target.exists() and database.exists() and target.samefile(database)
    if same or Path(os.path.realpath(target.parent)) / target.name in own:
        raise DatabaseRefused(f"{target} is the bot's own. Name another file.")


def taken(target: Path) -> DatabaseRefused:
    """Say that a file is there already."""
    return DatabaseRefused(
        f"{target} is there already, and is not overwritten. Name another file, or say --force."
    )


@contextlib.contextmanager
def draft_of(target: Path) -> Iterator[Draft]:
    """Give a file beside the target, for this user only; what of it is not placed is removed.

    Raises:
        DatabaseRefused: it cannot be made, or another process writes it just now.
    """
    part = beside(target, PART)
    handle = _alone(part)
    try:
        try:
            with telling(part):
                os.fchmod(handle, 0o600)
                os.ftruncate(handle, 0)
                yield Draft(target, handle)
        finally:
            # once it is placed, the name may be another process's draft already
            if _has_name(handle, part):
                for suffix in ("", "-journal", "-wal", "-shm"):
                    beside(part, suffix).unlink(missing_ok=True)
    finally:
        os.close(handle)


def sweep(folder: Path, is_own: Callable[[str], object]) -> None:
    """Remove the drafts of own files that killed processes have left; what is being written stays."""
    with telling(folder):
        names = [part.name.removesuffix(PART) for part in folder.glob(f"*{PART}")]
    for name in filter(is_own, names):
        with contextlib.suppress(DatabaseRefused), draft_of(folder / name):
            pass  # that takes it over, and away


def _alone(part: Path) -> int:
    """Open a draft that nobody else has.

    Raises:
        DatabaseRefused: it cannot be made, or another process writes it just now.
    """
    while True:
        with telling(part):
            handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # else it was placed since it was opened, and is somebody's finished file
            if _has_name(handle, part):
                return handle
        except BlockingIOError:
            os.close(handle)
            raise DatabaseRefused(
                f"{part} is being written by another process. Wait for it, or name another file."
            ) from None
        os.close(handle)


def _has_name(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.lstat())
    except FileNotFoundError:
        return False
