"""What the in-memory store holds, and the one way in which it moves a task."""

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from storage.bells import Bells
from storage.clock import Clock
from storage.moves import check_move, closed_up
from storage.tasks import (
    IN_LINE,
    AlbumPart,
    Draft,
    Image,
    InboxRow,
    Measured,
    Origin,
    Rest,
    Step,
    Task,
    TaskMessage,
    TaskState,
    Topic,
    View,
)


@dataclass(kw_only=True, slots=True)
class Update:
    """A row of the inbox, and what became of it."""

    row: InboxRow
    due_at: datetime | None = None
    error: str | None = None
    state: Literal["new", "done", "aside"] = "new"
    handled_at: datetime | None = None


@dataclass(kw_only=True, slots=True)
class Submission:
    """One request that was sent to HiDream."""

    task_id: int
    request_id: str
    images: int
    sent_at: datetime
    held_until: datetime
    answered_at: datetime | None = None
    outcome: Literal["accepted", "refused", "not_sent", "uncertain"] | None = None
    hidream_task_id: str | None = None
    released_at: datetime | None = None
    callback_hash: str | None = None
    hinted_task_id: str | None = None

    def held(self, now: datetime) -> bool:
        """Say whether it holds a slot."""
        return self.released_at is None and self.held_until > now


@dataclass(kw_only=True, slots=True)
class Album:
    """An album: its first update, and its parts by theirs."""

    origin: Origin
    created_at: datetime
    due_at: datetime | None = None
    closed: bool = True
    parts: dict[tuple[int, int], AlbumPart] = field(default_factory=dict)
    """Those that have been worked off have no data any more."""

    def open_parts(self) -> tuple[AlbumPart, ...]:
        """Give the parts that are to be worked off, by message id."""
        parts = (part for part in self.parts.values() if part.data)
        return tuple(
            sorted(parts, key=lambda one: (one.message_id, one.origin.bot_id, one.origin.update_id))
        )


@dataclass(kw_only=True, slots=True)
class Tables:
    """Everything; lost with the process."""

    inbox: dict[tuple[int, int], Update] = field(default_factory=dict)
    albums: dict[tuple[int, str], Album] = field(default_factory=dict)
    drafts: dict[int, Draft] = field(default_factory=dict)
    drafts_made: int = 0
    closed_drafts: set[int] = field(default_factory=set)
    tasks: dict[int, Task] = field(default_factory=dict)
    without_files: set[int] = field(default_factory=set)
    submissions: list[Submission] = field(default_factory=list)
    images: dict[int, list[Image]] = field(default_factory=dict)
    steps: dict[int, dict[str, Step]] = field(default_factory=dict)
    current_turn: int = 0
    durations: list[Measured] = field(default_factory=list)
    notices: dict[str, datetime] = field(default_factory=dict)
    messages: dict[tuple[int, int], TaskMessage] = field(default_factory=dict)
    """By chat and message."""
    preferences: dict[tuple[Literal["user", "chat"], int], dict[str, str]] = field(
        default_factory=dict
    )
    views: dict[tuple[int, int], View] = field(default_factory=dict)
    """By the update that asked for it."""
    views_made: int = 0
    facts: dict[str, str] = field(default_factory=dict)
    person_hashes: dict[int, str] = field(default_factory=dict)
    """By task: of forgotten people, while a slot is held on their behalf."""


def over(task: Task, now: datetime) -> Task:
    """Give a task as it is once it is cancelled."""
    return replace(
        task,
        state=TaskState.CANCELLED,
        claimed_by=None,
        lease_until=None,
        due_at=None,
        ready_at=None,
        failure=None,
        vendor_message=None if task.pruned else task.vendor_message,
        finished_at=now,
    )


class Memory:
    """The tables, the bells, and what all methods of the store need.

    No method awaits anything while it works, so each is one atomic step.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._bells = Bells(clock)
        self._tables = Tables()

    async def close(self) -> None:
        """Let go of everything."""
        self._tables = Tables()

    def mark(self, topic: Topic) -> int:
        """Say how often `topic` has been woken: take it before looking, give it to `wait`."""
        return self._bells.mark(topic)

    async def wait(self, topic: Topic, *, since: int, seconds: float | None = None) -> None:
        """Wait until `topic` is woken after the mark `since`, or so many seconds have passed."""
        await self._bells.wait(topic, since=since, seconds=seconds)

    def rest(self, topic: Topic) -> Rest | None:
        """Say whether whoever waits for `topic` is waiting or at work; None: it has not waited yet."""
        return self._bells.rest(topic)

    def wake(self, topic: Topic | None = None) -> None:
        """Wake whoever waits for `topic`, or (None) everybody."""
        self._bells.wake(topic)

    def _current(self, task: Task) -> bool:
        row = self._tables.tasks.get(task.id)
        return row is not None and (row.state, row.claim_no) == (task.state, task.claim_no)

    def _move(
        self,
        method: str,
        task: Task,
        to: TaskState,
        change: Callable[[Task], dict[str, Any]],
        *,
        now: datetime | None = None,
    ) -> Task | None:
        """Move a task if it is still as it was read; `change` gives the other fields from its row.

        `now`: this is the answer to its request, with which it is over if it was withdrawn.
        """
        check_move(method, task, to)
        if not self._current(task):
            return None
        row = self._tables.tasks[task.id]
        moved = replace(row, state=to, claimed_by=None, lease_until=None, **change(row))
        if now is not None and row.withdrawn:
            moved = over(moved, now)
        self._bells.changed(method)
        return self._put(moved)

    def _put(self, task: Task) -> Task:
        self._tables.tasks[task.id] = task
        return task

    def _tasks(self, *states: TaskState) -> Iterable[Task]:
        """Give the tasks in these states, by id."""
        return [task for task in self._tables.tasks.values() if task.state in states]

    def _finished_before(self, before: datetime, known: AbstractSet[int]) -> list[int]:
        """Give the ids of the tasks that were finished before then, but for those known, the oldest first."""
        finished = (
            (task.finished_at, task.id)
            for task in self._tables.tasks.values()
            if task.finished_at is not None and task.id not in known
        )
        return [task_id for finished_at, task_id in sorted(finished) if finished_at < before]

    def _held_tasks(self, now: datetime) -> set[int]:
        """Give the tasks on whose behalf a slot is held."""
        return {one.task_id for one in self._tables.submissions if one.held(now)}

    def _in_line(self, user_id: int) -> list[Task]:
        return [task for task in self._tasks(*IN_LINE) if task.user_id == user_id]

    def _close_up(self, user_id: int) -> None:
        """Close the gaps in a person's turns, where one of their tasks has left without its turn."""
        line = ((task.turn, task.id) for task in self._in_line(user_id))
        for task_id, turn in closed_up(self._tables.current_turn, line).items():
            self._put(replace(self._tables.tasks[task_id], turn=turn))

    def _newest_submission(self, task: Task) -> Submission:
        return [one for one in self._tables.submissions if one.task_id == task.id][-1]
