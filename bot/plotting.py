"""Has plots drawn by a process of its own: the figures go in, a picture comes out, or the reason why not."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from tempfile import TemporaryDirectory
from typing import Any, Final

import structlog

log = structlog.get_logger(__name__)

_COMMAND: Final = (sys.executable, "-m", "bot.plots")
_SECONDS: Final = 30.0
"""So long a picture may take: a small machine needs some five seconds."""
FILE_NAME: Final = "stats.png"
_PNG: Final = b"\x89PNG"
_SAID: Final = 2000
"""Bytes of what went wrong that are kept: the end of a traceback."""
_PATIENCE: Final = 10
"""How far the drawing stands back behind the bot itself (setpriority(2)): people wait for pictures."""


class Plots:
    """Has one picture drawn at a time.

    Args:
        command: what draws.
        seconds: how long it may take.
    """

    def __init__(self, *, command: Sequence[str] = _COMMAND, seconds: float = _SECONDS) -> None:
        self._command = command
        self._seconds = seconds
        self._turn = asyncio.Lock()

    async def draw(self, data: Mapping[str, Any]) -> bytes | None:
        """Draw it, as PNG; None where that did not work: the log says why."""
        async with self._turn:
            try:
                with TemporaryDirectory(prefix="hidream-bot-plots-") as folder:
                    return await self._drawn(json.dumps(data).encode(), folder)
            except TimeoutError:
                why = f"it took longer than {self._seconds:g} seconds"
            except OSError as error:  # no room, or no memory for a process
                why = str(error)
            log.error("plot_not_drawn", why=why)
            return None

    async def _drawn(self, data: bytes, folder: str) -> bytes | None:
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(folder),
        )
        with contextlib.suppress(OSError):  # it has ended already, or may not be changed
            os.setpriority(os.PRIO_PROCESS, process.pid, _PATIENCE)
        try:
            async with asyncio.timeout(self._seconds):
                drawn, said = await process.communicate(data)
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode == 0 and drawn.startswith(_PNG):
            return drawn
        why = said[-_SAID:].decode(errors="replace").strip()
        log.error("plot_not_drawn", exit_code=process.returncode, why=why)
        return None


def _environment(folder: str) -> dict[str, str]:
    """Give what the process needs to know: none of the bot's settings, a folder that goes when it is done."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BOT_")}
    return {**kept, "MPLCONFIGDIR": folder, "MPLBACKEND": "agg"}
