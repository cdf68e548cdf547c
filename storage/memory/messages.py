"""Our messages, by the task that they belong to."""

from dataclasses import replace
from datetime import datetime

from storage.memory.tables import Memory
from storage.tasks import Role, Task, TaskMessage, TaskState


class Messages(Memory):
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
        self._note(
            TaskMessage(
                chat_id=chat_id, message_id=message_id, task_id=task_id, role=role, n=n, sent_at=now
            )
        )

    def _note(self, message: TaskMessage) -> None:
        """Note a message, unless its task has been forgotten."""
        task_id = message.task_id
        if task_id in self._tables.tasks and task_id not in self._tables.pruned:
            self._tables.messages[message.chat_id, message.message_id] = message

    async def task_at(self, chat_id: int, message_id: int) -> TaskMessage | None:
        """Say which task (and which image of it) one of our messages belongs to."""
        return self._tables.messages.get((chat_id, message_id))

    async def task_from(self, user_id: int, chat_id: int, message_id: int) -> Task | None:
        """Give the person's latest task that was made from this message of theirs."""
        for task in reversed(self._tables.tasks.values()):
            where = (task.user_id, task.place.chat_id, task.place.message_id)
            if where == (user_id, chat_id, message_id):
                return task
        return None

    async def messages_of(self, task_id: int) -> list[TaskMessage]:
        """Give our messages that belong to a task, by message id."""
        messages = (one for one in self._tables.messages.values() if one.task_id == task_id)
        return sorted(messages, key=lambda one: (one.message_id, one.chat_id))

    async def message_gone(self, chat_id: int, message_id: int) -> None:
        """Note that one of our messages is no longer in its chat, or shows nothing of the task."""
        self._tables.messages.pop((chat_id, message_id), None)

    async def stale_progress(self, limit: int) -> list[Task]:
        """Give CANCELLED tasks whose progress message has not been put away."""
        cancelled = self._tasks(TaskState.CANCELLED)
        return [one for one in cancelled if one.progress_message_id is not None][:limit]

    async def progress_put_away(self, task_id: int) -> None:
        """Note that a task has no progress message any more."""
        if (task := self._tables.tasks.get(task_id)) is not None:
            self._put(replace(task, progress_message_id=None))
