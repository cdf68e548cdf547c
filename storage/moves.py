"""Which method moves a task from where to where, and how turns close up. Pure; used by every store."""

from collections.abc import Iterable, Mapping
from typing import Final

from storage.tasks import FINAL, ImageState, Task, TaskState

_S = TaskState

MOVES: Final[Mapping[str, Mapping[TaskState, tuple[TaskState, ...]]]] = {
    # In the line.
    "requeue_due": {_S.WAITING: (_S.QUEUED,)},
    "put_off": {_S.QUEUED: (_S.WAITING,)},  # its photo could not be fetched for now
    "cancel_queued": {_S.QUEUED: (_S.CANCELLED,), _S.WAITING: (_S.CANCELLED,)},
    "change": {_S.QUEUED: (_S.QUEUED,), _S.WAITING: (_S.WAITING,)},  # its caption was edited
    # Wherever it is, as long as nothing has been made ready to be told.
    "cancel": {
        _S.QUEUED: (_S.CANCELLED,),
        _S.WAITING: (_S.CANCELLED,),
        _S.SUBMITTING: (_S.SUBMITTING,),  # withdrawn: it is over with the answer
        _S.UNCERTAIN: (_S.CANCELLED,),
        _S.RUNNING: (_S.CANCELLED,),
    },
    # Whatever is not over of somebody who is to be forgotten.
    "forget_person": {
        state: (_S.SUBMITTING,) if state is _S.SUBMITTING else (_S.CANCELLED,)
        for state in TaskState
        if state not in FINAL
    },
    # Handing in. Whatever comes of a task that was withdrawn meanwhile, it is CANCELLED then.
    "claim": {_S.QUEUED: (_S.SUBMITTING,)},
    "accepted": {
        _S.SUBMITTING: (_S.RUNNING, _S.CANCELLED),
        _S.UNCERTAIN: (_S.RUNNING,),  # HiDream knows it after all
    },
    "hand_back": {
        _S.SUBMITTING: (
            _S.QUEUED,  # nothing is wrong with the task (token, limits): back in its place
            _S.WAITING,  # nothing was accepted: a later try
            _S.CANCELLED,
        )
    },
    "unanswered": {_S.SUBMITTING: (_S.UNCERTAIN, _S.CANCELLED)},
    "ask_again": {_S.UNCERTAIN: (_S.UNCERTAIN,)},  # HiDream could not be asked
    # HiDream does not know it: once more, with the same request id
    "submit_again": {_S.UNCERTAIN: (_S.QUEUED,)},
    "ready": {
        _S.QUEUED: (_S.READY,),  # its photo is gone or broken: a failure to tell, nothing spent
        _S.SUBMITTING: (_S.READY, _S.CANCELLED),  # refused for good
        _S.UNCERTAIN: (_S.READY,),  # uncertain a second time: an honest reason
        _S.RUNNING: (_S.READY,),  # all images are here, or will not come
    },
    # Delivery.
    "claim_delivery": {_S.READY: (_S.DELIVERING,)},
    "deliver_later": {_S.DELIVERING: (_S.READY,)},
    "finish": {_S.DELIVERING: (_S.DELIVERED, _S.FAILED, _S.GONE)},
    # A picture that came when the person had been told that there is none, or not all.
    "reopen": {_S.FAILED: (_S.READY,), _S.DELIVERED: (_S.READY,)},
    "recover": {
        # its owner is gone, and the request may have been sent
        _S.SUBMITTING: (_S.UNCERTAIN, _S.CANCELLED),
        _S.DELIVERING: (_S.READY,),  # the steps say which messages may have arrived
    },
}
"""Each method that moves tasks: from which state to which."""


def _transitions() -> dict[TaskState, frozenset[TaskState]]:
    return {
        state: frozenset(
            to for targets in MOVES.values() for to in targets.get(state, ()) if to is not state
        )
        for state in TaskState
    }


TRANSITIONS: Final[Mapping[TaskState, frozenset[TaskState]]] = _transitions()
"""To which states a task can go from each; from a final one to none, unless a picture comes late."""

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
    if to not in MOVES[method].get(task.state, ()):
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
