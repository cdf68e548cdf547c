"""The webhook's route over real HTTP, whose webhook it is, and the watch over it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest
from telegram.ext import ExtBot
from telegram.request import HTTPXRequest

from bot.arrivals import Arrivals
from bot.errors import ConfigurationError, TokenInUse
from bot.supervisor import Fatal
from bot.web import telegram
from bot.web.requests import create_app
from bot.web.serving import Web, listen
from bot.web.telegram import BODY_LIMIT, SECRET
from bot.webhook import LOOK_SECONDS, LOOKS, Webhook, WebhookWatch, admit
from sandbox.faults import Fault
from sandbox.serving import serve
from sandbox.telegram.app import TOKEN
from sandbox.telegram.app import create_app as create_telegram
from sandbox.telegram.rules import UNHURRIED
from storage.memory import MemoryStore
from storage.store import StoreError
from storage.tasks import NewUpdate
from tests.e2e.world import until
from tests.hidream.certificates import make_certificate
from tests.storage.making import HandClock

RULES: Final = replace(UNHURRIED, self_hosted=True, webhook_pace=0.01, webhook_set_seconds=0.0)
UPDATE: Final = b'{"update_id": 5, "message": {"chat": {"id": 7}, "text": "poison"}}'
LOCAL: Final[dict[str, Any]] = {"trust_env": False, "verify": False}


class Moody(MemoryStore):
    """A store that at times keeps nothing, never what it cannot, and tells in which order it got the rest."""

    order: list[int]

    failing = False

    async def receive(self, bot_id: int, new: Any, now: datetime) -> int:
        """Keep updates, or not."""
        batch: list[NewUpdate] = list(new)
        if self.failing:
            raise StoreError("disk full")
        if any("poison" in update.raw for update in batch):
            raise OverflowError("cannot be kept")
        self.order += [update.update_id for update in batch]
        return await super().receive(bot_id, batch, now)


class Side:
    """A bot in webhook mode, as far as updates go, and its Telegram."""

    def __init__(self, url: str, app: Any, bot: ExtBot[Any], port: int) -> None:
        self.state, self.faults = app.state.telegram, app.state.faults
        self.bot, self.url = bot, url
        self.clock = HandClock()
        self.store = Moody(self.clock)
        self.store.order = []
        self.public_url = f"http://127.0.0.1:{port}"
        self.webhook = Webhook(bot=bot, facts=self.store, public_url=self.public_url, connections=3)
        self.arrivals = Arrivals(store=self.store, bot_id=bot.id, clock=self.clock)
        self.watch = WebhookWatch(bot=bot, webhook=self.webhook, clock=self.clock)

    async def kept(self) -> list[tuple[int, int | None, bool]]:
        """Give number, chat, and whether there is a text, of what the store has kept."""
        rows = await self.store.inbox_heads(self.clock.now(), limit=100)
        return [(row.update_id, row.chat_id, row.raw != "") for row in rows]


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[Side, httpx.AsyncClient]]:
    """Open both."""
    app, stop = create_telegram(rules=RULES), asyncio.Event()
    request = HTTPXRequest(httpx_kwargs=LOCAL)
    with contextlib.closing(listen("127.0.0.1:0", key="web.listen")) as listener:
        async with serve(app) as url, httpx.AsyncClient(trust_env=False, verify=False) as http:
            bot = ExtBot(TOKEN, base_url=f"{url}/bot", request=request, get_updates_request=request)
            await bot.initialize()
            side = Side(url, app, bot, listener.getsockname()[1])
            web = Web(create_app([telegram.route(side.webhook, side.arrivals)]), listener)
            serving = asyncio.create_task(web.run(stop))
            try:
                yield side, http
            finally:
                side.state.webhook.delete()
                stop.set()
                await asyncio.wait_for(serving, 10)
                await bot.shutdown()


@pytest.fixture
async def world() -> AsyncIterator[tuple[Side, httpx.AsyncClient]]:
    """Give both, and a client."""
    async with opened() as both:
        yield both


async def _post(world: tuple[Side, httpx.AsyncClient], body: bytes) -> httpx.Response:
    side, http = world
    return await http.post(
        side.webhook.url, content=body, headers={SECRET: side.webhook.secrets[1]}
    )


async def test_what_is_answered(world: tuple[Side, httpx.AsyncClient]) -> None:
    """200 for what is on disk; what cannot be read or kept is kept by its number, and never comes again."""
    side, _ = world
    bodies = (
        UPDATE.replace(b"poison", b"good"),
        UPDATE.replace(b"poison", b"good"),
        UPDATE.replace(b"5", b"6"),
        b'{"update_id": 7, "message": {',
        b'{"update_id": 8, "message": "' + b"x" * (2 * BODY_LIMIT) + b'"}',
    )
    for body in bodies:
        assert (await _post(world, body)).status_code == 200
    assert await side.kept() == [(5, 7, True), (6, None, False), (7, None, False), (8, None, False)]
    for body in (b"", b"null", b"{}", b"update_id=5"):
        assert (await _post(world, body)).status_code == 400
    side.store.failing = True
    answer = await _post(world, b'{"update_id": 9}')
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    side.store.failing = False
    assert (await _post(world, b'{"update_id": 9}')).status_code == 200


async def test_who_is_let_in(world: tuple[Side, httpx.AsyncClient]) -> None:
    """Only who knows the path learns that it is one, and only with the secret is a body read."""
    side, http = world
    url, (_, secret) = side.webhook.url, side.webhook.secrets
    for method, to, headers, status in (
        ("POST", url, {}, 401),
        ("POST", url, {SECRET: secret[:-1]}, 401),
        ("POST", url, {SECRET: secret + "é".encode().decode("latin-1")}, 401),
        ("GET", url, {SECRET: secret}, 404),
        ("POST", url[:-1], {SECRET: secret}, 404),
        ("POST", url + "/", {SECRET: secret}, 404),
        ("POST", f"{side.public_url}/telegram/%ff%00", {SECRET: secret}, 404),
    ):
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        answer = await http.request(method, to, headers=raw, content=UPDATE)
        assert (method, to, answer.status_code) == (method, to, status)
    assert await side.kept() == []
    # the refusal comes before a body of which nothing has been sent
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
    path = url.partition(side.public_url)[2]
    writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n".encode())
    assert b" 401 " in await asyncio.wait_for(reader.readline(), 5)
    writer.close()


async def test_updates_come_in_order_and_again(world: tuple[Side, httpx.AsyncClient]) -> None:
    """What the store can't keep Telegram brings again, and then what came after it in the same chat."""
    side, _ = world
    side.store.failing = True
    await side.webhook.set()
    ids = [
        side.state.updates.add_raw({"message": {"chat": {"id": 7}, "text": str(n)}})
        for n in range(3)
    ]

    async def failed() -> bool:
        return side.state.webhook.error is not None

    await until(failed, "the first was refused")
    assert side.state.updates.pending() == ids
    side.store.failing = False
    side.state.clock.advance(5)

    async def all_taken() -> bool:
        return not side.state.updates.pending()

    await until(all_taken, "all are taken")
    assert side.store.order == ids


