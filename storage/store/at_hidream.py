"""What a store must do while HiDream is at a task."""

from datetime import datetime
from typing import Protocol

from storage.tasks import Image, ImageState, Running


class AtHiDream(Protocol):
    """What runs at HiDream, and its images."""

    async def running(self) -> list[Running]:
        """Give the RUNNING tasks, and those over for us whose slot HiDream has not given back (until its hold runs out)."""
        ...

    async def note_completion(self, task_id: int, completion: float) -> None:
        """Note HiDream's own progress, 0 to 1."""
        ...

    async def image_made(self, task_id: int, n: int, url: str) -> None:
        """PENDING or MADE → MADE, with where HiDream has it."""
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

    async def release(self, hidream_task_id: str, now: datetime) -> None:
        """HiDream reported the end of this task of its: its slot is free."""
        ...

    async def images(self, task_id: int) -> list[Image]:
        """Give a task's images, in order."""
        ...
