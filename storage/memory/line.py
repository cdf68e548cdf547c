"""The line: tasks come in, wait for their turn, and leave it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from storage.memory.tables import Memory, over
from storage.moves import MOVES, check_move, next_turn
from storage.people import KEY_FACT, hashed
from storage.store import StillMaking, TooManyUnfinished
from storage.tasks import (
    FINAL,
    IN_LINE,
    PLACE_LIMIT,
    ImageState,
    NewTask,
    Origin,
    Photo,
    Settings,
    Task,
    TaskState,
)


def _by_turn(task: Task) -> tuple[int, int]:
    return task.turn, task.id


class Line(Memory):
    """The store's methods for tasks until they are handed in, and for looking them up."""

    async def add(self, new: NewTask, *, now: datetime, max_unfinished: int | None) -> Task:
        """Queue a task, with its turn. A repeated origin gives the task that it made.

        Raises:
            TooManyUnfinished: the person has `max_unfinished` unfinished tasks; nothing is stored.
            StillMaking: what this button (`pressed`) made before is unfinished; nothing is stored.
        """
        return self._added("add", (new,), now, max_unfinished)[0]

    async def add_all(
        self, news: Sequence[NewTask], *, now: datetime, max_unfinished: int | None
    ) -> list[Task]:
        """Queue several tasks of one person, all or none; each as by `add`.

        Raises:
            TooManyUnfinished: not all of them have room below `max_unfinished`.
            StillMaking: what this button made before is unfinished.
        """
        return self._added("add_all", news, now, max_unfinished)

    def _added(
        self, method: str, news: Sequence[NewTask], now: datetime, max_unfinished: int | None
    ) -> list[Task]:
        by_origin = {task.origin: task for task in self._tables.tasks.values()}
        known = [by_origin[new.origin] for new in news if new.origin in by_origin]
        if known or not news:
            return known
        buttons = {new.pressed for new in news} - {None}
        for task in self._tables.tasks.values():
            if task.pressed in buttons and task.state not in FINAL:
                raise StillMaking(task.id)
        theirs = self._of(news[0].user_id)
        unfinished = len([one for one in theirs if one.state not in FINAL])
        # what they have stopped still costs, and keeps a slot from others, until HiDream's end
        stopped = {one.id for one in theirs if one.state is TaskState.CANCELLED}
        unfinished += len(stopped & self._held_tasks(now))
        unfinished += self._held_for_forgotten(news[0].user_id, now)
        if max_unfinished is not None and unfinished + len(news) > max_unfinished:
            raise TooManyUnfinished(unfinished, max_unfinished)
        made = [self._insert(new, now) for new in news]
        self._bells.changed(method)
        return made

    def _held_for_forgotten(self, user_id: int, now: datetime) -> int:
        """Count what a person had at HiDream when they were forgotten, and still has."""
        if (key := self._tables.facts.get(KEY_FACT)) is None:
            return 0
        person = hashed(key, user_id)
        theirs = {task_id for task_id, one in self._tables.person_hashes.items() if one == person}
        return len(theirs & self._held_tasks(now))

    def _insert(self, new: NewTask, now: datetime) -> Task:
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
            pressed=new.pressed,
            turn=next_turn(self._tables.current_turn, own_turns),
            created_at=now,
        )
        self._put(task)
        if new.draft_id in self._tables.drafts:
            draft = self._tables.drafts[new.draft_id]
            self._tables.drafts[draft.id] = replace(draft, used=True)
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

    async def tasks_of(
        self, user_id: int, *, limit: int, chat_id: int | None = None, offset: int = 0
    ) -> list[Task]:
        """Give a person's tasks: the unfinished first (oldest first), then the latest finished."""
        here = [one for one in self._of(user_id) if chat_id in (None, one.place.chat_id)]
        finished = sorted(
            ((one.finished_at, one.id) for one in here if one.finished_at is not None), reverse=True
        )
        unfinished = [one for one in here if one.finished_at is None]
        tasks = [*unfinished, *(self._tables.tasks[task_id] for _, task_id in finished)]
        return tasks[offset : offset + limit]

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

    async def change(
        self,
        task: Task,
        *,
        settings: Settings | None = None,
        photos: Sequence[Photo] | None = None,
    ) -> Task | None:
        """QUEUED or WAITING stays so, with other settings or photos: its caption was edited."""
        check_move("change", task, task.state)
        row = self._tables.tasks.get(task.id)
        if row is None or row.request_id is not None:
            return None
        return self._move(
            "change",
            task,
            task.state,
            lambda row: {
                "settings": settings or row.settings,
                "photos": row.photos if photos is None else tuple(photos),
                "claim_no": row.claim_no + 1,
            },
        )

    async def cancel(self, task: Task, now: datetime) -> Task | None:
        """Withdraw one task, for the person who asked for it. None where it is too late."""
        if task.state not in MOVES["cancel"] or not self._current(task):
            return None
        row = self._tables.tasks[task.id]
        if row.state is TaskState.SUBMITTING:
            row = self._put(replace(row, withdrawn=True))
        else:
            row = self._put(over(row, now))
            self._drop_images(row)
        if task.state in IN_LINE:
            self._close_up(row.user_id)
        self._bells.changed("cancel")
        return row

    def _drop_images(self, task: Task) -> None:
        """What HiDream has made of a cancelled task and is not here yet is not fetched any more."""
        self._tables.images[task.id] = [
            replace(image, state=ImageState.UNFETCHED, url=None)
            if image.state is ImageState.MADE
            else image
            for image in self._tables.images.get(task.id, ())
        ]

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
