"""How calls travel to Telegram: connections, time-outs, and how an upload is written."""

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import httpx
import structlog
from telegram.constants import FileSizeLimit
from telegram.error import TimedOut
from telegram.request import HTTPXRequest

from bot import courier, inbox, progress
from bot.intake import LONG_POLL
from bot.proxies import Through

log = structlog.get_logger(__name__)

_CONNECTIONS: Final = courier.AT_ONCE + progress.AT_ONCE + inbox.AT_ONCE + 8
"""As many calls as can ever be made side by side, with some for fetching photos: so uploads that crawl,
however many, never keep an answer waiting for a connection. Only those in use are open."""
_IDLE: Final = 8
"""So many are kept open when idle: each is looked at for every new call."""
_BLOCK: Final = 64 * 1024
"""Bytes of an upload that are written at once."""
WEDGED: Final = LONG_POLL + 10.0
"""Seconds after which a long poll is given up, whatever its connection does: with the next quiet one it stays
below a minute."""
_CLOSING: Final = 2.0
"""Seconds for which old connections may take leave."""


Hook = Callable[[httpx.Response], Awaitable[None]]


def for_calls(proxy: str | None = None, *, on_answer: Hook | None = None) -> HTTPXRequest:
    """Give the connections for all calls but the long poll; `on_answer` hears of each answer."""
    limits = httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_IDLE)
    # Time-outs in seconds. A picture may take long to go up on a small line, an answer to it too.
    return Calls(
        connect_timeout=10,
        read_timeout=30,
        write_timeout=30,
        media_write_timeout=120,
        pool_timeout=30,
        httpx_kwargs={
            **_way(proxy, limits),
            "event_hooks": {
                "request": [_in_blocks],
                "response": [_in_one_piece, *([on_answer] if on_answer else [])],
            },
        },
    )


def for_updates(proxy: str | None = None) -> HTTPXRequest:
    """Give the connections for the long poll."""
    return LongPoll(
        connect_timeout=10,
        read_timeout=LONG_POLL + 5,
        httpx_kwargs=_way(proxy, httpx.Limits(max_connections=2)),
    )


def _way(proxy: str | None, limits: httpx.Limits) -> dict[str, Any]:
    """Say how to get to Telegram: straight, or through a proxy and only through it."""
    way: dict[str, Any] = {"trust_env": False, "limits": limits}
    if proxy is not None:
        way["transport"] = Through(proxy, setting="telegram.proxy", limits=limits)
    return way


class Calls(HTTPXRequest):
    """Connections on which no call lasts for ever, though a byte may come whenever patience is at its end."""

    limit = 1800.0
    """Seconds: 50 MB go up in this time at 250 kbit/s."""

    async def do_request(self, *given: Any, **more: Any) -> tuple[int, bytes]:
        """Make a call.

        Raises:
            TimedOut: it has not ended in time; what has become of it is not known.
        """
        try:
            async with asyncio.timeout(self.limit):
                return await super().do_request(*given, **more)
        except TimeoutError as exc:
            log.warning("telegram_call_given_up", seconds=self.limit)
            raise TimedOut from exc


class LongPoll(HTTPXRequest):
    """Connections that are given up and made anew when a call takes longer than it can.

    A time-out for reading begins anew with each byte, and one for a connection of the pool knows nothing of
    the reason why there is none. So there is a limit round all of it.
    """

    def __init__(self, *, limit: float = WEDGED, **more: Any) -> None:
        super().__init__(**more)
        self._limit = limit

    async def do_request(self, *given: Any, **more: Any) -> tuple[int, bytes]:
        """Make a call.

        Raises:
            TimedOut: it has not ended in time; the next one has new connections.
        """
        try:
            async with asyncio.timeout(self._limit):
                return await super().do_request(*given, **more)
        except TimeoutError as exc:
            log.warning("long_poll_wedged", seconds=self._limit)
            with contextlib.suppress(TimeoutError, httpx.HTTPError, OSError):
                async with asyncio.timeout(_CLOSING):
                    await self.shutdown()
            await self.initialize()
            raise TimedOut from exc


async def _in_blocks(request: httpx.Request) -> None:
    """Let an upload be written in blocks.

    The library writes a form piece by piece, each in a call to the system of its own: four for every
    field, some forty for a picture.
    """
    form = request.headers.get("content-type", "").startswith("multipart/")
    if form and isinstance(request.stream, httpx.AsyncByteStream):
        request.stream = _Blocks(request.stream)


class _Blocks(httpx.AsyncByteStream):
    """What another stream gives, in larger pieces."""

    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        block = bytearray()
        async for piece in self._stream:
            block += piece
            if len(block) >= _BLOCK:
                yield bytes(block)
                block.clear()
        if block:
            yield bytes(block)


async def _in_one_piece(response: httpx.Response) -> None:
    """Let an answer be held once: joined by the library at its end, it would be there twice."""
    if isinstance(response.stream, httpx.AsyncByteStream):
        said = response.headers.get("content-length", "")
        size = int(said) if said.isdecimal() else 0
        response.stream = _Whole(response.stream, size=min(size, FileSizeLimit.FILESIZE_DOWNLOAD))


class _Whole(httpx.AsyncByteStream):
    """What another stream gives, gathered as it comes, in one piece: of `size` bytes, as far as is known."""

    def __init__(self, stream: httpx.AsyncByteStream, *, size: int) -> None:
        self._stream: httpx.AsyncByteStream | None = stream
        self._size = size

    async def __aiter__(self) -> AsyncIterator[bytes]:
        whole = io.BytesIO(bytes(self._size))
        if self._stream is not None:
            async for piece in self._stream:
                whole.write(piece)
        whole.truncate()
        yield whole.getvalue()  # not a copy

    async def aclose(self) -> None:
        """Close the other stream, and let go of it.

        It knows the answer, as the answer knows this: together they would stay, and with them a file
        of 20 MB, until the garbage is collected.
        """
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.aclose()
