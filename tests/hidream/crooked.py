"""An HTTP server of raw bytes, for answers that no decent server would give."""

import asyncio
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A request as it arrived."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, object]:
        """The body as a JSON object."""
        parsed = json.loads(self.body)
        assert isinstance(parsed, dict)
        return parsed


@dataclass(slots=True)
class Wire:
    """One connection, seen from the server."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    requests: list[Request]

    async def request(self) -> Request:
        """Read one whole request and keep it."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        pairs = (line.split(": ", 1) for line in head[1:] if line)
        headers = {name.lower(): value for name, value in pairs}
        body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        request = Request(method=method, target=target, headers=headers, body=body)
        self.requests.append(request)
        return request

    async def send(self, data: bytes) -> None:
        """Write bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    async def reply(
        self,
        body: object,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        *,
        announced: int | None = None,
    ) -> None:
        """Answer with bytes, or with JSON; `announced` lies about the length."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        fields = {
            "content-type": kind,
            "content-length": str(len(content) if announced is None else announced),
            "connection": "close",
        } | dict(headers or {})
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        await self.send(f"HTTP/1.1 {status} Any\r\n{head}\r\n".encode() + content)

    def reset(self) -> None:
        """End the connection with a reset, as a crash does."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Script = Callable[[Wire], Awaitable[None]]


@dataclass(slots=True)
class Crooked:
    """A running server: where it is, and what it was asked."""

    port: int
    scheme: str
    requests: list[Request] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"{self.scheme}://127.0.0.1:{self.port}"


@asynccontextmanager
async def crooked(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[Crooked]:
    """A server that plays `script` on each connection, and then closes it."""
    server_side: list[asyncio.Task[None]] = []
    state = Crooked(port=0, scheme="https" if tls else "http")

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        server_side.append(task)
        try:
            await script(Wire(reader, writer, state.requests))
            writer.close()
            await writer.wait_closed()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(play, "127.0.0.1", 0, ssl=tls, limit=2**20)
    state.port = server.sockets[0].getsockname()[1]
    try:
        yield state
    finally:
        server.close()
        for task in server_side:
            task.cancel()
        await asyncio.gather(*server_side, return_exceptions=True)
        await server.wait_closed()


def answers(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Script:
    """A script that reads the request and gives this answer."""

    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.reply(body, status, headers)

    return script
