"""The checkup over the real loops, in no time: what it sees, what it heals, whom it tells."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, cast

import pytest
import structlog
from telegram.error import NetworkError

from bot import health
from bot.health import Cause
from bot.intake import Intake
from bot.messages import FileOutcome, Later, Outcome, Target
from bot.preparer import FETCHING
from storage.memory import MemoryStore
from storage.store import StoreError
from storage.tasks import Running, Task, TaskState, Topic
from tests.engine import Answer, Engine, HiDream, Room, accepted, engine, in_no_time, refusal
from tests.time_machine import LoopClock, asleep, at_once

OVER: Final = (TaskState.DELIVERED, TaskState.FAILED)


class Sticking(MemoryStore):
    """A store one of whose methods, once, never comes back."""

    def __init__(self) -> None:
        super().__init__(LoopClock())
        self.sticks = ""
        self.writes = True
        self.silent = False

    async def _stick(self, method: str) -> None:
        if self.sticks == method:
            self.sticks = ""
            await asyncio.Event().wait()

    async def running(self, *, late_since: datetime) -> list[Running]:
        """Give what runs: asked by the watcher alone."""
        await self._stick("running")
        return await super().running(late_since=late_since)

    async def requeue_due(self, now: datetime) -> datetime | None:
        """Bring back into line: asked by the dispatcher alone."""
        await self._stick("requeue_due")
        return await super().requeue_due(now)

    async def claim_delivery(self, **named: Any) -> Task | None:
        """Claim a result: asked by the courier alone."""
        await self._stick("claim_delivery")
        return await super().claim_delivery(**named)

    async def probe(self, now: datetime) -> None:
        """Write."""
        if self.silent:
            await asyncio.Event().wait()
        if not self.writes:
            raise StoreError("the database refused: disk I/O error")
        await super().probe(now)


def causes(it: Engine) -> list[Cause]:
    """Give the reasons for not being ready, as machines know them."""
    return [reason.cause for reason in it.checkup.reasons()]


async def well(it: Engine) -> None:
    """Let a minute pass, in which all become well."""
    await asyncio.sleep(60)
    assert (causes(it), it.told[-1:]) in (([], []), ([], [()]))


@pytest.mark.parametrize(
    ("name", "method"),
    [("watcher", "running"), ("dispatcher", "requeue_due"), ("courier", "claim_delivery")],
)
def test_a_loop_that_stands_still_is_started_again(tmp_path: Path, name: str, method: str) -> None:
    """It is told once, with where it stands; then it begins anew, and nothing is lost or done twice."""

    async def work() -> None:
        store, hidream = Sticking(), HiDream(submit=accepted)
        async with engine(tmp_path, hidream, store=store, looked_after=True) as it:
            await well(it)
            first = await it.photo("one")
            store.sticks = method
            second = await it.photo("two", user=2)
            await asyncio.sleep(health.LOOPS[name][1] + 40)
            assert causes(it) == [Cause.STANDS_STILL]
            assert it.told == [("stands_still",)]
            assert it.kept[name].where()[-2:] == [
                line for line in it.kept[name].where() if " Event.wait" in line or "_stick" in line
            ]
            for task in (first, second):
                await it.reaches(task, *OVER, within=health.PAST_HOPE + 30)
            await well(it)
            assert Counter(kept.started_again for kept in it.kept.values()) == {1: 1, 0: 3}
            assert it.kept[name].started_again == 1
            assert len(hidream.submitted) == 2
            assert sorted(it.room.pictures) == [1, 2]

    with structlog.testing.capture_logs() as logs:
        at_once(work())
    events = Counter(line["event"] for line in logs)
    assert (events["loop_stands_still"], events["loop_started_again"]) == (1, 1)


class Slow(Room):
    """A Telegram one of whose files comes slowly, and that takes nothing while it is `closed`."""

    hangs = 0.0
    closed = False

    async def fetch(self, file_id: str) -> FileOutcome:
        """Give a file."""
        if self.hangs:
            seconds, self.hangs = self.hangs, 0.0
            await asyncio.sleep(seconds)
        return await super().fetch(file_id)

    async def send_pictures(self, *args: Any, **named: Any) -> Outcome:
        """Take pictures."""
        if self.closed:
            return Later(seconds=1, reason="down")
        return await super().send_pictures(*args, **named)


class Deaf(MemoryStore):
    """A store by which, once, nobody hears that there is something in the line."""

    deaf = False

    def wake(self, topic: Topic | None = None) -> None:
        """Wake whoever waits, or not."""
        if not (self.deaf and topic is Topic.QUEUE):
            super().wake(topic)


@in_no_time
async def test_a_line_that_is_not_taken_is_begun_anew(path: Path) -> None:
    """The next in line waits, a slot is free and the account well: that is found, and mended."""
    store = Deaf(LoopClock())
    async with engine(path, HiDream(submit=accepted), store=store, looked_after=True) as it:
        store.deaf = True
        task = await it.photo("one")
        await asyncio.sleep(health.NOT_TAKEN + 30)
        assert (causes(it), it.told) == ([Cause.LINE], [("line",)])
        store.deaf = False
        await it.reaches(task, *OVER, within=health.PAST_HOPE + 30)
        await well(it)
        assert it.kept["dispatcher"].started_again == 1


@in_no_time
async def test_a_photo_that_comes_slowly_is_waited_for(path: Path) -> None:
    """It is said that the line stands, but nothing is begun anew, as the photo would then never be there."""
    room = Slow()
    async with engine(path, HiDream(submit=accepted), room=room, looked_after=True) as it:
        room.hangs = FETCHING - 10
        task = await it.photo("one")
        await asyncio.sleep(FETCHING - 30)
        assert causes(it) == [Cause.LINE]
        await it.reaches(task, *OVER, within=60)
        room.hangs = 1e9
        task, other = await it.photo("one"), await it.photo("two", user=2)
        await it.reaches(other, *OVER, within=FETCHING + 30)
        await it.reaches(task, *OVER, within=90)
        await well(it)
        assert it.kept["dispatcher"].started_again == 0


@in_no_time
async def test_a_line_that_waits_for_good_reason_is_well(path: Path) -> None:
    """Full slots, and an account in trouble, are no reason to begin anew."""
    hidream = HiDream(submit=accepted, results=lambda _: refusal(2004, "?"))
    async with engine(path, hidream, parallel=1, looked_after=True) as it:
        for n in range(3):
            await it.photo("one", user=n + 1)
        for _ in range(20):
            await asyncio.sleep(20)
            assert causes(it) == []
        hidream.submit = lambda _: Answer(429)
        await asyncio.sleep(3000)
        assert Cause.LINE not in causes(it)
        assert it.kept["dispatcher"].started_again == 0


@in_no_time
async def test_a_refused_token_is_seen_until_it_is_taken(path: Path) -> None:
    """Within seconds it is red, and green with the first request that is taken."""
    hidream, new = HiDream(submit=lambda _: Answer(401)), [False]
    async with engine(path, hidream, looked_after=True, new_token=lambda: new[0]) as it:
        task = await it.photo("one")
        await asyncio.sleep(20)
        assert causes(it) == [Cause.TOKEN]
        assert it.told == [], "the admins hear of it otherwise"
        hidream.submit, new[0] = accepted, True
        await it.reaches(task, *OVER, within=30)
        assert causes(it) == []


@in_no_time
async def test_a_result_that_is_not_sent_is_seen(path: Path) -> None:
    """What a chat does not get for ten minutes is told, until it has it."""
    room = Slow()
    room.closed = True
    async with engine(path, HiDream(submit=accepted), room=room, looked_after=True) as it:
        task = await it.photo("one")
        await asyncio.sleep(health.UNSENT - 30)
        assert causes(it) == []
        await asyncio.sleep(60)
        assert (causes(it), it.told) == ([Cause.UNSENT], [("unsent",)])
        room.closed = False
        await it.reaches(task, *OVER, within=90)
        await well(it)


class Strict(Room):
    """A Telegram that has closed some chats for so many seconds from the start."""

    closed: Mapping[int, float] = {}

    async def send_pictures(self, target: Target, *args: Any, **named: Any) -> Outcome:
        """Take pictures, or say for how long none are to be sent."""
        left = self.closed.get(target.chat_id, 0.0) - asyncio.get_running_loop().time()
        if left > 0:
            return Later(seconds=int(left) + 1, reason="flood control")
        return await super().send_pictures(target, *args, **named)


@in_no_time
async def test_a_chat_that_telegram_has_closed_is_its_own_matter(path: Path) -> None:
    """What waits there by Telegram's word makes nobody get up; if many wait so, or for longer, it is told."""
    room, now = Strict(), asyncio.get_running_loop().time()
    async with engine(path, HiDream(submit=accepted), room=room, looked_after=True) as it:
        room.closed = {1: now + 1500}
        tasks = [await it.photo("one", user=1), await it.photo("two", user=1)]
        for _ in range(200):
            await asyncio.sleep(10)
            assert causes(it) == []
        for task in tasks:
            await it.reaches(task, *OVER, within=1)
        room.closed = dict.fromkeys(range(2, 6), now + 9000)
        for user in room.closed:
            await it.photo("one", user=user)
        await asyncio.sleep(health.UNSENT + 60)
        assert causes(it) == [Cause.UNSENT]


