"""Narrow places: what happens just then, between two looks, or to one task alone; in no time."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.hidream.errors import DownloadLater
from bot.lookup import CALLBACK_WAIT
from bot.messages import FileOutcome, Missing, Outcome, Target
from bot.texts import Say
from storage.memory import MemoryStore
from storage.store import StoreError
from storage.tasks import TaskState
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
from tests.test_engine_results import Works, _token
from tests.time_machine import LoopClock, at_once

HOUR = 3_600.0
ENDS = (TaskState.DELIVERED, TaskState.FAILED)


# --- around the deadline


@pytest.mark.parametrize("second", [599.0, 600.5, 602.0, 603.5, 605.0, 606.5, 608.0, 609.5])
def test_done_just_then(tmp_path: Path, second: float) -> None:
    """Whenever around its deadline HiDream is done, the picture is shown: in time, or late."""

    async def work() -> None:
        def results(task_id: str) -> Answer:
            return done(task_id, 1 if LoopClock().monotonic() >= second else 2)

        async with engine(tmp_path, HiDream(accepted, results=results)) as world:
            task = await world.photo("snow")
            await world.clock.sleep(HOUR)
            assert (await world.row(task)).state is TaskState.DELIVERED
            assert world.room.pictures == [1]

    at_once(work())


@in_no_time
async def test_an_expired_image_is_taken_back_while_another_is_fetched(tmp_path: Path) -> None:
    """One image expires while the other's download lasts; done before that ends, both are shown."""

    def results(task_id: str) -> Answer:
        now = LoopClock().monotonic()
        return done(task_id, 1 if now >= 595 else 2, 1 if now >= 612 else 2)

    def fails(_: str) -> Exception | None:
        return DownloadLater("slow") if LoopClock().monotonic() < 620 else None

    hidream = HiDream(accepted, results=results)
    async with engine(tmp_path, hidream, storage=Storage(fails)) as world:
        task = await world.photo("snow", count=2)
        await world.clock.sleep(HOUR)
        assert [image.state.value for image in await world.store.images(task.id)] == ["stored"] * 2
        assert world.room.captions == ["result"]


class SlowWithWords(Room):
    """A Telegram in which a text takes long."""

    async def say(self, target: Target, *lines: Say, **more: Any) -> Outcome:
        """Take a text, in the end."""
        await LoopClock().sleep(60)
        return await super().say(target, *lines, **more)


@in_no_time
async def test_a_late_picture_that_comes_while_the_reason_is_sent(tmp_path: Path) -> None:
    """It is brought when that delivery is over, and needs nobody else's photo for it."""
    over = [False]
    hidream = HiDream(accepted, results=lambda task_id: done(task_id, 1 if over[0] else 2))
    room = SlowWithWords()
    async with engine(tmp_path, hidream, room=room, called_back=True) as world:
        task = await world.photo("snow")
        await world.reaches(task, TaskState.DELIVERING, within=700)
        over[0] = True
        await world.callbacks.called(_token(hidream.submitted[-1]), None)
        await world.clock.sleep(100)
        assert (await world.row(task)).state is TaskState.DELIVERED
        assert world.room.captions == ["result-late"]


# --- the store fails just then


class Failing(MemoryStore):
    """A store of which one method fails for a while."""

    def __init__(self, method: str, times: int) -> None:
        super().__init__(LoopClock())
        real = getattr(self, method)
        self.left = times

        async def fails(*args: Any, **more: Any) -> Any:
            if self.left:
                self.left -= 1
                raise StoreError("disk full")
            return await real(*args, **more)

        setattr(self, method, fails)


class Empty(Room):
    """A Telegram that has lost the first photo."""

    async def fetch(self, file_id: str) -> FileOutcome:
        """Give a file, but not the first."""
        if not self.said and not self.pictures:
            return Missing(reason="gone")
        return await super().fetch(file_id)


def test_a_photo_whose_end_could_not_be_noted_holds_nobody_up(tmp_path: Path) -> None:
    """The row of a photo that is gone cannot be written at first: the line goes on when it can."""

    async def work() -> None:
        store = Failing("ready", 3)
        async with engine(tmp_path, HiDream(accepted), store=store, room=Empty()) as world:
            tasks = [await world.photo(f"{n}", user=n + 1) for n in range(3)]
            for task in tasks:
                await world.reaches(task, *ENDS, within=60)

    at_once(work())


def test_what_hidream_took_is_kept_while_the_store_fails(tmp_path: Path) -> None:
    """Slots that cannot be counted for a moment cost no submission: nothing is sent twice."""

    async def work() -> None:
        store = Failing("slots_held", 0)

        def submit(body: JSON) -> Answer:
            store.left = 2
            return accepted(body)

        hidream = HiDream(submit)
        async with engine(tmp_path, hidream, store=store) as world:
            tasks = [await world.photo(f"{n}", user=n) for n in range(3)]
            for task in tasks:
                await world.reaches(task, TaskState.DELIVERED, within=100)
            assert len(hidream.submitted) == 3

    at_once(work())


