"""Dispatcher, watcher and courier together: what days of trouble come to, in no time."""

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.hidream.errors import DownloadLater
from bot.lookup import LOOKUPS
from bot.messages import Outcome, Target, Unknown
from bot.steps import MOST_REPEATS
from bot.submitter import REFUSAL_TRIES
from storage.memory import MemoryStore
from storage.store import StoreError
from storage.tasks import ImageState, Task, TaskState, Topic
from tests.engine import (
    JSON,
    Answer,
    HiDream,
    Room,
    Storage,
    accepted,
    done,
    engine,
    in_no_time,
    refusal,
    success,
)
from tests.time_machine import LoopClock, at_once

HOUR = 3_600.0
DAY = 24 * HOUR
ENDS = (TaskState.DELIVERED, TaskState.FAILED)


@in_no_time
async def test_one_persons_words_do_not_stop_the_account(tmp_path: Path) -> None:
    """A task that alone is answered 403 ends in a reason, and the others are made meanwhile."""

    def submit(body: JSON) -> Answer:
        return Answer(403, html="blocked") if body["prompt"] == "<script>" else accepted(body)

    async with engine(tmp_path, HiDream(submit), parallel=1) as world:
        poison = await world.photo("<script>", user=1)
        others = [await world.photo("snow", user=2) for _ in range(3)]
        for other in others:
            await world.reaches(other, TaskState.DELIVERED, within=600)
        row = await world.reaches(poison, *ENDS, within=1200)
        assert row.failure is not None
        assert row.failure.id == "hidream-refused"


@in_no_time
async def test_a_bad_token_fails_nothing(tmp_path: Path) -> None:
    """A token that is refused for hours costs nobody anything: then all are made."""
    refused = True

    def submit(body: JSON) -> Answer:
        return Answer(401) if refused else accepted(body)

    async with engine(tmp_path, HiDream(submit), parallel=1) as world:
        tasks = [await world.photo(f"{n}", user=n) for n in range(3)]
        await world.clock.sleep(5 * HOUR)
        assert {(await world.row(task)).state for task in tasks} <= {
            TaskState.QUEUED,
            TaskState.WAITING,
            TaskState.SUBMITTING,
        }
        calls = len(world.hidream.submitted)
        assert calls < 5 * HOUR / 50, "it asks about once a minute"
        refused = False
        for task in tasks:
            await world.reaches(task, TaskState.DELIVERED, within=300)


@in_no_time
async def test_a_new_token_is_noticed_soon(tmp_path: Path) -> None:
    """As soon as the operator has put in another token, it is tried."""
    token = "old"

    def submit(body: JSON) -> Answer:
        return Answer(401) if token == "old" else accepted(body)

    async with engine(tmp_path, HiDream(submit), new_token=lambda: token == "new") as world:
        task = await world.photo("snow")
        await world.clock.sleep(10)
        token = "new"
        await world.reaches(task, TaskState.DELIVERED, within=10)


@in_no_time
async def test_hidream_down_for_hours(tmp_path: Path) -> None:
    """An outage of hours ends in pictures; the service is asked about once a minute meanwhile."""
    down = True

    def submit(body: JSON) -> Answer:
        return Answer(502, html="<h1>Bad Gateway</h1>") if down else accepted(body)

    async with engine(tmp_path, HiDream(submit)) as world:
        tasks = [await world.photo(f"{n}", user=n) for n in range(5)]
        await world.clock.sleep(6 * HOUR)
        assert len(world.hidream.submitted) < 2 * 6 * HOUR / 60
        down = False
        for task in tasks:
            await world.reaches(task, TaskState.DELIVERED, within=200)


def test_hidream_down_for_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After so long a time of failing tries the person is told, and nothing was spent."""
    monkeypatch.setattr("bot.submitter.GIVE_UP", timedelta(hours=2))

    async def work() -> None:
        async with engine(tmp_path, HiDream(lambda _: Answer(502))) as world:
            row = await world.reaches(await world.photo("snow"), TaskState.FAILED, within=3 * HOUR)
            assert row.failure is not None
            assert row.failure.id == "hidream-unreachable"
            assert world.clock.monotonic() > 2 * HOUR

    at_once(work())


def test_waiting_for_a_token_is_no_failing_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task that has waited long for a good token is not given up at its first outage."""
    monkeypatch.setattr("bot.submitter.GIVE_UP", timedelta(hours=2))
    answers = ["token", "outage", "well"]

    def submit(body: JSON) -> Answer:
        return {"token": Answer(401), "outage": Answer(503), "well": accepted(body)}[answers[0]]

    async def work() -> None:
        async with engine(tmp_path, HiDream(submit)) as world:
            task = await world.photo("snow")
            await world.clock.sleep(3 * HOUR)
            answers.pop(0)
            await world.clock.sleep(200)
            answers.pop(0)
            await world.reaches(task, TaskState.DELIVERED, within=300)

    at_once(work())


