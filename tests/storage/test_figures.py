"""What the operator is shown: counted by day, in both stores alike, and quickly."""

import sqlite3
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Final

from storage.database import APPLICATION_ID
from storage.figures import DAY, Figures, Spread, reckoned
from storage.layout import migrate, migrations
from storage.sqlite import SqliteStore, open_store
from storage.sqlite import figures as counting
from storage.store import TaskStore
from storage.tasks import Failure, TaskState
from tests.storage.making import (
    HOUR,
    START,
    HandClock,
    accept,
    add,
    claim,
    claim_delivery,
    new_task,
    reach,
    there,
)

BEGAN: Final = START.replace(hour=0, minute=0, second=0, microsecond=0)
SECOND: Final = timedelta(seconds=1)
_MINUTE: Final = 60_000_000


async def _figures(store: TaskStore, *, days: int = 1) -> Figures:
    began = BEGAN - (days - 1) * DAY
    return await store.figures(began=began, now=START + 2 * HOUR, step=HOUR)


async def test_nothing_yet(store: TaskStore) -> None:
    """Where nothing was asked for, each day is there, with nothing in it."""
    figures = await _figures(store, days=3)
    assert [day.begins for day in figures.days] == [BEGAN - 2 * DAY, BEGAN - DAY, BEGAN]
    assert all(day.states == {} and day.waiting is None for day in figures.days)
    assert (figures.waiting, figures.making) == (None, None)
    assert {(use.mean, use.most) for use in figures.slots} == {(0, 0)}


async def test_every_state_is_counted(store: TaskStore) -> None:
    """A task counts once, in the state that it has now, on the day on which it was asked for."""
    for n, state in enumerate(TaskState):
        await reach(store, state, n, user_id=n + 1)
    await store.add(new_task(90), now=BEGAN - timedelta(microseconds=1), max_unfinished=None)
    await store.add(new_task(91), now=START + 3 * HOUR, max_unfinished=None)
    before, today = (await _figures(store, days=2)).days
    assert today.states == dict.fromkeys(TaskState, 1)
    assert before.states == {TaskState.QUEUED: 1}
    # of two pictures one expired; of those that failed none is said to have a reason
    assert (today.partly, today.pictures, today.failures) == (1, 1, {"": 1})


async def test_what_is_emptied_counts_as_before(store: TaskStore) -> None:
    """Neither retention nor /forget changes what is counted: which reason, how many pictures, how long."""
    await reach(store, TaskState.DELIVERED, 1, user_id=1)
    await reach(store, TaskState.DELIVERED, 2, user_id=2)
    failed = there(await claim(store, await add(store, 3, user_id=3)))
    await store.ready(failed, now=START, failure=Failure(id="content-refused"))
    await store.finish(there(await claim_delivery(store)), TaskState.FAILED, START)
    before = await _figures(store)
    assert before.days[0].failures == {"content-refused": 1}
    assert (before.days[0].partly, before.days[0].pictures) == (2, 2)
    await store.forget_person(1, START)
    await store.prune(
        now=START + 9 * HOUR, inbox_before=START, finished_before=START + HOUR, limit=100
    )
    assert (await store.tasks_of(2, limit=9)) == []
    assert await _figures(store) == before


async def test_a_late_picture_makes_it_whole(store: TaskStore) -> None:
    """A picture that comes after its task was delivered counts once it has been brought."""
    task = await reach(store, TaskState.DELIVERED)
    await store.image_late(task.id, 1, "https://late")
    await store.image_stored(task.id, 1, media_type="image/jpeg", width=2, height=1, size=3)
    assert (await _figures(store)).days[0].partly == 1
    there(await store.reopen(task, START))
    [day] = (await _figures(store)).days
    assert (day.states, day.pictures) == ({TaskState.READY: 1}, 0)
    done = await store.finish(there(await claim_delivery(store)), TaskState.DELIVERED, START)
    assert there(done).brought == 2
    [day] = (await _figures(store)).days
    assert (day.partly, day.pictures) == (0, 2)


async def test_times_are_measured(store: TaskStore) -> None:
    """Waiting is from the request to its submission, making from HiDream's yes to its end; never below nothing."""
    for n, (waited, made) in enumerate(((10, 5), (20, 7), (-9, -9), (40, 9))):
        task = await add(store, n, user_id=n + 1)
        taken = there(await claim(store, task, now=START + waited * SECOND))
        await accept(store, taken)
        await store.release(f"hidream {task.id}", START + made * SECOND)
    figures = await _figures(store)
    assert figures.waiting == Spread(median=10 * SECOND, p90=40 * SECOND)
    assert figures.making == Spread(median=5 * SECOND, p90=9 * SECOND)
    assert figures.days[0].waiting == figures.waiting


