"""SIGHUP from the first moment to the last: it asks for the settings to be read anew, and ends nothing.

Heard before there is an event loop, it is kept for then; heard after, it is too late, and no harm.
Only where the terminal that the bot was started in has gone does it mean what it once meant: the end.
"""

import asyncio
import atexit
import contextlib
import os
import signal
from types import FrameType


class Hangups:
    """Hears SIGHUP."""

    def __init__(self) -> None:
        self._heard = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._event = asyncio.Event()
        self._had_terminal = False

    def listen(self) -> None:
        """Hear it from now on, in this process."""
        # under nohup the bot is to stay when its terminal goes
        stays = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        self._had_terminal = not stays and _has_terminal()
        # not by the event loop, which would leave the signal to the system at its end
        signal.signal(signal.SIGHUP, self._hear)
        # and so would Python at the very end, but for what is ignored
        atexit.register(signal.signal, signal.SIGHUP, signal.SIG_IGN)

    def attend(self) -> None:
        """Let `wait` end at each: to be called in the event loop."""
        self._loop = asyncio.get_running_loop()
        if self._heard:
            self._event.set()

    async def wait(self) -> None:
        """Wait for one; several that came meanwhile are one."""
        await self.next()
        self._event.clear()

    async def next(self) -> None:
        """Wait for one, and leave it to `wait`."""
        await self._event.wait()

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        if self._had_terminal and not _has_terminal():
            os.kill(os.getpid(), signal.SIGTERM)
            return
        self._heard = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it is closed
                self._loop.call_soon_threadsafe(self._event.set)


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


HANGUPS = Hangups()
"""The process's own: there is one signal."""