# --- hints that come just then


@pytest.mark.parametrize("uncertain", [1, 2])
def test_a_call_during_the_question_is_heeded(tmp_path: Path, uncertain: int) -> None:
    """HiDream calls back while it is being asked: what it names is adopted, not submitted again."""

    async def work() -> None:
        lost = [uncertain]
        questions: list[float] = []

        def submit(body: JSON) -> Answer:
            if lost[0]:
                lost[0] -= 1
                raise httpx.ReadError("reset")
            return accepted(body)

        class Calling(HiDream):
            called = False

        hidream = Calling(submit)

        def lookup(_: str) -> Answer:
            questions.append(LoopClock().monotonic())
            if len(hidream.submitted) == uncertain and not hidream.called:
                hidream.called = True
                held.append(hidream.submitted[-1])
            return refusal(2004, "任务不存在")

        held: list[JSON] = []
        hidream.lookup = lookup
        async with engine(tmp_path, hidream, called_back=True) as world:
            real = world.store.hints

            async def hints(task_id: int) -> list[str]:
                found = await real(task_id)
                if held:  # it came while the question was under way
                    body = held.pop()
                    await world.callbacks.called(_token(body), f"task-{body['request_id']}")
                    found = await real(task_id)
                return found

            world.store.hints = hints  # type: ignore[method-assign]
            row = await world.reaches(await world.photo("snow"), *ENDS, within=400)
            assert row.state is TaskState.DELIVERED
            assert len(hidream.submitted) == uncertain
            assert questions

    at_once(work())


@in_no_time
async def test_a_hint_that_is_never_confirmed_is_not_in_the_way(tmp_path: Path) -> None:
    """What HiDream answers badly about is passed by: the question for our request id still finds it."""
    lost = [True]
    theirs: list[str] = []

    def submit(body: JSON) -> Answer:
        answer = accepted(body)
        if lost and lost.pop():
            theirs.append(f"task-{body['request_id']}")
            raise httpx.ReadError("reset")
        return answer

    def results(task_id: str) -> Answer:
        return success({"task_id": "OTHER"}) if task_id == "other" else done(task_id)

    def lookup(request_id: str) -> Answer:
        if LoopClock().monotonic() < 20:
            return Answer(503)
        subs = [{"sub_task_id": "a", "task_status": 2}]
        return success({"task_id": theirs[0], "sub_task_results": subs}, request_id)

    hidream = HiDream(submit, results=results, lookup=lookup)
    async with engine(tmp_path, hidream, called_back=True) as world:
        task = await world.photo("snow")
        await world.reaches(task, TaskState.UNCERTAIN, within=5)
        await world.callbacks.called(_token(hidream.submitted[-1]), "other")
        row = await world.reaches(task, TaskState.DELIVERED, within=CALLBACK_WAIT)
        assert (row.hidream_task_id, len(hidream.submitted)) == (theirs[0], 1)


@in_no_time
async def test_a_hint_for_somebody_elses_task_is_refused(tmp_path: Path) -> None:
    """HiDream's own answer names another request: it is not adopted, whatever the caller said."""
    lost = [True]

    def submit(body: JSON) -> Answer:
        if lost and lost.pop():
            raise httpx.ReadError("reset")
        return accepted(body)

    def results(task_id: str) -> Answer:
        if task_id != "ALIEN":
            return done(task_id)
        subs = [{"sub_task_id": "x", "task_status": 1, "image": "https://x/alien"}]
        return success({"task_id": "ALIEN", "sub_task_results": subs}, "their request")

    hidream = HiDream(submit, results=results)
    async with engine(tmp_path, hidream, called_back=True) as world:
        task = await world.photo("snow")
        await world.reaches(task, TaskState.UNCERTAIN, within=5)
        await world.callbacks.called(_token(hidream.submitted[-1]), "ALIEN")
        row = await world.reaches(task, TaskState.DELIVERED, within=2 * CALLBACK_WAIT)
        assert row.hidream_task_id != "ALIEN"


# --- one task alone


@pytest.mark.parametrize("answer", [Answer(429), refusal(1, "too many: busy <poison>")])
def test_a_task_that_alone_is_too_fast_stops_nobody(tmp_path: Path, answer: Answer) -> None:
    """Refused as too fast for ever, it lets the others pass, and comes to an end itself."""

    async def work() -> None:
        def submit(body: JSON) -> Answer:
            return answer if body["prompt"] == "poison" else accepted(body)

        hidream = HiDream(submit)
        async with engine(tmp_path, hidream, parallel=2) as world:
            poison = await world.photo("poison", user=1)
            for n in range(20):
                other = await world.photo(f"snow {n}", user=2)
                await world.reaches(other, TaskState.DELIVERED, within=120)
            for n in range(80):
                await world.clock.sleep(HOUR)
                await world.photo(f"later {n}", user=2)
            row = await world.row(poison)
            assert row.state is TaskState.FAILED
            assert row.failure is not None
            assert row.failure.id == "hidream-refused"

    at_once(work())


