"""Forgetting what is over, a few rows at a time."""

from datetime import datetime
from typing import Final, NamedTuple

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


class Old(NamedTuple):
    """Rows that go as a whole once they are old enough."""

    what: str
    """What they are to whoever runs the bot."""
    table: str
    key: str
    condition: str
    """Has one place: the time before which they are old."""

    @property
    def delete(self) -> str:
        """Give the statement that deletes some, for the time and their number."""
        return (
            f"DELETE FROM {self.table} WHERE ({self.key}) IN (SELECT {self.key} FROM {self.table}"  # noqa: S608 - ours
            f" WHERE {self.condition} LIMIT ?) RETURNING 1"
        )

    @property
    def counted(self) -> str:
        """Give the query that counts them, for the time."""
        return f"SELECT count(*) FROM {self.table} WHERE {self.condition}"  # noqa: S608 - ours


HANDLED: Final = (
    Old("handled updates", "inbox", "id", "state = 'done' AND handled_at < ?"),
    Old("albums", "albums", "chat_id, media_group_id", "created_at < ? AND closed = 1"),
)
WAITED: Final = Old("drafts", "drafts", "id", "kind <> 'offer' AND created_at < ?")
FINISHED: Final = (
    Old("updates set aside", "inbox", "id", "state = 'aside' AND handled_at < ?"),
    Old("drafts", "drafts", "id", "created_at < ?"),
    Old("lists shown", "views", "id", "created_at < ?"),
)
RELEASED: Final = f"person_hash IS NOT NULL AND finished_at IS NOT NULL AND {NOT_HELD.format('?')}"
"""Tasks of forgotten people for whom no slot is held any more, now."""
TO_EMPTY: Final = (
    f"finished_at IS NOT NULL AND pruned = 0 AND finished_at < ? AND {NOT_HELD.format('?')}"
)
"""Tasks that are to be emptied: finished before then, with no slot held now."""


class Forgetting(Connections):
    """The store's method for forgetting what has been kept for long enough."""

    async def prune(
        self, *, now: datetime, inbox_before: datetime, finished_before: datetime | None, limit: int
    ) -> int:
        """Forget what is over: handled updates, and the words, photos and ids of finished tasks. Returns how many rows it touched, at most `limit`."""

        def work() -> int:
            left = limit
            for old in HANDLED:
                left -= self._delete_old(old, inbox_before, left)
            left -= self._delete_old(WAITED, now - DRAFTS_KEPT, left)
            left -= self._forget_released(now, left)
            if finished_before is not None:
                for old in FINISHED:
                    left -= self._delete_old(old, finished_before, left)
                left -= self._forget_finished(now, finished_before, left)
            return limit - left

        touched = await self._write(None, work)
        if 0 < touched < limit:  # the last of it, for this time
            await self._checkpoints.clean()
        return touched

    def _delete_old(self, old: Old, before: datetime, limit: int) -> int:
        return len(self._run(old.delete, (stamp(before), limit)))

    def _forget_released(self, now: datetime, limit: int) -> int:
        """Forget what was kept of forgotten people's tasks for the sake of slots that are free now."""
        rows = self._run(
            "SELECT id FROM tasks INDEXED BY tasks_forgotten"  # noqa: S608 - ours
            f" WHERE {RELEASED} ORDER BY id LIMIT ?",
            (stamp(now), limit),
        )
        return self._forget_tasks([row["id"] for row in rows])

    def _forget_finished(self, now: datetime, before: datetime, limit: int) -> int:
        rows = self._run(
            f"SELECT id FROM tasks WHERE {TO_EMPTY} ORDER BY finished_at LIMIT ?",  # noqa: S608 - ours
            (stamp(before), stamp(now), limit),
        )
        return self._forget_tasks([row["id"] for row in rows])

    def _forget_tasks(self, task_ids: list[int]) -> int:
        """Empty tasks: only within `_write`."""
        for sql in FORGET_TASK:
            self._run_many(sql, [(task_id,) for task_id in task_ids])
        return len(task_ids)
