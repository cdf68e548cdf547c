"""Waking and waiting: shared by both stores."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import pytest

from storage.bells import WAKES, Bells
from storage.memory import MemoryStore
from storage.store import TaskStore
from storage.tasks import AlbumPart, InboxRow, Origin, Rest, Task, TaskState, Topic
from tests.storage.making import (
    BOT,
    HOUR,
    START,
    HandClock,
    accept,
    add,
    claim,
    make_late,
    new_task,
    reach,
    update,
)


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
def bells(clock: HandClock) -> Bells:
    """Give bells that nobody has rung."""
    return Bells(clock)


async def test_a_wake_between_mark_and_wait_is_not_lost(bells: Bells) -> None:
    """What is woken after the mark was taken ends the wait at once."""
    mark = bells.mark(Topic.QUEUE)
    bells.wake(Topic.QUEUE)
    await asyncio.wait_for(bells.wait(Topic.QUEUE, since=mark), 1)


async def test_a_wait_ends_with_its_own_topic_only(bells: Bells) -> None:
    """Another topic wakes nobody here; None wakes everybody."""
    waits = [
        asyncio.create_task(bells.wait(topic, since=bells.mark(topic)))
        for topic in (Topic.QUEUE, Topic.QUEUE, Topic.READY)
    ]
    await settle()
    bells.wake(Topic.INBOX)
    await settle()
    assert [one.done() for one in waits] == [False, False, False]
    bells.wake(Topic.QUEUE)
    bells.wake(Topic.QUEUE)
    await settle()
    assert [one.done() for one in waits] == [True, True, False]
    bells.wake()
    await asyncio.wait_for(waits[2], 1)


async def test_a_wait_ends_after_its_time(bells: Bells, clock: HandClock) -> None:
    """Without a wake the wait ends by the injected clock."""
    wait = asyncio.create_task(bells.wait(Topic.QUEUE, since=0, seconds=10))
    await settle()
    clock.move(9)
    await settle()
    assert not wait.done()
    clock.move(1)
    await asyncio.wait_for(wait, 1)


@pytest.mark.parametrize("seconds", [0, -1])
async def test_a_wait_for_no_time_lets_others_run(bells: Bells, seconds: float) -> None:
    """A time that is up ends the wait at once, but not without giving others their turn."""
    ran = asyncio.create_task(asyncio.sleep(0))
    await bells.wait(Topic.QUEUE, since=0, seconds=seconds)
    await settle()
    assert ran.done()


@pytest.mark.parametrize("seconds", [None, 10])
async def test_a_wait_leaves_nothing_behind(
    bells: Bells, clock: HandClock, seconds: float | None
) -> None:
    """Woken or cancelled, no timer and no waiter are left."""
    before = asyncio.all_tasks()
    for end in ("wake", "cancel"):
        wait = asyncio.create_task(
            bells.wait(Topic.QUEUE, since=bells.mark(Topic.QUEUE), seconds=seconds)
        )
        await settle()
        if end == "wake":
            bells.wake(Topic.QUEUE)
            await wait
        else:
            wait.cancel()
            with pytest.raises(asyncio.CancelledError):
                await wait
    assert asyncio.all_tasks() == before
    assert clock.sleepers == []
    assert not any(bells._waiting.values())


async def test_how_it_is_with_who_waits(bells: Bells, clock: HandClock) -> None:
    """Before its first wait nothing is known; then it waits, until when, or is at work, and since when."""
    assert bells.rest(Topic.QUEUE) is None
    clock.move(10)
    wait = asyncio.create_task(bells.wait(Topic.QUEUE, since=0, seconds=5))
    await settle()
    assert bells.rest(Topic.QUEUE) == Rest(waiting=True, since=10, until=15)
    clock.move(5)
    await wait
    assert bells.rest(Topic.QUEUE) == Rest(waiting=False, since=15)
    wait = asyncio.create_task(bells.wait(Topic.QUEUE, since=0))
    await settle()
    assert bells.rest(Topic.QUEUE) == Rest(waiting=True, since=15)
    assert bells.rest(Topic.READY) is None
    wait.cancel()
    await asyncio.wait({wait})
    assert bells.rest(Topic.QUEUE) == Rest(waiting=False, since=15)


async def test_a_clock_that_fails_is_heard(clock: HandClock) -> None:
    """An error of the clock ends the wait with that error, not with silence."""

    class Broken(HandClock):
        async def sleep(self, seconds: float) -> None:
            raise RuntimeError("no time")

    with pytest.raises(RuntimeError, match="no time"):
        await Bells(Broken()).wait(Topic.QUEUE, since=0, seconds=1)


def test_the_table_of_wakes_names_methods_of_the_store() -> None:
    """Every entry is a method that changes something; those wake nobody whose caller looks again itself."""
    methods = {name for name, _ in inspect.getmembers(TaskStore, inspect.iscoroutinefunction)}
    assert set(WAKES) <= methods
    silent = {method for method, topics in WAKES.items() if not topics}
    assert silent == {"ask_again", "deliver_later", "finish"}


async def _woken(store: TaskStore, since: dict[Topic, int]) -> set[Topic]:
    return {topic for topic in Topic if store.mark(topic) != since[topic]}


def _with_head(
    call: Callable[[TaskStore, InboxRow], Awaitable[object]],
) -> Callable[[TaskStore, Task], Awaitable[object]]:
    async def called(store: TaskStore, _: Task) -> None:
        await call(store, (await store.inbox_heads(START, 1))[0])

    return called


async def _reopen(store: TaskStore, task: Task) -> None:
    await make_late(store, task)
    await store.reopen(task, START)


async def _album_part(store: TaskStore) -> None:
    origin = Origin(bot_id=BOT, update_id=50)
    part = AlbumPart(origin=origin, chat_id=9, media_group_id="g", message_id=1, data="{}")
    await store.album_part(part, now=START, due_at=START)


_CALLS: Final[
    Mapping[str, tuple[TaskState | None, Callable[[TaskStore, Task], Awaitable[object]]]]
] = {
    "receive": (None, lambda store, _: store.receive(BOT, [update(50, 50)], START)),
    "inbox_done": (None, _with_head(lambda store, row: store.inbox_done(row, START))),
    "inbox_defer": (
        None,
        _with_head(lambda store, row: store.inbox_defer(row, due_at=START, error="", failed=True)),
    ),
    "inbox_set_aside": (
        None,
        _with_head(lambda store, row: store.inbox_set_aside(row, error="", now=START)),
    ),
    "album_part": (None, lambda store, _: _album_part(store)),
    "move_chat": (None, lambda store, _: store.move_chat(9, 10)),
    "add": (None, lambda store, _: add(store, 50)),
    "add_all": (
        None,
        lambda store, _: store.add_all([new_task(50)], now=START, max_unfinished=None),
    ),
    "change": (TaskState.QUEUED, lambda store, task: store.change(task, photos=[])),
    "forget_person": (TaskState.READY, lambda store, _: store.forget_person(9, START)),
    "cancel": (TaskState.RUNNING, lambda store, task: store.cancel(task, START)),
    "requeue_due": (TaskState.WAITING, lambda store, _: store.requeue_due(START + HOUR)),
    "put_off": (TaskState.QUEUED, lambda store, task: store.put_off(task, due_at=START)),
    "cancel_queued": (TaskState.QUEUED, lambda store, _: store.cancel_queued(9, 9, START)),
    "claim": (TaskState.QUEUED, claim),
    "hand_back": (
        TaskState.SUBMITTING,
        lambda store, task: store.hand_back(task, to=TaskState.QUEUED, now=START),
    ),
    "submit_again": (TaskState.UNCERTAIN, lambda store, task: store.submit_again(task)),
    "accepted": (TaskState.SUBMITTING, accept),
    "unanswered": (
        TaskState.SUBMITTING,
        lambda store, task: store.unanswered(task, now=START, due_at=START),
    ),
    "ask_again": (TaskState.UNCERTAIN, lambda store, task: store.ask_again(task, due_at=START)),
    "release": (TaskState.RUNNING, lambda store, task: store.release(f"hidream {task.id}", START)),
    "note_completions": (
        TaskState.RUNNING,
        lambda store, task: store.note_completions({task.id: 0.5}),
    ),
    "ready": (TaskState.RUNNING, lambda store, task: store.ready(task, now=START)),
    "deliver_later": (
        TaskState.DELIVERING,
        lambda store, task: store.deliver_later(task, due_at=START),
    ),
    "finish": (
        TaskState.DELIVERING,
        lambda store, task: store.finish(task, TaskState.DELIVERED, START),
    ),
    "called_back": (
        TaskState.UNCERTAIN,
        lambda store, task: store.called_back(f"hash {task.id}", "hidream"),
    ),
    "reopen": (TaskState.DELIVERED, _reopen),
    "rebase": (TaskState.DELIVERED, lambda store, _: store.rebase(START - HOUR, grace=HOUR)),
    "recover": (
        TaskState.SUBMITTING,
        lambda store, _: store.recover(owner="next", now=START, sole=True),
    ),
}
"""How to call each method of the table so that it changes something, and for a task in which state."""


@pytest.mark.parametrize("method", WAKES)
async def test_every_method_wakes_what_the_table_says(store: TaskStore, method: str) -> None:
    """A method that changed something wakes exactly its topics."""
    state, call = _CALLS[method]
    await store.receive(BOT, [update(1, 9)], START)
    task = await reach(store, state or TaskState.QUEUED, user_id=9)
    marks = {topic: store.mark(topic) for topic in Topic}
    await call(store, task)
    assert {topic for topic in Topic if store.mark(topic) != marks[topic]} == set(WAKES[method])


async def test_a_loop_waits_through_the_store(store: TaskStore) -> None:
    """Mark, look, wait: a task that is queued wakes who waits for the queue."""
    mark = store.mark(Topic.QUEUE)
    waiting = asyncio.create_task(store.wait(Topic.QUEUE, since=mark))
    await settle()
    await add(store)
    await asyncio.wait_for(waiting, 1)
    mark = store.mark(Topic.READY)
    store.wake()
    await asyncio.wait_for(store.wait(Topic.READY, since=mark, seconds=5), 1)


async def test_a_closed_memory_store_is_empty(clock: HandClock) -> None:
    """Nothing of the fake lasts beyond its closing."""
    store = MemoryStore(clock)
    await add(store)
    await store.close()
    assert await store.get(1) is None
