"""How results come in: by pace, by callback, late; what that costs in calls, in no time."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from bot.lookup import CALLBACK_WAIT
from bot.schedule import CALLS_AT_ONCE, CALLS_PER_SECOND
from storage.tasks import Measured, TaskState
from tests.engine import (
    JSON,
    Answer,
    Engine,
    HiDream,
    accepted,
    done,
    engine,
    in_no_time,
    refusal,
    success,
)

HOUR = 3_600.0


class Works:
    """A HiDream whose tasks take their time; counts what it is asked."""

    def __init__(self, seconds: Callable[[str], float]) -> None:
        self._seconds = seconds
        self._ends: dict[str, float] = {}
        self.asked: list[tuple[float, str]] = []

    def submit(self, body: JSON) -> Answer:
        """Take a task."""
        now = asyncio.get_running_loop().time()
        self._ends[f"task-{body['request_id']}"] = now + self._seconds(body["prompt"])
        return accepted(body)

    def results(self, task_id: str) -> Answer:
        """Say how far one is."""
        now = asyncio.get_running_loop().time()
        self.asked.append((now, task_id))
        return done(task_id) if self.is_over(task_id) else self.unfinished(task_id)

    def is_over(self, task_id: str) -> bool:
        """Say whether one has ended."""
        return asyncio.get_running_loop().time() >= self._ends[task_id]

    @staticmethod
    def unfinished(task_id: str) -> Answer:
        """Say that one is being made."""
        return success(
            {
                "task_id": task_id,
                "sub_task_results": [{"sub_task_id": f"{task_id}-0", "task_status": 2}],
            }
        )

    def hidream(self) -> HiDream:
        """Give it as the engine takes it."""
        return HiDream(self.submit, results=self.results)


async def _delivered(world: Engine, prompt: str, *, within: float = 100) -> float:
    """Let one task be made; gives the seconds that it took."""
    began = world.clock.monotonic()
    await world.reaches(await world.photo(prompt), TaskState.DELIVERED, within=within)
    return world.clock.monotonic() - began


@in_no_time
async def test_it_learns_when_to_ask(tmp_path: Path) -> None:
    """Once enough is measured it asks seldom before the time, and finds the end soon after it."""
    works = Works(lambda _: 60.0)
    async with engine(tmp_path, works.hidream()) as world:
        for _ in range(8):
            await _delivered(world, "snow")
        works.asked.clear()
        took = await _delivered(world, "snow")
        early = [at for at, _ in works.asked if at < works.asked[-1][0] - 10]
        assert took < 60 + 1.5
        assert len(early) <= 12
        assert len(works.asked) <= 30


@in_no_time
async def test_measures_are_kept_and_true(tmp_path: Path) -> None:
    """What is measured is what it took, by shape and number, in the store as well."""
    works = Works(float)
    async with engine(tmp_path, works.hidream()) as world:
        for seconds in ("20", "40"):
            await _delivered(world, seconds)
        measured = await world.store.durations(10)
    assert [one.seconds for one in measured] == [
        pytest.approx(20, abs=1.1),
        pytest.approx(40, abs=2.1),
    ]
    assert {(one.ratio, one.count) for one in measured} == {("4:3", 1)}


@in_no_time
async def test_what_ended_while_nobody_asked_is_no_measure(tmp_path: Path) -> None:
    """A task whose end was found after an outage says nothing of how long tasks take."""
    works = Works(lambda _: 5.0)
    down = [False]
    hidream = HiDream(
        works.submit,
        results=lambda task_id: Answer(503) if down[0] else works.results(task_id),
    )
    async with engine(tmp_path, hidream) as world:
        task = await world.photo("snow")
        await world.reaches(task, TaskState.RUNNING, within=5)
        down[0] = True
        await world.clock.sleep(600)
        down[0] = False
        await world.reaches(task, TaskState.DELIVERED, within=60)
        assert await world.store.durations(10) == []


@in_no_time
async def test_calls_stay_below_the_ceiling(tmp_path: Path) -> None:
    """Without a batch call, ten tasks at once cost no more calls a second than one."""
    works = Works(lambda prompt: 20.0 + int(prompt))
    async with engine(tmp_path, works.hidream(), parallel=10) as world:
        await _delivered(world, "0")  # from then on it is known that there is no batch call
        works.asked.clear()
        for n in range(8):
            await world.store.note_duration(Measured(ratio="4:3", count=1, seconds=n))
        tasks = [await world.photo(str(n), user=n) for n in range(10)]
        for task in tasks:
            await world.reaches(task, TaskState.DELIVERED, within=120)
        times = [at for at, _ in works.asked]
        for start in times:
            for span in (1.0, 5.0, 20.0):
                calls = sum(start <= at < start + span for at in times)
                assert calls <= CALLS_AT_ONCE + span * CALLS_PER_SECOND + 1


# --- late


@in_no_time
async def test_a_late_result_is_brought_within_a_day(tmp_path: Path) -> None:
    """Given up after its deadline and told so, a task's picture is still brought when it comes."""
    works = Works(lambda _: 5 * HOUR)
    async with engine(tmp_path, works.hidream()) as world:
        task = await world.photo("snow")
        row = await world.reaches(task, TaskState.FAILED, within=700)
        assert row.failure is not None
        assert row.failure.id == "took-too-long"
        assert world.room.said[-1] == (1, "took-too-long")
        row = await world.reaches(task, TaskState.DELIVERED, within=5 * HOUR)
        assert row.failure is None
        assert world.room.captions == ["result-late"]
        assert len(works.asked) < 400
        before = len(works.asked)
        await world.clock.sleep(2 * HOUR)
        assert len(works.asked) == before, "it is over for good"
        assert world.room.pictures == [1]


