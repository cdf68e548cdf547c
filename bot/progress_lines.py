"""What a progress message says of a task: its place, which never rises, and how long that usually takes."""

from typing import Final

from bot import reports
from bot.account import Account
from bot.estimates import Estimates, Span
from bot.texts import Say
from storage.clock import Clock
from storage.store import TaskStore
from storage.tasks import Task, TaskState

_FRONT: Final = 5
_FEWER: Final = 0.8
"""In the front of the line each step is shown, further back only when a fifth of the line has gone."""


class ProgressLines:
    """Writes what is to be shown, and knows what has been promised."""

    def __init__(
        self, *, store: TaskStore, account: Account, estimates: Estimates, clock: Clock
    ) -> None:
        self._store = store
        self._account = account
        self._estimates = estimates
        self._clock = clock
        self._placed: dict[int, tuple[int, float]] = {}
        """The place of a task, and until when the wait that goes with it holds good."""

    async def of(self, task: Task) -> tuple[Say, int | None]:
        """Give what to show of a task, and the place in line that it names."""
        trouble = self._account.trouble
        place = None
        if task.state is TaskState.QUEUED and trouble is None:
            place = await self._store.place_in_line(task)
            shown = task.shown_place
            if shown is not None and (place > shown or _FRONT < place > shown * _FEWER):
                place = shown
        line = reports.progress(
            task,
            place=place or 0,
            trouble=trouble,
            usual=self._estimates.at_hidream(task) if place is None else self._wait(task, place),
            longer=self._estimates.longer_in(task, self._clock.now()) == 0,
        )
        return line, place

    def _wait(self, task: Task, place: int) -> Span | None:
        """Say when a place may have its turn, unless the line stands still longer than that allows."""
        now = self._clock.monotonic()
        wait, one = self._estimates.in_line(place), self._estimates.in_line(1)
        if wait is None or one is None:
            return None
        if self._placed.get(task.id, (None, 0.0))[0] != place:
            self._placed[task.id] = (place, now + max(one.high, wait.high / 2))
        return wait if now < self._placed[task.id][1] else None

    def news_in(self, task: Task) -> float | None:
        """Give the seconds until something else is to be shown although no row changes."""
        if task.state is TaskState.QUEUED and task.id in self._placed:
            return max(0.0, self._placed[task.id][1] - self._clock.monotonic())
        return self._estimates.longer_in(task, self._clock.now())

    def forget(self, task_id: int) -> None:
        """Forget a task that is shown no more."""
        self._placed.pop(task_id, None)
