"""Durations, notices, and a clock that was set back while the program was off."""

from datetime import timedelta

from storage.store import TaskStore
from storage.tasks import Measured, TaskState
from tests.storage.making import (
    BOT,
    HOUR,
    START,
    accept,
    add,
    claim,
    reach,
    there,
    update,
)


async def test_durations_come_back_in_order(store: TaskStore) -> None:
    """The latest ones, oldest first; beyond two thousand the oldest are forgotten."""
    for n in range(2005):
        await store.note_duration(Measured(ratio="16:9", count=1 + n % 4, seconds=n / 2))
    assert [one.seconds for one in await store.durations(3)] == [1001.0, 1001.5, 1002.0]
    everything = await store.durations(9999)
    assert len(everything) == 2000
    assert everything[0] == Measured(ratio="16:9", count=2, seconds=2.5)


async def test_a_notice_is_known_until_it_is_forgotten(store: TaskStore) -> None:
    """What the admins were told is known with its time, and can be told anew."""
    await store.note_notice("token", START)
    await store.note_notice("slots", START)
    await store.note_notice("token", START + HOUR)
    assert await store.notices() == {"token": START + HOUR, "slots": START}
    await store.forget_notice("token")
    await store.forget_notice("never told")
    assert await store.notices() == {"slots": START}


async def test_a_clock_that_went_on_changes_nothing(store: TaskStore) -> None:
    """Where no stamp is in the future, no row's times change."""
    task = await reach(store, TaskState.WAITING)
    assert await store.rebase(START + HOUR, grace=HOUR) == timedelta()
    assert await store.get(task.id) == task


async def test_a_clock_set_back_moves_open_rows(store: TaskStore) -> None:
    """The latest stamp is read as now: what was due in a minute is due in a minute."""
    waiting = await reach(store, TaskState.WAITING, 1)
    held = there(await claim(store, await add(store, 2), held_until=START + HOUR))
    running = there(await accept(store, held))
    done = await reach(store, TaskState.DELIVERED, 3)
    await store.receive(BOT, [update(1)], START)
    [head] = await store.inbox_heads(START, 1)
    await store.inbox_defer(head, due_at=START + HOUR, error="", failed=False)
    assert await store.rebase(START - HOUR, grace=timedelta()) == HOUR
    assert there(await store.get(waiting.id)).due_at == START
    moved = there(await store.get(running.id))
    assert (moved.deadline_at, moved.accepted_at) == (START, START - HOUR)
    assert await store.get(done.id) == done
    assert await store.next_inbox_due() == START
    assert await store.slots_held(START + HOUR - timedelta(seconds=1)) == 2
    assert await store.slots_held(START + HOUR) == 0


async def test_what_ran_has_a_grace_after_a_start(store: TaskStore) -> None:
    """However long the program was off, HiDream is asked before a task expires or gives its slot back."""
    task = await reach(store, TaskState.RUNNING)
    await reach(store, TaskState.UNCERTAIN, 2)
    now = START + 9 * HOUR
    assert await store.slots_held(now) == 0
    assert await store.rebase(now, grace=HOUR) == timedelta()
    assert there(await store.get(task.id)).deadline_at == now + HOUR
    assert await store.slots_held(now + HOUR - timedelta(seconds=1)) == 1
    assert await store.slots_held(now + HOUR) == 0
