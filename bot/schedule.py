"""When each running task is asked about next: what is known of its looks, its callbacks, and its end.

Decides by `pace`, and measures how long tasks take where that is known well enough. It asks nobody.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from bot.hidream.client import BATCH_SIZE
from bot.pace import Durations, next_late_look, next_look
from storage.clock import Clock
from storage.tasks import Measured, Running, TaskState

CALLS_PER_SECOND: Final = 2.0
"""Questions for results, all together, over any longer time."""
CALLS_AT_ONCE: Final = 3
"""So many may follow each other at once; a callback need not wait then."""
_SHOWN_EVERY: Final = 1.5
"""Seconds between two notes of a task's progress: it is not shown more often."""
_CALLBACK_LOOKS: Final = 4
"""So often it is asked at once after a callback, where the results do not yet say so."""
_CALLBACK_LOOK: Final = 0.5
"""Seconds between those looks."""
_TRUST: Final = 2
"""So many callbacks more than ends found without one, and asking becomes the floor under them."""
_MOST_TRUST: Final = 5
_RECENT: Final = 200
"""Of so many tasks it is remembered how their end was found."""
_UNSURE: Final = 0.1
"""A duration is a measure where it is known to this share, or to a second."""


@dataclass(slots=True)
class _Look:
    """When a task is asked about next, and what was seen last; by the monotonic clock."""

    due: float
    unfinished: float | None = None
    """When it was last known to be unfinished."""
    shown: float = float("-inf")
    hints: int = 0
    """How many looks a callback is still good for."""
    called: float | None = None
    """When HiDream called back."""


