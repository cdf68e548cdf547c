"""Forgetting what is over, a few rows at a time."""

from datetime import datetime
from typing import Final

from storage.sqlite.connection import Connections
from storage.sqlite.rows import stamp
from storage.tasks import DRAFTS_KEPT

NOT_HELD: Final = (
    "NOT EXISTS (SELECT 1 FROM submissions"
    " WHERE task_id = tasks.id AND released_at IS NULL AND held_until > {})"
)
"""No slot is held any more on a task's behalf."""

EMPTIED: Final = (
    "pruned = 1, user_id = 0, chat_id = 0, message_id = 0, thread_id = NULL, photos = '[]',"
    " prompt = '', negative = '', as_file = 0, silent = 0, language = NULL, pressed = NULL,"
    " failure_data = CASE WHEN failure_id IS NOT NULL THEN '{}' END, vendor_message = NULL,"
    " progress_message_id = NULL"
)
"""What a task's row says of nobody."""

BESIDE: Final = (
    "UPDATE steps SET message_ids = '[]' WHERE task_id = ?",
    "DELETE FROM images WHERE task_id = ?",
    "DELETE FROM messages WHERE task_id = ?",
)
FORGET_TASK: Final = (
    (
        f"UPDATE tasks SET {EMPTIED}, request_id = NULL, hidream_task_id = NULL,"  # noqa: S608 - ours
        " person_hash = NULL WHERE id = ?"
    ),
    (
        "UPDATE submissions SET request_id = '', hidream_task_id = NULL, callback_hash = NULL,"
        " hinted_task_id = NULL WHERE task_id = ?"
    ),
    *BESIDE,
)
"""What empties a task of all that says whose it was, what was asked for, and what it was called."""

_HANDLED: Final = (
    (
        "DELETE FROM inbox WHERE id IN (SELECT id FROM inbox"
        " WHERE state = 'done' AND handled_at < ? LIMIT ?) RETURNING id"
    ),
    (
        "DELETE FROM albums WHERE (chat_id, media_group_id) IN (SELECT chat_id, media_group_id"
        " FROM albums WHERE created_at < ? AND closed = 1 LIMIT ?) RETURNING update_id"
    ),
)
_WAITED: Final = (
    "DELETE FROM drafts WHERE id IN (SELECT id FROM drafts"
    " WHERE kind <> 'offer' AND created_at < ? LIMIT ?) RETURNING id"
)
_FINISHED: Final = (
    (
        "DELETE FROM inbox WHERE id IN (SELECT id FROM inbox"
        " WHERE state = 'aside' AND handled_at < ? LIMIT ?) RETURNING id"
    ),
    "DELETE FROM drafts WHERE id IN (SELECT id FROM drafts WHERE created_at < ? LIMIT ?) RETURNING id",
    "DELETE FROM views WHERE id IN (SELECT id FROM views WHERE created_at < ? LIMIT ?) RETURNING id",
)


class Forgetting(Connections):
    """The store's method for forgetting what has been kept for long enough."""

    async def prune(
        self, *, now: datetime, inbox_before: datetime, finished_before: datetime | None, limit: int
    ) -> int:
        """Forget what is over: handled updates, and the words, photos and ids of finished tasks. Returns how many rows it touched, at most `limit`."""

        def work() -> int:
            left = limit
            for sql in _HANDLED:
                left -= self._delete_old(sql, inbox_before, left)
            left -= self._delete_old(_WAITED, now - DRAFTS_KEPT, left)
            left -= self._forget_released(now, left)
            if finished_before is not None:
                for sql in _FINISHED:
                    left -= self._delete_old(sql, finished_before, left)
                left -= self._forget_finished(now, finished_before, left)
            return limit - left

        touched = await self._write(None, work)
        if 0 < touched < limit:  # the last of it, for this time
            await self._checkpoints.clean()
        return touched

    def _delete_old(self, sql: str, before: datetime, limit: int) -> int:
        return len(self._run(sql, (stamp(before), limit)))

    def _forget_released(self, now: datetime, limit: int) -> int:
        """Forget what was kept of forgotten people's tasks for the sake of slots that are free now."""
        rows = self._run(
            "SELECT id FROM tasks INDEXED BY tasks_forgotten"  # noqa: S608 - ours
            " WHERE person_hash IS NOT NULL AND finished_at IS NOT NULL"
            f" AND {NOT_HELD.format('?')} ORDER BY id LIMIT ?",
            (stamp(now), limit),
        )
        return self._forget_tasks([row["id"] for row in rows])

    def _forget_finished(self, now: datetime, before: datetime, limit: int) -> int:
        rows = self._run(
            "SELECT id FROM tasks WHERE finished_at IS NOT NULL AND pruned = 0"  # noqa: S608 - ours
            f" AND finished_at < ? AND {NOT_HELD.format('?')} ORDER BY finished_at LIMIT ?",
            (stamp(before), stamp(now), limit),
        )
        return self._forget_tasks([row["id"] for row in rows])

    def _forget_tasks(self, task_ids: list[int]) -> int:
        """Empty tasks: only within `_write`."""
        for sql in FORGET_TASK:
            self._run_many(sql, [(task_id,) for task_id in task_ids])
        return len(task_ids)
