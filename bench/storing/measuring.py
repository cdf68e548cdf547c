"""Opens a store in a process of its own, does what the bot does with it, and prints how long it took."""

import asyncio
import json
import random
import sys
import time
from collections.abc import Awaitable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import uuid4

import click
import psutil

from storage.clock import SystemClock
from storage.sqlite import SqliteStore, open_store
from storage.store import TaskStore
from storage.tasks import PLACE_LIMIT, Task, TaskState

T = TypeVar("T")

SLOTS: Final = 10
_LISTED: Final = 10
_LOOKED_THROUGH: Final = 111
"""So many tasks /status reads, to count those that it does not list."""
_HOUR: Final = timedelta(hours=1)


class Stopwatch:
    """How long each kind of call took, in milliseconds."""

    def __init__(self) -> None:
        self.taken: dict[str, list[float]] = {}

    async def time(self, name: str, work: Awaitable[T]) -> T:
        """Do something, and note how long it took."""
        begins = time.perf_counter()
        result = await work
        self.taken.setdefault(name, []).append((time.perf_counter() - begins) * 1000)
        return result


async def begin(store: TaskStore) -> None:
    """Ask what the loops ask before they do anything."""
    clock = SystemClock()
    now = clock.now()
    await store.rebase(now, grace=_HOUR)
    await store.durations(1000)
    await store.callback_hashes(now - _HOUR)
    await store.notices()
    for state in (TaskState.SUBMITTING, TaskState.DELIVERING):
        await store.recover(owner=uuid4().hex, now=now, sole=True, state=state)
    await store.charges(now - _HOUR)
    await store.uncertain(now)
    await store.running(late_since=now - _HOUR)
    await store.requeue_due(now)
    await store.next_queued(11)
    await store.next_hold_end()
    await store.next_delivery_due()
    await store.next_inbox_due()
    await store.unannounced(30)
    await store.announced(60)
    await store.inbox_heads(now, 500)


async def hand_in(store: TaskStore, watch: Stopwatch, times: int) -> None:
    """Claim the head of the line again and again, with as many slots as the largest account has."""
    clock = SystemClock()
    at_hidream: list[Task] = []
    for _ in range(times):
        line = await store.next_queued(1)
        if not line:
            return
        now = clock.now()
        claimed = await watch.time(
            "claim",
            store.claim(
                line[0],
                owner="bench",
                lease_until=now + _HOUR,
                request_id=uuid4().hex,
                ratio_used="4:3",
                parallel=SLOTS,
                now=now,
                held_until=now + _HOUR,
            ),
        )
        if claimed is None:
            raise RuntimeError("the head of the line could not be claimed")
        name = f"bench-{claimed.id}"
        accepted = await store.accepted(
            claimed,
            hidream_task_id=name,
            sub_task_ids=[name],
            now=now,
            deadline_at=now + _HOUR,
            held_until=now + _HOUR,
        )
        if accepted is not None:
            at_hidream.append(accepted)
        if len(at_hidream) == SLOTS:
            await store.release(at_hidream.pop(0).hidream_task_id or "", clock.now())


async def places(store: TaskStore, watch: Stopwatch, line: list[Task], times: int) -> None:
    """Ask for places: of the first 500 in line, and (an answer as dear as any) of those beyond."""
    rng = random.Random(1)
    for number in range(times):
        among = line[:PLACE_LIMIT] if number % 2 else line
        await watch.time("place", store.place_in_line(rng.choice(among)))


async def status(store: TaskStore, user_id: int) -> None:
    """Read what /status shows of a person, and then of the first of the tasks."""
    tasks = await store.tasks_of(user_id, limit=_LOOKED_THROUGH)
    for task in tasks[:_LISTED]:
        if task.state is TaskState.QUEUED:
            await store.place_in_line(task)
    if tasks:
        await store.get(tasks[0].id)
        await store.images(tasks[0].id)


async def measure(path: Path, times: int) -> dict[str, Any]:
    """Open the store and do everything."""
    watch = Stopwatch()
    begins = time.perf_counter()
    store: SqliteStore = await open_store(path, clock=SystemClock())
    try:
        await begin(store)
        opened = time.perf_counter() - begins
        line = await store.next_queued(20 * PLACE_LIMIT)
        people = sorted({task.user_id for task in line}) or [1]
        if line:
            await places(store, watch, line, times)
        del line
        rng = random.Random(2)
        for _ in range(times):
            await watch.time("status", status(store, rng.choice(people)))
        await hand_in(store, watch, times)
        resident = int(psutil.Process().memory_info().rss)
    finally:
        await store.close()
    return {"opened": opened, "resident": resident, "taken": watch.taken}


@click.command()
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--times", type=int, default=1000, show_default=True)
def main(*, path: Path, times: int) -> None:
    """Measure the store in PATH; prints JSON."""
    json.dump(asyncio.run(measure(path, times)), sys.stdout)


if __name__ == "__main__":
    main()