@in_no_time
async def test_what_comes_after_a_day_is_not_waited_for(tmp_path: Path) -> None:
    """A task that HiDream never ends is asked about for a day, then no more."""
    works = Works(lambda _: 1e9)
    async with engine(tmp_path, works.hidream()) as world:
        await world.reaches(await world.photo("snow"), TaskState.FAILED, within=700)
        await world.clock.sleep(25 * HOUR)
        before = len(works.asked)
        await world.clock.sleep(24 * HOUR)
        assert len(works.asked) == before


@in_no_time
async def test_a_late_part_follows_what_came_in_time(tmp_path: Path) -> None:
    """Of two images one comes in time and is shown; the other follows, alone, and once."""
    late = [False]

    def results(task_id: str) -> Answer:
        return done(task_id, 1, 1 if late[0] else 2)

    async with engine(tmp_path, HiDream(accepted, results=results)) as world:
        task = await world.photo("snow", count=2)
        await world.reaches(task, TaskState.DELIVERED, within=700)
        assert world.room.captions == ["result"]
        late[0] = True
        await world.clock.sleep(HOUR)
        row = await world.reaches(task, TaskState.DELIVERED, within=10)
        assert world.room.captions == ["result", "result-late"]
        assert row.failure is None


@in_no_time
async def test_a_late_failure_is_no_news(tmp_path: Path) -> None:
    """Who was told that it took too long is not told again that nothing came of it."""
    status = [2]
    hidream = HiDream(accepted, results=lambda task_id: done(task_id, status[0]))
    async with engine(tmp_path, hidream) as world:
        task = await world.photo("snow")
        await world.reaches(task, TaskState.FAILED, within=700)
        said = list(world.room.said)
        status[0] = 4
        await world.clock.sleep(HOUR)
        assert (await world.row(task)).state is TaskState.FAILED
        assert (world.room.said, world.room.pictures) == (said, [])
        assert await world.store.slots_held(world.clock.now()) == 0


# --- callbacks


def _token(body: JSON) -> str:
    return str(body["notify_url"]).rpartition("/")[2]


@in_no_time
async def test_a_callback_is_asked_about_at_once(tmp_path: Path) -> None:
    """As soon as HiDream calls, its results are asked for: nobody waits for the next look."""
    asked: list[str] = []
    over: set[str] = set()

    def results(task_id: str) -> Answer:
        asked.append(task_id)
        return done(task_id) if task_id in over else Works.unfinished(task_id)

    hidream = HiDream(accepted, results=results)
    async with engine(tmp_path, hidream, called_back=True) as world:
        for _ in range(3):
            task = await world.photo("snow")
            row = await world.reaches(task, TaskState.RUNNING, within=5)
            await world.clock.sleep(300)
            asked.clear()
            over.add(row.hidream_task_id or "")
            await world.callbacks.called(_token(hidream.submitted[-1]), "whatever")
            await world.reaches(task, TaskState.DELIVERED, within=0.3)
            assert len(asked) == 1


