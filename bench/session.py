"""One run of the bench: how much is done in it, where, and what several rows have in common."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

from bench.processes import NotMeasured
from sandbox.sample import draw_sample

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Effort:
    """How much is done. The defaults are what the figures in the papers are measured with."""

    seconds: float = 10.0
    """What a task takes at HiDream, on average: 5 to 15 s."""
    jitter: float = 0.5
    slots_tasks: int = 60
    answer_tasks: int = 60
    cpu_tasks: int = 40
    intake_updates: int = 1000
    finished: int = 1_000_000
    queued: int = 100_000
    large_files: int = 20
    users: tuple[int, ...] = (10, 100, 1000)
    users_pictures: int = 120
    """How many pictures at least, however few users."""
    page_messages: int = 500

    @property
    def task(self) -> dict[str, Any]:
        """How long tasks take, as the local HiDream's settings."""
        return {"seconds": self.seconds, "jitter": self.jitter}


SHORT = Effort(
    seconds=0.6,
    slots_tasks=12,
    answer_tasks=12,
    cpu_tasks=4,
    intake_updates=50,
    finished=2_000,
    queued=1_000,
    large_files=2,
    users=(2, 4),
    users_pictures=4,
    page_messages=20,
)
"""To see that it works. Its figures mean nothing."""


@dataclass(kw_only=True, slots=True)
class Session:
    """A folder for this run, and what was measured in it once, for every row that asks."""

    folder: Path
    effort: Effort = field(default_factory=Effort)
    photo: bytes = field(default_factory=draw_sample, repr=False)
    """What people send where processor time is measured: as large as Telegram keeps photos."""
    small_photo: bytes = field(default_factory=lambda: draw_sample(640, 480), repr=False)
    """What people send where delays are: Telegram's own work on it is not to be in the way."""
    _runs: dict[str, asyncio.Future[Any]] = field(default_factory=dict)

    async def once(self, name: str, run: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do something that several rows need, the first time that one asks for it.

        Raises:
            NotMeasured: the row that asked first was broken off.
        """
        if name not in self._runs:
            self._runs[name] = asyncio.ensure_future(run())
        if self._runs[name].cancelled():
            raise NotMeasured("the run that it needs was broken off")
        return await cast("Awaitable[T]", self._runs[name])