@in_no_time
async def test_unexplained_refusals_are_counted_by_themselves(tmp_path: Path) -> None:
    """An outage before does not use up the tries that an unexplained refusal has."""
    answers: list[Answer] = [Answer(503), Answer(503), Answer(503)]

    def submit(_: JSON) -> Answer:
        return answers.pop() if answers else refusal(9999, "未知错误")

    async with engine(tmp_path, HiDream(submit)) as world:
        row = await world.reaches(await world.photo("snow"), TaskState.FAILED, within=600)
        assert row.failure is not None
        assert row.failure.id == "hidream-refused"
        assert (row.vendor_code, row.vendor_message) == (9999, "未知错误")
        assert len(world.hidream.submitted) == 3 + REFUSAL_TRIES


@in_no_time
async def test_a_question_that_is_never_answered_rightly_has_an_end(tmp_path: Path) -> None:
    """Where the question for a request id is answered by errors only, it counts as "not known"."""
    lost = [True]

    def submit(body: JSON) -> Answer:
        if lost and lost.pop():
            raise httpx.ReadError("reset")
        return accepted(body)

    lookups: list[str] = []

    def lookup(request_id: str) -> Answer:
        lookups.append(request_id)
        return Answer(500)

    async with engine(tmp_path, HiDream(submit, lookup=lookup)) as world:
        await world.reaches(await world.photo("snow"), TaskState.DELIVERED, within=300)
        assert len(lookups) == LOOKUPS
        assert len({body["request_id"] for body in world.hidream.submitted}) == 1


@in_no_time
async def test_wake_ups_do_not_hurry_a_service_that_is_ill(tmp_path: Path) -> None:
    """While results cannot be read HiDream is asked less and less, whatever happens here."""
    asked: list[str] = []

    def results(task_id: str) -> Answer:
        asked.append(task_id)
        return Answer(503)

    async with engine(tmp_path, HiDream(accepted, results=results)) as world:
        await world.photo("snow")
        for _ in range(600):
            world.store.wake(Topic.RUNNING)
            await world.clock.sleep(0.1)
        assert 3 < len(asked) < 20


@in_no_time
async def test_a_foreign_task_is_not_adopted(tmp_path: Path) -> None:
    """An answer to the question for our request id that is about another request is not taken."""
    lost = [True]

    def submit(body: JSON) -> Answer:
        if lost and lost.pop():
            raise httpx.ReadError("reset")
        return accepted(body)

    def lookup(_: str) -> Answer:
        return success({"task_id": "somebody's", "sub_task_results": []}, "another request")

    async with engine(tmp_path, HiDream(submit, lookup=lookup)) as world:
        row = await world.reaches(await world.photo("snow"), TaskState.DELIVERED, within=60)
        assert row.hidream_task_id != "somebody's"


@pytest.mark.parametrize("told", [("a", "a"), ("a", "c")])
def test_odd_sub_task_ids(tmp_path: Path, told: tuple[str, str]) -> None:
    """What HiDream says of sub-tasks that it never named does not keep a task from ending."""

    async def work() -> None:
        def submit(body: JSON) -> Answer:
            return success({"task_id": "t", "sub_task_ids": ["a", "b"]}, body["request_id"])

        hidream = HiDream(submit, results=lambda task_id: done(task_id, 1, 1, ids=told))
        async with engine(tmp_path, hidream) as world:
            task = await world.photo("snow", count=2)
            await world.reaches(task, TaskState.DELIVERED, within=60)
            states = Counter(image.state for image in await world.store.images(task.id))
            assert states == {ImageState.STORED: 1, ImageState.FAILED: 1}

    at_once(work())


@in_no_time
async def test_a_storage_that_never_answers(tmp_path: Path) -> None:
    """An image whose storage never answers, while HiDream does, is given up and said so."""
    storage = Storage(lambda _: DownloadLater("no answer"))
    async with engine(tmp_path, HiDream(accepted), storage=storage) as world:
        row = await world.reaches(await world.photo("snow"), TaskState.FAILED, within=HOUR)
        assert row.failure is not None
        assert row.failure.id == "result-unfetched"


@in_no_time
async def test_no_network_is_waited_out(tmp_path: Path) -> None:
    """An image is not given up while HiDream itself cannot be reached either."""
    down = [False]

    def results(task_id: str) -> Answer:
        if down[0]:
            raise httpx.ConnectError("no network")
        return done(task_id)

    def fails(_: str) -> Exception | None:
        if world.clock.monotonic() < HOUR:
            down[0] = True
            return DownloadLater("no network")
        return None

    hidream = HiDream(accepted, results=results)
    async with engine(tmp_path, hidream, storage=Storage(fails)) as world:
        task = await world.photo("snow")
        row = await world.reaches(task, *ENDS, within=2 * HOUR)
        assert row.state is TaskState.DELIVERED