@in_no_time
async def test_too_fast_before_does_not_count_when_the_token_is_bad(tmp_path: Path) -> None:
    """A task that was refused as too fast, others not, is not given up at the first bad token."""
    answers: dict[str, Answer | None] = {"snow": Answer(429), "rain": None}

    def submit(body: JSON) -> Answer:
        answer = answers[body["prompt"]]
        return accepted(body) if answer is None else answer

    async with engine(tmp_path, HiDream(submit)) as world:
        task = await world.photo("snow", user=1)
        for _ in range(10):
            await world.reaches(await world.photo("rain", user=2), TaskState.DELIVERED, within=120)
        answers["snow"] = answers["rain"] = Answer(401)
        await world.clock.sleep(2 * HOUR)
        assert (await world.row(task)).state not in ENDS
        answers["snow"] = None
        await world.reaches(task, TaskState.DELIVERED, within=700)


@in_no_time
async def test_a_persons_words_do_not_say_what_a_refusal_means(tmp_path: Path) -> None:
    """Content is refused with the words repeated: they are not taken for load, whatever they are."""

    def submit(body: JSON) -> Answer:
        return refusal(2003, f"敏感内容: {body['prompt']}")

    async with engine(tmp_path, HiDream(submit)) as world:
        task = await world.photo("busy parallel rate limit token expired")
        row = await world.reaches(task, TaskState.FAILED, within=10)
        assert row.failure is not None
        assert row.failure.id == "content-refused"


@in_no_time
async def test_a_question_that_hangs_holds_nobody_up_and_has_an_end(tmp_path: Path) -> None:
    """HiDream is silent on our request id, and well otherwise: others go on, and it is "not known"."""
    lost = [True]

    def submit(body: JSON) -> Answer:
        if lost and lost.pop():
            raise httpx.ReadError("reset")
        return accepted(body)

    def lookup(_: str) -> Answer:
        raise httpx.ReadTimeout("silence")

    async with engine(tmp_path, HiDream(submit, lookup=lookup)) as world:
        task = await world.photo("snow", user=1)
        await world.reaches(task, TaskState.UNCERTAIN, within=5)
        for n in range(60):
            other = await world.photo(f"{n}", user=2)
            await world.reaches(other, TaskState.DELIVERED, within=3)
            await world.clock.sleep(3)
        await world.reaches(task, TaskState.DELIVERED, within=60)


@in_no_time
async def test_a_task_whose_question_is_never_answered(tmp_path: Path) -> None:
    """HiDream answers 500 about one task alone: the others are not slower, and it ends honestly."""
    sick: list[str] = []

    def submit(body: JSON) -> Answer:
        if body["prompt"] == "sick":
            sick.append(f"task-{body['request_id']}")
        return accepted(body)

    def results(task_id: str) -> Answer:
        return Answer(500) if task_id in sick else done(task_id)

    async with engine(tmp_path, HiDream(submit, results=results)) as world:
        task = await world.photo("sick", user=1)
        await world.reaches(task, TaskState.RUNNING, within=5)
        for n in range(30):
            began = world.clock.monotonic()
            other = await world.photo(f"{n}", user=2)
            await world.reaches(other, TaskState.DELIVERED, within=10)
            assert world.clock.monotonic() - began < 6
        for n in range(27):
            await world.clock.sleep(HOUR)
            await world.photo(f"later {n}", user=2)
        row = await world.reaches(task, TaskState.FAILED, within=HOUR)
        assert row.failure is not None
        assert row.failure.id == "took-too-long"


@in_no_time
async def test_answers_that_leave_tasks_out_keep_to_the_ceiling(tmp_path: Path) -> None:
    """A batch call that tells of one task alone costs a call for each other: still two a second."""
    works = Works(lambda _: 1e9)
    asked: list[float] = []

    class Forgetful(HiDream):
        def __call__(self, request: httpx.Request) -> Answer:
            if "/results" in request.url.path:
                asked.append(LoopClock().monotonic())
            if request.url.path.endswith("/batch"):
                return success([])  # type: ignore[arg-type] # a batch answer is a list
            return super().__call__(request)

    async with engine(
        tmp_path, Forgetful(works.submit, results=works.results), parallel=10
    ) as world:
        for n in range(10):
            await world.photo(f"{n}", user=n)
        await world.clock.sleep(300)
        assert 100 < len([at for at in asked if at > 100]) <= 2 * 200 + 20


@in_no_time
async def test_a_group_that_moves_has_other_messages(tmp_path: Path) -> None:
    """What is under way in a group that moved forgets which message told of it: another has its number."""
    async with engine(tmp_path, HiDream(accepted, results=Works.unfinished)) as world:
        task = await world.photo("snow", user=-5)
        await world.reaches(task, TaskState.RUNNING, within=5)
        await world.store.note_progress_message(task.id, 8)
        await world.store.move_chat(-5, -1005)
        row = await world.row(task)
        assert (row.place.chat_id, row.progress_message_id) == (-1005, None)
        assert row.accepted_at is not None
        assert world.clock.now() - row.accepted_at < timedelta(minutes=1)
