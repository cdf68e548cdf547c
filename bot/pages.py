"""Lists and histories as they are shown, page by page, with the buttons that turn them over. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot import copies, reports
from bot.actions import Action, press
from bot.messages import Button, Keyboard
from bot.texts import Ago, Data, Say, shorten
from storage.tasks import AT_HIDREAM, FINAL, IN_LINE, Image, ImageState, Task, TaskState

LISTED: Final = 5
"""Entries a page: so many numbers have room side by side."""
COUNTED: Final = 100
"""So many more than those are counted: the answer is not worth a search through all of them."""
STOPPABLE: Final = IN_LINE | AT_HIDREAM
STOP_ALL: Final = "all"
_ROW: Final = 5
_WORDS: Final = 100
_PROMPT: Final = 90

Place = int
"""A place in line; 0 where there is none."""


# --- /status ---------------------------------------------------------------------------------------


def status_lines(
    found: Sequence[tuple[Task, Place]], *, others: int, now: datetime
) -> tuple[Say, ...]:
    """Give the text of a page: its tasks, and how many follow."""
    lines = [reports.listed(task, place=place, now=now) for task, place in found]
    if others:
        lines.append(reports.others(others, counted=COUNTED))
    return (*lines, Say("status-more", {"task": found[0][0].id}))


def status_buttons(view_id: int, page: int, tasks: Sequence[Task], *, others: int) -> Keyboard:
    """Give the buttons of a page: a number for each task, and the other pages."""
    numbers = tuple(
        Button(label=Say("button-task", {"task": task.id}), data=press(Action.SHOW, task.id))
        for task in tasks
    )
    before = (_turn("button-newer", view_id, page - 1),) if page else ()
    after = (_turn("button-older", view_id, page + 1),) if others else ()
    return (numbers, (*before, _turn("button-refresh", view_id, page), *after))


def nothing(private: bool) -> Say:
    """Say that there is nothing of someone's, and how to begin there."""
    return Say("status-none" if private else "status-none-group")


def _turn(label: str, view_id: int, *to: int) -> Button:
    return Button(label=Say(label), data=press(Action.VIEW, view_id, *to))


# --- /history --------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Spot:
    """Where a picture is: a task, and the image's number in it."""

    task_id: int
    n: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """One picture of a history."""

    task: Task
    image: Image
    picture: int
    """Which of the task's pictures, from 1."""
    spots: tuple[Spot, ...]
    """Where all of the task's pictures are."""
    n: int
    """Which of the person's results its task is, from 1, the latest."""
    count: int


def kept(images: Sequence[Image]) -> list[Image]:
    """Give the images of a task that Telegram keeps for us."""
    return [one for one in images if one.state is ImageState.STORED and one.file_id]


def history_caption(picture: Shown, *, standing: str, now: datetime) -> Say:
    """Give what stands under a picture; `standing` is as in `reports.result`."""
    caption, _ = copies.within(picture.task, standing=standing)
    data: Data = {
        "caption": caption,
        "task": picture.task.id,
        "age": Ago(now - picture.task.created_at),
        "n": picture.n,
        "count": picture.count,
    }
    pictures = len(picture.spots)
    if pictures == 1:
        return Say("history-picture", data)
    return Say("history-picture-of", {**data, "picture": picture.picture, "pictures": pictures})


def history_lost(picture: Shown) -> Say:
    """Say that Telegram has lost a picture."""
    return Say("history-lost", {"task": picture.task.id, "n": picture.n, "count": picture.count})


def history_buttons(
    view_id: int, picture: Shown, *, back: Spot | None, on: Spot | None
) -> Keyboard:
    """Give the buttons under a picture: the pictures beside it, and what leads on from it."""
    turns = (
        *(() if back is None else (_to("button-newer", view_id, back),)),
        *(() if on is None else (_to("button-older", view_id, on),)),
    )
    task_id = picture.task.id
    lead = (
        Button(label=Say("button-repeat"), data=press(Action.AGAIN, task_id)),
        Button(label=Say("button-use"), data=press(Action.USE, task_id, picture.image.n)),
    )
    return (turns, lead) if turns else (lead,)


def _to(label: str, view_id: int, spot: Spot) -> Button:
    return _turn(label, view_id, spot.task_id, spot.n)


def nothing_found(words: str, *, private: bool) -> Say:
    """Say that a history is empty."""
    if not words:
        return Say("history-none") if private else nothing(private)
    return Say("history-nothing-found", {"words": shorten(words, _WORDS)})


# --- /cancel ---------------------------------------------------------------------------------------


def stopped(task: Task) -> Say:
    """Say what became of the wish to stop a task, by its row as it is now."""
    data = {"task": task.id}
    if task.state is TaskState.CANCELLED:
        paid = reports.cancelled(task).id == "progress-stopped"
        return Say("cancelled-running" if paid else "cancelled", data)
    if task.state in FINAL:
        return Say("cancel-over", data)
    return Say("cancelling" if task.withdrawn else "cancel-too-late", data)


def which_lines(found: Sequence[tuple[Task, Place]], *, others: int) -> tuple[Say, ...]:
    """Ask which of several tasks to stop; `others`: so many more are not in the list."""
    more = (reports.others(others, counted=COUNTED),) if others else ()
    return (
        Say("cancel-which"),
        *(
            Say(
                "cancel-line",
                {
                    "task": task.id,
                    "state": reports.state(task, place=place),
                    "prompt": shorten(task.settings.prompt, _PROMPT),
                },
            )
            for task, place in found
        ),
        *more,
    )


def which_buttons(view_id: int, tasks: Sequence[Task]) -> Keyboard:
    """Give a button for each task in the list, and one for all that can be stopped."""
    numbers = [
        Button(
            label=Say("button-stop", {"task": task.id}),
            data=press(Action.STOP, view_id, task.id),
        )
        for task in tasks
    ]
    rows = [tuple(numbers[n : n + _ROW]) for n in range(0, len(numbers), _ROW)]
    if len(tasks) < 2:
        return tuple(rows)
    everything = Button(label=Say("button-stop-all"), data=press(Action.STOP, view_id, STOP_ALL))
    return (*rows, (everything,))
