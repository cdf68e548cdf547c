"""What a store must do for itself."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Literal, Protocol

from storage.tasks import Overview, TaskState


class Housekeeping(Protocol):
    """Recovery, forgetting, counting."""

    async def move_chat(self, old: int, new: int) -> None:
        """A group became a supergroup: everything of it belongs to its new id."""
        ...

    async def rebase(self, now: datetime, *, grace: timedelta) -> timedelta:
        """Make open rows' times good after the program was off, and the clock perhaps set meanwhile.

        Set back: the latest stamp, where it is in the future, is read as now; due times, deadlines
        and holds go back as far. Returns by how much. Set on, or off for long: what is RUNNING
        expires, and gives back its slot by itself, no earlier than `grace` from now: by then HiDream
        has been asked.
        """
        ...

    async def recover(
        self,
        *,
        owner: str,
        now: datetime,
        sole: bool,
        state: Literal[TaskState.SUBMITTING, TaskState.DELIVERING] | None = None,
    ) -> int:
        """Take back what was left behind: SUBMITTING → UNCERTAIN, DELIVERING → READY.

        `sole`: no owner but this one can be alive, so all of the others' is taken; otherwise what
        has an expired lease, whoever the owner is. `state`: only the rows in it. Unless that is
        DELIVERING, submissions that nobody is making any more count as answered now. Returns how
        many rows were taken back.
        """
        ...

    async def prune(
        self, *, now: datetime, inbox_before: datetime, finished_before: datetime | None, limit: int
    ) -> int:
        """Forget what is over: handled updates, and the words, photos and ids of finished tasks. Returns how many rows it touched, at most `limit`."""
        ...

    async def with_files_before(self, before: datetime, limit: int) -> list[int]:
        """Give the ids of tasks that are emptied, or were finished before then, and whose files are not noted as removed.

        The emptied first: nobody can ask for their files any more.
        """
        ...

    async def files_removed(self, task_id: int) -> None:
        """Note that a task's files are off the disk."""
        ...

    async def notices(self) -> Mapping[str, datetime]:
        """Give what the admins were told and when, by name."""
        ...

    async def note_notice(self, name: str, now: datetime) -> None:
        """Note that the admins were told this."""
        ...

    async def forget_notice(self, name: str) -> None:
        """Note that it is over: the next time it is news again."""
        ...

    async def probe(self, now: datetime) -> None:
        """Write something that means nothing, as every write is made: to see whether it can be done.

        Raises:
            StoreError: it cannot.
        """
        ...

    async def counts(self) -> Mapping[str, int]:
        """Count tasks by state; also `unanswered` (submissions without an answer) and `repeated` (messages that may have been shown twice)."""
        ...

    async def overview(self, now: datetime, *, closed: Collection[int] = ()) -> Overview:
        """Say how it stands with all that is kept; a result for one of these chats is not waited for.

        Cheap, however much that is: it is asked every few seconds.
        """
        ...
