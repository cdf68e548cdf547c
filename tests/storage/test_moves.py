"""Every move from every state: what is allowed works, anything else raises; a stale row moves nothing."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final, Literal

import pytest

from storage.moves import IMAGE_ENDS, MOVES, TRANSITIONS
from storage.store import TaskStore
from storage.tasks import FINAL, Failure, ImageState, Task, TaskState
from tests.storage.making import HOUR, START, accept, claim, claim_delivery, make_late, reach, there

Move = Callable[[TaskStore, Task], Awaitable[Task | None]]
_End = Literal[TaskState.DELIVERED, TaskState.FAILED, TaskState.GONE]
_Back = Literal[TaskState.QUEUED, TaskState.WAITING]


def _finish(to: _End) -> Move:
    return lambda store, task: store.finish(task, to, START)


def _hand_back(to: _Back) -> Move:
    return lambda store, task: store.hand_back(task, to=to, now=START, due_at=START)


async def _reopen(store: TaskStore, task: Task) -> Task | None:
    """Reopen a task of which an image has come late, where one can."""
    await make_late(store, task)
    return await store.reopen(task, START)


ALL: Final[dict[tuple[str, TaskState], Move]] = {
    ("put_off", TaskState.WAITING): lambda store, task: store.put_off(task, due_at=START),
    ("claim", TaskState.SUBMITTING): claim,
    ("accepted", TaskState.RUNNING): lambda store, task: accept(store, task, name="new"),
    ("hand_back", TaskState.QUEUED): _hand_back(TaskState.QUEUED),
    ("hand_back", TaskState.WAITING): _hand_back(TaskState.WAITING),
    ("unanswered", TaskState.UNCERTAIN): lambda store, task: store.unanswered(
        task, now=START, due_at=START
    ),
    ("ask_again", TaskState.UNCERTAIN): lambda store, task: store.ask_again(task, due_at=START),
    ("submit_again", TaskState.QUEUED): lambda store, task: store.submit_again(task),
    ("ready", TaskState.READY): lambda store, task: store.ready(task, now=START),
    ("deliver_later", TaskState.READY): lambda store, task: store.deliver_later(task, due_at=START),
    ("finish", TaskState.DELIVERED): _finish(TaskState.DELIVERED),
    ("finish", TaskState.FAILED): _finish(TaskState.FAILED),
    ("finish", TaskState.GONE): _finish(TaskState.GONE),
    ("reopen", TaskState.READY): _reopen,
}
_PRODUCT = [(*key, state) for key in ALL for state in TaskState]


@pytest.mark.parametrize(("method", "to", "state"), _PRODUCT)
async def test_every_move_from_every_state(
    store: TaskStore, method: str, to: TaskState, state: TaskState
) -> None:
    """An allowed move gives the row as it then is; one that is not raises and changes nothing."""
    task = await reach(store, state)
    if to in MOVES[method].get(state, ()):
        moved = there(await ALL[method, to](store, task))
        assert moved.state is to
        assert await store.get(task.id) == moved
    else:
        with pytest.raises(ValueError, match=method):
            await ALL[method, to](store, task)
        assert await store.get(task.id) == task


@pytest.mark.parametrize(
    ("method", "to", "state"), [one for one in _PRODUCT if one[1] in MOVES[one[0]].get(one[2], ())]
)
async def test_a_stale_claim_changes_nothing(
    store: TaskStore, method: str, to: TaskState, state: TaskState
) -> None:
    """A row that has moved on since it was read, or another claim's, gives None and stays as it is."""
    task = await reach(store, state)
    before = (await store.get(task.id), await store.charges(START - HOUR), await store.counts())
    assert await ALL[method, to](store, replace(task, claim_no=task.claim_no + 1)) is None
    assert await ALL[method, to](store, replace(task, id=task.id + 1)) is None
    after = (await store.get(task.id), await store.charges(START - HOUR), await store.counts())
    assert after == before
    there(await ALL[method, to](store, task))
    if to is not state:
        assert await ALL[method, to](store, task) is None


_IN_BULK: Final[dict[str, Callable[[TaskStore], Awaitable[object]]]] = {
    "requeue_due": lambda store: store.requeue_due(START + 2 * HOUR),
    "cancel_queued": lambda store: store.cancel_queued(5, 5, START),
    "claim_delivery": claim_delivery,
    "forget_person": lambda store: store.forget_person(5, START),
    "recover": lambda store: store.recover(owner="next", now=START, sole=True),
}
_BY_THE_PERSON: Final = {"cancel", "change"}
"""What a person does to their own task: test_cancel.py."""
_WITHDRAWN: Final = {"accepted", "hand_back", "unanswered", "ready", "recover"}
"""What moves a task that was withdrawn while its request was under way, to CANCELLED: test_cancel.py."""


@pytest.mark.parametrize("method", _IN_BULK)
@pytest.mark.parametrize("state", TaskState)
async def test_what_moves_in_bulk_moves_as_the_table_says(
    store: TaskStore, method: str, state: TaskState
) -> None:
    """Methods that choose their rows themselves take those in the table's states, and no others."""
    task = await reach(store, state)
    await _IN_BULK[method](store)
    targets = MOVES[method].get(state, (state,))[:1]
    assert (there(await store.get(task.id)).state,) == targets
    if state not in MOVES[method] and method != "forget_person":
        assert await store.get(task.id) == task


def test_every_move_is_tried() -> None:
    """No method of the table is left out here, nor one of its moves."""
    targets = {
        (method, to)
        for method, moves in MOVES.items()
        for to in {*sum(moves.values(), ())}
        if method not in _BY_THE_PERSON and not (method in _WITHDRAWN and to is TaskState.CANCELLED)
    }
    assert {one for one in targets if one[0] not in _IN_BULK} == set(ALL)
    assert {method for method, _ in targets} == {method for method, _ in ALL} | set(_IN_BULK)


def test_tasks_come_from_the_line_to_an_end_and_stay_there() -> None:
    """Every state can be reached from QUEUED; a final one is left by a late picture alone, any other by something."""
    reached = {TaskState.QUEUED}
    while more := {to for state in reached for to in TRANSITIONS[state]} - reached:
        reached |= more
    assert reached == set(TaskState)
    late = set(MOVES["reopen"])
    assert {state for state, targets in TRANSITIONS.items() if not targets} == FINAL - late
    assert {to for state in late for to in TRANSITIONS[state]} == {TaskState.READY}
    assert all(state not in targets for state, targets in TRANSITIONS.items())


async def test_a_failure_is_kept_with_its_data(store: TaskStore) -> None:
    """What is to be told goes in and comes out with its types, and HiDream's last words with it."""
    task = await reach(store, TaskState.RUNNING)
    failure = Failure(id="refused", data={"seconds": 1.5, "n": 2, "word": "ä"})
    moved = there(
        await store.ready(task, now=START, failure=failure, vendor_code=7, vendor_message="不行")
    )
    assert (moved.failure, moved.vendor_code, moved.vendor_message) == (failure, 7, "不行")
    assert there(await store.get(task.id)) == moved


@pytest.mark.parametrize("state", sorted(set(ImageState) - IMAGE_ENDS))
async def test_an_image_ends_only_without_a_picture(store: TaskStore, state: ImageState) -> None:
    """Ending an image in a state that is no end is a mistake in the program."""
    task = await reach(store, TaskState.RUNNING)
    with pytest.raises(ValueError, match="no end"):
        await store.image_ended(task.id, 0, state)
