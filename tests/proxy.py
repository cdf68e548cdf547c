"""A proxy to go through, http and SOCKS5 at one address; it counts, and remembers its own ports."""

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlsplit

USER, PASSWORD = "ada", "a proxy's p%ssword"
GIVEN: Final = f"{USER}:{quote(PASSWORD)}"
"""As they stand in an address."""


class _Refused(Exception):
    """Whoever came is not let through."""


@dataclass(slots=True)
class Proxy:
    """A running proxy."""

    password: bool
    address: str = ""
    ports: set[int] = field(default_factory=set)
    """From which it has connected: who else came to a server came round it."""
    targets: list[str] = field(default_factory=list)
    refused: int = 0

    def url(self, scheme: str, given: str = GIVEN) -> str:
        """Give its address as the settings take it."""
        return f"{scheme}://{f'{given}@' if self.password else ''}{self.address}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one connection."""
        first = await reader.readexactly(1)
        if first == b"\x05":
            host, port = await self._socks(reader, writer)
            head = b""
        else:
            host, port, head = await self._http(first + await reader.readuntil(b"\r\n\r\n"), writer)
        self.targets.append(f"{host}:{port}")
        there, back = await asyncio.open_connection(host, port)
        self.ports.add(back.get_extra_info("sockname")[1])
        if first == b"\x05":
            writer.write(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        elif not head:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        back.write(head)
        try:
            await asyncio.gather(_pour(reader, back), _pour(there, writer))
        finally:
            back.close()

    async def _socks(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[str, int]:
        methods = await reader.readexactly((await reader.readexactly(1))[0])
        wanted = 2 if self.password else 0
        if wanted not in methods:
            await self._refuse(writer, b"\x05\xff")
        writer.write(bytes((5, wanted)))
        if self.password:
            await reader.readexactly(1)
            given = [await reader.readexactly((await reader.readexactly(1))[0]) for _ in "up"]
            if given != [USER.encode(), PASSWORD.encode()]:
                await self._refuse(writer, b"\x01\x01")
            writer.write(b"\x01\x00")
        _, _, _, kind = await reader.readexactly(4)
        if kind == 1:
            host = ".".join(map(str, await reader.readexactly(4)))
        else:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        return host, int.from_bytes(await reader.readexactly(2))

    async def _http(self, head: bytes, writer: asyncio.StreamWriter) -> tuple[str, int, bytes]:
        line, *fields = head.decode().split("\r\n")
        method, target, version = line.split(" ")
        known = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.password and f"proxy-authorization: basic {known}".lower() not in map(
            str.lower, fields
        ):
            await self._refuse(
                writer, b"HTTP/1.1 407 No\r\nContent-Length: 4\r\nConnection: close\r\n\r\nwho?"
            )
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
            return host, int(port), b""
        parts = urlsplit(target)
        path = target.removeprefix(f"{parts.scheme}://{parts.netloc}") or "/"
        # one request a connection, so that each is looked at
        kept = [one for one in fields if not one.lower().startswith(("proxy-", "connection:"))]
        lines = [f"{method} {path} {version}", "Connection: close", *kept]
        return str(parts.hostname), parts.port or 80, "\r\n".join(lines).encode()

    async def _refuse(self, writer: asyncio.StreamWriter, answer: bytes) -> None:
        self.refused += 1
        writer.write(answer)
        await writer.drain()
        raise _Refused


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(2**16):
        writer.write(piece)
        await writer.drain()
    writer.close()


@asynccontextmanager
async def proxying(
    *, password: bool = False, port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Proxy]:
    """Run a proxy; at the end all that goes through it breaks off."""
    proxy = Proxy(password=password)
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, _Refused):
            try:
                await proxy.serve(reader, writer)
            except asyncio.CancelledError:
                pass  # the end of the proxy
            finally:
                writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port, ssl=tls)
    host, found = server.sockets[0].getsockname()
    proxy.address = f"{host}:{found}"
    try:
        yield proxy
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
        await server.wait_closed()