@in_no_time
async def test_callbacks_that_come_make_asking_rare(tmp_path: Path) -> None:
    """Where HiDream calls, asking is only the floor under it."""
    works = Works(lambda _: 100.0)
    async with engine(tmp_path, works.hidream(), called_back=True) as world:
        asked = []
        for _ in range(12):
            works.asked.clear()
            task = await world.photo("snow")
            await world.reaches(task, TaskState.RUNNING, within=5)
            await world.clock.sleep(100)
            await world.callbacks.called(_token(world.hidream.submitted[-1]), None)
            await world.reaches(task, TaskState.DELIVERED, within=10)
            asked.append(len(works.asked))
        assert asked[-1] <= 22, asked


@in_no_time
async def test_callbacks_that_never_come_change_nothing(tmp_path: Path) -> None:
    """HiDream does not call although it was asked to: results are found by asking as without."""
    works = Works(lambda _: 60.0)
    async with engine(tmp_path, works.hidream(), called_back=True) as world:
        for _ in range(9):
            took = await _delivered(world, "snow")
        assert took < 62


@in_no_time
async def test_a_callback_before_the_submissions_answer(tmp_path: Path) -> None:
    """It may come first: then the task is asked about as soon as it is known."""
    works = Works(lambda _: 0.0)

    async with engine(tmp_path, works.hidream(), called_back=True) as world:
        real = world.store.accepted

        async def slowly(*args: object, **more: object) -> object:
            await world.callbacks.called(_token(world.hidream.submitted[-1]), "first")
            await world.clock.sleep(2)
            return await real(*args, **more)  # type: ignore[arg-type]

        world.store.accepted = slowly  # type: ignore[method-assign, assignment]
        took = await _delivered(world, "snow")
        assert took < 3
        assert len(world.hidream.submitted) == 1


def _losing(first: int = 1) -> Callable[[JSON], Answer]:
    """Take every task, and lose the answers to the first ones."""
    left = [first]

    def submit(body: JSON) -> Answer:
        if left[0]:
            left[0] -= 1
            raise httpx.ReadError("reset")
        return accepted(body)

    return submit


@in_no_time
async def test_a_callback_tells_what_became_of_a_lost_answer(tmp_path: Path) -> None:
    """The id that it names is adopted once our own question confirms it: nothing is sent twice."""
    async with engine(tmp_path, HiDream(_losing()), called_back=True) as world:
        task = await world.photo("snow")
        await world.reaches(task, TaskState.UNCERTAIN, within=5)
        await world.clock.sleep(20)
        assert (await world.row(task)).state is TaskState.UNCERTAIN, "a callback is waited for"
        token = _token(world.hidream.submitted[-1])
        theirs = f"task-{world.hidream.submitted[-1]['request_id']}"
        await world.callbacks.called(token, theirs)
        row = await world.reaches(task, TaskState.DELIVERED, within=10)
        assert (row.hidream_task_id, row.uncertain) == (theirs, 1)
        assert len(world.hidream.submitted) == 1


@in_no_time
async def test_a_callback_that_never_comes_is_not_waited_for_long(tmp_path: Path) -> None:
    """After as long as such tasks take, it is submitted again with the same request id."""
    async with engine(tmp_path, HiDream(_losing()), called_back=True) as world:
        task = await world.photo("snow")
        await world.clock.sleep(CALLBACK_WAIT - 5)
        assert len(world.hidream.submitted) == 1
        await world.reaches(task, TaskState.DELIVERED, within=15)
        assert len({body["request_id"] for body in world.hidream.submitted}) == 1
        assert len(world.hidream.submitted) == 2


@in_no_time
async def test_a_forged_hint_is_not_taken(tmp_path: Path) -> None:
    """An id that our own question does not confirm, or that another task has, changes nothing."""

    def results(task_id: str) -> Answer:
        return refusal(2004, "任务不存在") if task_id == "forged" else done(task_id)

    async with engine(tmp_path, HiDream(_losing(), results=results), called_back=True) as world:
        task = await world.photo("snow", user=1)
        await world.reaches(task, TaskState.UNCERTAIN, within=5)
        lost = world.hidream.submitted[-1]
        other = await world.photo("rain", user=2)
        row = await world.reaches(other, TaskState.DELIVERED, within=10)
        for named in ("forged", row.hidream_task_id):
            await world.callbacks.called(_token(lost), named)
            await world.clock.sleep(5)
            assert (await world.row(task)).hidream_task_id is None
        again = await world.reaches(task, TaskState.DELIVERED, within=CALLBACK_WAIT + 10)
        assert again.hidream_task_id not in {"forged", row.hidream_task_id}
