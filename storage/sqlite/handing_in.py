"""Handing in: claims, slots, and what HiDream answered."""

import json
from collections.abc import Sequence
from datetime import datetime
from sqlite3 import Row
from typing import Final, Literal

from storage.moves import check_move
from storage.sqlite.rows import charge_of, moment, stamp, task_of
from storage.sqlite.turns import Turns
from storage.tasks import Charge, Failure, Task, TaskState

SLOTS_HELD: Final = (
    "SELECT count(*) AS n FROM submissions WHERE released_at IS NULL AND held_until > ?"
)


def _one(row: Row | None) -> Task | None:
    return None if row is None else task_of(row)


class HandingIn(Turns):
    """The store's methods from the line to HiDream's answer."""

    async def slots_held(self, now: datetime) -> int:
        """Count the submissions that hold a slot: not released, and not held for too long."""
        rows = await self._rows(SLOTS_HELD, (stamp(now),))
        return int(rows[0]["n"])

    async def next_hold_end(self) -> datetime | None:
        """Say when the first held slot runs out by itself."""
        row = await self._row(
            "SELECT held_until FROM submissions WHERE released_at IS NULL AND held_until > ?"
            " ORDER BY held_until LIMIT 1",
            (stamp(self._clock.now()),),
        )
        return None if row is None else moment(row["held_until"])

    async def charges(self, since: datetime) -> list[Charge]:
        """Give the submissions that were answered after `since`, or not at all yet."""
        rows = await self._rows(
            "SELECT * FROM submissions WHERE answered_at > ? OR answered_at IS NULL",
            (stamp(since),),
        )
        # Sorted here: for an ORDER BY, SQLite would rather read the whole table.
        return [charge_of(row) for row in sorted(rows, key=lambda row: int(row["id"]))]

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

        def work() -> Row | None:
            rows = self._run(
                "UPDATE tasks SET state = 'submitting', claimed_by = ?, lease_until = ?,"
                " claim_no = claim_no + 1, request_id = coalesce(request_id, ?), ratio_used = ?,"
                " submitted_at = ?, due_at = NULL"
                " WHERE id = ? AND state = 'queued' AND claim_no = ? AND ? > (SELECT count(*)"
                " FROM submissions WHERE released_at IS NULL AND held_until > ?) RETURNING *",
                (
                    owner,
                    stamp(lease_until),
                    request_id,
                    ratio_used,
                    stamp(now),
                    task.id,
                    task.claim_no,
                    parallel,
                    stamp(now),
                ),
            )
            if not rows:
                return None
            row = rows[0]
            self._run(
                "INSERT INTO submissions (task_id, request_id, images, sent_at, held_until,"
                " callback_hash) VALUES (?, ?, ?, ?, ?, ?)",
                (
                    row["id"],
                    row["request_id"],
                    row["count"],
                    stamp(now),
                    stamp(held_until),
                    callback_hash,
                ),
            )
            self._run(
                "UPDATE meta SET value = max(value, ?) WHERE key = 'current_turn'", (row["turn"],)
            )
            return row

        return _one(await self._write("claim", work))

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

        def work() -> Row | None:
            rows = self._run(
                "UPDATE tasks SET state = 'running', claimed_by = NULL, lease_until = NULL,"
                " due_at = NULL, tries = 0, trouble_since = NULL, refusals = 0,"
                " hidream_task_id = ?, accepted_at = ?, deadline_at = ?"
                " WHERE id = ? AND state = ? AND claim_no = ?"
                " AND NOT EXISTS (SELECT 1 FROM submissions WHERE hidream_task_id = ?)"
                " RETURNING *",
                (
                    hidream_task_id,
                    stamp(now),
                    stamp(deadline_at),
                    task.id,
                    task.state,
                    task.claim_no,
                    hidream_task_id,
                ),
            )
            if not rows:
                return None
            self._run(
                "UPDATE submissions SET outcome = 'accepted', hidream_task_id = ?,"
                " answered_at = coalesce(answered_at, ?), held_until = ?"
                " WHERE id = (SELECT max(id) FROM submissions WHERE task_id = ?)",
                (hidream_task_id, stamp(now), stamp(held_until), task.id),
            )
            self._run_many(
                "INSERT INTO images (task_id, n, sub_task_id) VALUES (?, ?, ?)",
                [(task.id, n, sub_task_id) for n, sub_task_id in enumerate(sub_task_ids)],
            )
            return self._over_if_withdrawn(rows[0], now)

        return _one(await self._write("accepted", work))

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
        check_move("hand_back", task, to)
        due = None if to is TaskState.QUEUED else stamp(due_at or now)
        spoke = vendor_code is not None or vendor_message is not None

        def work() -> Row | None:
            rows = self._run(
                "UPDATE tasks SET state = ?, claimed_by = NULL, lease_until = NULL, due_at = ?,"
                " tries = tries + ?, refusals = refusals + ?,"
                " trouble_since = CASE WHEN ? THEN coalesce(trouble_since, ?)"
                " ELSE trouble_since END,"
                " request_id = CASE WHEN uncertain > 0 THEN request_id END,"
                " vendor_code = CASE WHEN ? THEN ? ELSE vendor_code END,"
                " vendor_message = CASE WHEN ? THEN ? ELSE vendor_message END"
                " WHERE id = ? AND state = 'submitting' AND claim_no = ? RETURNING *",
                (
                    to,
                    due,
                    count == "try",
                    count == "refusal",
                    count == "try",
                    stamp(now),
                    spoke,
                    vendor_code,
                    spoke,
                    vendor_message,
                    task.id,
                    task.claim_no,
                ),
            )
            if not rows:
                return None
            self._release_newest(task.id, "refused" if spoke else "not_sent", now)
            return self._over_if_withdrawn(rows[0], now)

        return _one(await self._write("hand_back", work))

    def _release_newest(
        self, task_id: int, outcome: Literal["refused", "not_sent"], now: datetime
    ) -> None:
        self._run(
            "UPDATE submissions SET outcome = ?, answered_at = ?, released_at = ?"
            " WHERE id = (SELECT max(id) FROM submissions WHERE task_id = ?)",
            (outcome, stamp(now), stamp(now), task_id),
        )

    async def unanswered(self, task: Task, *, now: datetime, due_at: datetime) -> Task | None:
        """SUBMITTING → UNCERTAIN: the slot stays held; `uncertain` is raised. CANCELLED if it was withdrawn."""
        check_move("unanswered", task, TaskState.UNCERTAIN)

        def work() -> Row | None:
            rows = self._run(
                "UPDATE tasks SET state = 'uncertain', claimed_by = NULL, lease_until = NULL,"
                " due_at = ?, uncertain = uncertain + 1"
                " WHERE id = ? AND state = 'submitting' AND claim_no = ? RETURNING *",
                (stamp(due_at), task.id, task.claim_no),
            )
            if not rows:
                return None
            self._run(
                "UPDATE submissions SET outcome = 'uncertain', answered_at = ?"
                " WHERE id = (SELECT max(id) FROM submissions WHERE task_id = ?)",
                (stamp(now), task.id),
            )
            return self._over_if_withdrawn(rows[0], now)

        return _one(await self._write("unanswered", work))

    async def callback_hashes(self, since: datetime) -> list[str]:
        """Give the hashes of the callbacks of submissions that were answered after `since`, or not at all yet."""
        rows = await self._rows(
            "SELECT id, callback_hash FROM submissions WHERE answered_at > ? OR answered_at IS NULL",
            (stamp(since),),
        )
        by_id = sorted(rows, key=lambda row: int(row["id"]))
        return [row["callback_hash"] for row in by_id if row["callback_hash"] is not None]

    async def called_back(self, callback_hash: str, hidream_task_id: str | None) -> Task | None:
        """Note that HiDream has called; gives the task that it is about, or None if there is none."""
        now = stamp(self._clock.now())

        def work() -> Row | None:
            rows = self._run(
                "SELECT tasks.*, submissions.id AS submission FROM submissions"
                " JOIN tasks ON tasks.id = submissions.task_id WHERE callback_hash = ?",
                (callback_hash,),
            )
            if not rows:
                return None
            row = rows[0]
            if row["state"] not in {"submitting", "uncertain"} or hidream_task_id is None:
                return row
            news = self._run(
                "UPDATE submissions SET hinted_task_id = ?1 WHERE id = ?2"
                " AND hinted_task_id IS NOT ?1 RETURNING id",
                (hidream_task_id, row["submission"]),
            )
            if not news:
                return row
            due = self._run(
                "UPDATE tasks SET due_at = ? WHERE id = ? AND state = 'uncertain' RETURNING *",
                (now, row["id"]),
            )
            return due[0] if due else row

        return _one(await self._write("called_back", work))

    async def hints(self, task_id: int) -> list[str]:
        """Give HiDream's ids that callbacks named for a task's submissions, latest first."""
        rows = await self._rows(
            "SELECT hinted_task_id FROM submissions WHERE task_id = ?"
            " AND hinted_task_id IS NOT NULL ORDER BY id DESC",
            (task_id,),
        )
        return [row["hinted_task_id"] for row in rows]

    async def uncertain(self, now: datetime) -> list[Task]:
        """Give the UNCERTAIN tasks that are due to be asked about."""
        rows = await self._rows(
            "SELECT * FROM tasks WHERE state = 'uncertain' AND due_at <= ? ORDER BY due_at, id",
            (stamp(now),),
        )
        return [task_of(row) for row in rows]

    async def ask_again(self, task: Task, *, due_at: datetime) -> Task | None:
        """UNCERTAIN stays so: HiDream could not be asked; look again at `due_at`."""
        check_move("ask_again", task, TaskState.UNCERTAIN)
        rows = await self._change(
            "ask_again",
            "UPDATE tasks SET due_at = ?, tries = tries + 1"
            " WHERE id = ? AND state = 'uncertain' AND claim_no = ? RETURNING *",
            (stamp(due_at), task.id, task.claim_no),
        )
        return _one(rows[0] if rows else None)

    async def submit_again(self, task: Task) -> Task | None:
        """UNCERTAIN → QUEUED with its old turn and request id: HiDream does not know it."""
        check_move("submit_again", task, TaskState.QUEUED)
        rows = await self._change(
            "submit_again",
            "UPDATE tasks SET state = 'queued', due_at = NULL, tries = 0"
            " WHERE id = ? AND state = 'uncertain' AND claim_no = ? RETURNING *",
            (task.id, task.claim_no),
        )
        return _one(rows[0] if rows else None)

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
        check_move("ready", task, TaskState.READY)
        spoke = vendor_code is not None or vendor_message is not None

        def work() -> Row | None:
            rows = self._run(
                "UPDATE tasks SET state = 'ready', claimed_by = NULL, lease_until = NULL,"
                " due_at = NULL, tries = 0, trouble_since = NULL, ready_at = ?,"
                " failure_id = ?, failure_data = ?,"
                " vendor_code = CASE WHEN ? THEN ? ELSE vendor_code END,"
                " vendor_message = CASE WHEN ? THEN ? ELSE vendor_message END"
                " WHERE id = ? AND state = ? AND claim_no = ? RETURNING *",
                (
                    stamp(now),
                    None if failure is None else failure.id,
                    None if failure is None else json.dumps(dict(failure.data)),
                    spoke,
                    vendor_code,
                    spoke,
                    vendor_message,
                    task.id,
                    task.state,
                    task.claim_no,
                ),
            )
            if not rows:
                return None
            if task.state is TaskState.SUBMITTING:
                self._release_newest(task.id, "refused", now)
            if task.state is TaskState.QUEUED:
                self._close_up(rows[0]["user_id"])
            return self._over_if_withdrawn(rows[0], now)

        return _one(await self._write("ready", work))
