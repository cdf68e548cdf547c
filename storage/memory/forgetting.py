"""Forgetting what is over, a few rows at a time."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from storage.memory.tables import Memory, Update
from storage.tasks import DRAFTS_KEPT, Place, Settings, Task


def _delete(
    table: dict[Any, Any], age: Callable[[Any], datetime | None], before: datetime, limit: int
) -> int:
    """Delete rows that are from before then, at most `limit`, the oldest first; say how many."""
    # Of those of one moment the first that came, as they stand in the table.
    ages = ((age(row), place, key) for place, (key, row) in enumerate(table.items()))
    old = sorted((at, place, key) for at, place, key in ages if at is not None and at < before)
    for _, _, key in old[:limit]:
        del table[key]
    return len(old[:limit])


def _handled(state: Literal["done", "aside"]) -> Callable[[Update], datetime | None]:
    return lambda one: one.handled_at if one.state == state else None


def emptied(task: Task) -> Task:
    """Give a task as it is once nobody's."""
    return replace(
        task,
        user_id=0,
        place=Place(chat_id=0, chat_type=task.place.chat_type, message_id=0),
        photos=(),
        settings=Settings(prompt="", ratio=task.settings.ratio, count=task.settings.count),
        language=None,
        failure=None if task.failure is None else replace(task.failure, data={}),
        vendor_message=None,
        progress_message_id=None,
        pressed=None,
        pruned=True,
    )


class Forgetting(Memory):
    """The store's method for forgetting what has been kept for long enough."""

    async def prune(
        self, *, now: datetime, inbox_before: datetime, finished_before: datetime | None, limit: int
    ) -> int:
        """Forget what is over: handled updates, and the words, photos and ids of finished tasks. Returns how many rows it touched, at most `limit`."""
        tables = self._tables
        left = limit - _delete(tables.inbox, _handled("done"), inbox_before, limit)
        left -= _delete(
            tables.albums, lambda one: one.created_at if one.closed else None, inbox_before, left
        )
        left -= _delete(
            tables.drafts,
            lambda one: one.created_at if one.kind != "offer" else None,
            now - DRAFTS_KEPT,
            left,
        )
        held = self._held_tasks(now)
        over = {task.id for task in tables.tasks.values() if task.finished_at is not None}
        left -= self._forget_tasks(sorted(tables.person_hashes.keys() & over - held)[:left])
        if finished_before is not None:
            left -= _delete(tables.inbox, _handled("aside"), finished_before, left)
            left -= _delete(tables.drafts, lambda one: one.created_at, finished_before, left)
            left -= _delete(tables.views, lambda one: one.created_at, finished_before, left)
            known = held | {task.id for task in tables.tasks.values() if task.pruned}
            left -= self._forget_tasks(self._finished_before(finished_before, known)[:left])
        return limit - left

    def _forget_tasks(self, task_ids: Iterable[int]) -> int:
        """Empty tasks of all that says whose they were, what was asked for, and what they were called."""
        forgotten = set(task_ids)
        for task_id in forgotten:
            bare = emptied(self._tables.tasks[task_id])
            self._put(replace(bare, request_id=None, hidream_task_id=None))
            self._tables.person_hashes.pop(task_id, None)
        self._forget_beside_tasks(forgotten)
        for submission in self._tables.submissions:
            if submission.task_id in forgotten:
                submission.request_id, submission.hidream_task_id = "", None
                submission.callback_hash, submission.hinted_task_id = None, None
        return len(forgotten)

    def _forget_beside_tasks(self, task_ids: set[int]) -> None:
        tables = self._tables
        for task_id in task_ids:
            tables.images.pop(task_id, None)
            for name, step in tables.steps.get(task_id, {}).items():
                tables.steps[task_id][name] = replace(step, message_ids=())
        for key in [key for key, one in tables.messages.items() if one.task_id in task_ids]:
            del tables.messages[key]
