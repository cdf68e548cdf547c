"""What runs at HiDream, and its images."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from storage.memory.tables import Memory
from storage.moves import check_image_end, check_move
from storage.tasks import Image, ImageState, Measured, Running, Task, TaskState

_PENDING_OR_MADE = (ImageState.PENDING, ImageState.MADE)
_TOLD = (TaskState.READY, TaskState.DELIVERING, TaskState.DELIVERED, TaskState.FAILED)
_KEPT_DURATIONS = 2000


class AtHiDream(Memory):
    """The store's methods while HiDream is at a task."""

    async def running(self, *, late_since: datetime) -> list[Running]:
        """Give what HiDream has something to say of, by task id."""
        now = self._clock.now()
        found = []
        for submission in self._tables.submissions:
            task = self._tables.tasks[submission.task_id]
            task_id = submission.hidream_task_id
            if task_id is None:
                continue
            told = task.state in _TOLD
            if (
                task.state is TaskState.RUNNING
                or submission.held(now)
                or (told and submission.held(late_since))
                or (told and self._has_late(task.id))
            ):
                found.append(
                    Running(
                        task=task,
                        hidream_task_id=task_id,
                        images=tuple(self._tables.images.get(task.id, ())),
                        released=submission.released_at is not None,
                    )
                )
        return sorted(found, key=lambda one: one.task.id)

    def _has_late(self, task_id: int) -> bool:
        return any(image.late == "due" for image in self._tables.images.get(task_id, ()))

    async def note_completions(self, completions: Mapping[int, float]) -> None:
        """Note HiDream's own progress with running tasks, each 0 to 1."""
        changed = False
        for task_id, completion in completions.items():
            share = min(max(completion, 0.0), 1.0)
            task = self._tables.tasks.get(task_id)
            if task is not None and task.state is TaskState.RUNNING and task.completion != share:
                self._put(replace(task, completion=share))
                changed = True
        if changed:
            self._bells.changed("note_completions")

    def _change_image(
        self, task_id: int, n: int, states: Sequence[ImageState], **changes: Any
    ) -> None:
        images = self._tables.images.get(task_id, [])
        for at, image in enumerate(images):
            if image.n == n and image.state in states:
                images[at] = replace(image, **changes)

    async def image_made(self, task_id: int, n: int, url: str) -> None:
        """PENDING or MADE → MADE, with where HiDream has it; EXPIRED too, while its task is RUNNING. Not of a CANCELLED one."""
        task = self._tables.tasks.get(task_id)
        if task is None or task.state is TaskState.CANCELLED:
            return
        runs = task.state is TaskState.RUNNING
        states = (*_PENDING_OR_MADE, ImageState.EXPIRED) if runs else _PENDING_OR_MADE
        self._change_image(task_id, n, states, state=ImageState.MADE, url=url, description=None)

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
            task_id, n, _PENDING_OR_MADE, state=state, url=None, description=description, late=None
        )

    async def image_late(self, task_id: int, n: int, url: str) -> None:
        """EXPIRED → MADE, and late: HiDream has made it after all."""
        task = self._tables.tasks.get(task_id)
        if task is not None and task.state in _TOLD:
            self._change_image(
                task_id,
                n,
                (ImageState.EXPIRED,),
                state=ImageState.MADE,
                url=url,
                description=None,
                late="due",
            )

    async def reopen(self, task: Task, now: datetime) -> Task | None:
        """FAILED or DELIVERED → READY: a late image of it is stored, and to be shown."""
        check_move("reopen", task, TaskState.READY)
        images = self._tables.images.get(task.id, ())
        if not any(one.late == "due" and one.state is ImageState.STORED for one in images):
            return None
        moved = self._move(
            "reopen",
            task,
            TaskState.READY,
            lambda _: {
                "ready_at": now,
                "finished_at": None,
                "due_at": None,
                "tries": 0,
                "pressed": None,
            },
        )
        if moved is not None:
            self._tables.without_files.discard(task.id)
        return moved

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

    async def note_duration(self, measured: Measured) -> None:
        """Keep how long a task took; of such measures the latest 2,000 are kept."""
        self._tables.durations.append(measured)
        del self._tables.durations[:-_KEPT_DURATIONS]

    async def durations(self, limit: int) -> list[Measured]:
        """Give the latest measures, oldest first."""
        return self._tables.durations[-limit:]

    async def images(self, task_id: int) -> list[Image]:
        """Give a task's images, in order."""
        return list(self._tables.images.get(task_id, ()))