class Calls:
    """The ceiling: a bucket of calls that fills with time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calls = float(CALLS_AT_ONCE)
        self._at = clock.monotonic()

    def left(self) -> int:
        """Say how many calls may be made now."""
        now = self._clock.monotonic()
        self._calls = min(CALLS_AT_ONCE, self._calls + (now - self._at) * CALLS_PER_SECOND)
        self._at = now
        return max(0, int(self._calls + 1e-9))

    def made(self, calls: int) -> None:
        """Note that so many were made; it may have been more than there were."""
        self._calls -= calls

    def wait(self) -> float:
        """Give the seconds until one may be made."""
        return max(0.0, (1 - self._calls) / CALLS_PER_SECOND)


class Schedule:
    """The looks at all tasks of which HiDream has more to say.

    Args:
        durations: how long tasks take here; what is measured is added to it.
        clock: gives the time.

    Attributes:
        calls: the ceiling; whoever asks notes there what was asked.
    """

    def __init__(self, durations: Durations, clock: Clock) -> None:
        self._durations = durations
        self._clock = clock
        self.calls = Calls(clock)
        self._looks: dict[str, _Look] = {}
        self._hints: dict[int, float] = {}
        self._ends: dict[int, bool] = {}
        self._trust = 0

    # --- callbacks

    def called_back(self, task_id: int) -> None:
        """HiDream called about a task: it is due at once, or once its submission is answered."""
        if self._ends.get(task_id) is False:
            self._ends[task_id] = True
            self._trust = min(_MOST_TRUST, self._trust + 2)  # it had only been a little later
        if task_id not in self._ends:
            self._hints.setdefault(task_id, self._clock.monotonic())
            _shorten(self._hints)

    # --- what is due

    def keep(self, open_: Iterable[Running]) -> list[Running]:
        """Take these for all that is open, and give them with what is due first in front."""
        known = list(open_)
        looks = {one.hidream_task_id: self._look(one) for one in known}
        self._looks = looks
        for one in known:
            called = self._hints.pop(one.task.id, None)
            if called is not None:
                look = looks[one.hidream_task_id]
                look.hints, look.called, look.due = _CALLBACK_LOOKS, called, 0.0
        return sorted(known, key=lambda one: looks[one.hidream_task_id].due)

    def choose(self, asked: Sequence[Running], *, in_batches: bool) -> tuple[list[Running], float]:
        """Choose whom to ask about now, of what `keep` gave; nobody: the seconds until somebody is due.

        With batches, who is not due is asked about along: it costs no call more.
        """
        now = self._clock.monotonic()
        dues = [self._looks[one.hidream_task_id].due for one in asked]
        if dues[0] > now:
            return [], dues[0] - now
        calls = self.calls.left()
        if not calls:
            return [], self.calls.wait()
        due = sum(one <= now for one in dues)
        if in_batches:
            # what was given up is not asked along: an answer may leave it out, and ask for a call of its own
            calls = min(calls, -(-due // BATCH_SIZE))
            along = [
                one
                for one, at in zip(asked, dues, strict=True)
                if at <= now or one.task.state is TaskState.RUNNING
            ]
            return along[: calls * BATCH_SIZE], 0.0
        return list(asked[: min(calls, due)]), 0.0

    def next_due(self) -> float:
        """Give the seconds until the next task is due."""
        now = self._clock.monotonic()
        return max(0.01, min((look.due for look in self._looks.values()), default=now) - now)

    # --- what was seen

    def looked(self, one: Running, *, unfinished: bool) -> None:
        """Note that a task was just asked about, and whether it was told to be unfinished."""
        look = self._look(one)
        now = self._clock.monotonic()
        if unfinished:
            look.unfinished = now
        wait = self._wait_for(one)
        if look.hints:
            look.hints -= 1
            wait = min(wait, _CALLBACK_LOOK)
        look.due = now + wait

    def to_show(self, one: Running) -> bool:
        """Say whether a task's progress is worth noting again, which is then taken as done."""
        look, now = self._look(one), self._clock.monotonic()
        if now - look.shown < _SHOWN_EVERY:
            return False
        look.shown = now
        return True

    def ended(self, one: Running, *, all_made: bool) -> Measured | None:
        """Note that a task's end was read; gives how long it took, where that is known and says something."""
        look = self._look(one)
        called = look.called is not None
        self._trust = min(_MOST_TRUST, self._trust + 1) if called else max(0, self._trust - 1)
        self._ends[one.task.id] = called
        _shorten(self._ends)
        return self._measured(one, look) if all_made else None

    def _measured(self, one: Running, look: _Look) -> Measured | None:
        now, age = self._clock.monotonic(), _age(one, self._clock)
        if look.called is not None:
            seconds, unsure = age - (now - look.called), 0.0
        elif look.unfinished is not None:
            unsure = now - look.unfinished
            seconds = age - unsure / 2
        else:
            return None
        if seconds <= 0 or unsure > max(1.0, _UNSURE * seconds):
            return None
        ratio = one.task.ratio_used or one.task.settings.ratio or ""
        measured = Measured(ratio=ratio, count=one.task.settings.count, seconds=seconds)
        self._durations.add(measured)
        return measured

    # --- looks

    def _look(self, one: Running) -> _Look:
        """Give what is known of a task here; one that is new is due when its age says so."""
        if one.hidream_task_id not in self._looks:
            now = self._clock.monotonic()
            self._looks[one.hidream_task_id] = _Look(
                due=now + self._wait_for(one),
                unfinished=now if _age(one, self._clock) < 1 else None,
            )
        return self._looks[one.hidream_task_id]

    def _wait_for(self, one: Running) -> float:
        age = _age(one, self._clock)
        if one.task.state is not TaskState.RUNNING:
            return next_late_look(age)
        spread = self._durations.of(one.task.ratio_used, one.task.settings.count)
        return next_look(age, spread, called_back=self._trust >= _TRUST)


def _age(one: Running, clock: Clock) -> float:
    """Give the seconds since a task was accepted."""
    since = one.task.accepted_at
    return 0.0 if since is None else (clock.now() - since).total_seconds()


def _shorten(known: dict[int, bool] | dict[int, float]) -> None:
    """Forget the oldest of what is remembered for a while only."""
    while len(known) > _RECENT:
        known.pop(next(iter(known)))
