"""Where tasks and images are on their way, and what a loop can wait for."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


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
    """Withdrawn by the person; what HiDream has of it runs on there, and is dropped. Final."""


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
    ALBUMS = "albums"
    """A part of an album came in, or one has been quiet for long enough."""
    QUEUE = "queue"
    """A task was queued or left the queue, or a slot became free."""
    RUNNING = "running"
    """A task was handed in, or became uncertain."""
    READY = "ready"
    """A task has something to be told, or a chat became free."""
    PROGRESS = "progress"
    """Something that a progress message shows has changed."""
    ADMINS = "admins"
    """There is something that the admins should hear; no row has changed."""
    HOUSEKEEPING = "housekeeping"
    """Somebody has been forgotten; else the time wakes it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rest:
    """Whether whoever waits for a topic is waiting or at work, by the monotonic clock."""

    waiting: bool
    since: float
    until: float | None = None
    """When the wait ends by itself; None: with a wake-up alone."""
