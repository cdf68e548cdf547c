"""How long a task will likely take, by what this installation has measured; nothing where that is not honest. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.pace import Durations
from bot.pictures import COUNT_MAX
from storage.tasks import Task, TaskState


class Slots(Protocol):
    """How many tasks HiDream takes at once."""

    @property
    def limit(self) -> int:
        """How many may be there now."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """Between two durations, in seconds."""

    low: float
    high: float


class Estimates:
    """Says how long tasks take here."""

    def __init__(
        self, durations: Durations, *, slots: Slots, images_per_minute: Callable[[], int]
    ) -> None:
        self._durations = durations
        self._slots = slots
        self._images_per_minute = images_per_minute

    def at_hidream(self, task: Task) -> Span | None:
        """Say how long HiDream usually takes for such a task (p50 to p90)."""
        ratio = task.ratio_used or task.settings.ratio
        spread = self._durations.of(ratio, task.settings.count)
        return None if spread is None else Span(low=spread.p50, high=spread.p90)

    def longer_in(self, task: Task, now: datetime) -> float | None:
        """Give the seconds until a task takes longer than usual (0: it does); None: that is not known."""
        usual = self.at_hidream(task)
        if usual is None or task.accepted_at is None or task.state is not TaskState.RUNNING:
            return None
        return max(0.0, usual.high - (now - task.accepted_at).total_seconds())

    def in_line(self, place: int) -> Span | None:
        """Say when a place in line will likely have its turn.

        Slots become free one by one, each after what a task takes. Where the images a minute may be
        what holds the line up, nothing is said: that depends on how many others ask for.
        """
        spread = self._durations.of(None, 0)
        if spread is None or spread.p50 <= 0:
            return None
        slots = max(1, self._slots.limit)
        if slots * COUNT_MAX * 60 / spread.p50 > self._images_per_minute():
            return None
        return Span(low=place * spread.p50 / slots, high=place * spread.p90 / slots)
