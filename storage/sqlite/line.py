"""The line: tasks come in, wait for their turn, and leave it."""

from collections.abc import Sequence
from datetime import datetime
from sqlite3 import Row
from typing import Final

from storage.moves import MOVES, check_move
from storage.sqlite.room import Room
from storage.sqlite.rows import moment, stamp, task_of, written_photos
from storage.store import StillMaking
from storage.tasks import (
    IN_LINE,
    PLACE_LIMIT,
    NewTask,
    Origin,
    Photo,
    Settings,
    Task,
    TaskState,
)

DROP_IMAGES: Final = (
    "UPDATE images SET state = 'unfetched', url = NULL WHERE task_id = ? AND state = 'made'"
)
"""What HiDream has made of a cancelled task and is not here yet is not fetched any more."""
_IN_CHAT: Final = "chat_id = ? AND user_id = ?"


class Line(Room):
    """The store's methods for tasks until they are handed in, and for looking them up."""

    async def add(self, new: NewTask, *, now: datetime, max_unfinished: int | None) -> Task:
        """Queue a task, with its turn. A repeated origin gives the task that it made.

        Raises:
            TooManyUnfinished: the person has `max_unfinished` unfinished tasks; nothing is stored.
            StillMaking: what this button (`pressed`) made before is unfinished; nothing is stored.
        """
        rows, _ = await self._write(
            "add", lambda: self._added((new,), now, max_unfinished), changed=lambda done: done[1]
        )
        return task_of(rows[0])

    async def add_all(
        self, news: Sequence[NewTask], *, now: datetime, max_unfinished: int | None
    ) -> list[Task]:
        """Queue several tasks of one person, all or none; each as by `add`.

        Raises:
            TooManyUnfinished: not all of them have room below `max_unfinished`.
            StillMaking: what this button made before is unfinished.
        """
        rows, _ = await self._write(
            "add_all", lambda: self._added(news, now, max_unfinished), changed=lambda done: done[1]
        )
        return [task_of(row) for row in rows]

    def _added(
        self, news: Sequence[NewTask], now: datetime, max_unfinished: int | None
    ) -> tuple[list[Row], bool]:
        """Give the rows of these, and whether they are new: what was made before stays all there is."""
        known = [row for new in news for row in self._known(new.origin)]
        if known or not news:
            return known, False
        for button in {new.pressed for new in news if new.pressed is not None}:
            self._check_button(button)
        if max_unfinished is not None:
            self._check_room(news[0].user_id, len(news), max_unfinished, now)
        rows = []
        for new in news:
            rows.append(self._insert(new, self._turn_for(new.user_id), now))
            self._run("UPDATE drafts SET used = 1 WHERE id = ?", (new.draft_id,))
        return rows, True

    def _known(self, origin: Origin) -> list[Row]:
        return self._run(
            "SELECT * FROM tasks WHERE bot_id = ? AND update_id = ? AND n = ?",
            (origin.bot_id, origin.update_id, origin.n),
        )

    def _check_button(self, button: str) -> None:
        (row,) = self._run(
            "SELECT min(id) AS first FROM tasks WHERE pressed = ? AND finished_at IS NULL",
            (button,),
        )
        if row["first"] is not None:
            raise StillMaking(row["first"])

    def _insert(self, new: NewTask, turn: int, now: datetime) -> Row:
        (row,) = self._run(
            "INSERT INTO tasks (bot_id, update_id, n, user_id, chat_id, chat_type, message_id,"
            " thread_id, photos, prompt, negative, ratio, count, as_file, silent, language,"
            " parent_id, pressed, turn, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *",
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
                new.settings.as_file,
                new.settings.silent,
                new.language,
                new.parent_id,
                new.pressed,
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

    async def tasks_of(
        self, user_id: int, *, limit: int, chat_id: int | None = None, offset: int = 0
    ) -> list[Task]:
        """Give a person's tasks: the unfinished first (oldest first), then the latest finished."""
        # A statement for each: with "chat_id = ? OR ? IS NULL" no index would know the chat.
        whose, values = (
            ("user_id = ?", (user_id,)) if chat_id is None else (_IN_CHAT, (chat_id, user_id))
        )

        def work() -> list[Row]:
            unfinished = self._ask(
                f"SELECT * FROM tasks WHERE {whose} AND finished_at IS NULL ORDER BY id LIMIT ?",  # noqa: S608 - ours
                (*values, offset + limit),
            )
            shown = unfinished[offset:]
            finished = self._ask(
                f"SELECT * FROM tasks WHERE {whose} AND finished_at IS NOT NULL"  # noqa: S608 - ours
                " ORDER BY finished_at DESC, id DESC LIMIT ? OFFSET ?",
                (*values, limit - len(shown), max(0, offset - len(unfinished))),
            )
            return [*shown, *finished]

        return [task_of(row) for row in await self._read(work)]

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

    async def change(
        self,
        task: Task,
        *,
        settings: Settings | None = None,
        photos: Sequence[Photo] | None = None,
    ) -> Task | None:
        """QUEUED or WAITING stays so, with other settings or photos: its caption was edited."""
        check_move("change", task, task.state)
        now = task.settings if settings is None else settings
        values = (now.prompt, now.negative, now.ratio, now.count, now.as_file, now.silent)
        rows = await self._change(
            "change",
            "UPDATE tasks SET prompt = ?, negative = ?, ratio = ?, count = ?, as_file = ?,"
            " silent = ?, photos = coalesce(?, photos), claim_no = claim_no + 1"
            " WHERE id = ? AND state = ? AND claim_no = ? AND request_id IS NULL RETURNING *",
            (
                *values,
                None if photos is None else written_photos(photos),
                task.id,
                task.state,
                task.claim_no,
            ),
        )
        return task_of(rows[0]) if rows else None

    async def cancel(self, task: Task, now: datetime) -> Task | None:
        """Withdraw one task, for the person who asked for it. None where it is too late."""
        if task.state not in MOVES["cancel"]:
            return None

        def work() -> Row | None:
            if task.state is TaskState.SUBMITTING:
                rows = self._run(
                    "UPDATE tasks SET withdrawn = 1"
                    " WHERE id = ? AND state = 'submitting' AND claim_no = ? RETURNING *",
                    (task.id, task.claim_no),
                )
                return rows[0] if rows else None
            rows = self._run(
                "UPDATE tasks SET state = 'cancelled', due_at = NULL, finished_at = ?"
                " WHERE id = ? AND state = ? AND claim_no = ? RETURNING *",
                (stamp(now), task.id, task.state, task.claim_no),
            )
            if not rows:
                return None
            self._run(DROP_IMAGES, (task.id,))
            if task.state in IN_LINE:
                self._close_up(rows[0]["user_id"])
            return rows[0]

        row = await self._write("cancel", work)
        return None if row is None else task_of(row)

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
