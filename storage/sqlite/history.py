"""What a person has had made: turned over, searched, and where it came from."""

from sqlite3 import Row
from typing import Final

from storage.sqlite.connection import Connections
from storage.sqlite.rows import task_of
from storage.tasks import HISTORY_LIMIT, Task

_RESULTS: Final = (
    "FROM tasks INDEXED BY tasks_of_user WHERE user_id = ?1"  # noqa: S608 - ours
    " AND id >= coalesce((SELECT id FROM tasks INDEXED BY tasks_of_user WHERE user_id = ?1"
    f" ORDER BY id DESC LIMIT 1 OFFSET {HISTORY_LIMIT - 1}), 0)"
    " AND (?2 IS NULL OR chat_id = ?2) AND (?3 = '' OR has_words(prompt, ?3))"
    " AND EXISTS (SELECT 1 FROM images WHERE task_id = tasks.id AND file_id IS NOT NULL)"
)


class History(Connections):
    """The store's methods for a person's results."""

    async def results_of(
        self,
        user_id: int,
        *,
        limit: int,
        chat_id: int | None = None,
        words: str = "",
        before: int | None = None,
        after: int | None = None,
    ) -> list[Task]:
        """Give a person's tasks that have a picture Telegram still keeps for us, by id."""
        if after is None:
            beyond = "AND (?4 IS NULL OR id < ?4) ORDER BY id DESC"
        else:
            beyond = "AND (?4 IS NULL OR id < ?4) AND id > ?6 ORDER BY id"
        values = [user_id, chat_id, words, before, limit]
        rows = await self._rows(
            f"SELECT * {_RESULTS} {beyond} LIMIT ?5",
            values if after is None else [*values, after],
        )
        return [task_of(row) for row in rows]

    async def count_results(
        self,
        user_id: int,
        *,
        chat_id: int | None = None,
        words: str = "",
        after: int | None = None,
    ) -> int:
        """Count what `results_of` would give without a limit."""
        rows = await self._rows(
            f"SELECT count(*) AS n {_RESULTS} AND (?4 IS NULL OR id > ?4)",
            (user_id, chat_id, words, after),
        )
        return int(rows[0]["n"])

    async def ancestors(self, task: Task, limit: int) -> list[Task]:
        """Give the tasks that this one goes on from: its parent, that one's parent, and so on."""

        def work() -> list[Row]:
            found: list[Row] = []
            child, parent = task.id, task.parent_id
            # A parent is older than its child, so this has an end whatever the rows say.
            while parent is not None and parent < child and len(found) < limit:
                rows = self._ask("SELECT * FROM tasks WHERE id = ?", (parent,))
                if not rows:
                    break
                found.append(rows[0])
                child, parent = parent, rows[0]["parent_id"]
            return found

        return [task_of(row) for row in await self._read(work)]
