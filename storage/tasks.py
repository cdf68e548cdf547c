"""What the store holds, and how a task moves. Pure: no database.

A *task* is one request of a person: photo, words and settings, and what became of them. HiDream
makes it as one task of its own with a *sub-task* an image. A *submission* is one request that was
sent to HiDream for a task; submissions are what slots and images a minute are counted by, so that
the limits stay true whatever became of the task.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

Datum = str | int | float
PLACE_LIMIT: Final = 500
"""Up to here a place in line is counted exactly; beyond, it is `PLACE_LIMIT + 1`."""


class TaskState(StrEnum):
    """Where a task is on its way. The row is the truth; the loops only move rows."""

    QUEUED = "queued"
    """Waits for its turn and a free slot."""
    WAITING = "waiting"
    """Could not be handed in; comes back into the line, with its old turn, at `due_at`."""
    SUBMITTING = "submitting"
    """Claimed by the dispatcher: from here on a request may be on its way to HiDream."""
    UNCERTAIN = "uncertain"
    """The request was sent and no answer came: HiDream may or may not have it."""
    RUNNING = "running"
    """HiDream has it; not all of its images are here yet."""
    READY = "ready"
    """Something is to be told: pictures on disk, or a failure. Waits for the courier."""
    DELIVERING = "delivering"
    """Claimed by the courier: messages may be on their way."""
    DELIVERED = "delivered"
    """The chat has its pictures. Final."""
    FAILED = "failed"
    """The chat has been told why there is no picture. Final."""
    GONE = "gone"
    """There is no chat any more to tell: the bot was blocked or removed. Final."""
    CANCELLED = "cancelled"
    """Withdrawn before it was handed in. Final."""


FINAL: Final = frozenset(
    {TaskState.DELIVERED, TaskState.FAILED, TaskState.GONE, TaskState.CANCELLED}
)
IN_LINE: Final = frozenset({TaskState.QUEUED, TaskState.WAITING})
"""Not handed in: what can still be withdrawn, and what a person's turns are counted by."""
AT_HIDREAM: Final = frozenset({TaskState.SUBMITTING, TaskState.UNCERTAIN, TaskState.RUNNING})
"""Handed in, or perhaps; nothing to tell yet."""


class ImageState(StrEnum):
    """What became of one image (one sub-task) of a task."""

    PENDING = "pending"
    """HiDream is at it."""
    MADE = "made"
    """HiDream has given its URL; the bytes are not here yet."""
    STORED = "stored"
    """Its bytes are on disk, or were until it was delivered."""
    FAILED = "failed"
    """HiDream could not make it (status 3)."""
    REFUSED = "refused"
    """It did not pass HiDream's review (status 4)."""
    EMPTY = "empty"
    """The model made nothing of this prompt (status 1004 to 1006)."""
    UNFETCHED = "unfetched"
    """HiDream made it, but it could not be fetched."""
    EXPIRED = "expired"
    """HiDream had not made it by the deadline."""


class Topic(StrEnum):
    """What a loop can wait for."""

    INBOX = "inbox"
    """An update came in, or one that waited is due."""
    QUEUE = "queue"
    """A task was queued or left the queue, or a slot became free."""
    RUNNING = "running"
    """A task was handed in, or became uncertain."""
    READY = "ready"
    """A task has something to be told, or a chat became free."""
    PROGRESS = "progress"
    """Something that a progress message shows has changed."""
    HOUSEKEEPING = "housekeeping"
    """Nothing wakes it but the end of the program; the time does."""


