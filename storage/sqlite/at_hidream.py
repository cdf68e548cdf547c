"""What runs at HiDream, and its images."""

import json
from collections.abc import Iterable
from datetime import datetime

from storage.moves import check_image_end
from storage.sqlite.connection import Connections
from storage.sqlite.rows import image_of, stamp, task_of
from storage.tasks import Image, ImageState, Running


class AtHiDream(Connections):
    """The store's methods while HiDream is at a task."""

    async def running(self) -> list[Running]:
        """Give the RUNNING tasks, and those over for us whose slot HiDream has not given back (until its hold runs out)."""
        rows = await self._rows(
            "SELECT tasks.*, submissions.hidream_task_id AS submission_id,"
            " submissions.released_at FROM tasks JOIN submissions"
            " ON submissions.hidream_task_id = tasks.hidream_task_id WHERE state = 'running'"
            " UNION ALL SELECT tasks.*, submissions.hidream_task_id, submissions.released_at"
            " FROM submissions JOIN tasks ON tasks.id = submissions.task_id"
            " WHERE submissions.released_at IS NULL AND submissions.held_until > ?"
            " AND submissions.hidream_task_id IS NOT NULL AND tasks.state <> 'running'"
            " ORDER BY id",
            (stamp(self._clock.now()),),
        )
        images = await self._images_of(row["id"] for row in rows)
        return [
            Running(
                task=task_of(row),
                hidream_task_id=row["submission_id"],
                images=tuple(images.get(row["id"], ())),
                released=row["released_at"] is not None,
            )
            for row in rows
        ]

    async def _images_of(self, task_ids: Iterable[int]) -> dict[int, list[Image]]:
        rows = await self._rows(
            "SELECT * FROM images WHERE task_id IN (SELECT value FROM json_each(?))"
            " ORDER BY task_id, n",
            (json.dumps(list(task_ids)),),
        )
        images: dict[int, list[Image]] = {}
        for row in rows:
            images.setdefault(row["task_id"], []).append(image_of(row))
        return images

    async def note_completion(self, task_id: int, completion: float) -> None:
        """Note HiDream's own progress, 0 to 1."""
        share = min(max(completion, 0.0), 1.0)
        await self._change(
            "note_completion",
            "UPDATE tasks SET completion = ?"
            " WHERE id = ? AND state = 'running' AND completion IS NOT ? RETURNING id",
            (share, task_id, share),
        )

    async def image_made(self, task_id: int, n: int, url: str) -> None:
        """PENDING or MADE → MADE, with where HiDream has it."""
        await self._change(
            None,
            "UPDATE images SET state = 'made', url = ?"
            " WHERE task_id = ? AND n = ? AND state IN ('pending', 'made')",
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
            "UPDATE images SET state = ?, url = NULL, description = ?"
            " WHERE task_id = ? AND n = ? AND state IN ('pending', 'made')",
            (state, description, task_id, n),
        )

    async def release(self, hidream_task_id: str, now: datetime) -> None:
        """HiDream reported the end of this task of its: its slot is free."""

        async def work() -> bool:
            released = await self._run(
                "UPDATE submissions SET released_at = ?"
                " WHERE hidream_task_id = ? AND released_at IS NULL RETURNING id",
                (stamp(now), hidream_task_id),
            )
            await self._run(
                "UPDATE tasks SET ended_at = coalesce(ended_at, ?) WHERE hidream_task_id = ?",
                (stamp(now), hidream_task_id),
            )
            return bool(released)

        await self._write("release", work)

    async def images(self, task_id: int) -> list[Image]:
        """Give a task's images, in order."""
        return (await self._images_of((task_id,))).get(task_id, [])
