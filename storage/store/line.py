"""What a store must do with tasks until they are handed in."""

from datetime import datetime
from typing import Protocol

from storage.tasks import NewTask, Origin, Task


class Line(Protocol):
    """The line: tasks come in, wait for their turn, and leave it."""

    async def add(self, new: NewTask, *, now: datetime, max_unfinished: int | None) -> Task:
        """Queue a task, with its turn. A repeated origin gives the task that it made.

        turn = max(current + 1, the last turn of this person's queued-or-started tasks + 1), where
        `current` is the highest turn ever claimed.

        Raises:
            TooManyUnfinished: the person has `max_unfinished` unfinished tasks; nothing is stored.
        """
        ...

    async def get(self, task_id: int) -> Task | None:
        """Give one task."""
        ...

    async def made_by(self, origin: Origin) -> Task | None:
        """Give the task that this origin has made: there is one if its update is a repeat."""
        ...

    async def tasks_of(self, user_id: int, *, limit: int, chat_id: int | None = None) -> list[Task]:
        """Give a person's tasks: the unfinished first (oldest first), then the latest finished."""
        ...

    async def unfinished_child(self, parent_id: int) -> Task | None:
        """Give an unfinished task that was made from this one."""
        ...

    async def place_in_line(self, task: Task) -> int:
        """Count the queued tasks before this one, up to PLACE_LIMIT, and itself: 1 is next."""
        ...

    async def next_queued(self, limit: int) -> list[Task]:
        """Give the next tasks in line: lowest (turn, id) first."""
        ...

    async def requeue_due(self, now: datetime) -> datetime | None:
        """Put WAITING tasks that are due back into the line; returns when the next one is due."""
        ...

    async def put_off(
        self, task: Task, *, due_at: datetime, reason: str | None = None
    ) -> Task | None:
        """QUEUED → WAITING: its photo could not be fetched for now.

        `tries` is raised and `trouble_since` begun; `reason` is kept as vendor_message.
        """
        ...

    async def cancel_queued(self, user_id: int | None, chat_id: int, now: datetime) -> int:
        """Cancel the QUEUED and WAITING tasks of a person (None: of everybody) in a chat.

        Closes the gap in the later turns of whoever they were.
        """
        ...
