"""What the store holds. Pure: no database. How a task moves is in `storage.moves`.

A *task* is one request of a person: photo, words and settings, and what became of them. HiDream
makes it as one task of its own with a *sub-task* an image. A *submission* is one request that was
sent to HiDream for a task; submissions are what slots and images a minute are counted by, so that
the limits stay true whatever became of the task.
"""

from storage.tasks.incoming import Draft, InboxRow, NewDraft, NewUpdate
from storage.tasks.states import AT_HIDREAM, FINAL, IN_LINE, ImageState, TaskState, Topic
from storage.tasks.task import (
    PLACE_LIMIT,
    Charge,
    Datum,
    Failure,
    Image,
    Measured,
    NewTask,
    Origin,
    Photo,
    Place,
    Running,
    SentImage,
    Settings,
    Step,
    Task,
)

__all__ = [
    "AT_HIDREAM",
    "FINAL",
    "IN_LINE",
    "PLACE_LIMIT",
    "Charge",
    "Datum",
    "Draft",
    "Failure",
    "Image",
    "ImageState",
    "InboxRow",
    "Measured",
    "NewDraft",
    "NewTask",
    "NewUpdate",
    "Origin",
    "Photo",
    "Place",
    "Running",
    "SentImage",
    "Settings",
    "Step",
    "Task",
    "TaskState",
    "Topic",
]
