"""Counting for the operator."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from storage.figures import Figures, TaskRow, reckoned, since
from storage.memory.tables import Memory


class Counting(Memory):
    """The store's method for what was asked for, and what became of it."""

    async def figures(self, *, began: datetime, now: datetime, step: timedelta) -> Figures:
        """Count what was asked for from `began` to now, and the slots in use in such steps."""
        return reckoned(
            self._asked(began, now), self._slots(began, now), began=began, now=now, step=step
        )

    def _asked(self, began: datetime, now: datetime) -> Iterator[TaskRow]:
        for task in self._tables.tasks.values():
            if began <= task.created_at <= now:
                yield (
                    since(task.created_at, began),
                    task.state,
                    task.settings.count,
                    task.brought,
                    None if task.failure is None else task.failure.id,
                    _between(task.created_at, task.submitted_at),
                    _between(task.accepted_at, task.ended_at),
                )

    def _slots(self, began: datetime, now: datetime) -> Iterator[tuple[int, int]]:
        for one in self._tables.submissions:
            until = one.held_until if one.released_at is None else one.released_at
            if one.sent_at <= now and until > began:
                yield since(one.sent_at, began), since(until, began)


def _between(first: datetime | None, last: datetime | None) -> int | None:
    """Give the microseconds between them; a clock that was set in between makes none of them negative."""
    return None if first is None or last is None else max(0, since(last, first))
