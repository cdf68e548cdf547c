"""What a store must do while HiDream is at a task."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from storage.tasks import Image, ImageState, Measured, Running, Task


class AtHiDream(Protocol):
    """What runs at HiDream, and its images."""

    async def running(self, *, late_since: datetime) -> list[Running]:
        """Give what HiDream has something to say of, by task id.

        The RUNNING tasks; those over for us whose slot HiDream has not given back, until its hold
        runs out; of those that a person was told of, also until it ran out before `late_since`; and
        those with a late image that is still to be shown.
        """
        ...

    async def note_completions(self, completions: Mapping[int, float]) -> None:
        """Note HiDream's own progress with running tasks, each 0 to 1."""
        ...

    async def image_made(self, task_id: int, n: int, url: str) -> None:
        """PENDING or MADE → MADE, with where HiDream has it; EXPIRED too, while its task is RUNNING. Not of a CANCELLED one."""
        ...

    async def image_stored(
        self, task_id: int, n: int, *, media_type: str, width: int, height: int, size: int
    ) -> None:
        """MADE → STORED: its bytes are on disk."""
        ...

    async def image_ended(
        self, task_id: int, n: int, state: ImageState, description: str | None = None
    ) -> None:
        """PENDING or MADE → a state without a picture."""
        ...

    async def image_late(self, task_id: int, n: int, url: str) -> None:
        """EXPIRED → MADE, and late: HiDream has made it after all. Only where the person was told, or is about to be."""
        ...

    async def reopen(self, task: Task, now: datetime) -> Task | None:
        """FAILED or DELIVERED → READY: a late image of it is stored, and to be shown.

        The button that made it is free: it may have made another one meanwhile.
        """
        ...

    async def release(self, hidream_task_id: str, now: datetime) -> None:
        """HiDream reported the end of this task of its: its slot is free."""
        ...

    async def note_duration(self, measured: Measured) -> None:
        """Keep how long a task took; of such measures the latest 2,000 are kept."""
        ...

    async def durations(self, limit: int) -> list[Measured]:
        """Give the latest measures, oldest first."""
        ...

    async def images(self, task_id: int) -> list[Image]:
        """Give a task's images, in order."""
        ...
