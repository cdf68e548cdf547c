"""Updates on their way into the inbox: a bad one neither stops the others nor is lost."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Any, Final

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from telegram.ext import ExtBot
from telegram.request import HTTPXRequest

from bot.connections import WEDGED, LongPoll
from bot.errors import TokenInUse
from bot.intake import ALONE, LONG_POLL, UNDISTURBED, Intake
from sandbox.serving import serve
from sandbox.telegram.app import TOKEN as SANDBOX_TOKEN
from sandbox.telegram.app import create_app as create_telegram
from sandbox.telegram.rules import UNHURRIED
from storage.clock import SystemClock
from storage.memory import MemoryStore
from storage.store import StoreError
from storage.tasks import NewUpdate
from tests.e2e.world import until

TOKEN: Final = "1:token"
BATCH: Final = r"""[
    {"update_id": 1, "message": {"chat": {"id": 5}, "text": "cut \ud83d"}},
    "no update", {"update_id": 1180591620717411303424},
    {"update_id": 2, "message": {"chat": {"id": 1180591620717411303424}, "text": "huge"}},
    {"update_id": 3, "message": {"chat": {"id": 6}, "text": "poison"}},
    {"update_id": 4, "message": {"chat": {"id": 7}, "text": "good"}}
]"""


class Choosy(MemoryStore):
    """A store that cannot keep everything, and that fails at first."""

    failing = False

    async def receive(self, bot_id: int, updates: Sequence[NewUpdate], now: datetime) -> int:
        """Refuse a batch that has poison in it."""
        if self.failing:
            raise StoreError("disk full")
        if any("poison" in update.raw for update in updates):
            raise OverflowError("cannot be kept")
        return await super().receive(bot_id, updates, now)


class Telegram:
    """A Telegram that has one batch, and nothing after it was confirmed."""

    def __init__(self, batch: str) -> None:
        self.batch = batch
        self.offsets: list[int | None] = []
        self.waits: list[str] = []
        self.confirmed = asyncio.Event()
        self.app = Starlette(
            routes=[
                Route(f"/bot{TOKEN}/getUpdates", self._updates, methods=["POST"]),
                Route(f"/bot{TOKEN}/getMe", self._me, methods=["POST"]),
            ]
        )

    async def _me(self, _request: Request) -> Response:
        me = {"id": 1, "is_bot": True, "first_name": "Bot", "username": "a_bot"}
        return JSONResponse({"ok": True, "result": me})

    async def _updates(self, request: Request) -> Response:
        form: dict[str, Any] = dict(await request.form())
        self.waits.append(form["timeout"])
        self.offsets.append(int(form["offset"]) if "offset" in form else None)
        if self.offsets[-1] is not None:
            self.confirmed.set()
            return JSONResponse({"ok": True, "result": []})
        return Response('{"ok": true, "result": ' + self.batch + "}")


async def fetched(batch: str, store: MemoryStore, seconds: float = 5) -> Telegram:
    """Let the intake fetch a batch, until it is confirmed."""
    telegram, stop = Telegram(batch), asyncio.Event()
    async with serve(telegram.app) as url:
        request = HTTPXRequest(httpx_kwargs={"trust_env": False})
        bot = ExtBot(TOKEN, base_url=f"{url}/bot", get_updates_request=request, request=request)
        await bot.initialize()
        intake = Intake(bot=bot, store=store, clock=SystemClock())
        running = asyncio.create_task(intake.run(stop))
        confirmed = asyncio.create_task(telegram.confirmed.wait())
        await asyncio.wait(
            (running, confirmed), timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        stop.set()
        for task in (running, confirmed):
            task.cancel()
        results = await asyncio.gather(running, return_exceptions=True)
        await bot.shutdown()
        if isinstance(results[0], Exception):
            raise results[0]
    return telegram


async def test_poison_is_set_aside_alone() -> None:
    """What cannot be kept is replaced by its number; the rest of the batch is kept and confirmed."""
    store = Choosy(SystemClock())
    telegram = await fetched(BATCH, store)
    assert telegram.offsets[:2] == [None, 5]
    rows = await store.inbox_heads(SystemClock().now(), limit=10)
    assert [(row.update_id, row.chat_id) for row in rows] == [(1, 5), (2, None), (3, None), (4, 7)]
    raw = {row.update_id: row.raw for row in rows}
    assert json.loads(raw[1])["message"]["text"] == "cut \ufffd"
    assert json.loads(raw[4])["message"]["text"] == "good"
    assert raw[3] == "", "handling this sets it aside"


async def test_the_first_answer_is_not_waited_for() -> None:
    """The first call is one that Telegram answers at once, so that a start is over where nobody writes."""
    telegram = await fetched("[" + BATCH[BATCH.index("{") :], MemoryStore(SystemClock()))
    assert telegram.waits[:2] == ["0", str(LONG_POLL)]


async def test_a_failing_store_confirms_nothing() -> None:
    """When the store keeps nothing, the loop fails and Telegram still has the batch."""
    store = Choosy(SystemClock())
    store.failing = True
    with pytest.raises(StoreError, match="disk full"):
        await fetched(BATCH, store)
    store.failing = False
    telegram = await fetched(BATCH, store)
    assert telegram.offsets[:2] == [None, 5]
    assert len(await store.inbox_heads(SystemClock().now(), limit=10)) == 4


async def test_a_batch_of_nothing_is_not_asked_for_without_end() -> None:
    """An answer of which nothing can be confirmed is asked for again with pauses."""
    telegram = await fetched('[{"update_id": "one"}, null]', MemoryStore(SystemClock()), seconds=1)
    assert 1 <= len(telegram.offsets) <= 3


# --- who else has the token -----------------------------------------------------------------------


class Brisk(SystemClock):
    """A clock that is set forward, and for which a wait is soon over."""

    passed = 0.0

    def monotonic(self) -> float:
        """Give the seconds, with what has been skipped."""
        return super().monotonic() + self.passed

    async def sleep(self, seconds: float) -> None:
        """Wait a moment."""
        await asyncio.sleep(0.05)


class Poller:
    """One process that polls, as far as that goes."""

    def __init__(self, bot: ExtBot[Any]) -> None:
        self.clock = Brisk()
        self.store = MemoryStore(self.clock)
        self.intake = Intake(bot=bot, store=self.store, clock=self.clock)
        self.running = asyncio.create_task(self.intake.run(asyncio.Event()))

    async def gets(self, telegram: Any) -> None:
        """Wait until an update that comes now has been fetched."""
        before = self.intake.fetched_at
        telegram.updates.add_raw({"message": {"chat": {"id": 1}}})
        await until(_true(lambda: self.intake.fetched_at != before), "it fetches")

    async def goes_on(self, telegram: Any) -> None:
        """Let a minute go by in which nothing happens."""
        await self.gets(telegram)
        self.clock.passed += UNDISTURBED + 1
        await self.gets(telegram)


def _true(look: Callable[[], object]) -> Callable[[], Awaitable[bool]]:
    async def looked() -> bool:
        return bool(look())

    return looked


@asynccontextmanager
async def crowd() -> AsyncIterator[tuple[Any, Callable[[], Awaitable[Poller]]]]:
    """Give a Telegram's state, and what starts a process that polls it."""
    app = create_telegram(rules=UNHURRIED)
    pollers: list[Poller] = []
    async with serve(app) as url, AsyncExitStack() as stack:

        async def start() -> Poller:
            request = HTTPXRequest(httpx_kwargs={"trust_env": False, "verify": False})
            bot = ExtBot(
                SANDBOX_TOKEN, base_url=f"{url}/bot", request=request, get_updates_request=request
            )
            await bot.initialize()
            stack.push_async_callback(bot.shutdown)
            pollers.append(Poller(bot))
            return pollers[-1]

        try:
            yield app.state.telegram, start
        finally:
            app.state.telegram.webhook.delete()
            for poller in pollers:
                poller.running.cancel()
            await asyncio.gather(*(one.running for one in pollers), return_exceptions=True)


