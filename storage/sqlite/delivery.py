"""Delivery, step by step, and the messages that tell how a task goes."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from sqlite3 import Row
from typing import Literal

from storage.moves import check_move
from storage.roles import shown_by
from storage.sqlite.messages import Messages
from storage.sqlite.rows import moment, stamp, step_of, task_of
from storage.tasks import SentImage, Step, Task, TaskState


class Delivery(Messages):
    """The store's methods for bringing a task to its chat."""

    async def claim_delivery(
        self, *, owner: str, lease_until: datetime, now: datetime, busy_chats: Collection[int]
    ) -> Task | None:
        """READY → DELIVERING: the oldest (by ready_at, id) whose chat is not busy."""
        rows = await self._change(
            None,
            "UPDATE tasks SET state = 'delivering', claimed_by = ?, lease_until = ?,"
            " claim_no = claim_no + 1, due_at = NULL WHERE id = (SELECT id FROM tasks AS head"
            " WHERE state = 'ready' AND (due_at IS NULL OR due_at <= ?)"
            " AND chat_id NOT IN (SELECT value FROM json_each(?))"
            " AND NOT EXISTS (SELECT 1 FROM tasks AS earlier WHERE earlier.state = 'ready'"
            " AND earlier.chat_id = head.chat_id"
            " AND (earlier.ready_at, earlier.id) < (head.ready_at, head.id))"
            " ORDER BY ready_at, id LIMIT 1) RETURNING *",
            (owner, stamp(lease_until), stamp(now), json.dumps(list(busy_chats))),
        )
        return task_of(rows[0]) if rows else None

    async def next_delivery_due(self, *, busy_chats: Collection[int] = ()) -> datetime | None:
        """Say when the first READY task that was put off is due; None if none was put off."""
        # Named, since SQLite would rather read and sort all of the index that holds more columns.
        row = await self._row(
            "SELECT due_at FROM tasks AS head INDEXED BY tasks_ready_due"
            " WHERE state = 'ready' AND due_at IS NOT NULL"
            " AND chat_id NOT IN (SELECT value FROM json_each(?))"
            " AND NOT EXISTS (SELECT 1 FROM tasks AS earlier WHERE earlier.state = 'ready'"
            " AND earlier.chat_id = head.chat_id"
            " AND (earlier.ready_at, earlier.id) < (head.ready_at, head.id))"
            " ORDER BY due_at LIMIT 1",
            (json.dumps(list(busy_chats)),),
        )
        return None if row is None else moment(row["due_at"])

    async def oldest_unsent(self, *, closed: Collection[int] = ()) -> datetime | None:
        """Say since when the oldest of the READY and DELIVERING tasks has been there to be told, but in these chats."""
        (row,) = await self._rows(
            "SELECT min(ready_at) AS at FROM (SELECT ready_at FROM ("
            "SELECT ready_at FROM tasks WHERE state = 'ready'"
            " AND chat_id NOT IN (SELECT value FROM json_each(?1)) ORDER BY ready_at LIMIT 1)"
            " UNION ALL SELECT ready_at FROM tasks"
            " WHERE state = 'delivering' AND claimed_by IS NOT NULL"
            " AND chat_id NOT IN (SELECT value FROM json_each(?1)))",
            (json.dumps(list(closed)),),
        )
        at: int | None = row["at"]
        return moment(at)

    async def steps(self, task_id: int) -> dict[str, Step]:
        """Give the delivery's steps so far, by name."""
        rows = await self._rows("SELECT * FROM steps WHERE task_id = ?", (task_id,))
        return {row["name"]: step_of(row) for row in rows}

    async def step_started(self, task: Task, name: str, now: datetime) -> Step | None:
        """Note that a message is about to be sent. If an earlier try may have arrived, `repeats` is raised."""
        rows = await self._change(
            None,
            "INSERT INTO steps (task_id, name, state, started_at)"
            " SELECT id, ?, 'sending', ? FROM tasks"
            " WHERE id = ? AND state = 'delivering' AND claim_no = ?"
            " ON CONFLICT (task_id, name) DO UPDATE SET repeats = repeats + (state = 'sending'),"
            " state = CASE state WHEN 'sent' THEN 'sent' ELSE 'sending' END,"
            " started_at = excluded.started_at RETURNING *",
            (name, stamp(now), task.id, task.claim_no),
        )
        return step_of(rows[0]) if rows else None

    async def step_not_sent(self, task: Task, name: str) -> None:
        """Note that the message surely did not arrive."""
        # Earlier tries that may have arrived still may: only this one is taken back.
        await self._change(
            None,
            "UPDATE steps SET state = CASE repeats WHEN 0 THEN 'not_sent' ELSE 'sending' END,"
            " repeats = max(repeats - 1, 0) WHERE task_id = ? AND name = ? AND state = 'sending'"
            " AND EXISTS (SELECT 1 FROM tasks"
            " WHERE id = steps.task_id AND state = 'delivering' AND claim_no = ?)",
            (task.id, name, task.claim_no),
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

        def work() -> bool:
            rows = self._run(
                "UPDATE steps SET state = 'sent', message_ids = ?, sent_at = ?"
                " WHERE task_id = ? AND name = ? AND EXISTS (SELECT 1 FROM tasks"
                " WHERE id = steps.task_id AND state = 'delivering' AND claim_no = ?)"
                " RETURNING name",
                (json.dumps(list(message_ids)), stamp(now), task.id, name, task.claim_no),
            )
            if rows:
                self._run_many(
                    "UPDATE images SET file_id = ?, sent_as = ? WHERE task_id = ? AND n = ?",
                    [(image.file_id, image.sent_as, task.id, image.n) for image in images],
                )
                messages = shown_by(name, message_ids, images)
                self._note(task.id, task.place.chat_id, messages, stamp(now))
            return bool(rows)

        return await self._write(None, work)

    async def late_told(self, task: Task, n: int) -> None:
        """Note that a late image needs no more showing: it arrived, or cannot be shown."""
        await self._change(
            None,
            "UPDATE images SET late = 'told' WHERE task_id = ? AND n = ? AND late = 'due'"
            " AND EXISTS (SELECT 1 FROM tasks"
            " WHERE id = images.task_id AND state = 'delivering' AND claim_no = ?)",
            (task.id, n, task.claim_no),
        )

    async def deliver_later(self, task: Task, *, due_at: datetime) -> Task | None:
        """DELIVERING → READY, due later; `tries` is raised."""
        check_move("deliver_later", task, TaskState.READY)
        rows = await self._change(
            "deliver_later",
            "UPDATE tasks SET state = 'ready', claimed_by = NULL, lease_until = NULL, due_at = ?,"
            " tries = tries + 1"
            " WHERE id = ? AND state = 'delivering' AND claim_no = ? RETURNING *",
            (stamp(due_at), task.id, task.claim_no),
        )
        return task_of(rows[0]) if rows else None

    async def finish(
        self,
        task: Task,
        to: Literal[TaskState.DELIVERED, TaskState.FAILED, TaskState.GONE],
        now: datetime,
    ) -> Task | None:
        """DELIVERING → its final state; what was DELIVERED has no failure any more."""
        check_move("finish", task, to)
        rows = await self._change(
            "finish",
            "UPDATE tasks SET state = ?1, claimed_by = NULL, lease_until = NULL, tries = 0,"
            " finished_at = ?2,"
            " failure_id = CASE WHEN ?1 = 'delivered' THEN NULL ELSE failure_id END,"
            " failure_data = CASE WHEN ?1 = 'delivered' THEN NULL ELSE failure_data END,"
            " brought = CASE WHEN ?1 = 'delivered' THEN (SELECT count(*) FROM images"
            " WHERE task_id = ?3 AND images.state = 'stored') ELSE brought END"
            " WHERE id = ?3 AND state = 'delivering' AND claim_no = ?4 RETURNING *",
            (to, stamp(now), task.id, task.claim_no),
        )
        return task_of(rows[0]) if rows else None

    # --- progress messages

    async def unannounced(self, limit: int, *, busy_chats: Collection[int] = ()) -> list[Task]:
        """Give the tasks between QUEUED and RUNNING that have no progress message yet, oldest first."""
        rows = await self._rows(
            "SELECT * FROM tasks WHERE progress_message_id IS NULL"
            " AND state IN ('queued', 'waiting', 'submitting', 'uncertain', 'running')"
            " AND withdrawn = 0 AND chat_id NOT IN (SELECT value FROM json_each(?)) ORDER BY id LIMIT ?",
            (json.dumps(list(busy_chats)), limit),
        )
        return [task_of(row) for row in rows]

    async def announced(self, limit: int) -> list[Task]:
        """Give tasks with a progress message, between QUEUED and RUNNING: those at HiDream first, then the line's front."""

        def work() -> list[Row]:
            at_hidream = self._ask(
                "SELECT * FROM tasks WHERE progress_message_id IS NOT NULL"
                " AND state IN ('submitting', 'uncertain', 'running') AND withdrawn = 0 ORDER BY id LIMIT ?",
                (limit,),
            )
            in_line = self._ask(
                "SELECT * FROM tasks WHERE progress_message_id IS NOT NULL"
                " AND state IN ('queued', 'waiting') ORDER BY turn, id LIMIT ?",
                (limit - len(at_hidream),),
            )
            return [*at_hidream, *in_line]

        return [task_of(row) for row in await self._read(work)]

    async def note_progress_message(self, task_id: int, message_id: int) -> Task | None:
        """Note which message tells how the task goes; returns the row as it is now."""
        now = stamp(self._clock.now())

        def work() -> list[Row]:
            rows = self._run(
                "UPDATE tasks SET progress_message_id = CASE pruned WHEN 0 THEN ? END"
                " WHERE id = ? RETURNING *",
                (message_id, task_id),
            )
            for row in rows:
                self._note(task_id, row["chat_id"], ((message_id, "progress", None),), now)
            return rows

        rows = await self._write(None, work)
        return task_of(rows[0]) if rows else None

    async def note_shown_place(self, task_id: int, place: int) -> None:
        """Note which place in line was last shown; it never rises."""
        await self._change(
            None,
            "UPDATE tasks SET shown_place = min(coalesce(shown_place, ?), ?) WHERE id = ?",
            (place, place, task_id),
        )
