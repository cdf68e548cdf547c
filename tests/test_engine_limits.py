"""The account's limits, true ones: slots that turn out fewer, and clocks that jump; in no time."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.dispatcher import MOST_UNDER_WAY
from bot.messages import Fetched, FileOutcome
from bot.slots import PROBE
from storage.clock import SystemClock
from storage.memory import MemoryStore
from storage.tasks import TaskState
from tests.engine import (
    JSON,
    Answer,
    Engine,
    HiDream,
    Room,
    accepted,
    done,
    engine,
    in_no_time,
    refusal,
)
from tests.test_engine_results import Works
from tests.time_machine import at_once

HOUR = 3_600.0
BUSY = "并发请求数超过限制"


class Account(Works):
    """A HiDream whose account has so many slots; counts what runs at once, and refusals."""

    def __init__(self, slots: int, seconds: float, *, words: str = BUSY, status: int = 200) -> None:
        super().__init__(lambda _: seconds)
        self.slots = slots
        self.peak = 0
        self.refused = 0
        self.busy_time = 0.0
        self._words, self._status = words, status

    @property
    def running(self) -> int:
        """Say how many tasks run now."""
        return sum(not self.is_over(task_id) for task_id in self._ends)

    def submit(self, body: JSON) -> Answer:
        """Take a task, or refuse it for the slots."""
        if self.running >= self.slots:
            self.refused += 1
            if self._status == 200:
                return refusal(2001, self._words)
            return Answer(self._status, json={"code": 1, "message": self._words})
        answer = super().submit(body)
        self.peak = max(self.peak, self.running)
        return answer


async def _many(world: Engine, count: int, *, within: float) -> None:
    tasks = [await world.photo(f"{n}", user=n % 7) for n in range(count)]
    for task in tasks:
        await world.reaches(task, TaskState.DELIVERED, within=within)


@pytest.mark.parametrize(
    ("words", "status", "most"), [(BUSY, 200, 3), (BUSY, 429, 3), ("请稍后再试", 200, 30)]
)
def test_fewer_slots_than_configured_are_followed(
    tmp_path: Path, words: str, status: int, most: int
) -> None:
    """After a refusal or a few, no more than the account has are tried, and all are made."""

    async def work() -> None:
        account = Account(2, 10.0, words=words, status=status)
        async with engine(tmp_path, account.hidream(), parallel=5) as world:
            began = world.clock.monotonic()
            await _many(world, 40, within=400)
            took = world.clock.monotonic() - began
            assert world.slots.limit == 2
            assert account.peak == 2
            assert account.refused <= most
            assert took < 40 / 2 * 10 * 1.25, "its slots are kept busy"

    at_once(work())


@in_no_time
async def test_slots_that_come_back_are_used(tmp_path: Path) -> None:
    """When the account gets its slots back, that is found out within a while, without a restart."""
    account = Account(1, 10.0)
    async with engine(tmp_path, account.hidream(), parallel=3) as world:
        await _many(world, 4, within=200)
        assert world.slots.limit == 1
        account.slots = 3
        tasks = [await world.photo(f"{n}", user=n) for n in range(200)]
        await world.clock.sleep(3 * PROBE)
        assert world.slots.limit == 3
        for task in tasks:
            await world.reaches(task, TaskState.DELIVERED, within=2000)
        assert account.peak == 3


@in_no_time
async def test_somebody_else_on_the_account_is_waited_for(tmp_path: Path) -> None:
    """With none of our own running, a refusal says nothing of our slots: it is tried again later."""
    account = Account(0, 5.0)
    async with engine(tmp_path, account.hidream(), parallel=3) as world:
        task = await world.photo("snow")
        await world.clock.sleep(HOUR)
        assert (await world.row(task)).state in {TaskState.QUEUED, TaskState.WAITING}
        assert world.slots.limit == 3
        assert account.refused < 100
        account.slots = 3
        await world.reaches(task, TaskState.DELIVERED, within=100)


# --- clocks


class _Wall:
    """The machine's clock, which somebody sets."""

    def __init__(self) -> None:
        self.jumped = timedelta()

    def __call__(self) -> datetime:
        loop_time = asyncio.get_running_loop().time()
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=loop_time) + self.jumped


def _jumping(wall: _Wall) -> SystemClock:
    return SystemClock(wall=wall, monotonic=asyncio.get_running_loop().time)


JUMPS = [pytest.param(timedelta(hours=1), id="on"), pytest.param(timedelta(hours=-1), id="back")]