class Deaf(Room):
    """A Telegram whose answers to pictures never arrive."""

    async def send_pictures(self, target: Target, *args: Any, **more: Any) -> Outcome:
        """Take pictures, and lose the answer."""
        await super().send_pictures(target, *args, **more)
        return Unknown(reason="ReadError")


@in_no_time
async def test_a_picture_is_not_shown_for_ever(tmp_path: Path) -> None:
    """Where every answer is lost a picture is repeated some times, counted, and then let be."""
    async with engine(tmp_path, HiDream(accepted), room=Deaf()) as world:
        task = await world.photo("snow")
        await world.reaches(task, TaskState.DELIVERED, within=HOUR)
        assert len(world.room.pictures) == 1 + MOST_REPEATS
        assert (await world.store.counts())["repeated"] == MOST_REPEATS


class Failing(MemoryStore):
    """A store whose named methods fail some times."""

    def __init__(self, clock: LoopClock, **fails: int) -> None:
        super().__init__(clock)
        self.fails = fails

    def _fail(self, name: str) -> None:
        if self.fails.get(name, 0) > 0:
            self.fails[name] -= 1
            raise StoreError("database is locked")

    async def accepted(self, *args: Any, **more: Any) -> Task | None:
        self._fail("accepted")
        return await super().accepted(*args, **more)

    async def next_queued(self, limit: int) -> list[Task]:
        self._fail("next_queued")
        return await super().next_queued(limit)

    async def finish(self, *args: Any, **more: Any) -> Task | None:
        self._fail("finish")
        return await super().finish(*args, **more)

    async def requeue_due(self, now: datetime) -> datetime | None:
        self._fail("requeue_due")
        return await super().requeue_due(now)


@pytest.mark.parametrize("fails", [{"accepted": 8}, {"next_queued": 3}, {"requeue_due": 3}])
def test_a_locked_database_costs_no_submission(tmp_path: Path, fails: dict[str, int]) -> None:
    """While the database cannot be written, what HiDream has answered is not forgotten."""

    async def work() -> None:
        store = Failing(LoopClock(), **fails)
        async with engine(tmp_path, HiDream(accepted), store=store) as world:
            tasks = [await world.photo("snow", user=n) for n in range(3)]
            for task in tasks:
                await world.reaches(task, TaskState.DELIVERED, within=120)
            assert len(world.hidream.submitted) == 3

    at_once(work())


@in_no_time
async def test_a_loop_that_failed_takes_back_what_it_had_in_hand(tmp_path: Path) -> None:
    """Deliveries in the hands of a loop that failed are gone on with, and shown once."""
    store = Failing(LoopClock(), finish=1)
    async with engine(tmp_path, HiDream(accepted), store=store) as world:
        tasks = [await world.photo("snow", user=n) for n in range(4)]
        for task in tasks:
            await world.reaches(task, TaskState.DELIVERED, within=120)
        assert Counter(world.room.pictures) == {0: 1, 1: 1, 2: 1, 3: 1}


class Breaking(MemoryStore):
    """A store with a mistake in it: once, right after a claim, it raises what nobody expects."""

    claimed = broken = False

    async def claim(self, *args: Any, **more: Any) -> Task | None:
        self.claimed = True
        return await super().claim(*args, **more)

    async def requeue_due(self, now: datetime) -> datetime | None:
        if self.claimed and not self.broken:
            self.broken = True
            raise RuntimeError("a mistake")
        return await super().requeue_due(now)


@in_no_time
async def test_a_submission_that_never_began_is_not_waited_for(tmp_path: Path) -> None:
    """A loop that failed before its submission took a step goes on, also while the account is ill."""
    answers = [Answer(503), Answer(503)]

    def submit(body: JSON) -> Answer:
        return answers.pop() if answers else accepted(body)

    store = Breaking(LoopClock())
    async with engine(tmp_path, HiDream(submit), store=store) as world:
        await world.reaches(await world.photo("snow"), TaskState.DELIVERED, within=HOUR)
    assert store.broken
    assert not answers


class BreakingLater(MemoryStore):
    """A store with a mistake in it: once, right after an image is known, it raises the unexpected."""

    made = broken = False

    async def image_made(self, *args: Any, **more: Any) -> None:
        self.made = True
        await super().image_made(*args, **more)

    async def uncertain(self, now: datetime) -> list[Task]:
        # the second look of a round: the download has been begun, and has taken no step yet
        if self.made and not self.broken and now > self._clock.now():
            self.broken = True
            raise RuntimeError("a mistake")
        return await super().uncertain(now)


@in_no_time
async def test_a_download_that_never_began_is_begun_again(tmp_path: Path) -> None:
    """A loop that failed before its download took a step fetches the image all the same."""
    store = BreakingLater(LoopClock())
    async with engine(tmp_path, HiDream(accepted), store=store) as world:
        await world.reaches(await world.photo("snow"), TaskState.DELIVERED, within=HOUR)
    assert store.broken