async def test_slots_are_followed(store: TaskStore) -> None:
    """A slot is in use from its submission until HiDream's end, or as long as it is held without one."""
    quick = there(await claim(store, await add(store, 1), held_until=START + 9 * HOUR))
    await accept(store, quick)
    await store.release(f"hidream {quick.id}", START + HOUR / 2)
    await claim(store, await add(store, 2), held_until=START + HOUR)
    await claim(store, await add(store, 3), now=START + HOUR, held_until=START + 9 * HOUR)
    slots = (await _figures(store)).slots
    assert [use.most for use in slots[11:]] == [0, 2, 1, 1]
    share = START.minute * 60 + START.second + START.microsecond / 1e6
    assert slots[13].mean == 1
    assert abs(slots[12].mean - (1.5 - share / 3600)) < 0.2


def test_slots_are_summed_exactly() -> None:
    """Mean and most come from when slots were taken and given back; one that is taken over is one."""
    held = [(-5, 10 * _MINUTE), (10 * _MINUTE, 10**12), (30 * _MINUTE, 30 * _MINUTE), (5, 2)]
    figures = reckoned([], held, began=BEGAN, now=BEGAN + 1.5 * HOUR, step=HOUR)
    assert [(use.mean, use.most) for use in figures.slots] == [(1, 1), (1, 1)]
    held.append((45 * _MINUTE, 75 * _MINUTE))
    figures = reckoned([], held, began=BEGAN, now=BEGAN + 1.5 * HOUR, step=HOUR)
    assert [(use.mean, use.most) for use in figures.slots] == [(1.25, 2), (1.5, 2)]
    assert [use.begins for use in figures.slots] == [BEGAN, BEGAN + HOUR]
    assert reckoned([], held, began=BEGAN, now=BEGAN, step=HOUR).slots == ()


async def test_a_delivered_one_of_an_older_layout(path: Path) -> None:
    """What was brought before it was written down is read from the images, or is all that was asked for."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        migrate(connection, migrations()[:3])
        columns = (
            "bot_id, update_id, n, user_id, chat_id, chat_type, message_id, photos, prompt,"
            " negative, count, turn, created_at, state, finished_at, pruned"
        )
        at = int(START.timestamp()) * 1_000_000
        for n, (count, pruned) in enumerate(((2, 0), (3, 1))):
            connection.execute(
                f"INSERT INTO tasks ({columns}) VALUES"
                f" (1, {n}, 0, 5, 5, 'private', 9, '[]', '', '', {count}, 1, {at}, 'delivered',"
                f" {at}, {pruned})"
            )
        connection.execute(
            "INSERT INTO images (task_id, n, sub_task_id, state)"
            " VALUES (1, 0, 'a', 'stored'), (1, 1, 'b', 'refused')"
        )
    path.chmod(0o600)
    store = await open_store(path, clock=HandClock())
    try:
        [day] = (await _figures(store)).days
        assert (day.partly, day.pictures) == (1, 4)
        assert there(await store.get(1)).brought == 1
    finally:
        await store.close()


_MANY: Final = 30_000


async def test_many_are_counted_quickly(sqlite: SqliteStore) -> None:
    """Tens of thousands are counted within a fraction of a second, from the indexes alone, and no write waits."""
    counted = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < ?1)"
    at = int(BEGAN.timestamp()) * 1_000_000
    tasks = (
        "INSERT INTO tasks (bot_id, update_id, n, user_id, chat_id, chat_type, message_id, photos,"
        " prompt, negative, count, state, turn, created_at, submitted_at, accepted_at, ended_at,"
        f" finished_at, brought) {counted} SELECT 1, n, 0, 1, 1, 'private', 1, '[]', 'p', '', 2,"
        f" 'delivered', 1, {at} + n, {at} + 2 * n, {at}, {at} + n, {at}, 2 FROM c"
    )
    submissions = (
        "INSERT INTO submissions (task_id, request_id, images, sent_at, answered_at, outcome,"
        f" held_until, released_at) {counted} SELECT n, n, 1, {at} + n, {at} + n, 'accepted',"
        f" {at} + n, {at} + 2 * n FROM c"
    )
    for sql in (tasks, submissions):
        await sqlite._change(None, sql, (_MANY,))
    began = time.monotonic()
    figures = await _figures(sqlite, days=90)
    assert time.monotonic() - began < 2
    assert figures.days[-1].states == {TaskState.DELIVERED: _MANY}
    assert figures.waiting == Spread(
        median=timedelta(microseconds=_MANY // 2), p90=timedelta(microseconds=_MANY * 9 // 10)
    )
    for sql, index in ((counting._ASKED, "tasks"), (counting._SLOTS, "submissions")):
        plan = await sqlite._writer.execute_fetchall(f"EXPLAIN QUERY PLAN {sql}", (1, 2))
        details = [row["detail"] for row in plan]
        assert any(f"USING COVERING INDEX {index}_figures" in one for one in details), details
