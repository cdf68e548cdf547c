"""Which method moves a task from where to where, and how turns close up. Pure; used by every store."""

from collections.abc import Iterable, Mapping
from typing import Final

from storage.tasks import ImageState, Task, TaskState

_S = TaskState

MOVES: Final[Mapping[str, tuple[frozenset[TaskState], frozenset[TaskState]]]] = {
    "put_off": (frozenset({_S.QUEUED}), frozenset({_S.WAITING})),
    "claim": (frozenset({_S.QUEUED}), frozenset({_S.SUBMITTING})),
    "accepted": (frozenset({_S.SUBMITTING, _S.UNCERTAIN}), frozenset({_S.RUNNING})),
    "hand_back": (frozenset({_S.SUBMITTING}), frozenset({_S.QUEUED, _S.WAITING})),
    "unanswered": (frozenset({_S.SUBMITTING}), frozenset({_S.UNCERTAIN})),
    "ask_again": (frozenset({_S.UNCERTAIN}), frozenset({_S.UNCERTAIN})),
    "submit_again": (frozenset({_S.UNCERTAIN}), frozenset({_S.QUEUED})),
    "ready": (
        frozenset({_S.QUEUED, _S.SUBMITTING, _S.UNCERTAIN, _S.RUNNING}),
        frozenset({_S.READY}),
    ),
    "deliver_later": (frozenset({_S.DELIVERING}), frozenset({_S.READY})),
    "finish": (frozenset({_S.DELIVERING}), frozenset({_S.DELIVERED, _S.FAILED, _S.GONE})),
}
"""Each method that moves a task: from which states, to which. A part of `TRANSITIONS`."""

IMAGE_ENDS: Final = frozenset(
    {
        ImageState.FAILED,
        ImageState.REFUSED,
        ImageState.EMPTY,
        ImageState.UNFETCHED,
        ImageState.EXPIRED,
    }
)
"""How an image can end without a picture."""


def check_move(method: str, task: Task, to: TaskState) -> None:
    """Refuse a move that is not in the table: it is a mistake in the program.

    Raises:
        ValueError: `method` does not move a task from its state to `to`.
    """
    sources, targets = MOVES[method]
    if task.state not in sources or to not in targets:
        raise ValueError(f"{method}: task {task.id} cannot go from {task.state} to {to}")


def check_image_end(state: ImageState) -> None:
    """Refuse an end of an image that is none.

    Raises:
        ValueError: an image in this state is not over, or has a picture.
    """
    if state not in IMAGE_ENDS:
        raise ValueError(f"{state} is no end without a picture")


def next_turn(current: int, own_turns: Iterable[int]) -> int:
    """Give a new task its turn: after the current one, and after the person's own in the line."""
    return max((current, *own_turns)) + 1


def closed_up(current: int, line: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Close the gaps in one person's turns; `line` holds (turn, id) of what they have in the line.

    Turns up to the current one are theirs by right and stay; those after it become consecutive.
    Returns the new turns, by id, of the tasks whose turn changes; a turn never rises.
    """
    moved = {}
    for turn, task_id in sorted(line):
        if turn <= current:
            continue
        current += 1
        if turn != current:
            moved[task_id] = current
    return moved
