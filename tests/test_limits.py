"""Telegram's limits: what is let through, when, and in which order. Time passes at once."""

import asyncio
import warnings
from typing import Any

import pytest
from telegram.error import RetryAfter, TelegramError

from bot.limits import Bucket, Chats, TelegramLimits
from bot.messages import Turn, Urgency
from bot.outcomes import NoLongerWanted
from tests.time_machine import LoopClock, at_once


@pytest.fixture(autouse=True)
def _durations_as_the_bot_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "true")


class Calls:
    """Makes calls through the limits, and notes when each came to Telegram."""

    def __init__(self, **options: Any) -> None:
        self.limits = TelegramLimits(LoopClock(), **options)
        self.made: list[tuple[float, str]] = []
        self.fails: dict[str, TelegramError] = {}

    async def call(
        self,
        chat_id: int | str | None = None,
        *,
        name: str = "",
        urgency: Urgency | Turn | None = None,
        endpoint: str = "sendMessage",
        media: int = 0,
    ) -> str:
        """Make one call."""

        async def callback() -> str:
            self.made.append((asyncio.get_running_loop().time(), name))
            if name in self.fails:
                raise self.fails.pop(name)
            return name

        data: dict[str, Any] = {} if chat_id is None else {"chat_id": chat_id}
        if media:
            data["media"] = ["item"] * media
        result = await self.limits.process_request(callback, (), {}, endpoint, data, urgency)
        return str(result)

    async def many(self, count: int, chats: int = 1, first: int = 1, **more: Any) -> None:
        """Make so many calls at once, spread over so many chats."""
        sign = -1 if first < 0 else 1
        async with asyncio.TaskGroup() as group:
            for n in range(count):
                group.create_task(self.call(first + sign * (n % chats), **more))

    async def many_presses(self, count: int) -> None:
        """Answer so many presses at once."""
        async with asyncio.TaskGroup() as group:
            for _ in range(count):
                call = self.call(
                    urgency=Urgency.PRESS, endpoint="answerCallbackQuery", name="press"
                )
                group.create_task(call)

    @property
    def times(self) -> list[float]:
        """When the calls came."""
        return [at for at, _ in self.made]

    @property
    def names(self) -> list[str]:
        """Which calls came, in order."""
        return [name for _, name in self.made]


def most_within(times: list[float], seconds: float) -> int:
    """Count the most that came within any so many seconds."""
    return max(sum(1 for t in times if start <= t < start + seconds) for start in times)


def test_thirty_a_second_in_all() -> None:
    """However many chats are written to, no second sees more than 30 calls, and few are lost."""

    async def work() -> None:
        calls = Calls()
        await calls.many(150, chats=150)
        assert most_within(calls.times, 1.0) <= 30
        assert calls.times[-1] < 8

    at_once(work())


def test_a_chat_takes_a_burst_and_then_one_a_second() -> None:
    """Four messages may follow each other in a chat, the others come a second apart."""

    async def work() -> None:
        calls = Calls()
        await calls.many(8)
        assert calls.times[3] < 0.5
        assert all(a + 0.9 < b for a, b in zip(calls.times[4:], calls.times[5:], strict=False))
        assert 3.9 < calls.times[-1] < 4.5

    at_once(work())


def test_an_album_counts_as_its_items() -> None:
    """After an album of four a chat takes the next message when a second has passed."""

    async def work() -> None:
        calls = Calls()
        await calls.call(1, media=4)
        await calls.call(1)
        assert calls.times[1] - calls.times[0] > 0.9
        await calls.call(2, media=10)  # more than any bucket holds: it still goes

    at_once(work())


def test_a_group_takes_twenty_in_any_minute() -> None:
    """A group never gets more than 20 messages within any 60 seconds, the first ones at once."""

    async def work() -> None:
        calls = Calls()
        await calls.many(60, first=-100)
        assert 15 < most_within(calls.times, 60.0) <= 20
        assert calls.times[3] < 0.5
        await calls.many(8, first=7)
        assert calls.times[-1] - calls.times[-8] < 5  # a person's chat knows no such limit

    at_once(work())


def test_five_edits_a_second_in_all() -> None:
    """Edits in different chats are at most 5 in any second; replies are not held up by them."""

    async def work() -> None:
        calls = Calls()
        edits = asyncio.create_task(calls.many(30, chats=30, urgency=Urgency.EDIT, name="edit"))
        await asyncio.sleep(0.1)
        await calls.call(99, name="reply")
        assert asyncio.get_running_loop().time() < 0.3
        await edits
        assert most_within([at for at, name in calls.made if name == "edit"], 1.0) <= 5

    at_once(work())


