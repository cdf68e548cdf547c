"""The line: turns, places, limits; the same in both stores."""

from dataclasses import fields, replace

import pytest

from storage.moves import closed_up, next_turn
from storage.store import TaskStore, TooManyUnfinished
from storage.tasks import PLACE_LIMIT, TaskState, Topic
from tests.storage.making import HOUR, START, add, claim, new_task, reach, there


async def turns(store: TaskStore) -> list[tuple[int, int]]:
    """Give (user, turn) of the line, in its order."""
    return [(task.user_id, task.turn) for task in await store.next_queued(1000)]


async def test_a_task_is_kept_as_it_came(store: TaskStore) -> None:
    """A task gives back every field that was put in, and is found by its id."""
    new = new_task(parent_id=3)
    task = await store.add(new, now=START, max_unfinished=None)
    for name in ("origin", "user_id", "place", "photos", "settings", "language", "parent_id"):
        assert getattr(task, name) == getattr(new, name)
    assert (task.state, task.created_at, task.turn) == (TaskState.QUEUED, START, 1)
    assert await store.get(task.id) == task
    assert await store.get(task.id + 1) is None
    empty = {"origin", "user_id", "place", "photos", "settings", "language", "parent_id"}
    empty |= {
        "withdrawn",
        "pruned",
        "id",
        "state",
        "turn",
        "created_at",
        "tries",
        "claim_no",
        "uncertain",
        "refusals",
    }
    assert {getattr(task, one.name) for one in fields(task) if one.name not in empty} == {None}


async def test_a_repeated_origin_makes_nothing_new(store: TaskStore) -> None:
    """The same origin gives the task it made, even where no more are allowed; nobody is woken."""
    task = await store.add(new_task(), now=START, max_unfinished=1)
    mark = store.mark(Topic.QUEUE)
    assert await store.add(new_task(), now=START + HOUR, max_unfinished=1) == task
    assert len(await store.next_queued(10)) == 1
    assert store.mark(Topic.QUEUE) == mark


async def test_too_many_unfinished_tasks_are_refused(store: TaskStore) -> None:
    """At the limit nothing is stored; finished tasks and other people's do not count."""
    await reach(store, TaskState.DELIVERED, 1)
    await add(store, 2, user_id=6)
    await store.add(new_task(3), now=START, max_unfinished=1)
    with pytest.raises(TooManyUnfinished) as caught:
        await store.add(new_task(4), now=START, max_unfinished=1)
    assert (caught.value.unfinished, caught.value.allowed) == (1, 1)
    assert len(await store.tasks_of(5, limit=10)) == 2


async def test_turns_alternate_between_people(store: TaskStore) -> None:
    """Somebody who asks for three pictures lets one who asks for one go after the first."""
    for update_id in (1, 2, 3):
        await add(store, update_id, user_id=5)
    await add(store, 4, user_id=6)
    assert await turns(store) == [(5, 1), (6, 1), (5, 2), (5, 3)]


async def test_a_newcomer_comes_after_the_current_turn(store: TaskStore) -> None:
    """A new turn is one more than the highest ever claimed, so nobody waits behind newcomers for ever."""
    for update_id in (1, 2):
        await add(store, update_id, user_id=5)
    for _ in range(2):
        there(await claim(store, (await store.next_queued(1))[0]))
    await add(store, 3, user_id=6)
    await add(store, 4, user_id=5)
    assert await turns(store) == [(6, 3), (5, 3)]


async def test_places_count_those_before(store: TaskStore) -> None:
    """The next task has place 1; one that waits is counted as if it were in the line."""
    first = await add(store, 1, user_id=5)
    second = await add(store, 2, user_id=6)
    third = await add(store, 3, user_id=5)
    assert [await store.place_in_line(task) for task in (first, second, third)] == [1, 2, 3]
    waiting = there(await store.put_off(second, due_at=START))
    assert [await store.place_in_line(task) for task in (first, waiting, third)] == [1, 2, 2]


async def test_places_are_exact_up_to_the_limit(store: TaskStore) -> None:
    """Place 500 is exact; everything beyond is 501."""
    for update_id in range(PLACE_LIMIT + 2):
        last = await add(store, update_id, user_id=update_id)
    line = await store.next_queued(PLACE_LIMIT + 2)
    assert await store.place_in_line(line[PLACE_LIMIT - 1]) == PLACE_LIMIT
    assert await store.place_in_line(line[PLACE_LIMIT]) == PLACE_LIMIT + 1
    assert await store.place_in_line(last) == PLACE_LIMIT + 1


async def test_a_persons_tasks_come_unfinished_first(store: TaskStore) -> None:
    """Unfinished ones come oldest first, then the latest finished; limited, and by chat if asked."""
    done = [await reach(store, TaskState.DELIVERED, n) for n in (1, 2)]
    late = await reach(store, TaskState.DELIVERING, 3)
    late = there(await store.finish(late, TaskState.FAILED, START + HOUR))
    running = await reach(store, TaskState.RUNNING, 4)
    queued = await add(store, 5)
    elsewhere = await add(store, 6, chat_id=99)
    await add(store, 7, user_id=6)
    everything = [running, queued, elsewhere, late, done[1], done[0]]
    assert await store.tasks_of(5, limit=10) == everything
    assert await store.tasks_of(5, limit=4) == everything[:4]
    assert await store.tasks_of(5, limit=2) == everything[:2]
    assert await store.tasks_of(5, limit=10, chat_id=99) == [elsewhere]
    assert await store.tasks_of(8, limit=10) == []


