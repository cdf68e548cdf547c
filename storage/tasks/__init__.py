"""What the store holds. Pure: no database. How a task moves is in `storage.moves`.

A *task* is one request of a person: photo, words and settings, and what became of them. HiDream
makes it as one task of its own with a *sub-task* an image. A *submission* is one request that was
sent to HiDream for a task; submissions are what slots and images a minute are counted by, so that
the limits stay true whatever became of the task.
"""

from storage.tasks.incoming import (
    DRAFTS_KEPT,
    Album,
    AlbumPart,
    Draft,
    DraftKind,
    InboxRow,
    NewDraft,
    NewUpdate,
    NewView,
    View,
)
from storage.tasks.states import AT_HIDREAM, FINAL, IN_LINE, ImageState, Rest, TaskState, Topic
from storage.tasks.task import (
    HISTORY_LIMIT,
    PLACE_LIMIT,
    Charge,
    Datum,
    Failure,
    Forgotten,
    Image,
    Measured,
    NewTask,
    Origin,
    Overview,
    Photo,
    Place,
    Role,
    Running,
    SentImage,
    Settings,
    Step,
    Task,
    TaskMessage,
)

__all__ = [
    "AT_HIDREAM",
    "DRAFTS_KEPT",
    "FINAL",
    "HISTORY_LIMIT",
    "IN_LINE",
    "PLACE_LIMIT",
    "Album",
    "AlbumPart",
    "Charge",
    "Datum",
    "Draft",
    "DraftKind",
    "Failure",
    "Forgotten",
    "Image",
    "ImageState",
    "InboxRow",
    "Measured",
    "NewDraft",
    "NewTask",
    "NewUpdate",
    "NewView",
    "Origin",
    "Overview",
    "Photo",
    "Place",
    "Rest",
    "Role",
    "Running",
    "SentImage",
    "Settings",
    "Step",
    "Task",
    "TaskMessage",
    "TaskState",
    "Topic",
    "View",
]