def test_the_most_urgent_goes_first() -> None:
    """Where calls wait, answers to presses go first, then pictures, replies and edits."""

    async def work() -> None:
        calls = Calls()
        async with asyncio.TaskGroup() as group:
            for urgency in reversed(Urgency):
                for n in range(8):
                    chat_id = None if urgency is Urgency.PRESS else 100 * urgency + n
                    call = calls.call(chat_id, urgency=urgency, name=urgency.name)
                    group.create_task(call)
        order = [Urgency[name] for name in calls.names]
        assert order == sorted(order)

    at_once(work())


def test_a_chat_keeps_its_order_and_holds_nobody_up() -> None:
    """Calls of equal urgency come in order in a chat; one that is full does not delay another."""

    async def work() -> None:
        calls = Calls()
        async with asyncio.TaskGroup() as group:
            for n in range(7):
                group.create_task(calls.call(1, name=f"first {n}"))
            group.create_task(calls.call(1, name="first album", media=4))
            group.create_task(calls.call(1, name="first last"))
            group.create_task(calls.call(2, name="second"))
        first = [name for name in calls.names if name.startswith("first")]
        assert first == [*(f"first {n}" for n in range(7)), "first album", "first last"]
        assert calls.names.index("second") == 4

    at_once(work())


def test_a_large_call_is_not_overtaken_by_small_ones() -> None:
    """An album that waits for the overall limit is not passed by a stream of single messages."""

    async def work() -> None:
        calls = Calls()
        async with asyncio.TaskGroup() as group:
            for n in range(40):
                group.create_task(calls.call(n + 1, name="before"))
            group.create_task(calls.call(1000, name="album", media=4))
            for n in range(40):
                group.create_task(calls.call(2000 + n, name="after"))
        assert calls.names.index("album") == 40

    at_once(work())


@pytest.mark.parametrize("endpoint", ["getUpdates", "getMe", "getFile"])
def test_calls_that_reach_no_chat_never_wait(endpoint: str) -> None:
    """Asking for updates and files is not held up by what waits for chats."""

    async def work() -> None:
        calls = Calls()
        waiting = asyncio.create_task(calls.many(60, chats=60))
        await asyncio.sleep(0.01)
        before = asyncio.get_running_loop().time()
        assert await calls.call(name="asked", endpoint=endpoint) == "asked"
        assert asyncio.get_running_loop().time() == before
        await waiting

    at_once(work())


def test_a_deletion_is_no_message() -> None:
    """Deleting needs no place among a chat's messages."""

    async def work() -> None:
        calls = Calls()
        await calls.many(4)
        await calls.call(1, endpoint="deleteMessage", urgency=Urgency.DELETE)
        assert asyncio.get_running_loop().time() < 0.5

    at_once(work())


def test_deletions_do_not_wait_for_edits() -> None:
    """However many edits wait, in the same chats too, deletions go at once."""

    async def work() -> None:
        calls = Calls()
        edits = asyncio.create_task(calls.many(40, chats=10, urgency=Urgency.EDIT, name="edit"))
        await asyncio.sleep(0.1)
        more: dict[str, Any] = {"endpoint": "deleteMessage", "urgency": Urgency.DELETE}
        await calls.many(10, chats=10, **more)
        assert asyncio.get_running_loop().time() < 0.7
        assert calls.names.count("edit") < 5
        await edits

    at_once(work())


def test_a_short_pause_is_waited_for() -> None:
    """Where Telegram asks for 3 s, nothing comes to that chat until then, and other chats go on."""

    async def work() -> None:
        calls = Calls()
        calls.fails["asked too much"] = RetryAfter(3)
        with pytest.raises(RetryAfter):
            await calls.call(1, name="asked too much")
        async with asyncio.TaskGroup() as group:
            group.create_task(calls.call(1, name="waits"))
            group.create_task(calls.call(1, name="waits too", endpoint="deleteMessage"))
            group.create_task(calls.call(2, name="goes"))
        when = {name: at for at, name in calls.made}
        assert when["goes"] < 0.2
        assert 3 <= when["waits"] <= 3.2
        assert 3 <= when["waits too"] <= 3.2

    at_once(work())


def test_a_long_pause_is_handed_back_at_once() -> None:
    """Where Telegram asks for a minute, each call to that chat is told so and none is made."""

    async def work() -> None:
        calls = Calls()
        calls.fails["asked too much"] = RetryAfter(60)
        with pytest.raises(RetryAfter):
            await calls.call(1, name="asked too much")
        with pytest.raises(RetryAfter) as caught:
            await calls.call(1, name="never")
        assert caught.value._retry_after.total_seconds() in {60, 61}
        await calls.call(2, name="other")
        assert "never" not in calls.names
        await asyncio.sleep(60)
        assert await calls.call(1, name="again") == "again"

    at_once(work())


