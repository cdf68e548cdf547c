"""What is said of a task: on its progress message, with its pictures, and by /status. Pure."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from bot.account import Trouble
from bot.messages import Button
from bot.texts import Ago, Lasting, Percent, Say, shorten
from storage.tasks import FINAL, PLACE_LIMIT, Image, ImageState, Settings, Task, TaskState

_CAPTION_PROMPT: Final = 400
"""UTF-16 units of the prompt in a caption, which may have 1024 in all (Bot API: sendPhoto)."""
_NEGATIVE: Final = 200
_LIST_PROMPT: Final = 90
_LIST_NEGATIVE: Final = 60
_VENDOR_ID: Final = 200
_FULL_PROMPT: Final = 2500
"""Of the 4096 of a text (Bot API: sendMessage)."""

_MISSING: Final = {
    ImageState.REFUSED: "missing-refused",
    ImageState.EMPTY: "missing-empty",
    ImageState.FAILED: "missing-failed",
    ImageState.EXPIRED: "missing-expired",
    ImageState.UNFETCHED: "missing-unfetched",
}

# Failures after which the same photo is of no use: the sentence asks for another.
_PHOTO_UNUSABLE: Final = frozenset(
    {
        "photo-gone",
        "file-too-large",
        "image-unknown",
        "image-broken",
        "image-too-large",
        "image-animated",
    }
)

AGAIN: Final = "again"
OTHER_WORDS: Final = "words"


def result(task: Task, images: Sequence[Image]) -> list[Say]:
    """Give the lines of the caption under a task's pictures."""
    made = sum(image.state is ImageState.STORED for image in images)
    over = task.ended_at or task.ready_at or task.created_at
    lines = [
        Say(
            "result",
            {
                "prompt": shorten(task.settings.prompt, _CAPTION_PROMPT),
                "settings": settings(task),
                "task": task.id,
                "time": Lasting(over - task.created_at),
            },
        )
    ]
    if made < len(images):
        lines += partly(images)
    return lines


def late(task: Task) -> Say:
    """Give the caption under a picture that came after all."""
    return Say(
        "result-late",
        {
            "prompt": shorten(task.settings.prompt, _CAPTION_PROMPT),
            "settings": settings(task),
            "task": task.id,
        },
    )


def partly(images: Sequence[Image]) -> list[Say]:
    """Say how many images are missing, and why."""
    states = Counter(image.state for image in images)
    made = states[ImageState.STORED]
    return [
        Say("partly", {"count": made, "asked": len(images)}),
        *(Say(id, {"count": states[s]}) for s, id in _MISSING.items() if states[s]),  # noqa: A001
    ]


def settings(task: Task, *, negative: int = _NEGATIVE) -> Say:
    """Name the effective settings of a task, its negative prompt in so many UTF-16 units at most."""
    chosen: Settings = task.settings
    ratio = task.ratio_used or chosen.ratio
    data = {
        "ratio": ratio or Say("ratio-auto"),
        "count": Say("pictures", {"count": chosen.count}),
    }
    if not chosen.negative:
        return Say("settings", data)
    return Say("settings-negative", {**data, "negative": shorten(chosen.negative, negative)})


def failure(task: Task) -> Say:
    """Say why a task has no picture."""
    known = task.failure
    return Say(known.id, known.data) if known else Say("hidream-failed")


def failure_buttons(task: Task) -> tuple[Button, ...]:
    """Give the buttons under a reason: what can be done about it."""
    if task.failure is not None and task.failure.id in _PHOTO_UNUSABLE:
        return ()
    return (
        Button(label=Say("button-again"), data=f"{AGAIN}:{task.id}"),
        Button(label=Say("button-words"), data=f"{OTHER_WORDS}:{task.id}"),
    )


def progress(task: Task, *, place: int, trouble: Trouble | None = None) -> Say:
    """Give the line of the progress message of an unfinished task."""
    match task.state:
        case TaskState.QUEUED | TaskState.WAITING if trouble is not None:
            return Say("progress-paused")
        case TaskState.WAITING:
            return Say("progress-retry")
        case TaskState.QUEUED if place > PLACE_LIMIT:
            return Say("progress-far", {"place": PLACE_LIMIT})
        case TaskState.QUEUED if place > 1:
            return Say("progress-place", {"place": place})
        case TaskState.QUEUED:
            return Say("progress-next")
        case TaskState.SUBMITTING:
            return Say("progress-submitting")
        case TaskState.UNCERTAIN:
            return Say("progress-uncertain")
        case _ if task.ended_at is not None:
            return Say("progress-fetching")
        case _ if task.completion is not None:
            return Say("progress-percent", {"percent": percent(task.completion)})
        case _:
            return Say("progress-running")


def state(task: Task, *, place: int) -> Say:
    """Name a task's state, as /status says it."""
    match task.state:
        case TaskState.QUEUED if place > PLACE_LIMIT:
            return Say("state-far", {"place": PLACE_LIMIT})
        case TaskState.QUEUED:
            return Say("state-queued", {"place": place})
        case TaskState.RUNNING if task.ended_at is not None:
            return Say("state-fetching")
        case TaskState.RUNNING if task.completion is not None:
            return Say("state-percent", {"percent": percent(task.completion)})
        case TaskState.READY | TaskState.DELIVERING:
            return Say("state-ready")
        case _:
            return Say(f"state-{task.state.value}")


def listed(task: Task, *, place: int, now: datetime) -> Say:
    """Give a task's entry in the list of /status."""
    return Say(
        "status-line",
        {
            "task": task.id,
            "state": state(task, place=place),
            "age": Ago(now - task.created_at),
            "prompt": shorten(task.settings.prompt, _LIST_PROMPT),
            "settings": settings(task, negative=_LIST_NEGATIVE),
        },
    )


def others(count: int, *, counted: int) -> Say:
    """Say how many tasks are not in the list; beyond `counted` nobody has counted them."""
    if count > counted:
        return Say("status-many", {"count": counted})
    return Say("status-others", {"count": count})


def in_full(task: Task, images: Sequence[Image], *, place: int, now: datetime) -> list[Say]:
    """Give everything that a person may want to know of their task."""
    lines = [
        Say(
            "status-full",
            {
                "task": task.id,
                "state": state(task, place=place),
                "prompt": shorten(task.settings.prompt, _FULL_PROMPT),
                "settings": settings(task),
            },
        ),
        Say("status-times", {"age": Ago(now - task.created_at)}),
    ]
    if task.failure is not None and task.state in FINAL:
        lines.append(Say(task.failure.id, task.failure.data))
    elif task.state in FINAL and images:
        over = task.ended_at or task.finished_at or task.created_at
        lines.append(Say("status-took", {"time": Lasting(over - task.created_at)}))
        if any(image.state is not ImageState.STORED for image in images):
            lines += partly(images)
    if task.hidream_task_id:
        lines.append(Say("status-hidream", {"id": shorten(task.hidream_task_id, _VENDOR_ID)}))
    return lines


def percent(completion: float) -> Percent:
    """Give HiDream's progress in whole percent; 100 only when it is over."""
    return Percent(min(99, int(completion * 100)) / 100 if completion < 1 else 1.0)
