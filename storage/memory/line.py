"""The line: tasks come in, wait for their turn, and leave it."""

from dataclasses import replace
from datetime import datetime

from storage.memory.tables import Memory
from storage.moves import next_turn
from storage.store import TooManyUnfinished
from storage.tasks import FINAL, IN_LINE, PLACE_LIMIT, NewTask, Origin, Task, TaskState


def _by_turn(task: Task) -> tuple[int, int]:
    return task.turn, task.id


class Line(Memory):
    """The store's methods for tasks until they are handed in, and for looking them up."""

    async def add(self, new: NewTask, *, now: datetime, max_unfinished: int | None) -> Task:
        """Queue a task, with its turn. A repeated origin gives the task that it made.

        Raises:
            TooManyUnfinished: the person has `max_unfinished` unfinished tasks; nothing is stored.
        """
        for known in self._tables.tasks.values():
            if known.origin == new.origin:
                return known
        unfinished = len([one for one in self._of(new.user_id) if one.state not in FINAL])
        if max_unfinished is not None and unfinished >= max_unfinished:
            raise TooManyUnfinished(unfinished, max_unfinished)
        own_turns = [one.turn for one in self._in_line(new.user_id)]
        task = Task(
            id=max(self._tables.tasks, default=0) + 1,
            origin=new.origin,
            user_id=new.user_id,
            place=new.place,
            photos=new.photos,
            settings=new.settings,
            language=new.language,
            parent_id=new.parent_id,
            turn=next_turn(self._tables.current_turn, own_turns),
            created_at=now,
        )
        self._put(task)
        if new.draft_id in self._tables.drafts:
            draft = self._tables.drafts[new.draft_id]
            self._tables.drafts[draft.id] = replace(draft, used=True)
        self._bells.changed("add")
        return task

    def _of(self, user_id: int) -> list[Task]:
        return [one for one in self._tables.tasks.values() if one.user_id == user_id]

    # --- looking up

    async def get(self, task_id: int) -> Task | None:
        """Give one task."""
        return self._tables.tasks.get(task_id)

    async def made_by(self, origin: Origin) -> Task | None:
        """Give the task that this origin has made: there is one if its update is a repeat."""
        tasks = self._tables.tasks.values()
        return next((task for task in tasks if task.origin == origin), None)

    async def tasks_of(self, user_id: int, *, limit: int, chat_id: int | None = None) -> list[Task]:
        """Give a person's tasks: the unfinished first (oldest first), then the latest finished."""
        here = [one for one in self._of(user_id) if chat_id in (None, one.place.chat_id)]
        finished = sorted(
            ((one.finished_at, one.id) for one in here if one.finished_at is not None), reverse=True
        )
        unfinished = [one for one in here if one.finished_at is None]
        return [*unfinished, *(self._tables.tasks[task_id] for _, task_id in finished)][:limit]

    async def unfinished_child(self, parent_id: int) -> Task | None:
        """Give an unfinished task that was made from this one."""
        for task in self._tables.tasks.values():
            if task.parent_id == parent_id and task.state not in FINAL:
                return task
        return None

    async def place_in_line(self, task: Task) -> int:
        """Count the queued tasks before this one, up to PLACE_LIMIT, and itself: 1 is next."""
        before = [one for one in self._tasks(TaskState.QUEUED) if _by_turn(one) < _by_turn(task)]
        return min(len(before), PLACE_LIMIT) + 1

    async def next_queued(self, limit: int) -> list[Task]:
        """Give the next tasks in line: lowest (turn, id) first."""
        return sorted(self._tasks(TaskState.QUEUED), key=_by_turn)[:limit]

    # --- waiting, and leaving

    async def requeue_due(self, now: datetime) -> datetime | None:
        """Put WAITING tasks that are due back into the line; returns when the next one is due."""
        later = []
        moved = False
        for task in self._tasks(TaskState.WAITING):
            if task.due_at is not None and task.due_at > now:
                later.append(task.due_at)
            else:
                self._put(replace(task, state=TaskState.QUEUED, due_at=None))
                moved = True
        if moved:
            self._bells.changed("requeue_due")
        return min(later, default=None)

    async def put_off(
        self, task: Task, *, due_at: datetime, reason: str | None = None
    ) -> Task | None:
        """QUEUED → WAITING: its photo could not be fetched for now."""
        return self._move(
            "put_off",
            task,
            TaskState.WAITING,
            lambda row: {
                "due_at": due_at,
                "tries": row.tries + 1,
                "trouble_since": row.trouble_since or self._clock.now(),
                "vendor_message": row.vendor_message if reason is None else reason,
            },
        )

    async def cancel_queued(self, user_id: int | None, chat_id: int, now: datetime) -> int:
        """Cancel the QUEUED and WAITING tasks of a person (None: of everybody) in a chat.

        Closes the gap in the later turns of whoever they were.
        """
        line = self._tasks(*IN_LINE)
        here = (one for one in line if one.place.chat_id == chat_id)
        cancelled = [one for one in here if user_id in (None, one.user_id)]
        for task in cancelled:
            self._put(replace(task, state=TaskState.CANCELLED, due_at=None, finished_at=now))
        for person in {one.user_id for one in cancelled}:
            self._close_up(person)
        if cancelled:
            self._bells.changed("cancel_queued")
        return len(cancelled)