async def test_a_repeat_is_known_by_its_origin(store: TaskStore) -> None:
    """The task that an update has made is found by that update, and by no other."""
    task = await add(store, 1, user_id=5)
    assert await store.made_by(task.origin) == task
    assert await store.made_by(replace(task.origin, n=1)) is None
    assert await store.made_by(replace(task.origin, update_id=2)) is None


async def test_a_task_put_off_comes_back_with_its_old_turn(store: TaskStore) -> None:
    """A waiting task is not in the line; when it is due it is back in its old place."""
    first = await add(store, 1, user_id=5)
    await add(store, 2, user_id=6)
    waiting = there(await store.put_off(first, due_at=START + HOUR, reason="no photo"))
    assert (waiting.tries, waiting.vendor_message) == (1, "no photo")
    assert await turns(store) == [(6, 1)]
    assert await store.requeue_due(START) == START + HOUR
    assert await store.requeue_due(START + HOUR) is None
    assert await turns(store) == [(5, 1), (6, 1)]
    back = there(await store.get(first.id))
    assert (back.due_at, back.tries) == (None, 1)
    again = there(await store.put_off(back, due_at=START + HOUR))
    assert (again.tries, again.vendor_message) == (2, "no photo")


async def test_requeue_wakes_only_when_something_moved(store: TaskStore) -> None:
    """Looking for due tasks in vain wakes nobody, or the dispatcher would go round for ever."""
    await reach(store, TaskState.WAITING)
    mark = store.mark(Topic.QUEUE)
    await store.requeue_due(START)
    assert store.mark(Topic.QUEUE) == mark
    await store.requeue_due(START + HOUR)
    assert store.mark(Topic.QUEUE) == mark + 1


async def test_cancelling_closes_the_gap(store: TaskStore) -> None:
    """Cancelling in one chat moves the person's later tasks elsewhere up, and nobody else's."""
    await add(store, 1, user_id=5, chat_id=1)
    await add(store, 2, user_id=5, chat_id=2)
    await reach(store, TaskState.WAITING, 3, user_id=5, chat_id=1)
    await add(store, 4, user_id=5, chat_id=2)
    await add(store, 5, user_id=6, chat_id=1)
    assert await store.cancel_queued(5, 1, START + HOUR) == 2
    assert await turns(store) == [(5, 1), (6, 1), (5, 2)]
    cancelled = await store.tasks_of(5, limit=10, chat_id=1)
    assert {(task.state, task.finished_at) for task in cancelled} == {
        (TaskState.CANCELLED, START + HOUR)
    }
    assert await store.cancel_queued(5, 1, START) == 0


async def test_a_whole_chat_can_be_cancelled(store: TaskStore) -> None:
    """Without a person everybody's tasks of that chat are cancelled, and each one's gap is closed."""
    for update_id, user_id, chat_id in ((1, 5, 1), (2, 5, 2), (3, 6, 1), (4, 6, 2), (5, 7, 2)):
        await add(store, update_id, user_id=user_id, chat_id=chat_id)
    assert await turns(store) == [(5, 1), (6, 1), (7, 1), (5, 2), (6, 2)]
    assert await store.cancel_queued(None, 1, START) == 2
    assert await turns(store) == [(5, 1), (6, 1), (7, 1)]
    assert await store.cancel_queued(None, 1, START) == 0


async def test_a_task_that_fails_in_line_closes_the_gap(store: TaskStore) -> None:
    """Whoever has photos that are gone does not wait for their turns: the later ones move up."""
    tasks = [await add(store, update_id, user_id=5) for update_id in (1, 2, 3)]
    await add(store, 4, user_id=6)
    for task in tasks[:2]:
        there(await store.ready(task, now=START))
    assert await turns(store) == [(5, 1), (6, 1)]
    await add(store, 5, user_id=5)
    assert await turns(store) == [(5, 1), (6, 1), (5, 2)]


async def test_cancelling_leaves_what_was_handed_in(store: TaskStore) -> None:
    """A task that HiDream may have is not cancelled, and no turn falls to the current one."""
    running = await reach(store, TaskState.RUNNING, 1, chat_id=1)
    await add(store, 2, chat_id=1)
    await add(store, 3, chat_id=2)
    assert await store.cancel_queued(5, 1, START) == 1
    assert there(await store.get(running.id)).state is TaskState.RUNNING
    assert await turns(store) == [(5, 2)]


def test_closing_up_keeps_turns_that_have_come() -> None:
    """Turns up to the current one stay; later ones become consecutive, in their order."""
    assert closed_up(3, [(2, 1), (3, 4), (7, 9), (5, 8)]) == {8: 4, 9: 5}
    assert closed_up(0, [(1, 1), (2, 2)]) == {}


def test_the_next_turn_is_after_both() -> None:
    """A turn comes after the current one and after the person's own."""
    assert [next_turn(3, []), next_turn(3, [2]), next_turn(3, [4, 6])] == [4, 4, 7]
