"""What a store must do from the line to HiDream's answer."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

from storage.tasks import Charge, Failure, Task, TaskState


class HandingIn(Protocol):
    """Claims, slots, and what HiDream answered."""

    async def slots_held(self, now: datetime) -> int:
        """Count the submissions that hold a slot: not released, and not held for too long."""
        ...

    async def next_hold_end(self) -> datetime | None:
        """Say when the first held slot runs out by itself."""
        ...

    async def charges(self, since: datetime) -> list[Charge]:
        """Give the submissions that were answered after `since`, or not at all yet."""
        ...

    async def claim(
        self,
        task: Task,
        *,
        owner: str,
        lease_until: datetime,
        request_id: str,
        ratio_used: str,
        parallel: int,
        now: datetime,
        held_until: datetime,
        callback_hash: str | None = None,
    ) -> Task | None:
        """QUEUED → SUBMITTING, with a submission that holds a slot, if fewer than `parallel` are held.

        A task that already has a `request_id` (an uncertain one) keeps it. `callback_hash` is how
        `called_back` finds the submission. Raises `current`.
        """
        ...

    async def accepted(
        self,
        task: Task,
        *,
        hidream_task_id: str,
        sub_task_ids: Sequence[str],
        now: datetime,
        deadline_at: datetime,
        held_until: datetime,
    ) -> Task | None:
        """SUBMITTING or UNCERTAIN → RUNNING, with an image row a sub-task.

        `tries`, `trouble_since` and `refusals` are set back. Also None where another task has this `hidream_task_id` already.
        """
        ...

    async def hand_back(
        self,
        task: Task,
        *,
        to: Literal[TaskState.QUEUED, TaskState.WAITING],
        now: datetime,
        due_at: datetime | None = None,
        count: Literal["try", "refusal"] | None = "try",
        vendor_code: int | None = None,
        vendor_message: str | None = None,
    ) -> Task | None:
        """SUBMITTING → QUEUED or WAITING: nothing was accepted, and the slot is free again.

        `count`: a failed "try" raises `tries` and begins `trouble_since`, an unexplained "refusal"
        raises `refusals`, None is not this task's doing. The request id is forgotten unless an
        earlier submission of it is uncertain.
        """
        ...

    async def unanswered(self, task: Task, *, now: datetime, due_at: datetime) -> Task | None:
        """SUBMITTING → UNCERTAIN: the slot stays held; `uncertain` is raised."""
        ...

    async def callback_hashes(self, since: datetime) -> list[str]:
        """Give the hashes of the callbacks of submissions that were answered after `since`, or not at all yet."""
        ...

    async def called_back(self, callback_hash: str, hidream_task_id: str | None) -> Task | None:
        """Note that HiDream has called; gives the task that it is about, or None if there is none.

        While the task is SUBMITTING or UNCERTAIN, the id is kept as a hint, and an UNCERTAIN one is
        due at once, unless the same was said before. Nothing else changes.
        """
        ...

    async def hints(self, task_id: int) -> list[str]:
        """Give HiDream's ids that callbacks named for a task's submissions, latest first."""
        ...

    async def uncertain(self, now: datetime) -> list[Task]:
        """Give the UNCERTAIN tasks that are due to be asked about."""
        ...

    async def ask_again(self, task: Task, *, due_at: datetime) -> Task | None:
        """UNCERTAIN stays so: HiDream could not be asked; look again at `due_at`. `tries` is raised, and nobody is woken: whoever asks knows."""
        ...

    async def submit_again(self, task: Task) -> Task | None:
        """UNCERTAIN → QUEUED with its old turn and request id: HiDream does not know it; `tries` is set back."""
        ...

    async def ready(
        self,
        task: Task,
        *,
        now: datetime,
        failure: Failure | None = None,
        vendor_code: int | None = None,
        vendor_message: str | None = None,
    ) -> Task | None:
        """→ READY (from QUEUED, SUBMITTING, UNCERTAIN or RUNNING), with pictures or a failure to tell.

        From QUEUED it leaves the line, and the gap in the person's later turns is closed. From
        SUBMITTING the submission was refused, so its slot is released (and a task that was withdrawn
        is CANCELLED: there is nothing to tell); from UNCERTAIN and RUNNING the slot stays held until HiDream's end or its time is up. `tries` and
        `trouble_since` are set back.
        """
        ...