@in_no_time
async def test_a_database_that_cannot_be_written_is_seen(path: Path) -> None:
    """A write that fails, or does not end, is red; and no loop is blamed for it."""
    store = Sticking()
    async with engine(path, HiDream(submit=accepted), store=store, looked_after=True) as it:
        await well(it)
        store.writes = False
        await asyncio.sleep(15)
        (reason,) = it.checkup.reasons()
        assert (reason.cause, "disk I/O error" in reason.sentence) == (Cause.DATABASE, True)
        store.writes, store.silent = True, True
        await asyncio.sleep(25)
        assert causes(it) == [Cause.DATABASE]
        await asyncio.sleep(60)
        assert causes(it) == [Cause.DATABASE, Cause.CHECKS]
        store.sticks = "requeue_due"
        await it.photo("one")
        await asyncio.sleep(600)
        assert it.kept["dispatcher"].started_again == 0, "a new start would get no further"


@in_no_time
async def test_a_full_disk_is_seen_before_the_database_fails(path: Path) -> None:
    """Little room is red while everything still goes."""
    async with engine(path, HiDream(submit=accepted), looked_after=True) as it:
        it.free.append(health.FREE - 1)
        await asyncio.sleep(15)
        assert (causes(it), it.told) == ([Cause.DISK], [("disk",)])
        it.free.append(health.FREE)
        await well(it)


