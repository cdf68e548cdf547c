"""What a person has had made: turned over, searched, and where it came from."""

from storage.memory.tables import Memory
from storage.tasks import HISTORY_LIMIT, Task
from storage.words import has_words


class History(Memory):
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
        found = [
            task
            for task in self._results(user_id, chat_id, words)
            if (before is None or task.id < before) and (after is None or task.id > after)
        ]
        return (found[::-1] if after is None else found)[:limit]

    async def count_results(
        self,
        user_id: int,
        *,
        chat_id: int | None = None,
        words: str = "",
        after: int | None = None,
    ) -> int:
        """Count what `results_of` would give without a limit."""
        found = self._results(user_id, chat_id, words)
        return sum(after is None or task.id > after for task in found)

    def _results(self, user_id: int, chat_id: int | None, words: str) -> list[Task]:
        own = [task for task in self._tables.tasks.values() if task.user_id == user_id]
        return [
            task
            for task in own[-HISTORY_LIMIT:]
            if chat_id in (None, task.place.chat_id)
            and has_words(task.settings.prompt, words)
            and any(image.file_id is not None for image in self._tables.images.get(task.id, ()))
        ]

    async def ancestors(self, task: Task, limit: int) -> list[Task]:
        """Give the tasks that this one goes on from: its parent, that one's parent, and so on."""
        found: list[Task] = []
        child, parent_id = task.id, task.parent_id
        while parent_id is not None and parent_id < child and len(found) < limit:
            if (parent := self._tables.tasks.get(parent_id)) is None:
                break
            found.append(parent)
            child, parent_id = parent.id, parent.parent_id
        return found
