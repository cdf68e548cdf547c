"""What the admins are told, once, and when it is over."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import jwt
import pytest

from bot.account import Trouble
from bot.alerts import LASTING, SETTLED, Alerts, expires_at
from bot.messages import Chat, Gone, Later, Outcome, Sent, Target
from bot.texts import Moment, Say
from storage.memory import MemoryStore
from tests.time_machine import LoopClock, at_once

ADA, BOB = 1, 2
DAY = timedelta(days=1)


class Ears:
    """The admins' chats; while `closed`, Telegram takes nothing."""

    def __init__(self) -> None:
        self.heard: list[tuple[int, str]] = []
        self.said: list[Say] = []
        self.closed = False
        self.strangers: set[int] = set()

    async def say(self, target: Target, *lines: Say, **_: Any) -> Outcome:
        """Take a text."""
        if self.closed:
            return Later(seconds=1, reason="down")
        if target.chat_id in self.strangers:
            return Gone(reason="bot can't initiate conversation with a user")
        self.heard.append((target.chat_id, lines[0].id))
        self.said += lines
        return Sent(message_ids=(1,))


@asynccontextmanager
async def alerting(store: MemoryStore, ears: Ears, *admins: int) -> AsyncIterator[Alerts]:
    """Run the loop until the end of the block."""
    stop = asyncio.Event()
    alerts = Alerts(store=store, chat=cast(Chat, ears), admins=lambda: admins, clock=LoopClock())
    loop = asyncio.create_task(alerts.run(stop))
    try:
        yield alerts
    finally:
        stop.set()
        store.wake()
        await loop


def in_no_time(
    test: Callable[[MemoryStore, Ears], Coroutine[Any, Any, None]],
) -> Callable[[], None]:
    """Let a test run in a loop in which time passes at once."""

    def run() -> None:
        async def work() -> None:
            await test(MemoryStore(LoopClock()), Ears())

        at_once(work())

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


@in_no_time
async def test_a_bad_token_is_told_soon_and_once(store: MemoryStore, ears: Ears) -> None:
    """Each admin hears of it one time, however long it lasts, and of its end."""
    async with alerting(store, ears, ADA, BOB) as alerts:
        for _ in range(5):
            alerts.trouble(Trouble.TOKEN)
            await asyncio.sleep(3600)
        assert ears.heard == [(ADA, "admin-token"), (BOB, "admin-token")]
        alerts.trouble(None)
        await asyncio.sleep(1)
        assert ears.heard[2:] == [(ADA, "admin-token-over"), (BOB, "admin-token-over")]
        alerts.trouble(Trouble.TOKEN)
        await asyncio.sleep(SETTLED + 1)
        assert ears.heard[4:] == [(ADA, "admin-token"), (BOB, "admin-token")], "it is news again"


@in_no_time
async def test_what_passes_by_itself_is_not_told(store: MemoryStore, ears: Ears) -> None:
    """An overload, or an outage, is worth a message only when it lasts."""
    async with alerting(store, ears, ADA) as alerts:
        for _ in range(20):
            for trouble, seconds in (
                (Trouble.BUSY, 200),
                (None, 10),
                (Trouble.TOKEN, 15),
                (None, 9),
            ):
                alerts.trouble(trouble)
                await asyncio.sleep(seconds)
        assert ears.heard == []
        alerts.trouble(Trouble.BUSY)
        await asyncio.sleep(LASTING + 1)
        assert ears.heard == [(ADA, "admin-busy")]


@in_no_time
async def test_trouble_in_turns_is_one_trouble(store: MemoryStore, ears: Ears) -> None:
    """Overload and outage, one after the other without a success between them, are told in time."""
    async with alerting(store, ears, ADA) as alerts:
        for _ in range(3):
            for trouble in (Trouble.BUSY, Trouble.UNREACHABLE):
                alerts.trouble(trouble)
                await asyncio.sleep(LASTING * 0.6)
    assert ("admin-unreachable") in {id_ for _, id_ in ears.heard}


@in_no_time
async def test_who_has_not_written_yet_is_told_later(store: MemoryStore, ears: Ears) -> None:
    """An admin to whom Telegram lets nobody write keeps none of the others from hearing of it."""
    ears.strangers.add(ADA)
    async with alerting(store, ears, ADA, BOB) as alerts:
        alerts.trouble(Trouble.TOKEN)
        await asyncio.sleep(3600)
        assert ears.heard == [(BOB, "admin-token")]
        ears.strangers.clear()
        await asyncio.sleep(700)
        assert ears.heard == [(BOB, "admin-token"), (ADA, "admin-token")]