@in_no_time
async def test_a_loop_that_keeps_failing_is_seen(path: Path) -> None:
    """One that is started again and again is told, until it has been well for a while."""
    fails = [5.0, 40.0, 40.0]

    async def failing(stop: asyncio.Event) -> None:
        if fails:
            await asyncio.sleep(fails.pop(0))
            raise RuntimeError("again")
        await stop.wait()

    more = {"failing": failing}
    async with engine(path, HiDream(submit=accepted), looked_after=True, more=more) as it:
        await asyncio.sleep(60)
        assert causes(it) == []
        await asyncio.sleep(60)
        assert (causes(it), it.told) == ([Cause.CRASHING], [("crashing",)])
        await asyncio.sleep(health.CRASHES_WITHIN)
        assert (causes(it), it.told[-1]) == ([], ())


@dataclass
class Fetching:
    """Whoever fetches updates, as it says itself."""

    fetched_at: float | None = None
    conflict: str | None = None


@in_no_time
async def test_updates_are_heard_of(path: Path) -> None:
    """At first it is starting; then the last fetch counts, and who else fetches."""
    polls = Fetching()
    async with engine(path, HiDream(submit=accepted), looked_after=True, polls=polls) as it:
        await asyncio.sleep(5)
        assert causes(it) == [Cause.STARTING]
        polls.fetched_at = it.clock.monotonic()
        assert causes(it) == []
        polls.conflict = "poller"
        assert causes(it) == [Cause.CONFLICT]
        polls.conflict = None
        await asyncio.sleep(61)
        assert causes(it) == [Cause.UPDATES]
        assert it.told == [], "a moment of it is not worth a word"


class Line:
    """The way to Telegram: quiet, or (`down`) cut off."""

    id = 1
    down = False

    async def do_api_request(self, _: str, **named: Any) -> list[Any]:
        """Hold a call open until its time is over, as nobody writes."""
        if self.down:
            raise NetworkError("no route to host")
        await asyncio.sleep(named["api_kwargs"]["timeout"])
        return []


@in_no_time
async def test_a_quiet_telegram_is_well_and_one_that_is_away_is_not(path: Path) -> None:
    """Calls that end with nothing are fetches, too; a minute without any is red, until the next that goes."""
    line, store = Line(), MemoryStore(LoopClock())
    intake = Intake(bot=cast(Any, line), store=store, clock=LoopClock())
    more = {"intake": intake.run}
    async with engine(
        path, HiDream(submit=accepted), store=store, looked_after=True, more=more, polls=intake
    ) as it:
        await asyncio.sleep(59)
        for _ in range(100):
            await asyncio.sleep(7)
            assert causes(it) == []
        line.down = True
        await asyncio.sleep(125)
        assert causes(it) == [Cause.UPDATES]
        assert it.told == [], "whom could it be told, and how"
        line.down = False
        await asyncio.sleep(90)
        assert causes(it) == []


