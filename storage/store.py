"""What a store must be able to do, whatever keeps its rows. Pure: no database."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

from storage.tasks import (
    Charge,
    Draft,
    Failure,
    Image,
    ImageState,
    InboxRow,
    NewDraft,
    NewTask,
    NewUpdate,
    Origin,
    Running,
    SentImage,
    Step,
    Task,
    TaskState,
    Topic,
)


class StoreError(Exception):
    """Something that the store was asked for cannot be done."""


class TooManyUnfinished(StoreError):
    """The person already has as many unfinished tasks as are allowed."""

    def __init__(self, unfinished: int, allowed: int) -> None:
        super().__init__(f"{unfinished} unfinished tasks, {allowed} allowed")
        self.unfinished = unfinished
        self.allowed = allowed


class DatabaseRefused(StoreError):
    """The database cannot be used as it is: newer, not ours, read-only, corrupt, or in use."""


class TaskStore(Protocol):
    """Everything that lasts. Each method is one atomic step; times are UTC-aware.

    Methods that move a task take the `Task` as it was read and change the row only if its state and
    `claim_no` are still the same; they return the new row, or None where somebody else was quicker.
    A move that `moves.MOVES` does not know raises ValueError: it is a mistake in the program.
    """

    async def close(self) -> None:
        """Let go of the database; nothing may be asked afterwards."""
        ...

    # --- waking

    def mark(self, topic: Topic) -> int:
        """Say how often `topic` has been woken: take it before looking, give it to `wait`."""
        ...

    async def wait(self, topic: Topic, *, since: int, seconds: float | None = None) -> None:
        """Wait until `topic` is woken after the mark `since`, or so many seconds have passed."""
        ...

    def wake(self, topic: Topic | None = None) -> None:
        """Wake whoever waits for `topic`, or (None) everybody, as when the program stops."""
        ...

    # --- inbox

    async def receive(self, bot_id: int, updates: Sequence[NewUpdate], now: datetime) -> int:
        """Keep updates; those already known are dropped. Returns how many were new."""
        ...

    async def inbox_heads(self, now: datetime, limit: int) -> list[InboxRow]:
        """Give the first unhandled update of each chat, oldest first, leaving out chats whose first one is not due yet."""
        ...

    async def next_inbox_due(self) -> datetime | None:
        """Say when the first update that was put off is due; None if none was put off."""
        ...

    async def inbox_done(self, row: InboxRow, now: datetime) -> None:
        """The update has been handled: its text is emptied, its key stays to know repeats."""
        ...

    async def inbox_defer(
        self, row: InboxRow, *, due_at: datetime, error: str, failed: bool
    ) -> None:
        """Try the update again at `due_at`; `failed`: it counts as a failed attempt."""
        ...

    async def inbox_set_aside(self, row: InboxRow, *, error: str, now: datetime) -> None:
        """Give up on an update: it is kept, with the error, and no longer in anybody's way."""
        ...

    async def first_of_album(self, origin: Origin, chat_id: int, media_group_id: str) -> bool:
        """Say whether this update is the one that answers for its album; the first to ask is (also when it asks again)."""
        ...

    # --- drafts

    async def add_draft(self, new: NewDraft, now: datetime) -> Draft:
        """Keep photos that wait for words; the person's older open drafts in that chat are closed. A repeated origin gives the draft it made."""
        ...

    async def asked(self, draft_id: int, question_id: int) -> None:
        """Note which message asks for the words."""
        ...

    async def open_draft(self, user_id: int, chat_id: int, since: datetime) -> Draft | None:
        """Give the person's open draft in a chat, if it was made after `since`."""
        ...

    async def draft_asked_by(self, user_id: int, chat_id: int, question_id: int) -> Draft | None:
        """Give the person's draft, used or not, that this message of ours asked about."""
        ...

    # --- tasks: in and out of the line

    async def add(self, new: NewTask, *, now: datetime, max_unfinished: int | None) -> Task:
        """Queue a task, with its turn. A repeated origin gives the task that it made.

        turn = max(current + 1, the last turn of this person's queued-or-started tasks + 1), where
        `current` is the highest turn ever claimed.

        Raises:
            TooManyUnfinished: the person has `max_unfinished` unfinished tasks; nothing is stored.
        """
        ...

    async def get(self, task_id: int) -> Task | None:
        """Give one task."""
        ...

    async def tasks_of(self, user_id: int, *, limit: int, chat_id: int | None = None) -> list[Task]:
        """Give a person's tasks: the unfinished first (oldest first), then the latest finished."""
        ...

    async def unfinished_child(self, parent_id: int) -> Task | None:
        """Give an unfinished task that was made from this one."""
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
        """QUEUED → WAITING: its photo could not be fetched for now; `tries` is raised, `reason` kept as vendor_message."""
        ...

    async def cancel_queued(self, user_id: int | None, chat_id: int, now: datetime) -> int:
        """Cancel the QUEUED and WAITING tasks of a person (None: of everybody) in a chat.

        Closes the gap in the later turns of whoever they were.
        """
        ...

    # --- tasks: handing in

    async def slots_held(self, now: datetime) -> int:
        """Count the submissions that hold a slot: not released, and not held for too long."""
        ...

    async def next_hold_end(self) -> datetime | None:
        """Say when the first held slot runs out by itself."""
        ...

    async def charges(self, since: datetime) -> list[Charge]:
        """Give the submissions that were answered after `since`, or not at all yet."""
        ...

    async def claim(
        self,
        task: Task,
        *,
        owner: str,
        lease_until: datetime,
        request_id: str,
        ratio_used: str,
        parallel: int,
        now: datetime,
        held_until: datetime,
    ) -> Task | None:
        """QUEUED → SUBMITTING, with a submission that holds a slot, if fewer than `parallel` are held.

        A task that already has a `request_id` (an uncertain one) keeps it. Raises `current`.
        """
        ...

    async def accepted(
        self,
        task: Task,
        *,
        hidream_task_id: str,
        sub_task_ids: Sequence[str],
        now: datetime,
        deadline_at: datetime,
        held_until: datetime,
    ) -> Task | None:
        """SUBMITTING or UNCERTAIN → RUNNING, with an image row a sub-task.

        Also None where another task has this `hidream_task_id` already.
        """
        ...

    async def hand_back(
        self,
        task: Task,
        *,
        to: Literal[TaskState.QUEUED, TaskState.WAITING],
        now: datetime,
        due_at: datetime | None = None,
        count_try: bool = True,
        vendor_code: int | None = None,
        vendor_message: str | None = None,
    ) -> Task | None:
        """SUBMITTING → QUEUED or WAITING: nothing was accepted, the slot is free again, the request id is forgotten unless an earlier submission of it is uncertain."""
        ...

    async def unanswered(self, task: Task, *, now: datetime, due_at: datetime) -> Task | None:
        """SUBMITTING → UNCERTAIN: the slot stays held; `uncertain` is raised."""
        ...

    async def uncertain(self, now: datetime) -> list[Task]:
        """Give the UNCERTAIN tasks that are due to be asked about."""
        ...

    async def ask_again(self, task: Task, *, due_at: datetime) -> Task | None:
        """UNCERTAIN stays so: HiDream could not be asked; look again at `due_at`."""
        ...

    async def submit_again(self, task: Task) -> Task | None:
        """UNCERTAIN → QUEUED with its old turn and request id: HiDream does not know it."""
        ...

    # --- tasks: at HiDream

    async def running(self) -> list[Running]:
        """Give the RUNNING tasks, and those over for us whose slot HiDream has not given back (until its hold runs out)."""
        ...

    async def note_completion(self, task_id: int, completion: float) -> None:
        """Note HiDream's own progress, 0 to 1."""
        ...

    async def image_made(self, task_id: int, n: int, url: str) -> None:
        """PENDING or MADE → MADE, with where HiDream has it."""
        ...

    async def image_stored(
        self, task_id: int, n: int, *, media_type: str, width: int, height: int, size: int
    ) -> None:
        """MADE → STORED: its bytes are on disk."""
        ...

    async def image_ended(
        self, task_id: int, n: int, state: ImageState, description: str | None = None
    ) -> None:
        """PENDING or MADE → a state without a picture."""
        ...

    async def release(self, hidream_task_id: str, now: datetime) -> None:
        """HiDream reported the end of this task of its: its slot is free."""
        ...

    async def images(self, task_id: int) -> list[Image]:
        """Give a task's images, in order."""
        ...

    async def ready(
        self,
        task: Task,
        *,
        now: datetime,
        failure: Failure | None = None,
        vendor_code: int | None = None,
        vendor_message: str | None = None,
    ) -> Task | None:
        """→ READY (from QUEUED, SUBMITTING, UNCERTAIN or RUNNING), with pictures or a failure to tell.

        From SUBMITTING the submission was refused, so its slot is released; from UNCERTAIN and
        RUNNING the slot stays held until HiDream's end or its time is up.
        """
        ...

    # --- tasks: delivery

    async def claim_delivery(
        self, *, owner: str, lease_until: datetime, now: datetime, busy_chats: Sequence[int]
    ) -> Task | None:
        """READY → DELIVERING: the oldest (by ready_at, id) whose chat is not busy.

        Of a chat only its first READY row may be taken, so that the order is kept: where that one
        is not due yet, the chat waits.
        """
        ...

    async def next_delivery_due(self) -> datetime | None:
        """Say when the first READY task that was put off is due."""
        ...

    async def steps(self, task_id: int) -> dict[str, Step]:
        """Give the delivery's steps so far, by name."""
        ...

    async def step_started(self, task: Task, name: str, now: datetime) -> Step | None:
        """Note that a message is about to be sent. If an earlier try may have arrived, `repeats` is raised."""
        ...

    async def step_not_sent(self, task: Task, name: str) -> None:
        """Note that the message surely did not arrive."""
        ...

    async def step_sent(
        self,
        task: Task,
        name: str,
        message_ids: Sequence[int],
        images: Sequence[SentImage],
        now: datetime,
    ) -> bool:
        """Note that the message arrived, and under which ids Telegram keeps its images."""
        ...

    async def deliver_later(self, task: Task, *, due_at: datetime) -> Task | None:
        """DELIVERING → READY, due later; `tries` is raised."""
        ...

    async def finish(
        self,
        task: Task,
        to: Literal[TaskState.DELIVERED, TaskState.FAILED, TaskState.GONE],
        now: datetime,
    ) -> Task | None:
        """DELIVERING → its final state."""
        ...

    # --- progress messages

    async def unannounced(self, limit: int) -> list[Task]:
        """Give the tasks between QUEUED and RUNNING that have no progress message yet, oldest first."""
        ...

    async def announced(self, limit: int) -> list[Task]:
        """Give tasks with a progress message, between QUEUED and RUNNING: those at HiDream first, then the line's front."""
        ...

    async def note_progress_message(self, task_id: int, message_id: int) -> Task | None:
        """Note which message tells how the task goes; returns the row as it is now."""
        ...

    async def note_shown_place(self, task_id: int, place: int) -> None:
        """Note which place in line was last shown."""
        ...

    # --- keeping house

    async def move_chat(self, old: int, new: int) -> None:
        """A group became a supergroup: everything of it belongs to its new id."""
        ...

    async def recover(self, *, owner: str, now: datetime, sole: bool) -> int:
        """Take back what other owners left: SUBMITTING → UNCERTAIN, DELIVERING → READY.

        `sole`: no other owner can be alive, so all of theirs is taken; otherwise only what has an
        expired lease. Open submissions without an answer count as answered now. Returns how many
        rows were taken back.
        """
        ...

    async def prune(
        self, *, now: datetime, inbox_before: datetime, finished_before: datetime | None, limit: int
    ) -> int:
        """Forget what is over: handled updates, and the words, photos and ids of finished tasks. Returns how many rows it touched, at most `limit`."""
        ...

    async def with_files_before(self, before: datetime, limit: int) -> list[int]:
        """Give the ids of tasks that were finished before then and whose files are not noted as removed."""
        ...

    async def files_removed(self, task_id: int) -> None:
        """Note that a task's files are off the disk."""
        ...

    async def counts(self) -> Mapping[str, int]:
        """Count tasks by state; also `unanswered` (submissions without an answer) and `repeated` (messages that may have been shown twice)."""
        ...
