"""Stopping a task, changing it, and the button that makes one at a time; the same in both stores."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from storage.moves import MOVES
from storage.store import StillMaking, TaskStore, TooManyUnfinished
from storage.tasks import IN_LINE, Failure, ImageState, Origin, Settings, Task, TaskState, Topic
from tests.storage.making import (
    BOT,
    HOUR,
    START,
    accept,
    add,
    claim,
    claim_delivery,
    make_late,
    new_task,
    photo,
    reach,
    there,
)

_TOO_LATE: Final = sorted(set(TaskState) - set(MOVES["cancel"]))


@pytest.mark.parametrize("state", sorted(MOVES["cancel"]))
async def test_what_is_stopped_is_over_or_withdrawn(store: TaskStore, state: TaskState) -> None:
    """A task that is stopped is CANCELLED at once, or withdrawn while its request is under way; its slot stays held."""
    task = await reach(store, state)
    held = await store.slots_held(START)
    stopped = there(await store.cancel(task, START + HOUR))
    assert (stopped.state,) == MOVES["cancel"][state]
    assert stopped == await store.get(task.id)
    assert stopped.withdrawn is (state is TaskState.SUBMITTING)
    if state is not TaskState.SUBMITTING:
        assert (stopped.finished_at, stopped.due_at) == (START + HOUR, None)
    assert await store.slots_held(START) == held
    assert await store.cancel(replace(task, claim_no=9), START) is None
    assert await store.cancel(replace(task, id=9), START) is None


@pytest.mark.parametrize("state", _TOO_LATE)
async def test_what_is_to_be_told_is_not_stopped(store: TaskStore, state: TaskState) -> None:
    """Where it is too late nothing happens, and the row says why."""
    task = await reach(store, state)
    assert await store.cancel(task, START) is None
    assert await store.get(task.id) == task


async def _recover(store: TaskStore, task: Task) -> Task | None:
    await store.recover(owner="next", now=START, sole=True)
    return await store.get(task.id)


Answer = Callable[[TaskStore, Task], Awaitable[Task | None]]
_ANSWERS: Final[dict[str, tuple[Answer, int, int]]] = {
    # how it is answered; how many slots are held then, and how many answers are missing
    "accepted": (accept, 1, 0),
    "refused": (lambda s, t: s.hand_back(t, to=TaskState.WAITING, now=START, due_at=START), 0, 0),
    "put back": (lambda s, t: s.hand_back(t, to=TaskState.QUEUED, now=START), 0, 0),
    "unanswered": (lambda s, t: s.unanswered(t, now=START, due_at=START), 1, 1),
    "refused for good": (lambda s, t: s.ready(t, now=START, failure=Failure(id="no")), 0, 0),
    "left behind": (_recover, 1, 1),
}


@pytest.mark.parametrize("answer", _ANSWERS)
async def test_a_withdrawn_task_is_over_with_the_answer(store: TaskStore, answer: str) -> None:
    """Whatever its request is answered, the task is CANCELLED and never told; its slot is held only if HiDream may have it."""
    task = await reach(store, TaskState.SUBMITTING)
    there(await store.cancel(task, START))
    act, held, unanswered = _ANSWERS[answer]
    over = there(await act(store, task))
    assert over == await store.get(task.id)
    assert (over.state, over.finished_at) == (TaskState.CANCELLED, START)
    assert (over.failure, over.ready_at, over.due_at) == (None, None, None)
    assert await store.slots_held(START) == held
    assert await store.slots_held(START + 3 * HOUR) == 0
    assert await store.uncertain(START + HOUR) == []
    assert await store.next_queued(9) == []
    assert await claim_delivery(store) is None
    counts = await store.counts()
    assert (counts["cancelled"], counts["unanswered"]) == (1, unanswered)


async def test_what_hidream_makes_of_it_is_dropped(store: TaskStore) -> None:
    """A stopped task is listed until HiDream's end, which frees its slot; no image of it is taken any more."""
    task = await reach(store, TaskState.RUNNING)
    await store.image_made(task.id, 0, "https://x")
    there(await store.cancel(task, START))
    [listed] = await store.running(late_since=START)
    assert (listed.hidream_task_id, listed.released) == (f"hidream {task.id}", False)
    states = [ImageState.UNFETCHED, ImageState.PENDING]
    assert [(image.state, image.url) for image in listed.images] == [(one, None) for one in states]
    for n in (0, 1):
        await store.image_made(task.id, n, "https://x")
    assert [image.state for image in await store.images(task.id)] == states
    await store.image_ended(task.id, 1, ImageState.EXPIRED)
    await make_late(store, task)
    assert [one.late for one in await store.images(task.id)] == [None, None]
    await store.release(f"hidream {task.id}", START)
    assert await store.slots_held(START) == 0
    assert await store.running(late_since=START - timedelta(days=9)) == []


