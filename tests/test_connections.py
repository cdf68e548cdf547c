"""How calls travel to Telegram: what an upload takes, and that nobody waits for a connection."""

import asyncio
import gc
import json
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from telegram.error import TimedOut
from telegram.ext import ExtBot

from bot import connections
from bot.chat import TelegramChat
from bot.limits import TelegramLimits
from bot.messages import Fetched, Picture, Sent, Target
from bot.texts import Say
from sandbox.telegram.app import TOKEN
from storage.clock import SystemClock
from tests.hidream.crooked import Wire, crooked

MESSAGE = {"message_id": 7, "date": 1, "chat": {"id": 5, "type": "private"}}
OK = json.dumps({"ok": True, "result": MESSAGE}).encode()


class Drain:
    """A Telegram that reads what it is sent and keeps none of it; `open` lets it read uploads."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.uploading = 0
        self.lengths: list[int] = []
        self.reads = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the calls of a connection."""
        while head := await _head(reader):
            length = int(head["content-length"])
            if head["content-type"].startswith("multipart/"):
                self.uploading += 1
                await self.open.wait()
            self.lengths.append(length)
            while length:
                length -= len(await reader.read(min(length, 2**16)))
                self.reads += 1
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(OK) + OK)
            await writer.drain()


async def _head(reader: asyncio.StreamReader) -> dict[str, str]:
    try:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()[1:-1]
    except asyncio.IncompleteReadError:
        return {}
    return {line.split(": ")[0].lower(): line.split(": ")[1] for line in lines}


@asynccontextmanager
async def draining() -> AsyncIterator[tuple[Drain, TelegramChat]]:
    """Open such a Telegram, and the port to it."""
    drain = Drain()
    async with _speaking_to(drain.serve) as chat:
        yield drain, chat


@asynccontextmanager
async def _speaking_to(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[TelegramChat]:
    """Open a server, and the port to it over the bot's own connections."""
    serving: set[asyncio.Task[None] | None] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        await serve(reader, writer)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    bot = ExtBot(
        TOKEN,
        base_url=f"http://127.0.0.1:{port}/bot",
        base_file_url=f"http://127.0.0.1:{port}/file/bot",
        request=connections.for_calls(),
        get_updates_request=connections.for_updates(),
        rate_limiter=TelegramLimits(SystemClock()),
    )
    try:
        yield TelegramChat(bot)
    finally:
        for request in bot._request:
            await request.shutdown()
        server.close()
        await asyncio.gather(*filter(None, serving))


FILE_BYTES = 12_000_000


async def _shelf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Be a Telegram that has one large file."""
    while line := await reader.readline():
        head = await _head(reader)
        await reader.readexactly(int(head.get("content-length", 0)))
        if b"/file/" not in line:
            file = {"file_id": "a", "file_unique_id": "b", "file_path": "a.png"}
            body = json.dumps({"ok": True, "result": file}).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % FILE_BYTES)
            for _ in range(FILE_BYTES // 10_000):
                writer.write(b"0123456789" * 1000)
                await writer.drain()
        await writer.drain()


async def test_a_fetched_file_is_held_once() -> None:
    """A large file comes in without ever being there twice, and goes when it is let go of."""
    async with _speaking_to(_shelf) as chat:
        gc.collect()
        gc.disable()
        tracemalloc.start()
        try:
            fetched = await chat.fetch("a")
            assert isinstance(fetched, Fetched)
            assert fetched.content == b"0123456789" * (FILE_BYTES // 10)
            del fetched
            left, highest = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
            gc.enable()
    assert highest < 2.2 * FILE_BYTES  # with the one that it is compared with
    assert left < 0.2 * FILE_BYTES


async def test_an_upload_takes_little_memory(tmp_path: Path) -> None:
    """A large picture is read from the disk while it is sent: it is never in memory as a whole."""
    file = tmp_path / "large"
    file.write_bytes(bytes(30 * 2**20))
    async with draining() as (drain, chat):
        drain.open.set()
        tracemalloc.start()
        try:
            picture = Picture(content=file, name="large.png")
            outcome = await chat.send_pictures(Target(chat_id=5), [picture], sent_as="document")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert isinstance(outcome, Sent)
        assert drain.lengths[0] > 30 * 2**20, "its length was told at the start"
        assert peak < 5 * 2**20


async def test_uploads_that_crawl_keep_nobody_waiting(tmp_path: Path) -> None:
    """While as many uploads hang as there are lanes for them, texts and answers still go out."""
    file = tmp_path / "small"
    file.write_bytes(bytes(1000))
    async with draining() as (drain, chat):
        picture = Picture(content=file, name="small.png")
        uploads = [
            asyncio.create_task(chat.send_pictures(Target(chat_id=n), [picture]))
            for n in range(1, 65)
        ]
        async with asyncio.timeout(20):
            while drain.uploading < 64:
                await asyncio.sleep(0.01)
            assert isinstance(
                await chat.say(Target(chat_id=5), Say("sorry", {"reference": "U1"})), Sent
            )
        assert not any(upload.done() for upload in uploads)
        drain.open.set()
        assert all(isinstance(outcome, Sent) for outcome in await asyncio.gather(*uploads))


async def test_a_small_upload_is_written_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pieces of a form are joined: a small picture takes two writes, its head and its body."""
    writes: list[int] = []
    file = tmp_path / "small"
    file.write_bytes(bytes(1000))
    async with draining() as (drain, chat):
        drain.open.set()
        write = asyncio.selector_events._SelectorSocketTransport.write  # type: ignore[attr-defined]

        def counted(self: object, data: bytes) -> None:
            if data != OK and not data.startswith(b"HTTP/"):
                writes.append(len(data))
            write(self, data)

        monkeypatch.setattr(asyncio.selector_events._SelectorSocketTransport, "write", counted)  # type: ignore[attr-defined]
        picture = Picture(content=file, name="small.png")
        assert isinstance(await chat.send_pictures(Target(chat_id=5), [picture]), Sent)
        assert len(writes) == 2


async def test_no_call_lasts_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server, or a proxy, that sends a byte now and then is given up; what it was asked counts as unknown."""

    async def drip(wire: Wire) -> None:
        await wire.request()
        while True:
            await wire.send(b"H")
            await asyncio.sleep(0.02)

    monkeypatch.setattr(connections.Calls, "limit", 0.3)
    async with crooked(drip) as server:
        request = connections.for_calls()
        async with asyncio.timeout(5), request:
            with pytest.raises(TimedOut):
                await request.post(f"{server.url}/bot{TOKEN}/getMe")
