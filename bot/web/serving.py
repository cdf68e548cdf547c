"""Serves HTTP in the same process and event loop as everything else."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from typing import Final

import structlog
import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from bot.errors import ConfigurationError

log = structlog.get_logger(__name__)

_CONNECTIONS: Final = 200
"""More at once are closed: what holds connections open must not take the bot's memory, nor its files."""
_SILENT_SECONDS: Final = 5.0
"""A connection on which no request has begun by then is closed: since it was made, or since the last answer."""


def listen(address: str, *, key: str) -> socket.socket:
    """Take the address that is given as the setting `key`, `host:port`.

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
        # who is told of this address calls at once, perhaps before it is served: then the call waits
        listener.listen()
    except OSError as exc:
        listener.close()
        raise ConfigurationError(
            f"{key}: cannot listen at {address} ({exc.strerror}). Name a free port of this machine."
        ) from exc
    return listener


class Web:
    """The loop that serves."""

    def __init__(
        self, app: Starlette, listener: socket.socket, *, tls: ssl.SSLContext | None = None
    ) -> None:
        self._app = app
        self._listener = listener
        self._tls = tls

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until told to stop."""
        config = uvicorn.Config(
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
        host, port = self._listener.getsockname()[:2]
        log.info("listening", host=host, port=port, https=self._tls is not None)
        config.load()
        config.ssl = self._tls
        server = _Server(config)
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

    def on_response_complete(self) -> None:
        """Go on with the next request, for which whoever was answered may take as long as a newcomer."""
        answered = self.cycle
        super().on_response_complete()
        # the library's own limit begins anew with each byte, also of a body that nobody reads
        self.loop.call_later(_SILENT_SECONDS, self._close_if_still, answered)

    def _close_if_silent(self) -> None:
        if self.cycle is None and not self.transport.is_closing():
            self.transport.abort()

    def _close_if_still(self, answered: object) -> None:
        if self.cycle is answered:
            self.transport.abort()


class _Server(uvicorn.Server):
    """A server that leaves signals to whoever runs the loop, and waits for no handshake for long."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve at these addresses. (The library's own would wait a minute for each handshake.)."""
        config, tls = self.config, self.config.ssl

        def protocol() -> asyncio.Protocol:
            return _Protocol(config=config, server_state=self.server_state, app_state={})

        self.servers = [
            await asyncio.get_running_loop().create_server(
                protocol,
                sock=listener,
                ssl=tls,
                backlog=config.backlog,
                ssl_handshake_timeout=None if tls is None else _SILENT_SECONDS,
            )
            for listener in sockets or ()
        ]
        self.started = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Catch none."""
        yield
