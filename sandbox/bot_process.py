"""The real bot as a process of its own, which can be stopped, killed, and started again."""

import asyncio
import contextlib
import os
import sys
from pathlib import Path
from typing import Final

_STOP_SECONDS: Final = 1.2
"""How long the bot may take to stop; Ctrl-C is to end everything within two seconds."""
_LAST_LINES: Final = 15
"""Of the bot's log, where it ended by itself."""


class BotProcess:
    """One bot at a time.

    Args:
        config: its settings.
        log: where its log goes.
    """

    def __init__(self, *, config: Path, log: Path) -> None:
        self._config = config
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._started = asyncio.Event()
        """Set while it is meant to run."""
        self._changing = asyncio.Lock()
        """Held while it is started or ended: a button may be pressed twice."""

    @property
    def is_up(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it, where it does not run."""
        async with self._changing:
            if self.is_up:
                return
            with self._log.open("a") as sink:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "bot", "run", "--config", str(self._config),
                    stdin=asyncio.subprocess.DEVNULL, stdout=sink, stderr=sink, env=_environment(),
                    start_new_session=True,  # Ctrl-C is for us, who then stop the bot
                )  # fmt: skip
            self._started.set()

    async def ended_by_itself(self) -> int:
        """Wait until it has ended though nobody here has ended it; returns its exit code."""
        while True:
            await self._started.wait()
            assert self._process is not None, "it was started"  # noqa: S101 - else nobody set it
            code = await self._process.wait()
            if self._started.is_set():
                return code

    async def kill(self) -> None:
        """Kill it: it gets no chance to tidy up."""
        async with self._changing:
            await self._kill()

    async def _kill(self) -> None:
        if self._process is not None and self.is_up:
            self._started.clear()
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def stop(self) -> None:
        """Stop it as a service manager does: kindly, and where that takes too long, not."""
        async with self._changing:
            if self._process is None or not self.is_up:
                return
            self._started.clear()
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), _STOP_SECONDS)
            await self._kill()

    def last_words(self) -> str:
        """Give the last of its log."""
        lines = self._log.read_text(errors="replace").splitlines()[-_LAST_LINES:]
        return "".join(f"\n  {line}" for line in lines) or " nothing"


def _environment() -> dict[str, str]:
    """Leave out what steers a bot, or sends it through a proxy: this machine is set up for others."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith("BOT_") and not name.upper().endswith("_PROXY")
    }
