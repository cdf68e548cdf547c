"""Puts HiDream's answers about running tasks into rows: images made or over, tasks ready, late ones.

Only HiDream's own answers move a row: a task expires on an answer, received after its deadline, that
still says unfinished. Outages of ours or of the service do not count.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

import structlog

from bot import metrics
from bot.hidream.wire import SubTask, SubTaskStatus, TaskResult
from bot.labels import Step
from bot.subtasks import match
from storage.store import TaskStore
from storage.tasks import Failure, Image, ImageState, Running, TaskState, Topic

log = structlog.get_logger(__name__)

OPEN: Final = frozenset({ImageState.PENDING, ImageState.MADE})
"""An image of which something is still to come."""

_ENDS: Final[Mapping[SubTaskStatus, ImageState]] = {
    SubTaskStatus.FAILED: ImageState.FAILED,
    SubTaskStatus.REFUSED: ImageState.REFUSED,
    SubTaskStatus.EMPTY: ImageState.EMPTY,
}

# Why there is no picture at all: the first of these that any image ended in. What the person can
# change comes first.
_REASONS: Final[Sequence[tuple[ImageState, str]]] = (
    (ImageState.REFUSED, "review-refused"),
    (ImageState.EMPTY, "nothing-made"),
    (ImageState.EXPIRED, "took-too-long"),
    (ImageState.UNFETCHED, "result-unfetched"),
    (ImageState.FAILED, "hidream-failed"),
)
_TOLD: Final = frozenset({TaskState.FAILED, TaskState.DELIVERED})


class Results:
    """What becomes of rows when HiDream has answered."""

    def __init__(self, store: TaskStore) -> None:
        self._store = store

    async def apply(self, one: Running, result: TaskResult, now: datetime) -> list[Image]:
        """Put one task's answer into its rows; returns the images that are to be fetched now.

        Of a task that was stopped only the end counts: it frees the slot.
        """
        if one.task.state is TaskState.CANCELLED:
            if result.final and len(result.sub_tasks) >= len(one.images) and not one.released:
                await self._store.release(one.hidream_task_id, now)
            return []
        pairs = match(one.images, result.sub_tasks)
        made = [
            fetched
            for image, sub_task in pairs
            if (fetched := await self._image(image, sub_task)) is not None
        ]
        if result.final and len(result.sub_tasks) >= len(one.images):
            paired = {image.n for image, _ in pairs}
            for image in one.images:
                if image.state is ImageState.PENDING and image.n not in paired:
                    # it is all over, and nothing was said of this one
                    await self._store.image_ended(
                        image.task_id, image.n, ImageState.FAILED, "not in the result"
                    )
            if not one.released:
                await self._store.release(one.hidream_task_id, now)
        else:
            await self.expire(one, now)
        return made

    async def _image(self, image: Image, sub_task: SubTask) -> Image | None:
        """Put what is said of one image into its row; returns it where it is to be fetched."""
        done = sub_task.status is SubTaskStatus.DONE and sub_task.image is not None
        if image.state is ImageState.EXPIRED and done:
            log.info("late_image", n=image.n)
            # Taken back while its task runs, late once the person was told: the row says which.
            await self._store.image_made(image.task_id, image.n, sub_task.image or "")
            await self._store.image_late(image.task_id, image.n, sub_task.image or "")
            self._store.wake(Topic.RUNNING)  # it is fetched at the next look, which is now
            return None
        if image.state not in OPEN:
            return None
        if done:
            if image.url != sub_task.image:
                await self._store.image_made(image.task_id, image.n, sub_task.image or "")
            return replace(image, state=ImageState.MADE, url=sub_task.image)
        if sub_task.status in _ENDS:
            await self._store.image_ended(
                image.task_id, image.n, _ENDS[sub_task.status], sub_task.description
            )
        return None

    async def expire(self, one: Running, now: datetime) -> None:
        """HiDream has just said that it is not done. After the deadline, that is an end for us."""
        task = one.task
        if (
            task.state is not TaskState.RUNNING
            or task.deadline_at is None
            or now < task.deadline_at
        ):
            return
        for image in await self._store.images(task.id):
            if image.state is ImageState.PENDING:
                await self._store.image_ended(task.id, image.n, ImageState.EXPIRED)
        await self.settle(task.id, now)

    async def settle(self, task_id: int, now: datetime) -> None:
        """Make the task READY once nothing more of it is to come, or again for a late picture."""
        with structlog.contextvars.bound_contextvars(task=task_id):
            await self._settle(task_id, now)

    async def _settle(self, task_id: int, now: datetime) -> None:
        task = await self._store.get(task_id)
        if task is None:
            return
        if task.state in _TOLD:
            if await self._store.reopen(task, now) is not None:
                log.info("late_picture")
            return
        images = await self._store.images(task_id)
        if task.state is not TaskState.RUNNING or any(image.state in OPEN for image in images):
            return
        descriptions = [image.description for image in images if image.description]
        ready = await self._store.ready(
            task,
            now=now,
            failure=failure_of(images),
            vendor_message="; ".join(descriptions) or None,
        )
        if ready is not None:
            metrics.took(Step.FETCHING, ready.ended_at, ready.ready_at)
            log.info("made", images=[image.state.value for image in images])


def failure_of(images: Sequence[Image]) -> Failure | None:
    """Say why there is no picture at all; None if there is one."""
    states = {image.state for image in images}
    if ImageState.STORED in states:
        return None
    return next(
        (Failure(id=reason) for state, reason in _REASONS if state in states),
        Failure(id="hidream-failed"),
    )
