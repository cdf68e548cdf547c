"""What a store must do to bring a task to its chat."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal, Protocol

from storage.tasks import SentImage, Step, Task, TaskState


class Delivery(Protocol):
    """Delivery, step by step, and the messages that tell how a task goes."""

    async def claim_delivery(
        self, *, owner: str, lease_until: datetime, now: datetime, busy_chats: Collection[int]
    ) -> Task | None:
        """READY → DELIVERING: the oldest (by ready_at, id) whose chat is not busy.

        Of a chat only its first READY row may be taken, so that the order is kept: where that one
        is not due yet, the chat waits.
        """
        ...

    async def next_delivery_due(self, *, busy_chats: Collection[int] = ()) -> datetime | None:
        """Say when the first READY task that was put off is due; None if none was put off.

        Only the first READY row of a chat counts, and none of the chats in `busy_chats`.
        """
        ...

    async def oldest_unsent(self, *, closed: Collection[int] = ()) -> datetime | None:
        """Say since when the oldest of the READY and DELIVERING tasks has been there to be told, but in these chats."""
        ...

    async def steps(self, task_id: int) -> dict[str, Step]:
        """Give the delivery's steps so far, by name."""
        ...

    async def step_started(self, task: Task, name: str, now: datetime) -> Step | None:
        """Note that a message is about to be sent. If an earlier try may have arrived, `repeats` is raised."""
        ...

    async def step_not_sent(self, task: Task, name: str) -> None:
        """Note that the message surely did not arrive."""
        ...

    async def step_sent(
        self,
        task: Task,
        name: str,
        message_ids: Sequence[int],
        images: Sequence[SentImage],
        now: datetime,
    ) -> bool:
        """Note that the message arrived, and under which ids Telegram keeps its images."""
        ...

    async def late_told(self, task: Task, n: int) -> None:
        """Note that a late image needs no more showing: it arrived, or cannot be shown."""
        ...

    async def deliver_later(self, task: Task, *, due_at: datetime) -> Task | None:
        """DELIVERING → READY, due later; `tries` is raised."""
        ...

    async def finish(
        self,
        task: Task,
        to: Literal[TaskState.DELIVERED, TaskState.FAILED, TaskState.GONE],
        now: datetime,
    ) -> Task | None:
        """DELIVERING → its final state; what was DELIVERED has no failure any more."""
        ...

    # --- progress messages

    async def unannounced(self, limit: int, *, busy_chats: Collection[int] = ()) -> list[Task]:
        """Give the tasks between QUEUED and RUNNING that have no progress message yet, oldest first.

        None of the chats in `busy_chats`, so that one with many does not hide the others.
        """
        ...

    async def announced(self, limit: int) -> list[Task]:
        """Give tasks with a progress message, between QUEUED and RUNNING: those at HiDream first, then the line's front."""
        ...

    async def note_progress_message(self, task_id: int, message_id: int) -> Task | None:
        """Note which message tells how the task goes; returns the row as it is now."""
        ...

    async def note_shown_place(self, task_id: int, place: int) -> None:
        """Note which place in line was last shown."""
        ...
