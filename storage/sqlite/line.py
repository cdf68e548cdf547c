"""The line: tasks come in, wait for their turn, and leave it."""

from datetime import datetime
from sqlite3 import Row
from typing import Final

from storage.moves import check_move
from storage.sqlite.rows import moment, stamp, task_of, written_photos
from storage.sqlite.turns import Turns
from storage.store import TooManyUnfinished
from storage.tasks import PLACE_LIMIT, NewTask, Origin, Task, TaskState

_IN_CHAT: Final = "chat_id = ? AND user_id = ?"


class Line(Turns):
    """The store's methods for tasks until they are handed in, and for looking them up."""

    async def add(self, new: NewTask, *, now: datetime, max_unfinished: int | None) -> Task:
        """Queue a task, with its turn. A repeated origin gives the task that it made.

        Raises:
            TooManyUnfinished: the person has `max_unfinished` unfinished tasks; nothing is stored.
        """

        def work() -> tuple[Row, bool]:
            known = self._run(
                "SELECT * FROM tasks WHERE bot_id = ? AND update_id = ? AND n = ?",
                (new.origin.bot_id, new.origin.update_id, new.origin.n),
            )
            if known:
                return known[0], False
            if max_unfinished is not None:
                self._check_room(new.user_id, max_unfinished)
            row = self._insert(new, self._turn_for(new.user_id), now)
            self._run("UPDATE drafts SET used = 1 WHERE id = ?", (new.draft_id,))
            return row, True

        row, _ = await self._write("add", work, changed=lambda result: result[1])
        return task_of(row)

    def _check_room(self, user_id: int, allowed: int) -> None:
        (row,) = self._run(
            "SELECT count(*) AS n FROM tasks WHERE user_id = ? AND finished_at IS NULL", (user_id,)
        )
        if row["n"] >= allowed:
            raise TooManyUnfinished(row["n"], allowed)

    def _insert(self, new: NewTask, turn: int, now: datetime) -> Row:
        (row,) = self._run(
            "INSERT INTO tasks (bot_id, update_id, n, user_id, chat_id, chat_type, message_id,"
            " thread_id, photos, prompt, negative, ratio, count, language, parent_id, turn,"
            " created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *",
            (
                new.origin.bot_id,
                new.origin.update_id,
                new.origin.n,
                new.user_id,
                new.place.chat_id,
                new.place.chat_type,
                new.place.message_id,
                new.place.thread_id,
                written_photos(new.photos),
                new.settings.prompt,
                new.settings.negative,
                new.settings.ratio,
                new.settings.count,
                new.language,
                new.parent_id,
                turn,
                stamp(now),
            ),
        )
        return row

    # --- looking up

    async def get(self, task_id: int) -> Task | None:
        """Give one task."""
        row = await self._row("SELECT * FROM tasks WHERE id = ?", (task_id,))
        return None if row is None else task_of(row)

    async def made_by(self, origin: Origin) -> Task | None:
        """Give the task that this origin has made: there is one if its update is a repeat."""
        row = await self._row(
            "SELECT * FROM tasks WHERE bot_id = ? AND update_id = ? AND n = ?",
            (origin.bot_id, origin.update_id, origin.n),
        )
        return None if row is None else task_of(row)

    async def tasks_of(self, user_id: int, *, limit: int, chat_id: int | None = None) -> list[Task]:
        """Give a person's tasks: the unfinished first (oldest first), then the latest finished."""
        # A statement for each: with "chat_id = ? OR ? IS NULL" no index would know the chat.
        whose, values = (
            ("user_id = ?", (user_id,)) if chat_id is None else (_IN_CHAT, (chat_id, user_id))
        )
        unfinished = await self._rows(
            f"SELECT * FROM tasks WHERE {whose} AND finished_at IS NULL ORDER BY id LIMIT ?",  # noqa: S608 - ours
            (*values, limit),
        )
        finished = await self._rows(
            f"SELECT * FROM tasks WHERE {whose} AND finished_at IS NOT NULL"  # noqa: S608 - ours
            " ORDER BY finished_at DESC, id DESC LIMIT ?",
            (*values, limit - len(unfinished)),
        )
        return [task_of(row) for row in (*unfinished, *finished)]

    async def unfinished_child(self, parent_id: int) -> Task | None:
        """Give an unfinished task that was made from this one."""
        row = await self._row(
            "SELECT * FROM tasks WHERE parent_id = ? AND finished_at IS NULL ORDER BY id LIMIT 1",
            (parent_id,),
        )
        return None if row is None else task_of(row)

    async def place_in_line(self, task: Task) -> int:
        """Count the queued tasks before this one, up to PLACE_LIMIT, and itself: 1 is next."""
        rows = await self._rows(
            "SELECT count(*) AS n FROM (SELECT 1 FROM tasks WHERE state = 'queued'"
            " AND (turn, id) < (?, ?) LIMIT ?)",
            (task.turn, task.id, PLACE_LIMIT),
        )
        return int(rows[0]["n"]) + 1

    async def next_queued(self, limit: int) -> list[Task]:
        """Give the next tasks in line: lowest (turn, id) first."""
        rows = await self._rows(
            "SELECT * FROM tasks WHERE state = 'queued' ORDER BY turn, id LIMIT ?", (limit,)
        )
        return [task_of(row) for row in rows]

    # --- waiting, and leaving

    async def requeue_due(self, now: datetime) -> datetime | None:
        """Put WAITING tasks that are due back into the line; returns when the next one is due."""
        next_due = "SELECT due_at FROM tasks WHERE state = 'waiting' ORDER BY due_at LIMIT 1"
        row = await self._row(next_due)
        if row is not None and row["due_at"] <= stamp(now):
            await self._change(
                "requeue_due",
                "UPDATE tasks SET state = 'queued', due_at = NULL"
                " WHERE state = 'waiting' AND due_at <= ? RETURNING id",
                (stamp(now),),
            )
            row = await self._row(next_due)
        return None if row is None else moment(row["due_at"])

    async def put_off(
        self, task: Task, *, due_at: datetime, reason: str | None = None
    ) -> Task | None:
        """QUEUED → WAITING: its photo could not be fetched for now."""
        check_move("put_off", task, TaskState.WAITING)
        rows = await self._change(
            "put_off",
            "UPDATE tasks SET state = 'waiting', due_at = ?, tries = tries + 1,"
            " trouble_since = coalesce(trouble_since, ?), vendor_message = coalesce(?, vendor_message)"
            " WHERE id = ? AND state = 'queued' AND claim_no = ? RETURNING *",
            (stamp(due_at), stamp(self._clock.now()), reason, task.id, task.claim_no),
        )
        return task_of(rows[0]) if rows else None

    async def cancel_queued(self, user_id: int | None, chat_id: int, now: datetime) -> int:
        """Cancel the QUEUED and WAITING tasks of a person (None: of everybody) in a chat.

        Closes the gap in the later turns of whoever they were.
        """

        def work() -> int:
            whose, values = (
                ("chat_id = ?", (chat_id,)) if user_id is None else (_IN_CHAT, (chat_id, user_id))
            )
            cancelled = self._run(
                "UPDATE tasks SET state = 'cancelled', due_at = NULL, finished_at = ?"  # noqa: S608 - ours
                f" WHERE {whose} AND finished_at IS NULL"
                " AND state IN ('queued', 'waiting') RETURNING user_id",
                (stamp(now), *values),
            )
            for person in {row["user_id"] for row in cancelled}:
                self._close_up(person)
            return len(cancelled)

        return await self._write("cancel_queued", work)
