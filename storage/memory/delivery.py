"""Delivery, step by step, and the messages that tell how a task goes."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from storage.memory.messages import Messages
from storage.roles import shown_by
from storage.tasks import AT_HIDREAM, IN_LINE, ImageState, SentImage, Step, Task, TaskState


class Delivery(Messages):
    """The store's methods for bringing a task to its chat."""

    async def claim_delivery(
        self, *, owner: str, lease_until: datetime, now: datetime, busy_chats: Collection[int]
    ) -> Task | None:
        """READY → DELIVERING: the oldest (by ready_at, id) whose chat is not busy."""
        passed = set(busy_chats)
        for task in self._ready():
            if task.place.chat_id in passed:
                continue
            if task.due_at is None or task.due_at <= now:
                return self._put(
                    replace(
                        task,
                        state=TaskState.DELIVERING,
                        claimed_by=owner,
                        lease_until=lease_until,
                        claim_no=task.claim_no + 1,
                        due_at=None,
                    )
                )
            passed.add(task.place.chat_id)
        return None

    def _ready(self) -> list[Task]:
        return sorted(self._tasks(TaskState.READY), key=lambda one: (one.ready_at, one.id))

    async def next_delivery_due(self, *, busy_chats: Collection[int] = ()) -> datetime | None:
        """Say when the first READY task that was put off is due; None if none was put off."""
        heads: dict[int, Task] = {}
        for task in self._ready():
            heads.setdefault(task.place.chat_id, task)
        free = (one for chat_id, one in heads.items() if chat_id not in busy_chats)
        return min((one.due_at for one in free if one.due_at is not None), default=None)

    async def oldest_unsent(self, *, closed: Collection[int] = ()) -> datetime | None:
        """Say since when the oldest of the READY and DELIVERING tasks has been there to be told, but in these chats."""
        unsent = self._tasks(TaskState.READY, TaskState.DELIVERING)
        since = (one.ready_at for one in unsent if one.place.chat_id not in closed)
        return min(filter(None, since), default=None)

    async def steps(self, task_id: int) -> dict[str, Step]:
        """Give the delivery's steps so far, by name."""
        return dict(self._tables.steps.get(task_id, {}))

    def _steps_of(self, task: Task) -> dict[str, Step] | None:
        """Give the steps to be changed, if `task` is still being delivered by this claim."""
        if task.state is not TaskState.DELIVERING or not self._current(task):
            return None
        return self._tables.steps.setdefault(task.id, {})

    async def step_started(
        self,
        task: Task,
        name: str,
        now: datetime,  # noqa: ARG002 - nobody reads the times of steps back
    ) -> Step | None:
        """Note that a message is about to be sent. If an earlier try may have arrived, `repeats` is raised."""
        if (steps := self._steps_of(task)) is None:
            return None
        step = steps.get(name) or Step(name=name, state="not_sent")
        if step.state == "sending":
            step = replace(step, repeats=step.repeats + 1)
        elif step.state == "not_sent":
            step = replace(step, state="sending")
        steps[name] = step
        return step

    async def step_not_sent(self, task: Task, name: str) -> None:
        """Note that the message surely did not arrive."""
        step = (self._steps_of(task) or {}).get(name)
        if step is None or step.state != "sending":
            return
        # Earlier tries that may have arrived still may: only this one is taken back.
        self._tables.steps[task.id][name] = (
            replace(step, repeats=step.repeats - 1)
            if step.repeats
            else replace(step, state="not_sent")
        )

    async def step_sent(
        self,
        task: Task,
        name: str,
        message_ids: Sequence[int],
        images: Sequence[SentImage],
        now: datetime,
    ) -> bool:
        """Note that the message arrived, and under which ids Telegram keeps its images."""
        steps = self._steps_of(task) or {}
        if name not in steps:
            return False
        steps[name] = replace(steps[name], state="sent", message_ids=tuple(message_ids))
        sent = {image.n: image for image in images}
        self._tables.images[task.id] = [
            replace(image, file_id=sent[image.n].file_id, sent_as=sent[image.n].sent_as)
            if image.n in sent
            else image
            for image in self._tables.images.get(task.id, ())
        ]
        for message_id, role, n in shown_by(name, message_ids, images):
            await self.note_message(task.id, task.place.chat_id, message_id, role, now, n=n)
        return True

    async def late_told(self, task: Task, n: int) -> None:
        """Note that a late image needs no more showing: it arrived, or cannot be shown."""
        if self._steps_of(task) is not None:
            self._tables.images[task.id] = [
                replace(image, late="told") if (image.n, image.late) == (n, "due") else image
                for image in self._tables.images.get(task.id, ())
            ]

    async def deliver_later(self, task: Task, *, due_at: datetime) -> Task | None:
        """DELIVERING → READY, due later; `tries` is raised."""
        return self._move(
            "deliver_later",
            task,
            TaskState.READY,
            lambda row: {"due_at": due_at, "tries": row.tries + 1},
        )

    async def finish(
        self,
        task: Task,
        to: Literal[TaskState.DELIVERED, TaskState.FAILED, TaskState.GONE],
        now: datetime,
    ) -> Task | None:
        """DELIVERING → its final state; what was DELIVERED has no failure any more."""
        images = self._tables.images.get(task.id, [])
        stored = sum(image.state is ImageState.STORED for image in images)
        return self._move(
            "finish",
            task,
            to,
            lambda row: {
                "tries": 0,
                "finished_at": now,
                "failure": None if to is TaskState.DELIVERED else row.failure,
                "brought": stored if to is TaskState.DELIVERED else row.brought,
            },
        )

    # --- progress messages

    async def unannounced(self, limit: int, *, busy_chats: Collection[int] = ()) -> list[Task]:
        """Give the tasks between QUEUED and RUNNING that have no progress message yet, oldest first."""
        tasks = self._tasks(*IN_LINE, *AT_HIDREAM)
        return [
            one
            for one in tasks
            if one.progress_message_id is None
            and not one.withdrawn
            and one.place.chat_id not in busy_chats
        ][:limit]

    async def announced(self, limit: int) -> list[Task]:
        """Give tasks with a progress message, between QUEUED and RUNNING: those at HiDream first, then the line's front."""
        line = sorted(self._tasks(*IN_LINE), key=lambda one: (one.turn, one.id))
        tasks = (*self._tasks(*AT_HIDREAM), *line)
        return [one for one in tasks if one.progress_message_id is not None and not one.withdrawn][
            :limit
        ]

    async def note_progress_message(self, task_id: int, message_id: int) -> Task | None:
        """Note which message tells how the task goes; returns the row as it is now."""
        if (task := self._tables.tasks.get(task_id)) is None:
            return None
        chat_id, now = task.place.chat_id, self._clock.now()
        await self.note_message(task_id, chat_id, message_id, "progress", now)
        return self._put(replace(task, progress_message_id=None if task.pruned else message_id))

    async def note_shown_place(self, task_id: int, place: int) -> None:
        """Note which place in line was last shown; it never rises."""
        if (task := self._tables.tasks.get(task_id)) is not None:
            shown = place if task.shown_place is None else min(task.shown_place, place)
            self._put(replace(task, shown_place=shown))