async def test_of_two_pollers_the_later_gives_up() -> None:
    """After three conflicts it ends with what to do; the one that was there goes on, and says for a minute who it was."""
    async with crowd() as (telegram, start):
        first = await start()
        assert first.intake.fetched_at is None
        await first.goes_on(telegram)
        assert first.intake.conflict is None
        second = await start()
        with pytest.raises(TokenInUse, match="Stop that one before you start this one"):
            await asyncio.wait_for(second.running, 20)
        assert second.intake.conflict == "poller"
        await first.gets(telegram)
        assert first.intake.conflict == "poller"
        await first.goes_on(telegram)
        assert first.intake.conflict is None
        assert not first.running.done()


async def test_of_two_newcomers_the_later_gives_up() -> None:
    """Who has polled for some seconds alone bears one conflict more than who comes then."""
    async with crowd() as (telegram, start):
        first = await start()
        await first.gets(telegram)
        first.clock.passed += ALONE + 1
        second = await start()
        with pytest.raises(TokenInUse):
            await asyncio.wait_for(second.running, 20)
        await first.gets(telegram)
        assert not first.running.done()


async def test_people_who_write_meanwhile_hide_no_conflict() -> None:
    """Conflicts count though calls between them bring updates: the later one still gives up."""
    async with crowd() as (telegram, start):
        first = await start()
        await first.goes_on(telegram)
        second = await start()
        while not second.running.done():
            telegram.updates.add_raw({"message": {"chat": {"id": 1}}})
            await asyncio.sleep(0.04)
        assert isinstance(second.running.exception(), TokenInUse)
        assert not first.running.done()


