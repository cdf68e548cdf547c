"""The buttons under the messages that belong to a task. Pure."""

from collections.abc import Sequence
from typing import Final

from bot.actions import BACK, YES, Action, press
from bot.messages import Button, Keyboard
from bot.pictures import COUNT_MAX, COUNT_MIN, AspectRatio
from bot.texts import Say
from storage.tasks import FINAL, Task

# Failures after which the same photo is of no use: the sentence asks for another.
_PHOTO_UNUSABLE = frozenset(
    {
        "one-of-several",
        "photo-gone",
        "file-too-large",
        "file-over-limit",
        "image-unknown",
        "image-broken",
        "image-too-large",
        "image-animated",
    }
)

_A_ROW: Final = 4
"""So many short buttons stand side by side on any phone."""


def result(task: Task, *, as_file: bool, kept: bool = True) -> Keyboard:
    """Give what can be done with a picture; a file is the original already.

    Where it is no longer `kept`, only its photo and its words are left to go on from.
    """
    other = COUNT_MIN if task.settings.count == COUNT_MAX else COUNT_MAX
    original = () if as_file else (_button("button-file", Action.FILE, task),)
    anew = (
        (
            _button("button-repeat", Action.AGAIN, task),
            _button("button-ratio", Action.RATIO, task),
            Button(
                label=Say("button-count", {"count": other}),
                data=press(Action.COUNT, task.id, other),
            ),
        ),
    )
    if not kept:
        return (*anew, (_button("button-words", Action.WORDS, task),))
    return (
        *anew,
        (
            _button("button-words", Action.WORDS, task),
            _button("button-use", Action.USE, task),
        ),
        (*original, _button("button-delete", Action.DELETE, task)),
    )


def ratios(task: Task) -> Keyboard:
    """Give the shapes to choose from, with a mark at the one that it has."""
    own = task.ratio_used or task.settings.ratio
    shapes = [
        Button(
            label=Say("button-shape-now" if ratio == own else "button-shape", {"ratio": ratio}),
            data=press(Action.RATIO, task.id, ratio),
        )
        for ratio in AspectRatio
    ]
    return (*_rows(shapes), (_back(Action.RATIO, task),))


def which(task: Task, shown: Sequence[int]) -> Keyboard:
    """Give the pictures to choose from, as they are counted in the chat; `shown` has the `n` of each."""
    numbers = [
        Button(label=Say("button-number", {"number": place}), data=press(Action.USE, task.id, n))
        for place, n in enumerate(shown, start=1)
    ]
    return (*_rows(numbers), (_back(Action.USE, task),))


def deletion(task: Task) -> Keyboard:
    """Give the way to confirm that what shows a task is to go, and the way back."""
    return (
        (
            Button(label=Say("button-delete-yes"), data=press(Action.DELETE, task.id, YES)),
            Button(label=Say("button-delete-no"), data=press(Action.DELETE, task.id, BACK)),
        ),
    )


def failure(task: Task) -> Keyboard:
    """Give what can be done about a reason: nothing where the photo itself is of no use."""
    if task.failure is not None and task.failure.id in _PHOTO_UNUSABLE:
        return ()
    return (
        (
            _button("button-again", Action.AGAIN, task),
            _button("button-words", Action.WORDS, task),
        ),
    )


def progress(task: Task) -> Keyboard:
    """Give the way to stop a task, unless that is over or asked for already."""
    if task.withdrawn or task.state in FINAL:
        return ()
    return ((_button("button-cancel", Action.CANCEL, task),),)


def _rows(buttons: Sequence[Button]) -> Keyboard:
    return tuple(tuple(buttons[first : first + _A_ROW]) for first in range(0, len(buttons), _A_ROW))


def _back(action: Action, task: Task) -> Button:
    return Button(label=Say("button-back"), data=press(action, task.id, BACK))


def _button(label: str, action: Action, task: Task) -> Button:
    return Button(label=Say(label), data=press(action, task.id))
