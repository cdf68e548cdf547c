"""Answers that go wrong on their way, over a connection that breaks for real."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox.faults import Fault

TRANSPORT: Final = "sandbox.transport"
"""The extension of a request's scope by which its connection is reached."""

_PIECE: Final = bytes(2**16)
_PIECES_OF_A_SLOW_ANSWER: Final = 10


class NoAnswer(Response):
    """A response that sends nothing: the connection is gone already."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send nothing."""


class BrokenAnswer(Response):
    """What a call came to, told in the way that a fault wants."""

    def __init__(self, whole: Response, fault: Fault) -> None:
        super().__init__(status_code=whole.status_code)
        self._whole = whole
        self._fault = fault

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, as far as it gets."""
        body = bytes(self._whole.body)
        half, fault = body[: len(body) // 2], self._fault
        match fault.action:
            case "truncate":
                await self._start(send, length=len(half))
                await _pieces(send, half)
                return
            case "slow":
                await self._start(send, length=len(body))
                size = max(1, -(-len(body) // _PIECES_OF_A_SLOW_ANSWER))
                pieces = [body[at : at + size] for at in range(0, len(body), size)]
                await _pieces(send, *pieces, pause=fault.seconds / len(pieces) if pieces else 0.0)
                return
            case "huge":
                await self._start(send, length=None)
                await _pieces(send, body, *[_PIECE] * -(-fault.bytes // len(_PIECE)))
                return
        await self._start(send, length=len(body))
        await send({"type": "http.response.body", "body": half, "more_body": True})
        if fault.action == "stall":
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(_gone(receive), fault.seconds)
            abort(scope["extensions"][TRANSPORT])
        else:
            scope["extensions"][TRANSPORT].close()
        await _gone(receive)

    async def _start(self, send: Send, *, length: int | None) -> None:
        headers = [
            (name, value) for name, value in self._whole.raw_headers if name != b"content-length"
        ]
        if length is not None:
            headers.append((b"content-length", str(length).encode()))
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})


async def _pieces(send: Send, *pieces: bytes, pause: float = 0.0) -> None:
    for piece in pieces:
        await asyncio.sleep(pause)
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def reset(request: Request) -> None:
    """Break the connection of a request off with a TCP reset."""
    abort(request.scope["extensions"][TRANSPORT])
    await _gone(request.receive)


def abort(transport: asyncio.Transport) -> None:
    """Break a connection off with a TCP reset."""
    sock = transport.get_extra_info("socket")
    with contextlib.suppress(OSError):
        # Lingering for zero seconds turns the close into a reset.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
