"""What a store must do with tasks until they are handed in."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from storage.tasks import NewTask, Origin, Photo, Settings, Task


class Line(Protocol):
    """The line: tasks come in, wait for their turn, and leave it."""

    async def add(self, new: NewTask, *, now: datetime, max_unfinished: int | None) -> Task:
        """Queue a task, with its turn. A repeated origin gives the task that it made.

        turn = max(current + 1, the last turn of this person's queued-or-started tasks + 1), where
        `current` is the highest turn ever claimed.

        Raises:
            TooManyUnfinished: the person has `max_unfinished` unfinished tasks; nothing is stored.
                What they have stopped counts until HiDream's end, where it holds a slot.
            StillMaking: what this button (`pressed`) made before is unfinished; nothing is stored.
        """
        ...

    async def add_all(
        self, news: Sequence[NewTask], *, now: datetime, max_unfinished: int | None
    ) -> list[Task]:
        """Queue several tasks of one person, all or none; each as by `add`.

        Their origins differ in `n` alone; where any of them has been made before, what was made then
        is given, and nothing is made.

        Raises:
            TooManyUnfinished: not all of them have room below `max_unfinished`.
            StillMaking: what this button made before is unfinished.
        """
        ...

    async def get(self, task_id: int) -> Task | None:
        """Give one task."""
        ...

    async def made_by(self, origin: Origin) -> Task | None:
        """Give the task that this origin has made: there is one if its update is a repeat."""
        ...

    async def tasks_of(
        self, user_id: int, *, limit: int, chat_id: int | None = None, offset: int = 0
    ) -> list[Task]:
        """Give a person's tasks: the unfinished first (oldest first), then the latest finished."""
        ...

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
        """Give a person's tasks that have a picture Telegram still keeps for us, by id.

        Only the person's latest HISTORY_LIMIT tasks are looked through. `words`: each of these words
        is in the prompt, whatever the letter case, in any script.
        `before`: those with a lower id, the highest first (also where neither is given); `after`:
        those with a higher id, the lowest first.
        """
        ...

    async def count_results(
        self,
        user_id: int,
        *,
        chat_id: int | None = None,
        words: str = "",
        after: int | None = None,
    ) -> int:
        """Count what `results_of` would give without a limit."""
        ...

    async def ancestors(self, task: Task, limit: int) -> list[Task]:
        """Give the tasks that this one goes on from: its parent, that one's parent, and so on; also those of others, and emptied ones."""
        ...

    async def place_in_line(self, task: Task) -> int:
        """Count the queued tasks before this one, up to PLACE_LIMIT, and itself: 1 is next."""
        ...

    async def next_queued(self, limit: int) -> list[Task]:
        """Give the next tasks in line: lowest (turn, id) first."""
        ...

    async def requeue_due(self, now: datetime) -> datetime | None:
        """Put WAITING tasks that are due back into the line; returns when the next one is due."""
        ...

    async def put_off(
        self, task: Task, *, due_at: datetime, reason: str | None = None
    ) -> Task | None:
        """QUEUED → WAITING: its photo could not be fetched for now.

        `tries` is raised and `trouble_since` begun; `reason` is kept as vendor_message.
        """
        ...

    async def change(
        self,
        task: Task,
        *,
        settings: Settings | None = None,
        photos: Sequence[Photo] | None = None,
    ) -> Task | None:
        """QUEUED or WAITING stays so, with other settings or photos: its caption was edited.

        `claim_no` is raised, so that nobody submits it as it was before. The turn stays. None also
        where HiDream may have it as it was: a submission of it has got no answer.
        """
        ...

    async def cancel(self, task: Task, now: datetime) -> Task | None:
        """Withdraw one task, for the person who asked for it.

        QUEUED or WAITING → CANCELLED: it has cost nothing, and the gap in the later turns is
        closed. UNCERTAIN or RUNNING → CANCELLED: its slot stays held until HiDream's end, or until
        its time is up; what HiDream still makes of it is dropped. SUBMITTING stays so, `withdrawn`:
        it becomes CANCELLED with the answer (by `accepted`, `hand_back`, `unanswered` or `ready`,
        or by `recover`), and `accepted` notes HiDream's id all the same. None where it is too late
        (or somebody was quicker): read it again.
        """
        ...

    async def cancel_queued(self, user_id: int | None, chat_id: int, now: datetime) -> int:
        """Cancel the QUEUED and WAITING tasks of a person (None: of everybody) in a chat.

        Closes the gap in the later turns of whoever they were.
        """
        ...
