"""The local Telegram's webhook: what it takes, how it delivers, and what it says of it."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from telegram.error import Conflict

from sandbox.faults import Fault
from sandbox.serving import serve
from sandbox.telegram.app import TOKEN
from sandbox.telegram.rules import UNHURRIED, Rules
from tests.hidream.certificates import make_certificate
from tests.sandbox.telegram_client import World, opened

OWN: Final = replace(UNHURRIED, self_hosted=True, webhook_set_seconds=0.0)
URL: Final = "https://bot.example.org/hook"
WITH_PORT: Final = "https://bot.example.org:8443/hook"
PEM: Final = b"-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n"


class Receiver:
    """Stands where updates go, and answers with the statuses given, then with 204."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.texts: list[str] = []
        self.secrets: set[str | None] = set()
        self.at_once = self.most = 0
        self.app = Starlette(routes=[Route("/hook", self.take, methods=["POST"])])

    async def take(self, request: Request) -> Response:
        """Take one update."""
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        self.secrets.add(request.headers.get("X-Telegram-Bot-Api-Secret-Token"))
        update = await request.json()
        await asyncio.sleep(0.02)
        self.texts.append(update["message"]["text"])
        self.at_once -= 1
        return Response(status_code=self.statuses.pop(0) if self.statuses else 204)


async def _send(world: World, *texts: str, chat: int = 1) -> None:
    for text in texts:
        world.state.updates.add_raw({"message": {"chat": {"id": chat}, "text": text}})


async def _empty(world: World, seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while world.state.updates.pending():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def own() -> AsyncIterator[World]:
    """Open a self-hosted server, and take its webhook away at the end."""
    async with opened(OWN) as world:
        yield world
        world.state.webhook.delete()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, "parameter url is required"),
        ({"url": "http://bot.example.org"}, "bad webhook: An HTTPS URL must be provided"),
        ({"url": "https://bot.example.org:8080"}, "bad webhook: Webhook can be set up only on p"),
        ({"url": "https://"}, "bad webhook: invalid webhook URL"),
        ({"url": "https://a:99999"}, "bad webhook: Port out of range"),
        ({"url": URL, "ip_address": "here"}, "bad webhook: 'here' does not appear"),
        ({"url": URL, "max_connections": 0}, "max_connections must be between 1 and 100"),
        ({"url": URL, "max_connections": 101}, "max_connections must be between 1 and 100"),
        ({"url": URL, "secret_token": "x" * 257}, "secret token is too long"),
        ({"url": URL, "secret_token": "a b"}, "secret token contains unallowed characters"),
        ({"url": URL, "allowed_updates": "message"}, "can't parse allowed_updates"),
        ({"url": URL, "certificate": "file-id"}, "bad webhook: certificate must be uploaded"),
        ({"url": URL, "drop": True}, "unknown parameter drop"),
    ],
)
async def test_what_is_no_webhook(given: dict[str, Any], reason: str) -> None:
    """What Telegram does not take, or a careful caller never sends, is a breach, and sets nothing."""
    async with opened(replace(UNHURRIED, webhook_set_seconds=0.0)) as world:
        assert (await world.wrong("setWebhook", **given)).startswith(f"Bad Request: {reason}")
        assert await world.outcome() == "strict"
        assert (await world.bot.get_webhook_info()).url == ""


async def test_what_is_a_webhook() -> None:
    """All that is given is told again; it is set once a second at the most, and an empty address takes it away."""
    async with opened(Rules()) as world:
        await _send(world, "old")
        await world.bot.set_webhook(
            WITH_PORT, max_connections=3, allowed_updates=["message"], ip_address="127.0.0.1",
            drop_pending_updates=True, secret_token="a-Z_0",
        )  # fmt: skip
        info = await world.bot.get_webhook_info()
        assert (info.url, info.max_connections, info.ip_address) == (WITH_PORT, 3, "127.0.0.1")
        assert (info.allowed_updates, info.pending_update_count) == (("message",), 0)
        assert not info.has_custom_certificate
        status, said = await world.call("setWebhook", url=URL)
        assert (status, said["parameters"]) == (429, {"retry_after": 1})
        await _send(world, "not for here")
        async with asyncio.timeout(5):
            while (info := await world.bot.get_webhook_info()).last_error_date is None:
                await asyncio.sleep(0.02)
        assert "calls its own machine alone" in str(info.last_error_message)
        await world.bot.set_webhook("")
        assert (await world.bot.get_webhook_info()).url == ""


async def test_polling_and_a_webhook_exclude_each_other() -> None:
    """Setting one ends a call that waits, and as long as it is set there is no other."""
    async with own() as world:
        waiting = asyncio.create_task(world.bot.get_updates(timeout=30))
        await asyncio.sleep(0.1)
        await world.bot.set_webhook("http://127.0.0.1:1/")
        with pytest.raises(Conflict, match="terminated by setWebhook request"):
            await asyncio.wait_for(waiting, 2)
        with pytest.raises(Conflict, match="can't use getUpdates method while webhook is active"):
            await world.bot.get_updates()
        await world.bot.delete_webhook()
        assert await world.bot.get_updates() == ()


