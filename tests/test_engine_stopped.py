"""Tasks that a person stops on their way: nothing of them is fetched or shown, and the slot is free with HiDream's end."""

import asyncio
import contextlib
from pathlib import Path

from storage.tasks import ImageState, Task, TaskState
from tests.engine import JSON, Answer, Engine, HiDream, accepted, done, engine, in_no_time, success
from tests.engine import refusal as refused


async def _stop(world: Engine, task: Task, *, at: TaskState) -> Task:
    """Stop a task once it is so far."""
    row = await world.reaches(task, at, within=30)
    stopped = await world.store.cancel(row, world.clock.now())
    assert stopped is not None
    return stopped


def _asks_for(task: Task, body: JSON) -> bool:
    return task.settings.prompt == str(body["prompt"])


@in_no_time
async def test_a_running_task_that_is_stopped_is_dropped(tmp_path: Path) -> None:
    """HiDream's end frees the slot; its picture is neither fetched nor shown, and the next task goes on."""
    over: set[str] = set()

    def results(task_id: str) -> Answer:
        if task_id in over:
            return done(task_id)
        sub = {"sub_task_id": f"{task_id}-0", "task_status": 2}
        return success({"task_id": task_id, "sub_task_results": [sub]})

    async with engine(tmp_path, HiDream(accepted, results=results), parallel=1) as world:
        task = await _stop(world, await world.photo("snow"), at=TaskState.RUNNING)
        following = await world.photo("rain")
        await asyncio.sleep(30)
        assert (await world.row(following)).state is TaskState.QUEUED, "the slot is not free"
        over.add(task.hidream_task_id or "")
        await world.reaches(following, TaskState.RUNNING, within=60)
        assert (await world.row(task)).state is TaskState.CANCELLED
        assert [one.state for one in await world.store.images(task.id)] == [ImageState.PENDING]
        assert (world.room.pictures, world.room.said) == ([], [])
        assert list(tmp_path.iterdir()) == []


@in_no_time
async def test_a_task_stopped_while_it_is_handed_in_ends_with_the_answer(tmp_path: Path) -> None:
    """Refused, it is not tried again; taken, its end is waited for; either way nothing is shown."""
    worlds: list[Engine] = []

    def submit(body: JSON) -> Answer:
        store = worlds[0].store
        [row] = [one for one in store._tables.tasks.values() if _asks_for(one, body)]
        with contextlib.suppress(StopIteration):  # the store in memory waits for nothing
            store.cancel(row, worlds[0].clock.now()).send(None)
        return accepted(body) if body["prompt"] == "taken" else refused(2001, "busy")

    hidream = HiDream(submit)
    async with engine(tmp_path, hidream) as world:
        worlds.append(world)
        tasks = [await world.photo("refused"), await world.photo("taken")]
        for task in tasks:
            row = await world.reaches(task, TaskState.CANCELLED, within=30)
            assert row.withdrawn
        await asyncio.sleep(60)
        assert len(hidream.submitted) == len(tasks)
        assert await world.store.slots_held(world.clock.now()) == 0
        assert (world.room.pictures, world.room.said) == ([], [])


@in_no_time
async def test_a_running_task_of_a_forgotten_person_holds_its_slot(tmp_path: Path) -> None:
    """Whoever is forgotten gets nothing more, and nobody gets a slot before HiDream's end: limits stay true."""
    over: set[str] = set()

    def results(task_id: str) -> Answer:
        if task_id in over:
            return done(task_id)
        sub = {"sub_task_id": f"{task_id}-0", "task_status": 2}
        return success({"task_id": task_id, "sub_task_results": [sub]})

    async with engine(tmp_path, HiDream(accepted, results=results), parallel=1) as world:
        task = await world.photo("snow", user=1)
        row = await world.reaches(task, TaskState.RUNNING, within=30)
        own = await world.photo("more snow", user=1)
        other = await world.photo("rain", user=2)
        await world.store.forget_person(1, world.clock.now())
        await asyncio.sleep(30)
        assert (await world.row(other)).state is TaskState.QUEUED, "the slot is not free"
        over.add(row.hidream_task_id or "")
        await world.reaches(other, TaskState.RUNNING, within=60)
        for forgotten in (task, own):
            left = await world.row(forgotten)
            assert (left.state, left.user_id) == (TaskState.CANCELLED, 0)
        assert (world.room.pictures, world.room.said) == ([], [])
        assert list(tmp_path.iterdir()) == []
