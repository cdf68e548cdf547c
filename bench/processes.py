"""Processes of their own for all that is measured, and for what it is measured against."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

ROOT: Final = Path(__file__).parent.parent
_STOP_SECONDS: Final = 8.0
_LAST_LINES: Final = 12
_LOOK: Final = 0.05
_PEAK: Final = "VmHWM:"


class NotMeasured(Exception):
    """A row could not be measured; the message says what was seen."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Process:
    """A Python program that runs, and what the system says of it."""

    name: str
    running: asyncio.subprocess.Process
    log: Path

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.running.pid

    def check(self) -> None:
        """See that it is still there.

        Raises:
            NotMeasured: it has ended by itself.
        """
        if self.running.returncode is not None:
            lines = self.log.read_text(errors="replace").splitlines()[-_LAST_LINES:]
            said = "".join(f"\n  {line}" for line in lines)
            raise NotMeasured(
                f"{self.name} ended by itself, with {self.running.returncode}:{said or ' no words'}"
            )

    async def says(self, words: str, *, seconds: float = 30) -> None:
        """Wait until its log has these words.

        Raises:
            NotMeasured: it has ended, or not said so in time.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while words not in self.log.read_text(errors="replace"):
                    self.check()
                    await asyncio.sleep(_LOOK)
                return
        raise NotMeasured(f"{self.name} did not say {words!r} within {seconds:.0f} s")

    async def ends(self) -> str:
        """Wait until it has ended well; gives what it has written.

        Raises:
            NotMeasured: it ended with another exit code than 0.
        """
        if await self.running.wait() != 0:
            self.check()
        return self.log.read_text()

    def cpu_seconds(self) -> float:
        """Give the processor time that it and its children have used so far, user and system."""
        itself = psutil.Process(self.pid)
        times = [itself.cpu_times(), *(c.cpu_times() for c in itself.children(recursive=True))]
        own = times[0]
        ended = float(own.children_user + own.children_system)
        return ended + sum(float(one.user + one.system) for one in times)

    def peak_bytes(self) -> int | None:
        """Give the most resident memory it ever had, where the system counts that (Linux)."""
        status = Path(f"/proc/{self.pid}/status")
        if not status.exists():
            return None
        for line in status.read_text().splitlines():
            if line.startswith(_PEAK):
                return int(line.split()[1]) * 1024
        return None

    def resident_bytes(self) -> int:
        """Give its resident memory now."""
        return int(psutil.Process(self.pid).memory_info().rss)


@asynccontextmanager
async def started(name: str, *arguments: str, log: Path) -> AsyncIterator[Process]:
    """Run `python -m` with these arguments; at the end it is stopped, and does not outlive this."""
    with log.open("w") as sink:
        running = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *arguments,
            stdin=asyncio.subprocess.DEVNULL, stdout=sink, stderr=sink,
            cwd=ROOT, env=_environment(os.environ), start_new_session=True,
        )  # fmt: skip
    try:
        yield Process(name=name, running=running, log=log)
    finally:
        with contextlib.suppress(ProcessLookupError):
            if running.returncode is None:
                running.terminate()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(running.wait(), _STOP_SECONDS)
            if running.returncode is None:
                running.kill()
                await running.wait()


def _environment(outside: Mapping[str, str]) -> dict[str, str]:
    """Leave out what steers a bot, or sends it through a proxy."""
    kept = {
        name: value
        for name, value in outside.items()
        if not name.upper().startswith("BOT_") and not name.upper().endswith("_PROXY")
    }
    return kept | {"PYTHONUNBUFFERED": "1"}
