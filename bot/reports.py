"""What is said of a task: on its progress message, with its pictures, and by /status. Pure."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from bot import copies
from bot.account import Trouble
from bot.estimates import Span
from bot.texts import Ago, Between, Datum, Lasting, Percent, Say, shorten
from storage.tasks import FINAL, PLACE_LIMIT, Image, ImageState, Settings, Task, TaskState

_COPY_PARTLY: Final = 400
"""UTF-16 units of the copyable caption where it is also said which pictures are missing."""
_NEGATIVE: Final = 200
_LIST_PROMPT: Final = 90
_LIST_NEGATIVE: Final = 60
_VENDOR_ID: Final = 200
_FULL_PROMPT: Final = 3000
"""Of the 4096 of a text (Bot API: sendMessage)."""

_MISSING: Final = {
    ImageState.REFUSED: "missing-refused",
    ImageState.EMPTY: "missing-empty",
    ImageState.FAILED: "missing-failed",
    ImageState.EXPIRED: "missing-expired",
    ImageState.UNFETCHED: "missing-unfetched",
}


_PLAIN: Final = {"running": "progress-running", "percent": "progress-percent"}
_USUAL: Final = {"running": "progress-running-usual", "percent": "progress-percent-usual"}
_LONGER: Final = {"running": "progress-running-longer", "percent": "progress-percent-longer"}

ONE_OF_SEVERAL: Final = "one-of-several"
"""The failure of a task for one of its photos: the sentence names it, and says why by another one."""


def result(task: Task, images: Sequence[Image], *, standing: str = "") -> list[Say]:
    """Give the lines of the caption under a task's pictures.

    Args:
        task: the one that is over.
        images: all of its images.
        standing: the negative words that hold where a caption has none.
    """
    made = sum(image.state is ImageState.STORED for image in images)
    over = task.ended_at or task.ready_at or task.created_at
    missing = partly(images) if made < len(images) else []
    caption, whole = copies.within(
        task, _COPY_PARTLY if missing else copies.UNDER_A_PICTURE, standing=standing
    )
    data: dict[str, Datum | Between | Lasting | Percent | Say] = {
        "caption": caption,
        "task": task.id,
        "time": Lasting(over - task.created_at),
    }
    return [Say("result" if whole else "result-cut", data), *_lineage(task), *missing]


def late(task: Task, *, standing: str = "") -> list[Say]:
    """Give the caption under a picture that came after all."""
    caption, whole = copies.within(task, standing=standing)
    data: dict[str, Datum | Between | Lasting | Percent | Say] = {
        "caption": caption,
        "task": task.id,
    }
    return [Say("result-late" if whole else "result-late-cut", data), *_lineage(task)]


def _lineage(task: Task) -> list[Say]:
    return [] if task.parent_id is None else [Say("result-from", {"parent": task.parent_id})]


def _steps(task: Task, ancestors: Sequence[Task]) -> list[Say]:
    """Name the tasks of which each made something of the one before it."""
    first = ["…"] if ancestors[-1].parent_id is not None else []
    numbers = [f"#{one.id}" for one in (*reversed(ancestors), task)]
    return [Say("status-lineage", {"steps": " → ".join(first + numbers)})]


def partly(images: Sequence[Image]) -> list[Say]:
    """Say how many images are missing, and why."""
    states = Counter(image.state for image in images)
    made = states[ImageState.STORED]
    return [
        Say("partly", {"count": made, "asked": len(images)}),
        *(Say(id, {"count": states[s]}) for s, id in _MISSING.items() if states[s]),  # noqa: A001 - a sentence's id
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
    if known is None:
        return Say("hidream-failed")
    if known.id != ONE_OF_SEVERAL:
        return Say(known.id, known.data)
    rest = dict(known.data)
    number, reason = rest.pop("number"), str(rest.pop("why"))
    return Say(ONE_OF_SEVERAL, {"number": number, "why": Say(reason, rest)})


def progress(
    task: Task,
    *,
    place: int,
    trouble: Trouble | None = None,
    usual: Span | None = None,
    longer: bool = False,
) -> Say:
    """Give the line of the progress message of an unfinished task.

    Args:
        task: the unfinished one.
        place: its place in line.
        trouble: why nothing is handed in.
        usual: how long such tasks take at HiDream or, in line, when its turn may come.
        longer: it takes longer than usual.
    """
    if task.withdrawn:
        return Say("progress-stopping")
    match task.state:
        case TaskState.QUEUED | TaskState.WAITING if trouble is not None:
            return Say("progress-paused")
        case TaskState.WAITING:
            return Say("progress-retry")
        case TaskState.QUEUED if place > PLACE_LIMIT:
            return Say("progress-far", {"place": PLACE_LIMIT})
        case TaskState.QUEUED if place > 1 and usual is not None:
            return Say("progress-place-wait", {"place": place, "span": span(usual)})
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
        case _:
            return _at_hidream(task, usual, longer=longer)


def _at_hidream(task: Task, usual: Span | None, *, longer: bool) -> Say:
    known = "running" if task.completion is None else "percent"
    data: dict[str, Datum | Between | Lasting | Percent | Say] = (
        {} if task.completion is None else {"percent": percent(task.completion)}
    )
    if longer:
        return Say(_LONGER[known], data)
    if usual is not None:
        return Say(_USUAL[known], {**data, "span": span(usual)})
    return Say(_PLAIN[known], data)


def cancelled(task: Task) -> Say:
    """Give the end of the progress message of a task that was stopped: what it may have cost."""
    if task.hidream_task_id is not None or task.uncertain:
        return Say("progress-stopped")
    return Say("progress-cancelled")


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


def in_full(
    task: Task,
    images: Sequence[Image],
    *,
    place: int,
    now: datetime,
    standing: str = "",
    ancestors: Sequence[Task] = (),
) -> list[Say]:
    """Give everything that a person may want to know of their task.

    Args:
        task: theirs.
        images: all of its images.
        place: its place in line.
        now: the time.
        standing: as in `result`.
        ancestors: the tasks that it goes on from, its parent first.
    """
    lines = [
        Say(
            "status-full",
            {
                "task": task.id,
                "state": state(task, place=place),
                "caption": copies.within(task, _FULL_PROMPT, standing=standing)[0],
            },
        ),
        *(_steps(task, ancestors) if len(ancestors) > 1 else _lineage(task)),
        Say("status-times", {"age": Ago(now - task.created_at)}),
    ]
    if task.failure is not None and task.state in FINAL:
        lines.append(failure(task))
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


def span(one: Span) -> Between:
    """Say between which durations something lies."""
    return Between(timedelta(seconds=one.low), timedelta(seconds=one.high))
