"""Updates on their way into the inbox: a bad one neither stops the others nor is lost."""

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from telegram.ext import ExtBot
from telegram.request import HTTPXRequest

from bot.intake import Intake
from sandbox.serving import serve
from storage.clock import SystemClock
from storage.memory import MemoryStore
from storage.store import StoreError
from storage.tasks import NewUpdate

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
