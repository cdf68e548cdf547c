"""The buttons under the messages that belong to a task. Pure."""

from bot.actions import Action, press
from bot.messages import Button, Keyboard
from bot.pictures import COUNT_MAX, COUNT_MIN
from bot.texts import Say
from storage.tasks import FINAL, Task

# Failures after which the same photo is of no use: the sentence asks for another.
_PHOTO_UNUSABLE = frozenset(
    {
        "one-of-several",
        "photo-gone",
        "file-too-large",
        "image-unknown",
        "image-broken",
        "image-too-large",
        "image-animated",
    }
)


def result(task: Task, *, as_file: bool) -> Keyboard:
    """Give what can be done with a picture; a file is the original already."""
    other = COUNT_MIN if task.settings.count == COUNT_MAX else COUNT_MAX
    original = () if as_file else (_button("button-file", Action.FILE, task),)
    return (
        (
            _button("button-repeat", Action.AGAIN, task),
            _button("button-ratio", Action.RATIO, task),
            Button(
                label=Say("button-count", {"count": other}),
                data=press(Action.COUNT, task.id, other),
            ),
        ),
        (
            _button("button-words", Action.WORDS, task),
            _button("button-use", Action.USE, task),
        ),
        (*original, _button("button-delete", Action.DELETE, task)),
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


def _button(label: str, action: Action, task: Task) -> Button:
    return Button(label=Say(label), data=press(action, task.id))
