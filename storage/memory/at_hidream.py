"""What runs at HiDream, and its images."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from storage.memory.tables import Memory
from storage.moves import check_image_end
from storage.tasks import Image, ImageState, Running, TaskState

_PENDING_OR_MADE = (ImageState.PENDING, ImageState.MADE)


class AtHiDream(Memory):
    """The store's methods while HiDream is at a task."""

    async def running(self) -> list[Running]:
        """Give the RUNNING tasks, and those over for us whose slot HiDream has not given back (until its hold runs out)."""
        now = self._clock.now()
        found = []
        for submission in self._tables.submissions:
            task = self._tables.tasks[submission.task_id]
            task_id = submission.hidream_task_id
            if task_id is None:
                continue
            if task.state is TaskState.RUNNING or submission.held(now):
                found.append(
                    Running(
                        task=task,
                        hidream_task_id=task_id,
                        images=tuple(self._tables.images.get(task.id, ())),
                        released=submission.released_at is not None,
                    )
                )
        return sorted(found, key=lambda one: one.task.id)

    async def note_completion(self, task_id: int, completion: float) -> None:
        """Note HiDream's own progress, 0 to 1."""
        share = min(max(completion, 0.0), 1.0)
        task = self._tables.tasks.get(task_id)
        if task is not None and task.state is TaskState.RUNNING and task.completion != share:
            self._put(replace(task, completion=share))
            self._bells.changed("note_completion")

    def _change_image(
        self, task_id: int, n: int, states: Sequence[ImageState], **changes: Any
    ) -> None:
        images = self._tables.images.get(task_id, [])
        for at, image in enumerate(images):
            if image.n == n and image.state in states:
                images[at] = replace(image, **changes)

    async def image_made(self, task_id: int, n: int, url: str) -> None:
        """PENDING or MADE → MADE, with where HiDream has it."""
        self._change_image(task_id, n, _PENDING_OR_MADE, state=ImageState.MADE, url=url)

    async def image_stored(
        self, task_id: int, n: int, *, media_type: str, width: int, height: int, size: int
    ) -> None:
        """MADE → STORED: its bytes are on disk."""
        self._change_image(
            task_id,
            n,
            (ImageState.MADE,),
            state=ImageState.STORED,
            url=None,
            media_type=media_type,
            width=width,
            height=height,
            size=size,
        )

    async def image_ended(
        self, task_id: int, n: int, state: ImageState, description: str | None = None
    ) -> None:
        """PENDING or MADE → a state without a picture."""
        check_image_end(state)
        self._change_image(
            task_id, n, _PENDING_OR_MADE, state=state, url=None, description=description
        )

    async def release(self, hidream_task_id: str, now: datetime) -> None:
        """HiDream reported the end of this task of its: its slot is free."""
        for submission in self._tables.submissions:
            if submission.hidream_task_id != hidream_task_id:
                continue
            task = self._tables.tasks[submission.task_id]
            self._put(replace(task, ended_at=task.ended_at or now))
            if submission.released_at is None:
                submission.released_at = now
                self._bells.changed("release")

    async def images(self, task_id: int) -> list[Image]:
        """Give a task's images, in order."""
        return list(self._tables.images.get(task_id, ()))
