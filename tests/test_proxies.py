"""Through proxies: all goes through them, none is believed too much, and what failed on them was not sent."""

import asyncio
import base64
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs
from telegram.error import TimedOut
from telegram.ext import ExtBot

from bot import connections
from bot.chat import TelegramChat
from bot.config_values import secrets_of_proxy
from bot.hidream.client import HiDreamClient, new_client
from bot.hidream.download import Downloader, DownloadLater
from bot.hidream.errors import HiDreamError, NotSent, Uncertain
from bot.hidream.wire import ApiVersion
from bot.limits import TelegramLimits
from bot.messages import Fetched, Later, Target, Unknown
from bot.proxies import Through
from bot.texts import Say
from sandbox.serving import serve
from sandbox.telegram.app import TOKEN, create_app
from sandbox.telegram.rules import UNHURRIED
from storage.clock import SystemClock
from tests.hidream.certificates import make_certificate
from tests.hidream.crooked import Wire, answers, crooked
from tests.hidream.making import SHORT, TRUST, accepted, client, picture, submission
from tests.ports import free_port
from tests.proxy import GIVEN, PASSWORD, USER, proxying

HELLO = Say("sorry", {"reference": "U1"})
HASTY = replace(SHORT, connect=0.3, read=0.3)
Contexts = tuple[ssl.SSLContext, ssl.SSLContext]
LARGE = submission(images=("x" * 20_000_000,))
"""More than the system takes on the way, so that it is being written when the proxy breaks off."""


@asynccontextmanager
async def speaking(url: str, proxy: str) -> AsyncIterator[TelegramChat]:
    """Open the port to a Telegram through a proxy."""
    bot = ExtBot(
        TOKEN,
        base_url=f"{url}/bot",
        base_file_url=f"{url}/file/bot",
        request=connections.for_calls(proxy),
        get_updates_request=connections.for_updates(proxy),
        rate_limiter=TelegramLimits(SystemClock()),
    )
    try:
        yield TelegramChat(bot)
    finally:
        for request in bot._request:
            await request.shutdown()


# --- what goes through ----------------------------------------------------------------------------


