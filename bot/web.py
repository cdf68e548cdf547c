"""The HTTP side, in the same process and event loop: HiDream's callbacks.

A callback is answered within milliseconds, before anything slow. What is not a known path gets 404
and costs next to nothing: its body is not read.
"""

import asyncio
import contextlib
import json
import socket
from collections.abc import Iterator
from typing import Final

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from bot.callbacks import PATH, Callbacks
from bot.errors import ConfigurationError
from storage.store import StoreError

log = structlog.get_logger(__name__)

BODY_LIMIT: Final = 64 * 1024
"""Bytes: a callback about four images has some 2 kB."""
_BODY_SECONDS: Final = 3.0
"""HiDream waits 5 s for an answer; whoever sends slower than this is not HiDream."""
_CONNECTIONS: Final = 200
"""More at once are closed: what holds connections open must not take the bot's memory, nor its files."""
_LONGEST_ID: Final = 200
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_SILENT_SECONDS: Final = 5.0
"""A connection on which no request has begun by then is closed."""


def create_app(callbacks: Callbacks) -> Starlette:
    """Make the application. Source of the callback's form: docs/hidream-api.md section 3."""

    async def call(request: Request) -> Response:
        token = request.path_params["token"]
        if request.method != "POST" or not callbacks.knows(token):
            return _not_found()
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                body = await _body(request)
        except (TimeoutError, ClientDisconnect):
            return Response(status_code=408)
        if body is None:
            return PlainTextResponse("too large", 413)
        try:
            if not await callbacks.called(token, task_id_of(body)):
                return _not_found()
        except StoreError:
            log.exception("callback_not_kept")
            return Response(status_code=503)
        return PlainTextResponse("ok")

    app = Starlette(routes=[Route(PATH + "/{token}", call, methods=_METHODS)])
    app.router.redirect_slashes = False
    return app


def _not_found() -> Response:
    return PlainTextResponse("Not Found", 404)


async def _body(request: Request) -> bytes | None:
    """Read a body; None if it is longer than a callback's."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_LIMIT:
            return None
    return bytes(body)


def task_id_of(body: bytes) -> str | None:
    """Read the one thing that is read of a callback: which task it speaks of; None if it does not say."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    inner = said.get("result")
    places = (said, inner) if isinstance(inner, dict) else (said,)
    for place in places:
        for name in ("main_task_id", "task_id"):
            found = place.get(name)
            if isinstance(found, str) and found.isprintable() and 0 < len(found) <= _LONGEST_ID:
                return found
    return None


def listen(address: str) -> socket.socket:
    """Take the address that the web side listens at, `host:port`.

    Raises:
        ConfigurationError: it cannot be had.
    """
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio turns Nagle's delay off.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, int(port)))
    except OSError as exc:
        listener.close()
        raise ConfigurationError(
            f"web.listen: cannot listen at {address} ({exc.strerror}). "
            "Name a free port of this machine."
        ) from exc
    return listener


class Web:
    """The loop that serves."""

    def __init__(self, app: Starlette, listener: socket.socket) -> None:
        self._app = app
        self._listener = listener

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until told to stop."""
        server = _Server(
            uvicorn.Config(
                self._app,
                http=_Protocol,
                ws="none",
                lifespan="off",
                timeout_keep_alive=5,
                timeout_graceful_shutdown=1,
                access_log=False,
                log_config=None,
                server_header=False,
                date_header=False,
                proxy_headers=False,
            )
        )
        # uvicorn closes what it is given; a loop that is started again needs it again
        serving = asyncio.create_task(server.serve(sockets=[self._listener.dup()]))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            server.should_exit = True
            await asyncio.wait({serving})
        await serving


class _Protocol(H11Protocol):
    """HTTP/1.1 that holds no connection open for whoever says nothing, and only so many."""

    def connection_made(  # type: ignore[override]  # as uvicorn's own narrows it
        self, transport: asyncio.Transport
    ) -> None:
        """Take a connection, if there is room."""
        super().connection_made(transport)
        if len(self.connections) > _CONNECTIONS:
            transport.abort()
        else:
            self.loop.call_later(_SILENT_SECONDS, self._close_if_silent)

    def _close_if_silent(self) -> None:
        if self.cycle is None and not self.transport.is_closing():
            self.transport.abort()


class _Server(uvicorn.Server):
    """A server that leaves signals to whoever runs the loop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Catch none."""
        yield
