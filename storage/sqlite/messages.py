"""Our messages, by the task that they belong to."""

from collections.abc import Iterable
from datetime import datetime

from storage.sqlite.connection import Connections
from storage.sqlite.rows import message_of, stamp, task_of
from storage.tasks import Role, Task, TaskMessage


class Messages(Connections):
    """The store's methods for finding the task of a message, and the messages of a task."""

    async def note_message(
        self,
        task_id: int,
        chat_id: int,
        message_id: int,
        role: Role,
        now: datetime,
        *,
        n: int | None = None,
    ) -> None:
        """Note that a message of ours belongs to a task."""
        message = (message_id, role, n)
        await self._write(None, lambda: self._note(task_id, chat_id, (message,), stamp(now)))

    def _note(
        self,
        task_id: int,
        chat_id: int,
        messages: Iterable[tuple[int, Role, int | None]],
        sent_at: int,
    ) -> None:
        """Note messages, unless their task has been forgotten: only within `_write`."""
        self._run_many(
            "INSERT OR REPLACE INTO messages (chat_id, message_id, task_id, role, n, sent_at)"
            " SELECT ?, ?, id, ?, ?, ? FROM tasks WHERE id = ? AND pruned = 0",
            [(chat_id, message_id, role, n, sent_at, task_id) for message_id, role, n in messages],
        )

    async def task_at(self, chat_id: int, message_id: int) -> TaskMessage | None:
        """Say which task (and which image of it) one of our messages belongs to."""
        row = await self._row(
            "SELECT * FROM messages WHERE chat_id = ? AND message_id = ?", (chat_id, message_id)
        )
        return None if row is None else message_of(row)

    async def task_from(self, user_id: int, chat_id: int, message_id: int) -> Task | None:
        """Give the person's latest task that was made from this message of theirs."""
        row = await self._row(
            "SELECT * FROM tasks WHERE chat_id = ? AND message_id = ? AND user_id = ?"
            " ORDER BY id DESC LIMIT 1",
            (chat_id, message_id, user_id),
        )
        return None if row is None else task_of(row)

    async def messages_of(self, task_id: int) -> list[TaskMessage]:
        """Give our messages that belong to a task, by message id."""
        rows = await self._rows(
            "SELECT * FROM messages WHERE task_id = ? ORDER BY message_id, chat_id", (task_id,)
        )
        return [message_of(row) for row in rows]

    async def message_gone(self, chat_id: int, message_id: int) -> None:
        """Note that one of our messages is no longer in its chat, or shows nothing of the task."""
        await self._change(
            None,
            "DELETE FROM messages WHERE chat_id = ? AND message_id = ?",
            (chat_id, message_id),
        )

    async def stale_progress(self, limit: int) -> list[Task]:
        """Give CANCELLED tasks whose progress message has not been put away."""
        rows = await self._rows(
            "SELECT * FROM tasks WHERE state = 'cancelled' AND progress_message_id IS NOT NULL"
            " ORDER BY id LIMIT ?",
            (limit,),
        )
        return [task_of(row) for row in rows]

    async def progress_put_away(self, task_id: int) -> None:
        """Note that a task has no progress message any more."""
        await self._change(
            None, "UPDATE tasks SET progress_message_id = NULL WHERE id = ?", (task_id,)
        )
