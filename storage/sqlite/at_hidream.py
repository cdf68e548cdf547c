"""What runs at HiDream, and its images."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from sqlite3 import Row
from typing import Final

from storage.moves import check_image_end, check_move
from storage.sqlite.connection import Connections
from storage.sqlite.rows import image_of, measured_of, stamp, task_of
from storage.tasks import Image, ImageState, Measured, Running, Task, TaskState

_SUBMITTED: Final = (
    "SELECT tasks.*, submissions.hidream_task_id AS submission_id, submissions.released_at"
)
_TOLD: Final = "('ready', 'delivering', 'delivered', 'failed')"
_LISTED: Final = (
    f"{_SUBMITTED} FROM tasks JOIN submissions"
    " ON submissions.hidream_task_id = tasks.hidream_task_id WHERE state = 'running'"
    f" UNION {_SUBMITTED}"
    " FROM submissions JOIN tasks ON tasks.id = submissions.task_id"
    " WHERE submissions.released_at IS NULL AND submissions.held_until > min(?, ?)"
    f" AND (submissions.held_until > ? OR tasks.state IN {_TOLD})"
    " AND submissions.hidream_task_id IS NOT NULL AND tasks.state <> 'running'"
    f" UNION {_SUBMITTED}"
    " FROM images JOIN tasks ON tasks.id = images.task_id JOIN submissions"
    " ON submissions.hidream_task_id = tasks.hidream_task_id"
    f" WHERE images.late = 'due' AND tasks.state IN {_TOLD} ORDER BY id"
)
_KEPT_DURATIONS: Final = 2000


class AtHiDream(Connections):
    """The store's methods while HiDream is at a task."""

    async def running(self, *, late_since: datetime) -> list[Running]:
        """Give what HiDream has something to say of, by task id."""
        late, now = stamp(late_since), stamp(self._clock.now())

        def work() -> tuple[list[Row], dict[int, list[Image]]]:
            rows = self._ask(_LISTED, (late, now, now))
            return rows, self._images_of(row["id"] for row in rows)

        rows, images = await self._read(work)
        return [
            Running(
                task=task_of(row),
                hidream_task_id=row["submission_id"],
                images=tuple(images.get(row["id"], ())),
                released=row["released_at"] is not None,
            )
            for row in rows
        ]

    def _images_of(self, task_ids: Iterable[int]) -> dict[int, list[Image]]:
        rows = self._ask(
            "SELECT * FROM images WHERE task_id IN (SELECT value FROM json_each(?))"
            " ORDER BY task_id, n",
            (json.dumps(list(task_ids)),),
        )
        images: dict[int, list[Image]] = {}
        for row in rows:
            images.setdefault(row["task_id"], []).append(image_of(row))
        return images

    async def note_completions(self, completions: Mapping[int, float]) -> None:
        """Note HiDream's own progress with running tasks, each 0 to 1."""
        shares = {task_id: min(max(share, 0.0), 1.0) for task_id, share in completions.items()}

        def work() -> int:
            return self._run_many(
                "UPDATE tasks SET completion = ?1"
                " WHERE id = ?2 AND state = 'running' AND completion IS NOT ?1",
                [(share, task_id) for task_id, share in shares.items()],
            )

        if shares:
            await self._write("note_completions", work)

    async def image_made(self, task_id: int, n: int, url: str) -> None:
        """PENDING or MADE → MADE, with where HiDream has it; EXPIRED too, while its task is RUNNING. Not of a CANCELLED one."""
        await self._change(
            None,
            "UPDATE images SET state = 'made', url = ?, description = NULL"
            " WHERE task_id = ? AND n = ? AND (state IN ('pending', 'made') AND NOT EXISTS (SELECT 1"
            " FROM tasks WHERE id = images.task_id AND state = 'cancelled') OR state = 'expired'"
            " AND EXISTS (SELECT 1 FROM tasks WHERE id = images.task_id AND state = 'running'))",
            (url, task_id, n),
        )

    async def image_stored(
        self, task_id: int, n: int, *, media_type: str, width: int, height: int, size: int
    ) -> None:
        """MADE → STORED: its bytes are on disk."""
        await self._change(
            None,
            "UPDATE images SET state = 'stored', url = NULL, media_type = ?, width = ?,"
            " height = ?, size = ? WHERE task_id = ? AND n = ? AND state = 'made'",
            (media_type, width, height, size, task_id, n),
        )

    async def image_ended(
        self, task_id: int, n: int, state: ImageState, description: str | None = None
    ) -> None:
        """PENDING or MADE → a state without a picture."""
        check_image_end(state)
        await self._change(
            None,
            "UPDATE images SET state = ?, url = NULL, description = ?, late = NULL"
            " WHERE task_id = ? AND n = ? AND state IN ('pending', 'made')",
            (state, description, task_id, n),
        )

    async def image_late(self, task_id: int, n: int, url: str) -> None:
        """EXPIRED → MADE, and late: HiDream has made it after all."""
        await self._change(
            None,
            "UPDATE images SET state = 'made', url = ?, description = NULL, late = 'due'"
            " WHERE task_id = ? AND n = ? AND state = 'expired' AND EXISTS (SELECT 1 FROM tasks"
            " WHERE id = images.task_id"
            " AND state IN ('ready', 'delivering', 'delivered', 'failed'))",
            (url, task_id, n),
        )

    async def reopen(self, task: Task, now: datetime) -> Task | None:
        """FAILED or DELIVERED → READY: a late image of it is stored, and to be shown."""
        check_move("reopen", task, TaskState.READY)
        rows = await self._change(
            "reopen",
            "UPDATE tasks SET state = 'ready', ready_at = ?, finished_at = NULL, due_at = NULL,"
            " tries = 0, files_removed = 0, pressed = NULL WHERE id = ? AND state = ? AND claim_no = ?"
            " AND EXISTS (SELECT 1 FROM images WHERE task_id = tasks.id AND state = 'stored'"
            " AND late = 'due') RETURNING *",
            (stamp(now), task.id, task.state, task.claim_no),
        )
        return task_of(rows[0]) if rows else None

    async def release(self, hidream_task_id: str, now: datetime) -> None:
        """HiDream reported the end of this task of its: its slot is free."""

        def work() -> bool:
            released = self._run(
                "UPDATE submissions SET released_at = ?"
                " WHERE hidream_task_id = ? AND released_at IS NULL RETURNING id",
                (stamp(now), hidream_task_id),
            )
            self._run(
                "UPDATE tasks SET ended_at = coalesce(ended_at, ?) WHERE hidream_task_id = ?",
                (stamp(now), hidream_task_id),
            )
            return bool(released)

        await self._write("release", work)

    async def note_duration(self, measured: Measured) -> None:
        """Keep how long a task took; of such measures the latest 2,000 are kept."""

        def work() -> bool:
            self._run(
                "INSERT INTO durations (ratio, count, seconds) VALUES (?, ?, ?)",
                (measured.ratio, measured.count, measured.seconds),
            )
            self._run(
                "DELETE FROM durations WHERE id <= (SELECT max(id) FROM durations) - ?",
                (_KEPT_DURATIONS,),
            )
            return True

        await self._write(None, work)

    async def durations(self, limit: int) -> list[Measured]:
        """Give the latest measures, oldest first."""
        rows = await self._rows("SELECT * FROM durations ORDER BY id DESC LIMIT ?", (limit,))
        return [measured_of(row) for row in reversed(rows)]

    async def images(self, task_id: int) -> list[Image]:
        """Give a task's images, in order."""
        images = await self._read(lambda: self._images_of((task_id,)))
        return images.get(task_id, [])