def test_a_pause_reaches_those_who_wait_already() -> None:
    """A call that waits for its turn when Telegram closes the chat is not made either."""

    async def work() -> None:
        calls = Calls()
        calls.fails["n3"] = RetryAfter(30)
        results = await asyncio.gather(
            *(calls.call(1, name=f"n{n}") for n in range(8)), return_exceptions=True
        )
        assert calls.names == ["n0", "n1", "n2", "n3"]
        assert [isinstance(result, RetryAfter) for result in results] == [False] * 3 + [True] * 5

    at_once(work())


def test_a_later_shorter_pause_does_not_open_the_chat() -> None:
    """Of two pauses that Telegram asked for, the one that lasts longer counts."""

    async def work() -> None:
        calls = Calls()
        calls.limits.chats.close(1, 50)
        calls.limits.chats.close(1, 1)
        assert calls.limits.chats.closed_for(1) == 50
        assert calls.limits.chats.closed_for(None) == 0

    at_once(work())


def test_a_pause_without_a_chat_is_one_of_presses() -> None:
    """A 429 to an answer of a press closes no chat; other answers are not given until it is over."""

    async def work() -> None:
        calls = Calls()
        calls.fails["press"] = RetryAfter(30)
        with pytest.raises(RetryAfter):
            await calls.call(name="press", urgency=Urgency.PRESS)
        assert await calls.call(1, name="text") == "text"
        with pytest.raises(RetryAfter):
            await calls.call(name="never", urgency=Urgency.PRESS)
        assert "never" not in calls.names
        await asyncio.sleep(30)
        assert await calls.call(name="again", urgency=Urgency.PRESS) == "again"

    at_once(work())