async def test_a_webhook_that_somebody_sets_meanwhile() -> None:
    """Who polls undisturbed waits until it is gone; who has just come gives up, and says at which host it is."""
    async with crowd() as (telegram, start):
        first = await start()
        await first.goes_on(telegram)
        await first.intake._bot.set_webhook("https://elsewhere.example/their-secret")
        await until(_true(lambda: first.intake.conflict == "webhook"), "it knows")
        second = await start()
        with pytest.raises(TokenInUse, match=r"elsewhere\.example.*--take-over") as given_up:
            await asyncio.wait_for(second.running, 20)
        assert "their-secret" not in str(given_up.value)
        await first.intake._bot.delete_webhook()
        await first.goes_on(telegram)
        assert first.intake.conflict is None


# --- a wedged call --------------------------------------------------------------------------------


class Wedge(Telegram):
    """A Telegram whose first answer has no end."""

    ports: list[int]

    async def _updates(self, request: Request) -> Response:
        assert request.client
        self.ports.append(request.client.port)
        if len(self.ports) > 1:
            return await super()._updates(request)

        async def endless() -> AsyncIterator[bytes]:
            while True:
                yield b" "
                await asyncio.sleep(0.02)

        return StreamingResponse(endless())


async def test_a_wedged_call_heals_itself() -> None:
    """A call that never ends, though bytes come, is given up, and the next has a connection of its own."""
    telegram, clock = Wedge("[]"), Brisk()
    telegram.ports = []
    local = {"trust_env": False}
    async with serve(telegram.app) as url:
        request = LongPoll(limit=0.4, connection_pool_size=1, httpx_kwargs=local)
        bot = ExtBot(
            TOKEN,
            base_url=f"{url}/bot",
            get_updates_request=request,
            request=HTTPXRequest(httpx_kwargs=local),
        )
        await bot.initialize()
        intake = Intake(bot=bot, store=MemoryStore(clock), clock=clock)
        running = asyncio.create_task(intake.run(asyncio.Event()))
        await until(_true(lambda: intake.fetched_at is not None), "it has healed", seconds=10)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await bot.shutdown()
    assert telegram.ports[1] != telegram.ports[0]


def test_a_healed_call_is_in_time() -> None:
    """One that is given up and a quiet one after it take less than the minute after which all is red."""
    assert LONG_POLL + 5 < WEDGED
    assert WEDGED + LONG_POLL + 5 < 60