@pytest.mark.parametrize("password", [False, True])
@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
async def test_all_goes_through(
    scheme: str, password: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both services, and the files of both, are reached through the proxy, whatever the environment names."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    app = create_app(rules=UNHURRIED)
    kept = app.state.telegram.add_file(name="a.png", content_type="image/png", content=b"abc")
    async with (
        proxying(password=password) as proxy,
        serve(app) as telegram,
        crooked(answers(accepted())) as gateway,
        crooked(answers(picture())) as storage,
    ):
        url = proxy.url(scheme)
        async with speaking(telegram, url) as chat:
            assert await chat.fetch(kept.file_id) == Fetched(content=b"abc")
        async with client(gateway.url, proxy=url) as hidream:
            assert (await hidream.submit(submission(), user_id="1")).task_id == "t-1"
        async with Downloader(allow_local=True, verify=TRUST, proxy=url) as downloader:
            assert (await downloader.image(f"{storage.url}/1.jpg")).width == 40
    assert set(proxy.targets) == {
        url.removeprefix("http://") for url in (telegram, gateway.url, storage.url)
    }


async def test_a_way_to_the_proxy_that_is_encrypted(tmp_path: Path) -> None:
    """An https proxy, whose certificate is checked as a service's is, gets the password and sees no request."""
    for_server, for_client = make_certificate(tmp_path, "localhost")
    async with (
        proxying(password=True, tls=for_server) as proxy,
        crooked(answers(accepted()), tls=for_server) as gateway,
    ):
        url = proxy.url("https").replace("127.0.0.1", "localhost")
        for verify, error in ((for_client, None), (TRUST, NotSent)):
            async with new_client(proxy=url, verify=verify) as http:
                hidream = HiDreamClient(
                    http,
                    base_url=gateway.url.replace("127.0.0.1", "localhost"),
                    version=ApiVersion.V2,
                    token=lambda: "x",
                )
                if error is None:
                    assert (await hidream.submit(submission(), user_id="1")).task_id == "t-1"
                else:
                    with pytest.raises(error):
                        await hidream.submit(submission(), user_id="1")
    assert proxy.targets == [f"localhost:{gateway.port}"]


async def test_another_program_s_proxy() -> None:
    """pproxy, which shares nothing with these tests, lets both through by http and SOCKS, with its password."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pproxy", "-l", f"http+socks5://127.0.0.1:{port}#{USER}:{PASSWORD}",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await _until_open(port)
        async with serve(create_app(rules=UNHURRIED)) as telegram:
            for scheme in ("http", "socks5"):
                async with (
                    crooked(answers(accepted())) as gateway,
                    speaking(telegram, f"{scheme}://{GIVEN}@127.0.0.1:{port}") as chat,
                    client(gateway.url, proxy=f"{scheme}://{GIVEN}@127.0.0.1:{port}") as hidream,
                ):
                    assert (await hidream.submit(submission(), user_id="1")).task_id == "t-1"
                    assert await chat.is_admin(1, 1) is False
    finally:
        process.terminate()
        await process.wait()


async def _until_open(port: int) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return


# --- what breaks off ------------------------------------------------------------------------------


@dataclass(kw_only=True)
class Breaking:
    """A proxy that breaks off; `port` is the server's behind it, whatever it is asked for."""

    port: int
    arrived: asyncio.Event
    """Whether the server has the whole request."""

    async def greet(self, wire: Wire) -> None:
        """Let whoever comes through, by http or SOCKS."""
        if await wire.reader.readexactly(1) != b"\x05":
            await wire.reader.readuntil(b"\r\n\r\n")
            await wire.send(b"HTTP/1.1 200 Connected\r\n\r\n")
            return
        await wire.reader.read(10)
        await wire.send(b"\x05\x00")
        await wire.reader.read(500)
        await wire.send(b"\x05\x00\x00\x01" + bytes(6))

    async def silent(self, wire: Wire) -> None:
        """Say nothing."""
        await asyncio.sleep(60)

    async def closes(self, wire: Wire) -> None:
        """Hang up."""
        await wire.reader.read(1)

    async def babbles(self, wire: Wire) -> None:
        """Say what is of no protocol."""
        await wire.reader.read(1)
        await wire.send(b"\xff\xfe\xfd what?\r\n\r\n")

    async def wants_another(self, wire: Wire) -> None:
        """Refuse the password, or that there is none."""
        socks = await wire.reader.readexactly(1) == b"\x05"
        await wire.send(b"\x05\xff" if socks else b"HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n")

    async def finds_nothing(self, wire: Wire) -> None:
        """Not reach the server."""
        if await wire.reader.readexactly(1) != b"\x05":
            await wire.send(b"HTTP/1.1 502 Nobody there\r\n\r\n")
            return
        await wire.reader.read(10)
        await wire.send(b"\x05\x00")
        await wire.reader.read(500)
        await wire.send(b"\x05\x05\x00\x01" + bytes(6))

    async def leaves(self, wire: Wire) -> None:
        """Let through, and hang up before anything is sent."""
        await self.greet(wire)

    async def during(self, wire: Wire) -> None:
        """Break off while the request is being written."""
        await self.greet(wire)
        await self._pass_on(wire, 300_000)
        wire.reset()

    async def after(self, wire: Wire) -> None:
        """Break off when the request has arrived, before the answer."""
        await self.greet(wire)
        passing = asyncio.create_task(self._pass_on(wire, 100_000_000))
        await self.arrived.wait()
        passing.cancel()
        wire.reset()

    async def _pass_on(self, wire: Wire, most: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        back = asyncio.create_task(_pour(reader, wire.writer))
        try:
            while most > 0 and (piece := await wire.reader.read(2**16)):
                most -= len(piece)
                writer.write(piece)
                await writer.drain()
        finally:
            back.cancel()
            writer.transport.abort()


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(2**16):
        writer.write(piece)


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> Contexts:
    """A certificate of a gateway: CONNECT is for TLS alone."""
    return make_certificate(tmp_path_factory.mktemp("tls"), "gateway.example")


NOT_SENT = (
    "silent", "closes", "babbles", "wants_another", "finds_nothing", "leaves", "during",
)  # fmt: skip


@pytest.mark.parametrize("scheme", ["http", "socks5"])
@pytest.mark.parametrize("how", [*NOT_SENT, "after", "is_away"])
async def test_hidream_behind_a_proxy_that_breaks_off(
    scheme: str, how: str, contexts: Contexts
) -> None:
    """What the proxy did not pass on whole is not sent, and can be again; only then is it uncertain."""
    for_server, for_client = contexts
    breaking = Breaking(port=0, arrived=asyncio.Event())

    async def gateway(wire: Wire) -> None:
        await wire.request()
        breaking.arrived.set()
        await wire.reader.read()

    async with crooked(gateway, tls=for_server) as server:
        breaking.port = server.port
        async with crooked(getattr(breaking, "closes" if how == "is_away" else how)) as proxy:
            address = f"127.0.0.1:{free_port() if how == 'is_away' else proxy.port}"
            async with new_client(proxy=f"{scheme}://{address}", verify=for_client) as http:
                hidream = HiDreamClient(
                    http,
                    base_url="https://gateway.example",
                    version=ApiVersion.V2,
                    token=lambda: "x",
                    submit_patience=HASTY,
                )
                with pytest.raises(Uncertain if how == "after" else NotSent):
                    await hidream.submit(LARGE if how == "during" else submission(), user_id="1")
            assert len(server.requests) == (how == "after")
            async with Downloader(
                verify=for_client, proxy=f"{scheme}://{address}", patience=HASTY
            ) as downloader:
                with pytest.raises(DownloadLater):
                    await downloader.image("https://gateway.example/1.jpg")


@pytest.mark.parametrize("how", ["closes", "babbles", "wants_another", "finds_nothing", "leaves"])
async def test_telegram_behind_a_proxy_that_breaks_off(how: str) -> None:
    """What the proxy did not let through is surely not sent: it is sent again, and shown once."""
    breaking = Breaking(port=0, arrived=asyncio.Event())
    async with (
        crooked(getattr(breaking, how)) as proxy,
        speaking("https://telegram.example", f"socks5://127.0.0.1:{proxy.port}") as chat,
        speaking("https://telegram.example", f"http://127.0.0.1:{proxy.port}") as other,
    ):
        assert isinstance(await chat.say(Target(chat_id=1), HELLO), Later)
        assert isinstance(await other.say(Target(chat_id=1), HELLO), Later)


async def test_telegram_behind_a_proxy_that_breaks_off_late() -> None:
    """What has gone through may have been shown, and that is not hidden; what the proxy answers was not."""
    breaking = Breaking(port=0, arrived=asyncio.Event())

    async def telegram(wire: Wire) -> None:
        await wire.request()
        breaking.arrived.set()
        await wire.reader.read()

    async with crooked(telegram) as server, crooked(breaking.after) as proxy:
        breaking.port = server.port
        async with speaking(server.url, f"socks5://127.0.0.1:{proxy.port}") as chat:
            assert isinstance(await chat.say(Target(chat_id=1), HELLO), Unknown)
    async with (
        proxying(password=True) as strict,
        speaking(server.url, strict.url("http", "ada:wrong")) as chat,
    ):
        assert isinstance(await chat.say(Target(chat_id=1), HELLO), Later)
        assert await chat.is_admin(1, 1) == Later(seconds=2, reason="ProxyError")
    assert strict.refused == 2


async def test_a_silent_proxy_is_not_waited_for() -> None:
    """What httpx waits for without end, a SOCKS proxy's greeting, ends with the time to connect."""
    breaking = Breaking(port=0, arrived=asyncio.Event())
    async with crooked(breaking.silent) as proxy, asyncio.timeout(5):
        way = Through(f"socks5://127.0.0.1:{proxy.port}", setting="telegram.proxy")
        async with httpx.AsyncClient(transport=way, timeout=httpx.Timeout(60, connect=0.1)) as http:
            with pytest.raises(httpx.ProxyError, match="TimeoutError"):
                await http.get("http://telegram.example")


async def test_a_wedged_long_poll_begins_anew_through_the_proxy() -> None:
    """Connections that were given up are made anew, and not round the proxy."""
    async with (
        proxying() as proxy,
        serve(create_app(rules=UNHURRIED)) as telegram,
        speaking(telegram, proxy.url("socks5")) as chat,
    ):
        poll = chat._bot._request[0]
        assert isinstance(poll, connections.LongPoll)
        poll._limit = 0.2
        assert (await chat._bot.get_me()).is_bot
        with pytest.raises(TimedOut):
            await chat._bot.get_updates(timeout=5)
        poll._limit = 10
        assert await chat._bot.get_updates(timeout=0) == ()
    assert len(proxy.targets) == 3


# --- what is said of it ---------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_a_wrong_password_is_told_once(scheme: str) -> None:
    """Whoever runs the bot reads which setting it is about, once, and when it is over; never the password."""
    async with (
        proxying(password=True) as proxy,
        serve(create_app(rules=UNHURRIED)) as telegram,
    ):
        with capture_logs() as logs:
            way = Through(proxy.url(scheme, "ada:hush-hush"), setting="telegram.proxy")
            async with httpx.AsyncClient(transport=way) as http:
                for _ in range(3):
                    with pytest.raises(httpx.ProxyError):
                        await http.get(telegram)
                way._pool = Through(proxy.url(scheme), setting="x")._pool
                assert (await http.get(f"{telegram}/person/chats")).status_code < 500
    assert [line["event"] for line in logs] == ["proxy_refuses_the_password", "proxy_works"]
    assert {line["setting"] for line in logs} == {"telegram.proxy"}
    assert "hush" not in repr(logs) + repr(way) + repr(http._transport)


def test_what_is_secret_in_an_address() -> None:
    """A password is known to the log's redaction as it is, as it is written, and as it travels."""
    basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    assert set(secrets_of_proxy(f"socks5://{GIVEN}@127.0.0.1:9")) == {
        f"{USER}:{PASSWORD}", basic, GIVEN, PASSWORD,
    }  # fmt: skip
    assert list(secrets_of_proxy("http://127.0.0.1:9")) == []
    assert "abc" not in set(secrets_of_proxy("http://a:abc@127.0.0.1:9")), "it would take words out"


async def test_a_407_from_behind_the_proxy_is_no_proxy_s() -> None:
    """What came through a tunnel was said by HiDream, which has the request: the proxy is not blamed."""
    script = answers({"message": "no"}, status=407)
    async with (
        proxying(password=True) as proxy,
        crooked(script) as gateway,
        client(gateway.url, proxy=proxy.url("socks5")) as hidream,
    ):
        with capture_logs() as logs, pytest.raises(HiDreamError) as caught:
            await hidream.submit(submission(), user_id="1")
    assert not isinstance(caught.value, NotSent)
    assert logs == []