def test_pauses_are_understood_in_both_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library gives a pause as a number or as a duration: both close the chat."""
    monkeypatch.delenv("PTB_TIMEDELTA")

    async def work() -> None:
        calls = Calls()
        calls.fails["asked too much"] = RetryAfter(60)
        with pytest.raises(RetryAfter):
            await calls.call(1, name="asked too much")
        assert calls.limits.chats.closed_for(1) == 60

    with warnings.catch_warnings():
        # the library says at each look at a number that it will be a duration
        warnings.filterwarnings("ignore", message=".*retry_after.*")
        at_once(work())


def test_who_gives_up_takes_no_place() -> None:
    """A call that is cancelled while it waits leaves its place to the next."""

    async def work() -> None:
        calls = Calls()
        await calls.many(4)
        tasks = [asyncio.create_task(calls.call(1, name=f"n{n}")) for n in range(4)]
        await asyncio.sleep(0.1)
        for task in tasks[:3]:
            task.cancel()
        await tasks[3]
        assert calls.names == ["", "", "", "", "n3"]
        assert calls.times[-1] < 1.2

    at_once(work())


def test_idle_chats_are_forgotten() -> None:
    """The buckets of chats that were quiet are dropped, those in use are kept."""

    async def work() -> None:
        calls = Calls(kept_chats=10)
        for round_ in range(20):
            await calls.many(10, chats=10, first=100 * round_ + 1)
            calls.limits.chats.close(100 * round_ + 1, 5)
            await asyncio.sleep(10)
        assert len(calls.limits.chats) <= 30
        calls = Calls(kept_chats=2)
        await asyncio.gather(*(calls.call(n, media=4) for n in range(1, 9)))
        assert len(calls.limits.chats) >= 5  # all of them are in use

    at_once(work())


def test_what_fits_goes_at_once() -> None:
    """A call that fits does not wait at all, and one that does not waits no longer than it must."""

    async def work() -> None:
        calls = Calls()
        await calls.many(6)
        assert calls.times[:5] == [0.0, 0.0, 0.0, 0.0, pytest.approx(1.0)]
        await calls.call(2)
        assert calls.times[6] == calls.times[5] == pytest.approx(2.0)

    at_once(work())


def test_waiting_takes_no_looks() -> None:
    """However many calls wait in a chat, time is only looked at when the next of them can go."""

    class Counting(Chats):
        looks = 0

        def places(self, chat_id: int | str, messages: int) -> list[tuple[Bucket, int]]:
            self.looks += 1
            return super().places(chat_id, messages)

    async def work() -> None:
        calls = Calls()
        counting = calls.limits.chats = Counting(LoopClock(), 100)
        await calls.many(200)
        assert calls.times[-1] == pytest.approx(196.0)
        assert counting.looks < 200 * 3

    at_once(work())


def test_who_gives_up_holds_nobody() -> None:
    """Where an album at the head of a chat is given up, the text behind it goes at once."""

    async def work() -> None:
        calls = Calls()
        await calls.many(2)
        album = asyncio.create_task(calls.call(1, media=4))
        text = asyncio.create_task(calls.call(1, name="text"))
        await asyncio.sleep(0.5)
        album.cancel()
        await text
        assert calls.made[-1] == (0.5, "text")

    at_once(work())


def test_what_became_needless_while_it_waited_is_not_made() -> None:
    """A call that had to wait is asked whether it is still wanted; one that goes at once is not."""

    async def work() -> None:
        calls = Calls()
        asked: list[float] = []

        async def no() -> bool:
            asked.append(asyncio.get_running_loop().time())
            return False

        turn = Turn(urgency=Urgency.REPLY, still=no)
        assert await calls.call(1, name="at once", urgency=turn) == "at once"
        await calls.many(3)
        with pytest.raises(NoLongerWanted):
            await calls.call(1, name="never", urgency=turn)
        assert "never" not in calls.names
        assert asked == [pytest.approx(1.0)]

    at_once(work())


def test_the_order_holds_while_more_comes() -> None:
    """Under a load that lasts, presses wait least, then pictures, and edits take what is left."""

    async def work() -> None:
        calls = Calls()
        came: dict[str, float] = {}

        async def one(urgency: Urgency, n: int) -> None:
            name = f"{urgency.name} {n}"
            came[name] = asyncio.get_running_loop().time()
            chat_id = None if urgency is Urgency.PRESS else 1000 * urgency + n
            await calls.call(chat_id, urgency=urgency, name=name)

        async with asyncio.TaskGroup() as group:
            for n in range(100):  # 40 a second, of which 25 can go
                for urgency in (Urgency.EDIT, Urgency.REPLY, Urgency.PICTURE, Urgency.PRESS):
                    group.create_task(one(urgency, n))
                await asyncio.sleep(0.1)
        waits = {
            urgency: [at - came[name] for at, name in calls.made if name.startswith(urgency.name)]
            for urgency in Urgency
        }
        assert max(waits[Urgency.PRESS]) < 0.1
        assert max(waits[Urgency.PICTURE]) < 0.2
        assert max(waits[Urgency.REPLY]) > 1
        assert max(waits[Urgency.EDIT]) > max(waits[Urgency.REPLY])
        assert most_within(calls.times, 1.0) <= 30

    at_once(work())


def test_shutting_down_ends_the_waiting() -> None:
    """After the limiter was shut down, nothing of it is left to run."""

    async def work() -> None:
        calls = Calls()
        await calls.limits.initialize()
        await calls.limits.shutdown()  # nothing was ever called
        waiting = asyncio.create_task(calls.many(50))
        await asyncio.sleep(0.1)
        await calls.limits.shutdown()
        await asyncio.sleep(60)
        assert len(calls.made) == 4
        waiting.cancel()
        await asyncio.wait([waiting])
        assert len(asyncio.all_tasks()) == 1

    at_once(work())


def test_presses_do_not_keep_pictures_back() -> None:
    """However many people press at once, pictures go out in between, and no press waits for them."""

    async def work() -> None:
        calls = Calls()
        presses = asyncio.create_task(calls.many_presses(2000))
        await asyncio.sleep(0)
        await calls.many(20, chats=20, urgency=Urgency.PICTURE, name="picture")
        assert calls.times[-1] < 4
        assert 10 <= calls.names.count("press") < 50
        presses.cancel()
        await asyncio.gather(presses, return_exceptions=True)

    at_once(work())


@pytest.mark.parametrize(
    "endpoint",
    ["editMessageText", "editMessageCaption", "editMessageMedia", "editMessageReplyMarkup"],
)
def test_edits_are_bounded_however_urgent(endpoint: str) -> None:
    """What is edited for somebody who pressed a button goes before progress, within the same bound."""

    async def work() -> None:
        calls = Calls()
        async with asyncio.TaskGroup() as group:
            for n in range(1, 9):
                group.create_task(calls.call(n, urgency=Urgency.EDIT, name="progress"))
            for n in range(11, 15):
                call = calls.call(n, urgency=Urgency.REPLY, endpoint=endpoint, name="pressed")
                group.create_task(call)
        assert most_within(calls.times, 1.0) <= 5
        assert calls.names == ["pressed"] * 4 + ["progress"] * 8

    at_once(work())


def test_what_takes_anothers_place_is_one_message() -> None:
    """A single picture, unlike an album's list, counts as one."""

    async def work() -> None:
        limits, began = TelegramLimits(LoopClock()), asyncio.get_running_loop().time()

        async def callback() -> str:
            return "done"

        for _ in range(4):
            data = {"chat_id": 1, "media": object()}
            await limits.process_request(callback, (), {}, "editMessageMedia", data, None)
        assert asyncio.get_running_loop().time() - began < 1

    at_once(work())
