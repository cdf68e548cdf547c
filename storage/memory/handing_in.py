"""Handing in: claims, slots, and what HiDream answered."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from storage.memory.tables import Memory, Submission
from storage.moves import check_move
from storage.tasks import Charge, Failure, Image, Task, TaskState


def _last_words(row: Task, code: int | None, message: str | None) -> dict[str, Any]:
    if code is None and message is None:
        return {"vendor_code": row.vendor_code, "vendor_message": row.vendor_message}
    return {"vendor_code": code, "vendor_message": message}


class HandingIn(Memory):
    """The store's methods from the line to HiDream's answer."""

    async def slots_held(self, now: datetime) -> int:
        """Count the submissions that hold a slot: not released, and not held for too long."""
        return len([one for one in self._tables.submissions if one.held(now)])

    async def next_hold_end(self) -> datetime | None:
        """Say when the first held slot runs out by itself."""
        now = self._clock.now()
        held = (one.held_until for one in self._tables.submissions if one.held(now))
        return min(held, default=None)

    async def charges(self, since: datetime) -> list[Charge]:
        """Give the submissions that were answered after `since`, or not at all yet."""
        return [
            Charge(images=one.images, sent_at=one.sent_at, answered_at=one.answered_at)
            for one in self._tables.submissions
            if one.answered_at is None or one.answered_at > since
        ]

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
        """QUEUED → SUBMITTING, with a submission that holds a slot, if fewer than `parallel` are held."""
        check_move("claim", task, TaskState.SUBMITTING)
        if not self._current(task) or await self.slots_held(now) >= parallel:
            return None
        row = self._tables.tasks[task.id]
        effective = row.request_id or request_id
        claimed = replace(
            row,
            state=TaskState.SUBMITTING,
            claimed_by=owner,
            lease_until=lease_until,
            claim_no=row.claim_no + 1,
            request_id=effective,
            ratio_used=ratio_used,
            submitted_at=now,
            due_at=None,
        )
        self._tables.submissions.append(
            Submission(
                task_id=row.id,
                request_id=effective,
                images=row.settings.count,
                sent_at=now,
                held_until=held_until,
                callback_hash=callback_hash,
            )
        )
        self._tables.current_turn = max(self._tables.current_turn, row.turn)
        self._bells.changed("claim")
        return self._put(claimed)

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
        """SUBMITTING or UNCERTAIN → RUNNING, with an image row a sub-task; CANCELLED if it was withdrawn.

        Also None where another task has this `hidream_task_id` already.
        """
        check_move("accepted", task, TaskState.RUNNING)
        if any(one.hidream_task_id == hidream_task_id for one in self._tables.submissions):
            return None
        moved = self._move(
            "accepted",
            task,
            TaskState.RUNNING,
            lambda _: {
                "due_at": None,
                "tries": 0,
                "trouble_since": None,
                "refusals": 0,
                "hidream_task_id": hidream_task_id,
                "accepted_at": now,
                "deadline_at": deadline_at,
            },
            now=now,
        )
        if moved is not None:
            newest = self._newest_submission(task)
            newest.outcome, newest.hidream_task_id = "accepted", hidream_task_id
            newest.answered_at, newest.held_until = newest.answered_at or now, held_until
            self._tables.images[task.id] = [
                Image(task_id=task.id, n=n, sub_task_id=sub_task_id)
                for n, sub_task_id in enumerate(sub_task_ids)
            ]
        return moved

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
        """SUBMITTING → QUEUED or WAITING: nothing was accepted, and the slot is free again. CANCELLED if it was withdrawn."""
        moved = self._move(
            "hand_back",
            task,
            to,
            lambda row: {
                "due_at": None if to is TaskState.QUEUED else due_at or now,
                "tries": row.tries + (count == "try"),
                "trouble_since": row.trouble_since or (now if count == "try" else None),
                "refusals": row.refusals + (count == "refusal"),
                "request_id": row.request_id if row.uncertain else None,
                **_last_words(row, vendor_code, vendor_message),
            },
            now=now,
        )
        if moved is not None:
            spoke = vendor_code is not None or vendor_message is not None
            self._release_newest(moved, "refused" if spoke else "not_sent", now)
        return moved

    def _release_newest(
        self, task: Task, outcome: Literal["refused", "not_sent"], now: datetime
    ) -> None:
        newest = self._newest_submission(task)
        newest.outcome, newest.answered_at, newest.released_at = outcome, now, now

    async def unanswered(self, task: Task, *, now: datetime, due_at: datetime) -> Task | None:
        """SUBMITTING → UNCERTAIN: the slot stays held; `uncertain` is raised. CANCELLED if it was withdrawn."""
        moved = self._move(
            "unanswered",
            task,
            TaskState.UNCERTAIN,
            lambda row: {"due_at": due_at, "uncertain": row.uncertain + 1},
            now=now,
        )
        if moved is not None:
            newest = self._newest_submission(task)
            newest.outcome, newest.answered_at = "uncertain", now
        return moved

    async def callback_hashes(self, since: datetime) -> list[str]:
        """Give the hashes of the callbacks of submissions that were answered after `since`, or not at all yet."""
        return [
            one.callback_hash
            for one in self._tables.submissions
            if (one.answered_at is None or one.answered_at > since)
            and one.callback_hash is not None
        ]

    async def called_back(self, callback_hash: str, hidream_task_id: str | None) -> Task | None:
        """Note that HiDream has called; gives the task that it is about, or None if there is none."""
        found = [one for one in self._tables.submissions if one.callback_hash == callback_hash]
        if not found:
            return None
        task = self._tables.tasks[found[0].task_id]
        unanswered = task.state in {TaskState.SUBMITTING, TaskState.UNCERTAIN}
        news = hidream_task_id != found[0].hinted_task_id
        if unanswered and news and hidream_task_id is not None:
            found[0].hinted_task_id = hidream_task_id
            if task.state is TaskState.UNCERTAIN:
                task = self._put(replace(task, due_at=self._clock.now()))
        self._bells.changed("called_back")
        return task

    async def hints(self, task_id: int) -> list[str]:
        """Give HiDream's ids that callbacks named for a task's submissions, latest first."""
        return [
            one.hinted_task_id
            for one in reversed(self._tables.submissions)
            if one.task_id == task_id and one.hinted_task_id is not None
        ]

    async def uncertain(self, now: datetime) -> list[Task]:
        """Give the UNCERTAIN tasks that are due to be asked about."""
        due = [
            (one.due_at, one.id)
            for one in self._tasks(TaskState.UNCERTAIN)
            if one.due_at is not None and one.due_at <= now
        ]
        return [self._tables.tasks[task_id] for _, task_id in sorted(due)]

    async def ask_again(self, task: Task, *, due_at: datetime) -> Task | None:
        """UNCERTAIN stays so: HiDream could not be asked; look again at `due_at`."""
        return self._move(
            "ask_again",
            task,
            TaskState.UNCERTAIN,
            lambda row: {"due_at": due_at, "tries": row.tries + 1},
        )

    async def submit_again(self, task: Task) -> Task | None:
        """UNCERTAIN → QUEUED with its old turn and request id: HiDream does not know it."""
        return self._move(
            "submit_again", task, TaskState.QUEUED, lambda _: {"due_at": None, "tries": 0}
        )

    async def ready(
        self,
        task: Task,
        *,
        now: datetime,
        failure: Failure | None = None,
        vendor_code: int | None = None,
        vendor_message: str | None = None,
    ) -> Task | None:
        """→ READY (from QUEUED, SUBMITTING, UNCERTAIN or RUNNING), with pictures or a failure to tell."""
        moved = self._move(
            "ready",
            task,
            TaskState.READY,
            lambda row: {
                "due_at": None,
                "tries": 0,
                "trouble_since": None,
                "ready_at": now,
                "failure": failure,
                **_last_words(row, vendor_code, vendor_message),
            },
            now=now,
        )
        if moved is not None and task.state is TaskState.SUBMITTING:
            self._release_newest(moved, "refused", now)
        if moved is not None and task.state is TaskState.QUEUED:
            self._close_up(moved.user_id)
        return moved
