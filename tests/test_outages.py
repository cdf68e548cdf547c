"""Outages of an hour, of one side or both, and clocks that jump: what they come to, in no time."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from bot.fetcher import ANSWERED_TRIES
from bot.hidream.errors import DownloadLater
from bot.messages import FileOutcome, Later, Outcome, Picture, Target
from bot.texts import Say
from storage.tasks import TaskState
from tests.engine import JSON, Answer, HiDream, Room, Storage, accepted, done, engine
from tests.time_machine import LoopClock, at_once

HOUR = 3_600.0


class Outage:
    """A time in which nothing can be reached."""

    def __init__(self, begin: float, end: float) -> None:
        self._begin, self._end = begin, end

    def __bool__(self) -> bool:
        return self._begin <= LoopClock().monotonic() < self._end


class Away(Room):
    """A Telegram that cannot be reached for a time."""

    def __init__(self, outage: Outage) -> None:
        super().__init__()
        self._outage = outage
        self.tried = 0

    async def fetch(self, file_id: str) -> FileOutcome:
        """Give a file, where that can be."""
        return self._failing() or await super().fetch(file_id)

    async def say(self, target: Target, *lines: Say, **more: Any) -> Outcome:
        """Take a text, where that can be."""
        return self._failing() or await super().say(target, *lines, **more)

    async def send_pictures(
        self, target: Target, pictures: Sequence[Picture], *lines: Say, **more: Any
    ) -> Outcome:
        """Take pictures, where that can be."""
        return self._failing() or await super().send_pictures(target, pictures, *lines, **more)

    def _failing(self) -> Later | None:
        if not self._outage:
            return None
        self.tried += 1
        return Later(seconds=2, reason="ConnectError")


def test_telegram_is_down_for_an_hour(tmp_path: Path) -> None:
    """Pictures wait on disk and photos in line; afterwards each comes once, and none is made again."""

    async def work() -> None:
        room = Away(Outage(5, 5 + HOUR))

        def results(task_id: str) -> Answer:
            return done(task_id, 1 if LoopClock().monotonic() > 60 else 2)

        async with engine(tmp_path, HiDream(accepted, results=results), room=room) as world:
            made = [await world.photo("snow", user=n) for n in range(3)]
            for task in made:
                await world.reaches(task, TaskState.RUNNING, within=4)
            await world.clock.sleep(10)
            later = [await world.photo("rain", user=n) for n in range(3)]
            await world.clock.sleep(HOUR / 2)
            assert {(await world.row(task)).state for task in made} <= {
                TaskState.READY,
                TaskState.DELIVERING,
            }
            assert room.pictures == []
            for task in made + later:
                await world.reaches(task, TaskState.DELIVERED, within=HOUR)
            assert Counter(room.pictures) == {0: 2, 1: 2, 2: 2}
            assert len(world.hidream.submitted) == 6
            # six tasks, each tried about once a minute at the most
            assert room.tried < 6 * 2 * 60

    at_once(work())


def test_both_are_down_for_an_hour(tmp_path: Path) -> None:
    """With Telegram and HiDream both away, all goes on afterwards as if nothing had been."""

    async def work() -> None:
        outage = Outage(5, 5 + HOUR)

        def submit(body: JSON) -> Answer:
            return accepted(body) if not outage else _unreachable()

        def results(task_id: str) -> Answer:
            return done(task_id, 1 if LoopClock().monotonic() > 60 else 2)

        hidream = HiDream(submit, results=lambda t: _unreachable() if outage else results(t))
        storage = Storage(lambda _: DownloadLater("no answer") if outage else None)
        room = Away(outage)
        async with engine(tmp_path, hidream, room=room, storage=storage) as world:
            made = [await world.photo("snow", user=n) for n in range(3)]
            for task in made:
                await world.reaches(task, TaskState.RUNNING, within=4)
            await world.clock.sleep(10)
            later = [await world.photo("rain", user=n) for n in range(3)]
            await world.clock.sleep(HOUR / 2)
            assert room.pictures == []
            for task in made + later:
                await world.reaches(task, TaskState.DELIVERED, within=HOUR)
            assert Counter(room.pictures) == {0: 2, 1: 2, 2: 2}

    at_once(work())


def _unreachable() -> Answer:
    raise httpx.ConnectError("no network")


class Quiet(Room):
    """A Telegram that wants 30 seconds of quiet in one chat, once."""

    def __init__(self, chat: int) -> None:
        super().__init__()
        self._chat = chat
        self.asked: list[float] = []
        self.came: dict[int, float] = {}
        self.order: list[int] = []

    async def send_pictures(
        self, target: Target, pictures: Sequence[Picture], *lines: Say, **more: Any
    ) -> Outcome:
        """Take pictures; the first for that chat are refused."""
        now = LoopClock().monotonic()
        if target.chat_id == self._chat:
            self.asked.append(now)
            if len(self.asked) == 1:
                return Later(seconds=30, reason="flood control")
        self.came[target.chat_id] = now
        self.order.append(int(str(lines[0].data["task"])))
        return await super().send_pictures(target, pictures, *lines, **more)


def test_one_chat_that_is_to_be_left_alone(tmp_path: Path) -> None:
    """A chat that Telegram has closed for 30 s gets nothing meanwhile, then all in order; no other waits."""

    async def work() -> None:
        room = Quiet(1)
        async with engine(tmp_path, HiDream(accepted), room=room, parallel=10) as world:
            tasks = [await world.photo("snow", user=user) for user in (1, 2, 3, 1)]
            for task in tasks:
                await world.reaches(task, TaskState.DELIVERED, within=60)
            first, again, _ = room.asked
            assert again - first >= 30
            ours = [id_ for id_ in room.order if id_ in {tasks[0].id, tasks[3].id}]
            assert ours == [tasks[0].id, tasks[3].id], "in their order"
            assert max(room.came[2], room.came[3]) < first + 10
            assert len(world.hidream.submitted) == 4

    at_once(work())


def test_addresses_that_have_expired(tmp_path: Path) -> None:
    """A picture whose address has died is asked for some times, and then given up honestly."""

    async def work() -> None:
        tries: list[str] = []

        def expired(url: str) -> Exception:
            tries.append(url)
            return DownloadLater("expired", http_status=403)

        async with engine(tmp_path, HiDream(accepted), storage=Storage(expired)) as world:
            row = await world.reaches(await world.photo("snow"), TaskState.FAILED, within=HOUR)
            assert row.failure is not None
            assert row.failure.id == "result-unfetched"
            assert len(tries) == ANSWERED_TRIES

    at_once(work())