async def test_updates_are_brought_in_order() -> None:
    """One after the other within a chat, chats side by side, each until it is taken; any 2xx takes it."""
    receiver = Receiver(500)
    async with own() as world, serve(receiver.app) as url:
        await _send(world, "a", "b", "c")
        await world.bot.set_webhook(f"{url}/hook", secret_token="hush", max_connections=2)
        await _empty(world)
        assert (receiver.texts, receiver.most) == (["a", "a", "b", "c"], 1)
        for chat in range(2, 6):
            await _send(world, "x", chat=chat)
        await _empty(world)
        assert receiver.most == 2
        assert receiver.secrets == {"hush"}
        calls = (await world.http.get("/sandbox/calls", params={"call": "webhook"})).json()["calls"]
        assert [call["status"] for call in calls][:3] == [500, 204, 204]
        assert await world.see("updates") == {"pending": 0, "ids": []}


async def test_what_is_not_taken_comes_again() -> None:
    """At once, then after 2, 4, 8 … seconds, as the answer asks for, or never before two minutes are over."""
    receiver = Receiver()
    async with own() as world, serve(receiver.app) as url:
        world.state.webhook._faults.add(Fault(call="webhook", action="reset_before", times=3))
        await world.bot.set_webhook(f"{url}/hook")
        await _send(world, "a")
        failed = []
        for seconds in (2, 2):
            async with asyncio.timeout(5):
                while world.state.webhook.error is None:
                    await asyncio.sleep(0.01)
            await asyncio.sleep(0.15)
            failed.append(len(world.state.updates.waiting()))
            world.state.clock.advance(seconds)
        await asyncio.sleep(0.15)
        assert receiver.texts == [], "it is 4 seconds after the third"
        info = await world.bot.get_webhook_info()
        assert info.last_error_message == "Connection refused"
        world.state.clock.advance(4)
        await _empty(world)
        assert (receiver.texts, failed) == (["a"], [1, 1])


async def test_lost_answers_and_other_faults() -> None:
    """An update whose answer is lost comes twice; an error's status is not even asked for."""
    receiver = Receiver()
    async with opened(replace(OWN, webhook_pace=0.01)) as world, serve(receiver.app) as url:
        for action in ("reset_after", "status", "delay"):
            world.state.webhook._faults.add(Fault(call="webhook", action=action))
        await world.bot.set_webhook(f"{url}/hook")
        await _send(world, "a")
        await _empty(world)
        assert receiver.texts == ["a", "a"]
        journal = (await world.http.get("/sandbox/calls", params={"call": "webhook"})).json()
        assert [one["outcome"] for one in journal["calls"]] == ["fault"] * 3
        world.state.webhook.delete()


@pytest.mark.parametrize("uploaded", ["the right one", "another one", "none"])
async def test_over_tls(tmp_path: Path, uploaded: str) -> None:
    """Exactly the certificate that was uploaded is trusted; without one, only what an authority has signed."""
    for name in ("localhost", "another"):
        make_certificate(tmp_path, name)
    receiver = Receiver()
    config = uvicorn.Config(
        receiver.app, port=0, log_config=None, lifespan="off", ws="none",
        ssl_certfile=tmp_path / "localhost.pem", ssl_keyfile=tmp_path / "localhost.key",
    )  # fmt: skip
    server = uvicorn.Server(config)
    server.capture_signals = _no_signals  # type: ignore[method-assign]
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    names = {"the right one": "localhost", "another one": "another"}
    async with own() as world:
        sent = {"url": f"https://localhost:{port}/hook"}
        trusted = names.get(uploaded)
        files = {"certificate": (tmp_path / f"{trusted}.pem").read_bytes()} if trusted else None
        answer = await world.http.post(f"/bot{TOKEN}/setWebhook", data=sent, files=files)
        assert answer.json() == {"ok": True, "result": True}, json.dumps(answer.json())
        await _send(world, "a")
        async with asyncio.timeout(5):
            while world.state.updates.pending() and world.state.webhook.error is None:
                await asyncio.sleep(0.01)
        info = await world.bot.get_webhook_info()
        assert info.has_custom_certificate is (trusted is not None)
        if uploaded == "the right one":
            assert (receiver.texts, info.last_error_message) == (["a"], None)
        else:
            assert receiver.texts == []
            assert "SSL error {" in str(info.last_error_message)
    server.should_exit = True
    await asyncio.wait_for(running, 10)


@pytest.mark.parametrize(
    "content", [b"no PEM", b"", PEM % b"AAAA", PEM + b"-----BEGIN PRIVATE KEY-----"]
)
async def test_what_is_no_certificate(content: bytes) -> None:
    """Neither junk nor a key is taken for one."""
    async with own() as world:
        sent, files = {"url": "https://localhost/"}, {"certificate": content}
        answer = await world.http.post(f"/bot{TOKEN}/setWebhook", data=sent, files=files)
        assert answer.json()["description"].startswith("Bad Request: bad webhook: ")
        assert await world.outcome() == "strict"


def _no_signals() -> Any:
    return contextlib.nullcontext()