@in_no_time
async def test_a_restart_does_not_tell_it_again(store: MemoryStore, ears: Ears) -> None:
    """What was told stays told, and its end is told by whoever sees it."""
    async with alerting(store, ears, ADA) as alerts:
        alerts.trouble(Trouble.TOKEN)
        await asyncio.sleep(SETTLED + 1)
    async with alerting(store, ears, ADA) as alerts:
        alerts.trouble(Trouble.TOKEN)
        await asyncio.sleep(SETTLED + 1)
    assert ears.heard == [(ADA, "admin-token")]
    async with alerting(store, ears, ADA) as alerts:
        alerts.trouble(None)
        await asyncio.sleep(1)
    assert ears.heard == [(ADA, "admin-token"), (ADA, "admin-token-over")]
    assert await store.notices() == {}


@in_no_time
async def test_telegram_down_delays_it(store: MemoryStore, ears: Ears) -> None:
    """A message that Telegram does not take comes when it does; so does that it is over."""
    ears.closed = True
    async with alerting(store, ears, ADA) as alerts:
        alerts.trouble(Trouble.TOKEN)
        await asyncio.sleep(3600)
        ears.closed = False
        await asyncio.sleep(700)
        assert ears.heard == [(ADA, "admin-token")]
        ears.closed = True
        alerts.trouble(None)
        await asyncio.sleep(3600)
        ears.closed = False
        await asyncio.sleep(700)
        assert ears.heard[1:] == [(ADA, "admin-token-over")]


@in_no_time
async def test_fewer_slots_are_told_with_both_numbers(store: MemoryStore, ears: Ears) -> None:
    """The operator reads how many HiDream takes and how many are configured; and when all are."""
    async with alerting(store, ears, ADA) as alerts:
        alerts.slots(2, 5)
        alerts.slots(1, 5)
        await asyncio.sleep(1)
        alerts.slots(5, 5)
        await asyncio.sleep(1)
    assert ears.heard == [(ADA, "admin-slots"), (ADA, "admin-slots-over")]
    assert ears.said[0].data == {"found": 2, "configured": 5}


def _token(expires: datetime) -> str:
    return jwt.encode({"exp": expires, "sub": "x"}, "not our key, it is only read" * 2)


@in_no_time
async def test_a_token_that_expires_is_told_twice(store: MemoryStore, ears: Ears) -> None:
    """A week before, and a day before; never again, also after a restart, unless it is another."""
    clock = LoopClock()
    token = _token(clock.now() + 10 * DAY)
    for _ in range(2):
        async with alerting(store, ears, ADA) as alerts:
            alerts.new_token(token)
            await asyncio.sleep(4 * DAY.total_seconds())
    assert ears.heard == [(ADA, "admin-token-week")]
    assert ears.said[0].data == {"date": Moment(datetime(2026, 1, 11, tzinfo=UTC))}
    async with alerting(store, ears, ADA) as alerts:
        alerts.new_token(token)
        await asyncio.sleep(3 * DAY.total_seconds())
        assert ears.heard[1:] == [(ADA, "admin-token-day")]
        alerts.new_token(_token(clock.now() + 2 * DAY))
        await asyncio.sleep(60)
        assert ears.heard[2:] == [(ADA, "admin-token-week")]


@in_no_time
async def test_without_admins_nobody_is_told(store: MemoryStore, ears: Ears) -> None:
    """It stays in the log, and the loop goes on."""
    async with alerting(store, ears) as alerts:
        alerts.trouble(Trouble.TOKEN)
        await asyncio.sleep(100)
        alerts.trouble(None)
        await asyncio.sleep(100)
    assert ears.heard == []


@pytest.mark.parametrize(
    ("token", "expires"),
    [
        (_token(datetime(2030, 1, 2, tzinfo=UTC)), datetime(2030, 1, 2, tzinfo=UTC)),
        (_token(datetime(2020, 1, 2, tzinfo=UTC)), datetime(2020, 1, 2, tzinfo=UTC)),
        (jwt.encode({"sub": "x"}, "k" * 40), None),
        (jwt.encode({"exp": 1e30}, "k" * 40), None),
        ("opaque-token", None),
        ("a.b.c", None),
        ("", None),
    ],
)
def test_when_a_token_expires(token: str, expires: datetime | None) -> None:
    """The date of one that says so; nothing of any other."""
    assert expires_at(token) == expires


@in_no_time
async def test_what_is_not_well_here_is_told_when_it_lasts(store: MemoryStore, ears: Ears) -> None:
    """Reasons of the machine's own are told once after five minutes, and their end."""
    async with alerting(store, ears, ADA) as alerts:
        alerts.unwell(("disk",))
        await asyncio.sleep(LASTING - 1)
        alerts.unwell(())
        await asyncio.sleep(LASTING)
        assert ears.heard == []
        alerts.unwell(("database", "disk"))
        alerts.unwell(("disk",))
        await asyncio.sleep(LASTING + 1)
        assert ears.said == [Say("admin-health", {"causes": "database, disk"})]
        alerts.unwell(())
        await asyncio.sleep(1)
        assert ears.heard == [(ADA, "admin-health"), (ADA, "admin-health-over")]