@pytest.mark.parametrize("jump", JUMPS)
def test_a_clock_that_jumps_frees_no_slot_and_fills_none(tmp_path: Path, jump: timedelta) -> None:
    """Set by an hour while tasks run: slots stay true, nothing expires early, nothing waits an hour."""

    async def work() -> None:
        account, wall = Account(2, 60.0), _Wall()
        clock = _jumping(wall)
        async with engine(
            tmp_path, account.hidream(), parallel=2, clock=clock, store=MemoryStore(clock)
        ) as world:
            tasks = [await world.photo(f"{n}", user=n) for n in range(6)]
            await world.reaches(tasks[1], TaskState.RUNNING, within=5)
            wall.jumped = jump
            began = world.clock.monotonic()
            for task in tasks:
                await world.reaches(task, TaskState.DELIVERED, within=300)
            assert (account.peak, account.refused) == (2, 0)
            assert world.clock.monotonic() - began < 3 * 60 * 1.2

    at_once(work())


@pytest.mark.parametrize("jump", JUMPS)
def test_a_clock_that_jumps_ends_no_wait_and_lengthens_none(
    tmp_path: Path, jump: timedelta
) -> None:
    """Set by an hour during an outage: it is tried no oftener, and goes on soon after its end."""

    async def work() -> None:
        down, wall = [True], _Wall()
        clock = _jumping(wall)

        def submit(body: JSON) -> Answer:
            return Answer(503) if down[0] else accepted(body)

        hidream = HiDream(submit)
        async with engine(tmp_path, hidream, clock=clock, store=MemoryStore(clock)) as world:
            task = await world.photo("snow")
            await world.clock.sleep(100)
            wall.jumped = jump
            before = len(hidream.submitted)
            await world.clock.sleep(100)
            assert len(hidream.submitted) - before <= 6
            down[0] = False
            await world.reaches(task, TaskState.DELIVERED, within=100)

    at_once(work())


@pytest.mark.parametrize("jump", JUMPS)
@pytest.mark.parametrize("state", ["running", "waiting", "uncertain"])
def test_a_clock_that_was_set_during_a_restart(tmp_path: Path, jump: timedelta, state: str) -> None:
    """Set by an hour while the bot was off: slots stay true, and nothing waits for an hour."""

    async def work() -> None:
        account, wall = Account(1, 60.0), _Wall()
        answers: dict[str, Callable[[JSON], Answer]] = {
            "running": account.submit,
            "waiting": lambda _: Answer(503),
            "uncertain": lambda _: Answer(504),
        }
        clock = _jumping(wall)
        store = MemoryStore(clock)
        first = HiDream(answers[state], results=account.results, lookup=lambda _: Answer(503))
        async with engine(tmp_path, first, parallel=1, clock=clock, store=store) as world:
            task = await world.photo("snow")
            await world.reaches(task, TaskState(state), within=20)
        wall.jumped = jump
        clock = _jumping(wall)
        store._clock = clock
        await store.rebase(clock.now(), grace=timedelta(minutes=2))
        second = HiDream(account.submit, results=account.results)
        async with engine(tmp_path, second, parallel=1, clock=clock, store=store) as world:
            other = await world.photo("rain", user=2)
            held = 1400 if state == "uncertain" else 200
            await world.reaches(task, TaskState.DELIVERED, within=held)
            await world.reaches(other, TaskState.DELIVERED, within=held)
            assert (account.peak, account.refused) == (1, 0)

    at_once(work())


@in_no_time
async def test_nothing_expires_by_our_clock_alone(tmp_path: Path) -> None:
    """A task whose deadline passed while HiDream could not be asked is made all the same."""
    down = [False]

    def results(task_id: str) -> Answer:
        return Answer(503) if down[0] else done(task_id)

    async with engine(tmp_path, HiDream(accepted, results=results)) as world:
        down[0] = True
        task = await world.photo("snow")
        await world.reaches(task, TaskState.RUNNING, within=5)
        await world.clock.sleep(5 * HOUR)
        assert (await world.row(task)).state is TaskState.RUNNING
        down[0] = False
        await world.reaches(task, TaskState.DELIVERED, within=60)


def test_large_photos_are_not_all_sent_at_once(tmp_path: Path) -> None:
    """However many slots are free, memory is not: what is sent at one time has a limit, and all is made."""

    class Large(Room):
        async def fetch(self, file_id: str) -> FileOutcome:
            return Fetched(content=bytes(13 * 2**20))

    async def work() -> None:
        hidream = HiDream(accepted, seconds=2.0)
        async with engine(tmp_path, hidream, room=Large(), parallel=8) as world:
            await _many(world, 8, within=60)
        assert 40 * 2**20 < hidream.most <= MOST_UNDER_WAY + 2**20

    at_once(work())
