"""A service manager that listens to what it is told (systemd's sd_notify)."""

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Manager:
    """Hears what is sent to `address`."""

    def __init__(self, ear: socket.socket, address: str) -> None:
        self._ear = ear
        self.address = address
        self._all: list[str] = []

    def news(self) -> list[str]:
        """Give what it was told since the last time."""
        found = []
        while True:
            try:
                found.append(self._ear.recv(4096).decode())
            except BlockingIOError:
                self._all += found
                return found

    def heard(self) -> list[str]:
        """Give all that it was told so far."""
        self.news()
        return self._all


@contextmanager
def listening() -> Iterator[Manager]:
    """Let one listen, until the end."""
    # not in pytest's folder: the path of a socket may be about a hundred letters long
    with (
        tempfile.TemporaryDirectory(dir="/tmp") as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear,
    ):
        address = str(Path(folder, "notify"))
        ear.bind(address)
        ear.setblocking(False)
        yield Manager(ear, address)
