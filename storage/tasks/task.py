"""A task, and what belongs to it: where it comes from, its images, submissions and messages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from storage.tasks.states import ImageState, TaskState

Datum = str | int | float | Sequence[str]
PLACE_LIMIT: Final = 500
"""Up to here a place in line is counted exactly; beyond, it is `PLACE_LIMIT + 1`."""
HISTORY_LIMIT: Final = 5000
"""Of so many tasks of a person, the latest, the results are turned over, searched and counted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Photo:
    """A reference image as Telegram knows it; its bytes are fetched when they are needed."""

    file_id: str
    file_unique_id: str
    """Both are "" where `kind` is "url"."""
    kind: Literal["photo", "document", "sticker", "url"] = "photo"
    width: int | None = None
    """Pixels, where Telegram says so."""
    height: int | None = None
    size: int | None = None
    """Bytes, where Telegram says so."""
    url: str | None = None
    """Where it is on the web; HiDream fetches it, we never do."""
    spoiler: bool = False
    """Whether it was sent covered: then so is what is made of it."""


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
    """The message with the photo: results are replies to it. 0: it is in a group that has moved."""
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
    as_file: bool = False
    """Whether the result is sent as files, in full quality."""
    silent: bool = False
    """Whether the result arrives without a sound."""


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
    pressed: str | None = None
    """The button that makes it; while what it made is unfinished, it makes nothing more."""


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
    pressed: str | None = None

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
    brought: int | None = None
    """How many pictures its chat had got when it was last DELIVERED; None: it never was."""

    withdrawn: bool = False
    """Whether the person stopped it while its request was on its way: it ends with the answer."""
    pruned: bool = False
    """Whether its words, photos and ids have been forgotten."""


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
    late: Literal["due", "told"] | None = None
    """It came after its task was over for the person, who is to be shown it, or was."""
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
class Measured:
    """How long a task took at HiDream, from its acceptance to its end."""

    ratio: str
    count: int
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Charge:
    """Images that may still count against the minute."""

    images: int
    sent_at: datetime
    answered_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Overview:
    """How it stands with all that is kept: what somebody who watches the bot wants to know."""

    counts: Mapping[str, int]
    """As `counts` gives them."""
    slots_held: int
    line_since: datetime | None
    """When the oldest task came that is in line; None: none is."""
    ready_since: datetime | None
    """When the oldest result was ready that nobody is bringing yet; None: there is none."""
    inbox: int
    """Updates that are not handled yet."""
    inbox_since: datetime | None
    """When the oldest of them came."""


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


Role = Literal["picture", "file", "buttons", "notice", "progress", "other"]
"""What one of our messages is to its task."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskMessage:
    """One of our messages that belongs to a task."""

    chat_id: int
    message_id: int
    task_id: int
    role: Role
    n: int | None = None
    """Which of the task's images it shows."""
    sent_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Forgotten:
    """What was done when a person asked to be forgotten."""

    cancelled: int
    """Tasks that were in line, and cost nothing."""
    stopped: int
    """Tasks that HiDream has, or perhaps has: their slots stay held until its end."""
    task_ids: tuple[int, ...]
    """All tasks that were emptied: their files are to go."""
    messages: tuple[TaskMessage, ...]
    """Progress messages that are still in chats."""
