"""A database belongs to one process of the bot at a time."""

import fcntl
import os
import time
from pathlib import Path
from typing import Final

from storage.store import DatabaseRefused

_TRIES: Final = 3
"""Whoever only looks whether a bot runs (`check`) holds it for an instant: no start may fail by that."""
_PAUSE: Final = 0.02
"""Seconds between two tries."""


class Lock:
    """Keeps other processes of the bot away from a database, for as long as it is held."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + ".lock")
        self._file: int | None = None
        self._database = database

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            DatabaseRefused: another process holds it.
        """
        tries = 0
        while self._file is None:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if self._is_current(file):
                    self._file = file
            except BlockingIOError:
                tries += 1
                if tries < _TRIES:
                    time.sleep(_PAUSE)
                    continue
                raise DatabaseRefused(
                    f"{self._database} is in use by another process of the bot. "
                    "Stop that one first, or give this one a database of its own."
                ) from None
            finally:
                if self._file is None:
                    os.close(file)

    def _is_current(self, file: int) -> bool:
        # Its last holder may have removed the name between our opening and our locking it.
        try:
            return os.path.samestat(os.fstat(file), self._path.stat())
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Give the lock back; nothing happens where it is not held."""
        if self._file is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._file)
            self._file = None