# --- what is kept ---------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Photo:
    """A reference image as Telegram knows it; its bytes are fetched when they are needed."""

    file_id: str
    file_unique_id: str
    kind: Literal["photo", "document"] = "photo"
    width: int | None = None
    """Pixels, where Telegram says so."""
    height: int | None = None
    size: int | None = None
    """Bytes, where Telegram says so."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """What made a task: unique, so that a repeated update makes nothing new."""

    bot_id: int
    update_id: int
    n: int = 0
    """Which of the tasks that this one update made."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where in Telegram a task belongs."""

    chat_id: int
    chat_type: str
    """`private`, `group`, `supergroup` or `channel`."""
    message_id: int
    """The message with the photo: results are replies to it."""
    thread_id: int | None = None
    """The topic, in a chat that has topics."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """The effective settings of a task."""

    prompt: str
    negative: str = ""
    ratio: str | None = None
    """`16:9`, …; None: the one nearest to the photo's own."""
    count: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """Why there is no picture: a sentence's id and its data, never prose."""

    id: str
    data: Mapping[str, Datum] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class NewTask:
    """A task to be added."""

    origin: Origin
    user_id: int
    place: Place
    photos: tuple[Photo, ...]
    settings: Settings
    language: str | None = None
    """The person's Telegram language code."""
    parent_id: int | None = None
    """The task that this one repeats or goes on from."""
    draft_id: int | None = None
    """The question that this task answers; it is marked as used together with the insert."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """A task's row as it was read. Changing it is asked of the store, which checks the fence."""

    id: int
    origin: Origin
    user_id: int
    place: Place
    photos: tuple[Photo, ...]
    settings: Settings
    language: str | None = None
    parent_id: int | None = None

    state: TaskState = TaskState.QUEUED
    turn: int = 0
    due_at: datetime | None = None
    """When a WAITING, UNCERTAIN or READY row is looked at next; None: at once."""
    tries: int = 0
    """Failed attempts of the step it is at; set back by success."""
    trouble_since: datetime | None = None
    """Since when fetching its photo or handing it in has been failing, with no success in between."""
    refusals: int = 0
    """How often HiDream refused it without saying why; set back by acceptance."""

    claimed_by: str | None = None
    claim_no: int = 0
    """The fence: raised by each claim; a change that names an older one changes nothing."""
    lease_until: datetime | None = None

    request_id: str | None = None
    """Our own id of the submission, kept when an uncertain one is repeated."""
    uncertain: int = 0
    """How many submissions of this task got no answer."""
    hidream_task_id: str | None = None
    ratio_used: str | None = None
    """The ratio that was submitted, where `settings.ratio` left it to the photo."""
    completion: float | None = None
    """HiDream's own progress over all images, 0 to 1."""
    deadline_at: datetime | None = None

    failure: Failure | None = None
    vendor_code: int | None = None
    vendor_message: str | None = None
    """HiDream's last words, for the admins."""

    progress_message_id: int | None = None
    shown_place: int | None = None
    """The place in line last shown; it never rises."""

    created_at: datetime
    submitted_at: datetime | None = None
    accepted_at: datetime | None = None
    ended_at: datetime | None = None
    """When HiDream's end was read."""
    ready_at: datetime | None = None
    finished_at: datetime | None = None
    """When it reached a final state."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """One image of a task, in the order of HiDream's sub-tasks."""

    task_id: int
    n: int
    sub_task_id: str
    state: ImageState = ImageState.PENDING
    url: str | None = None
    """Where HiDream has it; emptied once the bytes are here."""
    description: str | None = None
    """What HiDream said of its failure, for the admins."""
    media_type: str | None = None
    width: int | None = None
    height: int | None = None
    size: int | None = None
    file_id: str | None = None
    """Telegram's, once it was sent."""
    sent_as: Literal["photo", "document"] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """A task of which HiDream has something to say: still running, or still holding its slot."""

    task: Task
    hidream_task_id: str
    images: tuple[Image, ...]
    released: bool
    """Whether its slot has been given back."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Charge:
    """Images that may still count against the minute."""

    images: int
    sent_at: datetime
    answered_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One message (or album) of a delivery."""

    name: str
    state: Literal["sending", "not_sent", "sent"]
    message_ids: tuple[int, ...] = ()
    repeats: int = 0
    """How often it was begun again although an earlier try may have arrived."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SentImage:
    """Under which id Telegram keeps an image that was delivered."""

    n: int
    file_id: str
    sent_as: Literal["photo", "document"]


@dataclass(frozen=True, kw_only=True, slots=True)
class NewUpdate:
    """An update as Telegram sent it."""

    update_id: int
    chat_id: int | None
    """Its chat (or the person, where there is no chat): updates of one chat are handled in order."""
    raw: str
    """The update's JSON."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InboxRow:
    """An update that has been received and not yet been handled."""

    bot_id: int
    update_id: int
    chat_id: int | None
    raw: str
    tries: int
    """Failed attempts to handle it."""
    received_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class NewDraft:
    """Photos that wait for words."""

    origin: Origin
    user_id: int
    place: Place
    photos: tuple[Photo, ...]
    caption: str = ""
    """Options that came with the photo, to be read together with the words."""
    language: str | None = None
    parent_id: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """Photos that wait for words, and the question that was asked."""

    id: int
    origin: Origin
    user_id: int
    place: Place
    photos: tuple[Photo, ...]
    caption: str
    language: str | None
    parent_id: int | None
    question_id: int | None
    """Our message that asks; None until it is known to be sent."""
    used: bool
    created_at: datetime