async def test_whose_webhook_it_is(world: tuple[Side, httpx.AsyncClient]) -> None:
    """Ours is what stands below our address, or what we have set before; anything else is left alone."""
    side, _ = world
    ask = partial(admit, side.bot, facts=side.store)
    assert await ask(public_url=None) == ""
    await side.webhook.set()
    ours = side.webhook.url
    assert await ask(public_url=None) == ours, "it is remembered"
    assert await admit(side.bot, facts=Moody(side.clock), public_url=side.public_url + "/") == ours
    moved = Webhook(bot=side.bot, facts=side.store, public_url="http://moved", connections=1)
    for _ in range(3):  # starts that were killed before Telegram had it
        side.faults.add(Fault(call="setWebhook", action="status", status=500))
        with contextlib.suppress(Exception):
            await moved.set()
    assert await ask(public_url="http://moved") == ours
    for other in ("http://other.example/telegram/x", "http://127.0.0.1:1/telegram/y"):
        await side.bot.set_webhook(other)
        with pytest.raises(TokenInUse, match="--take-over") as refused:
            await ask(public_url=side.public_url)
        assert other not in str(refused.value)
        assert await ask(public_url=side.public_url, take_over=True) == other


async def test_the_watch(world: tuple[Side, httpx.AsyncClient]) -> None:
    """It keeps what Telegram says, sets a webhook again that has gone, and leaves another's alone."""
    side, _ = world
    stop = asyncio.Event()
    running = asyncio.create_task(side.watch.run(stop))

    async def look(state: str) -> None:
        async def looked() -> bool:
            return side.watch.info is not None and side.watch.info.at == side.clock.seconds

        async def waits() -> bool:
            return bool(side.clock.sleepers)

        await until(waits, "it waits for the next look")
        side.clock.move(LOOK_SECONDS)
        await until(looked, "it has looked")
        assert side.watch.info
        assert side.watch.info.state == state

    async def heard() -> bool:
        return side.watch.info is not None

    await until(heard, "it looks as soon as the webhook is set")
    assert side.clock.seconds == 0
    await look("ours")
    assert side.watch.info
    assert (side.watch.info.backlog, side.watch.info.error) == ((0, 0), None)
    side.faults.add(Fault(call="webhook", action="status", status=502))
    side.store.failing = True
    side.state.updates.add_raw({"message": {"chat": {"id": 7}}})

    async def failed() -> bool:
        return side.state.webhook.error is not None

    await until(failed, "a delivery failed")
    await look("ours")
    assert side.watch.info.backlog == (0, 0, 1)
    assert "Wrong response from the webhook: 50" in (side.watch.info.error or "")
    assert 0 <= (side.watch.info.error_age or 0) < 60
    await side.bot.delete_webhook()
    await look("lost")
    await look("ours")
    await side.bot.set_webhook("http://other.example/x")
    await look("another's")
    assert (await side.bot.get_webhook_info()).url == "http://other.example/x"
    side.faults.add(Fault(call="getWebhookInfo", action="status", status=502))
    at = side.watch.info.at
    await side.watch.look()
    assert side.watch.info.at == at, "what is known ages"
    for _ in range(LOOKS):
        await side.watch.look()
    assert len(side.watch.info.backlog) == LOOKS
    for call in ("getWebhookInfo", "getMe"):
        side.faults.add(Fault(call=call, action="status", status=401))
    with pytest.raises(Fatal):
        await side.watch.look()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_renewed_certificate_is_shown_to_telegram(
    world: tuple[Side, httpx.AsyncClient], tmp_path: Path
) -> None:
    """What it is to trust without an authority is given to it anew at the next look, and once."""
    side, _ = world
    for name in ("one", "two"):
        make_certificate(tmp_path, name)
    one, two = ((tmp_path / f"{name}.pem").read_text() for name in ("one", "two"))
    file = tmp_path / "now.pem"
    file.write_text(one)
    url = side.public_url.replace("http:", "https:")
    webhook = Webhook(
        bot=side.bot, facts=side.store, public_url=url, connections=1, certificate=file
    )
    watch = WebhookWatch(bot=side.bot, webhook=webhook, clock=side.clock)
    await webhook.set()
    file.write_text(two)
    await watch.look()
    assert side.state.webhook.hook.certificate.strip() == one.strip()
    watch.certificate_renewed()
    for fault in ("getWebhookInfo", "setWebhook"):
        side.faults.add(Fault(call=fault, action="status", status=502))
        await watch.look()
        assert side.state.webhook.hook.certificate.strip() == one.strip()
    await watch.look()
    assert side.state.webhook.hook.certificate.strip() == two.strip()
    hook = side.state.webhook.hook
    await watch.look()
    assert side.state.webhook.hook is hook


async def test_what_telegram_refuses(world: tuple[Side, httpx.AsyncClient]) -> None:
    """Its words are told with the setting; a name that cannot be looked up now is waited out."""
    side, _ = world
    body = '{"ok": false, "error_code": 400, "description": "Bad Request: bad webhook: %s"}'
    for words in ("Failed to resolve host: try again", "IP address 10.0.0.1 is reserved"):
        side.faults.add(Fault(call="setWebhook", action="status", status=400, body=body % words))
    with pytest.raises(
        ConfigurationError, match=r"(?i)web\.public_url: .* 10\.0\.0\.1 is reserved"
    ):
        await side.watch.run(asyncio.Event())
    assert side.state.webhook.hook is None