@pytest.mark.parametrize("state", [TaskState.SUBMITTING, TaskState.UNCERTAIN, TaskState.RUNNING])
async def test_stopping_gives_no_more_than_is_allowed(store: TaskStore, state: TaskState) -> None:
    """Whoever stops what HiDream has cannot hand in the next at once, again and again: each is paid for."""
    task = await reach(store, state)
    there(await store.cancel(task, START))
    if state is TaskState.SUBMITTING:
        there(await accept(store, task))
    with pytest.raises(TooManyUnfinished) as caught:
        await store.add(new_task(2), now=START, max_unfinished=1)
    assert (caught.value.unfinished, caught.value.allowed) == (1, 1)
    await store.add(new_task(3, user_id=6), now=START, max_unfinished=1)
    await store.add(new_task(4), now=START + 3 * HOUR, max_unfinished=1)


async def test_what_has_cost_nothing_is_no_burden(store: TaskStore) -> None:
    """Once HiDream has come to its end, or where it never began, a stopped task counts no more."""
    running = await reach(store, TaskState.RUNNING, 1)
    for task in (running, await add(store, 2)):
        there(await store.cancel(task, START))
    await store.release(running.hidream_task_id or "", START)
    await store.add(new_task(3), now=START, max_unfinished=1)


async def test_a_withdrawn_task_is_asked_about_when_it_was_accepted(store: TaskStore) -> None:
    """HiDream's id and sub-tasks are noted, so that its end is heard of."""
    task = await reach(store, TaskState.SUBMITTING)
    there(await store.cancel(task, START))
    there(await accept(store, task))
    [listed] = await store.running(late_since=START)
    assert [image.sub_task_id for image in listed.images] == ["a", "b"]
    called = there(await store.called_back(f"hash {task.id}", "another"))
    assert called.state is TaskState.CANCELLED
    assert await store.hints(task.id) == []
    await store.release(listed.hidream_task_id, START)
    assert await store.slots_held(START) == 0


async def test_an_uncertain_task_that_is_stopped_is_not_sent_again(store: TaskStore) -> None:
    """Whoever was finding out about it changes nothing any more."""
    task = await reach(store, TaskState.UNCERTAIN)
    there(await store.cancel(task, START))
    assert await store.submit_again(task) is None
    assert await store.ask_again(task, due_at=START) is None
    assert await store.ready(task, now=START) is None
    assert await accept(store, task) is None
    assert await store.slots_held(START) == 1


async def test_a_withdrawn_task_has_no_progress_to_tell(store: TaskStore) -> None:
    """Neither a first progress message nor an edit is due for it."""
    task = await reach(store, TaskState.SUBMITTING, 1)
    other = await reach(store, TaskState.SUBMITTING, 2)
    await store.note_progress_message(other.id, 7)
    for one in (task, other):
        there(await store.cancel(one, START))
    assert await store.unannounced(9) == []
    assert await store.announced(9) == []


@pytest.mark.parametrize("state", sorted(IN_LINE))
async def test_who_leaves_the_line_lets_their_own_close_up(
    store: TaskStore, state: TaskState
) -> None:
    """The later turns of the person close up, and whoever shows places hears of it."""
    first = await reach(store, state, 1)
    second = await add(store, 2)
    marks = [store.mark(topic) for topic in (Topic.QUEUE, Topic.PROGRESS)]
    there(await store.cancel(first, START))
    assert there(await store.get(second.id)).turn == first.turn
    assert [store.mark(topic) for topic in (Topic.QUEUE, Topic.PROGRESS)] > marks


