"""Waking and waiting: shared by both stores."""

import asyncio
import inspect

import pytest

from storage.bells import WAKES, Bells
from storage.memory import MemoryStore
from storage.store import TaskStore
from storage.tasks import TaskState, Topic
from tests.storage.making import (
    BOT,
    HOUR,
    START,
    HandClock,
    accept,
    add,
    claim,
    claim_delivery,
    reach,
    there,
    update,
)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
def bells(clock: HandClock) -> Bells:
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


async def test_a_clock_that_fails_is_heard(clock: HandClock) -> None:
    """An error of the clock ends the wait with that error, not with silence."""

    class Broken(HandClock):
        async def sleep(self, seconds: float) -> None:
            raise RuntimeError("no time")

    with pytest.raises(RuntimeError, match="no time"):
        await Bells(Broken()).wait(Topic.QUEUE, since=0, seconds=1)


def test_the_table_of_wakes_names_methods_of_the_store() -> None:
    """Every entry is a method that changes something; those that read have none."""
    methods = {name for name, _ in inspect.getmembers(TaskStore, inspect.iscoroutinefunction)}
    assert set(WAKES) <= methods
    assert all(WAKES.values())


async def _woken(store: TaskStore, since: dict[Topic, int]) -> set[Topic]:
    return {topic for topic in Topic if store.mark(topic) != since[topic]}


async def test_every_method_wakes_what_the_table_says(store: TaskStore) -> None:
    """A method that changed something wakes exactly its topics."""
    seen = set()

    async def check(method: str, *states: TaskState) -> None:
        nonlocal update_id
        update_id += 1
        tasks = [await reach(store, state, update_id) for state in states]
        marks = {topic: store.mark(topic) for topic in Topic}
        await _call(store, method, tasks[0] if tasks else None)
        assert await _woken(store, marks) == set(WAKES[method]), method
        seen.add(method)

    update_id = 100
    await store.receive(BOT, [update(n, n) for n in range(1, 4)], START)
    for method in ("receive", "inbox_done", "inbox_defer", "inbox_set_aside", "move_chat"):
        await check(method)
    await check("add")
    for method, state in {
        "requeue_due": TaskState.WAITING,
        "put_off": TaskState.QUEUED,
        "cancel_queued": TaskState.QUEUED,
        "claim": TaskState.QUEUED,
        "hand_back": TaskState.SUBMITTING,
        "submit_again": TaskState.UNCERTAIN,
        "accepted": TaskState.SUBMITTING,
        "unanswered": TaskState.SUBMITTING,
        "ask_again": TaskState.UNCERTAIN,
        "release": TaskState.RUNNING,
        "note_completion": TaskState.RUNNING,
        "ready": TaskState.RUNNING,
        "deliver_later": TaskState.DELIVERING,
    }.items():
        await check(method, state)
    await claim_delivery(store)
    await check("finish", TaskState.DELIVERING)
    await check("recover", TaskState.SUBMITTING)
    assert seen == set(WAKES)


async def _call(store: TaskStore, method: str, task: object) -> None:
    """Call a method so that it changes something."""
    row = there(await store.get(getattr(task, "id", 0))) if task is not None else None
    match method:
        case "receive":
            await store.receive(BOT, [update(50, 50)], START)
        case "inbox_done":
            await store.inbox_done((await store.inbox_heads(START, 1))[0], START)
        case "inbox_defer":
            head = (await store.inbox_heads(START, 1))[0]
            await store.inbox_defer(head, due_at=START, error="", failed=True)
        case "inbox_set_aside":
            head = (await store.inbox_heads(START, 1))[0]
            await store.inbox_set_aside(head, error="", now=START)
        case "move_chat":
            await store.move_chat(50, 51)
        case "add":
            await add(store, 99)
        case "requeue_due":
            await store.requeue_due(START + HOUR)
        case "cancel_queued":
            await store.cancel_queued(5, 5, START)
        case "recover":
            await store.recover(owner="next", now=START, sole=True)
        case _:
            assert row is not None
            await _move(store, method, row)


async def _move(store: TaskStore, method: str, row: object) -> None:
    task = there(await store.get(getattr(row, "id", 0)))
    match method:
        case "put_off":
            there(await store.put_off(task, due_at=START + HOUR))
        case "claim":
            there(await claim(store, task))
        case "hand_back":
            there(await store.hand_back(task, to=TaskState.QUEUED, now=START))
        case "submit_again":
            there(await store.submit_again(task))
        case "accepted":
            there(await accept(store, task))
        case "unanswered":
            there(await store.unanswered(task, now=START, due_at=START))
        case "ask_again":
            there(await store.ask_again(task, due_at=START))
        case "release":
            await store.release(f"hidream {task.id}", START)
        case "note_completion":
            await store.note_completion(task.id, 0.5)
        case "ready":
            there(await store.ready(task, now=START))
        case "deliver_later":
            there(await store.deliver_later(task, due_at=START + HOUR))
        case "finish":
            there(await store.finish(task, TaskState.DELIVERED, START))


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