@dataclass(frozen=True)
class Said:
    """What Telegram said of the webhook."""

    at: float
    state: str = "ours"
    backlog: tuple[int, ...] = (0,)
    error: str | None = None
    error_age: float | None = None


@dataclass
class Watching:
    """Whoever watches the webhook, as it says itself."""

    info: Said | None = None


@in_no_time
async def test_the_webhook_is_heard_of(path: Path) -> None:
    """What Telegram says of it counts, and grows old: an error is over in time, silence is not."""
    watch = Watching()
    async with engine(path, HiDream(submit=accepted), looked_after=True, webhook=watch) as it:
        await asyncio.sleep(5)
        assert causes(it) == [Cause.STARTING]
        watch.info = Said(it.clock.monotonic(), error="502 Bad Gateway", error_age=30.0)
        (reason,) = it.checkup.reasons()
        assert (reason.cause, "502 Bad Gateway" in reason.sentence) == (Cause.WEBHOOK, True)
        await asyncio.sleep(health.WEBHOOK_ERROR - 29)
        assert causes(it) == []
        watch.info = Said(it.clock.monotonic(), backlog=(9, 9, 9, 10, 12))
        assert causes(it) == [Cause.BACKLOG]
        watch.info = Said(it.clock.monotonic())
        await asyncio.sleep(health.WEBHOOK_WITHIN + 1)
        assert causes(it) == [Cause.UPDATES]


@in_no_time
async def test_an_error_of_the_look_itself_is_told(path: Path) -> None:
    """Whatever it meets, it says that it can't see, and sees again after."""
    async with engine(path, HiDream(submit=accepted), looked_after=True) as it:
        it.free.clear()
        await asyncio.sleep(15)
        assert causes(it) == [Cause.DATABASE]
        it.free.append(FileNotFoundError(2, "No such file or directory", "/home/ada/data"))
        await asyncio.sleep(15)
        (reason,) = it.checkup.reasons()
        assert "No such file or directory" in reason.sentence
        assert "ada" not in reason.sentence
        it.free.append(2**40)
        await well(it)


class Far(Room):
    """A Telegram that takes its time, so that it can be cut off in the middle."""

    async def send_pictures(self, *args: Any, **named: Any) -> Outcome:
        """Take pictures."""
        await asyncio.sleep(0.3)
        return await super().send_pictures(*args, **named)


@pytest.mark.parametrize("every", [0.17, 0.29, 0.71])
def test_loops_may_be_started_again_at_any_moment(tmp_path: Path, every: float) -> None:
    """However often and wherever they are cut off, each photo comes to its end; what is done twice is counted."""

    async def work() -> None:
        hidream, store = HiDream(submit=accepted, seconds=0.2), MemoryStore(LoopClock())
        known: dict[str, Any] = {}
        asked: dict[str, Any] = {}

        def submit(body: dict[str, Any]) -> Answer:
            asked[body["request_id"]] = accepted(body)
            return accepted(body)

        hidream.submit = submit
        hidream.lookup = lambda request: asked.get(request) or refusal(2004, "任务不存在")
        async with engine(tmp_path, hidream, store=store, room=Far()) as it:
            tasks = [await it.photo("one", user=n) for n in range(1, 9)]
            for turn in range(40):
                await asyncio.sleep(every)
                known = dict(it.kept)
                known[("dispatcher", "watcher", "courier")[turn % 3]].start_again()
            for task in tasks:
                # a request that was cut off may have arrived: its slot is held for twice the deadline
                assert (await it.reaches(task, *OVER, within=3000)).state is TaskState.DELIVERED
            counts = await store.counts()
            assert set(it.room.pictures) == set(range(1, 9))
            assert len(it.room.pictures) <= 8 + counts["repeated"]
            assert 8 <= len(hidream.submitted) <= 8 + counts["unanswered"]
            assert sum(kept.started_again for kept in known.values()) > 20

    with structlog.testing.capture_logs():
        at_once(work())


@in_no_time
async def test_a_machine_that_was_asleep_is_let_wake_up(path: Path) -> None:
    """Where everything stood for an hour no loop is to blame: none is started again."""
    hidream = HiDream(submit=accepted, results=lambda _: refusal(2004, "not yet"))
    async with engine(path, hidream, deadline=9000, looked_after=True) as it:
        task = await it.photo("one")
        await well(it)
        assert (await it.row(task)).state is TaskState.RUNNING
        asleep(3600)
        await asyncio.sleep(0.1)
        await well(it)
        assert sum(kept.started_again for kept in it.kept.values()) == 0
        assert it.told == []