async def test_a_change_is_what_is_submitted(store: TaskStore) -> None:
    """Other settings and photos take the place of the old, the turn stays, and who read it before cannot claim it."""
    task = await add(store)
    settings = Settings(prompt="rain", count=4, as_file=True, silent=True)
    changed = there(await store.change(task, settings=settings))
    assert (changed.settings, changed.photos, changed.turn) == (settings, task.photos, task.turn)
    assert await claim(store, task) is None
    photos = (photo("new"), replace(photo("link"), kind="url", url="https://x", spoiler=True))
    again = there(await store.change(changed, photos=photos))
    assert (again.settings, again.photos) == (settings, photos)
    assert await store.get(task.id) == again
    there(await claim(store, again))


async def test_what_hidream_may_have_is_not_changed(store: TaskStore) -> None:
    """A task that is to be sent again with its request id goes with the words that it was sent with."""
    task = there(await store.submit_again(await reach(store, TaskState.UNCERTAIN)))
    assert await store.change(task, photos=[]) is None
    assert await store.get(task.id) == task


async def test_a_button_makes_one_at_a_time(store: TaskStore) -> None:
    """While what it made is unfinished it makes nothing; then, and any other button at any time, it does."""
    new = replace(new_task(1), pressed="again:17")
    made = await store.add(new, now=START, max_unfinished=None)
    assert made.pressed == "again:17"
    assert await store.add(new, now=START, max_unfinished=None) == made
    another = replace(new_task(2), pressed="again:17")
    for adding in (
        store.add(another, now=START, max_unfinished=None),
        store.add_all([another], now=START, max_unfinished=None),
    ):
        with pytest.raises(StillMaking) as caught:
            await adding
        assert caught.value.task_id == made.id
    await store.add(replace(new_task(3), pressed="again:18"), now=START, max_unfinished=None)
    there(await store.cancel(made, START))
    await store.add(another, now=START, max_unfinished=None)


async def test_a_late_picture_does_not_take_the_button_back(store: TaskStore) -> None:
    """A task that is brought again for a late picture may be beside the one that its button made since."""
    pressed = replace(new_task(1), pressed="again:17")
    task = await store.add(pressed, now=START, max_unfinished=None)
    running = there(await accept(store, there(await claim(store, task))))
    for n in (0, 1):
        await store.image_ended(running.id, n, ImageState.EXPIRED)
    there(await store.ready(running, now=START, failure=Failure(id="took-too-long")))
    told = there(await store.finish(there(await claim_delivery(store)), TaskState.FAILED, START))
    since = replace(new_task(2), pressed="again:17")
    await store.add(since, now=START, max_unfinished=None)
    await make_late(store, told)
    reopened = there(await store.reopen(told, START))
    assert (reopened.state, reopened.pressed) == (TaskState.READY, None)


async def test_several_are_made_together_or_not_at_all(store: TaskStore) -> None:
    """Where not all have room none is made; a repeat gives what was made; each has a turn of its own."""
    news = [
        replace(new_task(), origin=Origin(bot_id=BOT, update_id=1, n=n), pressed="go:3")
        for n in range(3)
    ]
    with pytest.raises(TooManyUnfinished) as caught:
        await store.add_all(news, now=START, max_unfinished=2)
    assert (caught.value.unfinished, caught.value.allowed) == (0, 2)
    assert await store.tasks_of(5, limit=9) == []
    made = await store.add_all(news, now=START, max_unfinished=3)
    assert [(task.turn, task.origin.n) for task in made] == [(1, 0), (2, 1), (3, 2)]
    mark = store.mark(Topic.QUEUE)
    assert await store.add_all(news, now=START, max_unfinished=3) == made
    assert await store.add_all([], now=START, max_unfinished=0) == []
    assert store.mark(Topic.QUEUE) == mark


async def test_a_list_turns_over(store: TaskStore) -> None:
    """Pages follow each other without a gap, from the unfinished ones over to the finished."""
    for n in range(3):
        await reach(store, TaskState.DELIVERED, n)
    for n in range(3, 6):
        await add(store, n)
    whole = await store.tasks_of(5, limit=9)
    pages = [await store.tasks_of(5, limit=2, offset=at) for at in range(0, 8, 2)]
    assert pages == [whole[:2], whole[2:4], whole[4:], []]
