"""Serving: an application on a loopback port, with connections that can break for real."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from sandbox.broken import TRANSPORT, BrokenAnswer, NoAnswer, abort, reset
from sandbox.faults import IN_ANSWER, Fault, Faults
from sandbox.journal import Journal, Outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a call came to: the response, and how the journal shall count it."""

    response: Response
    outcome: Outcome = "ok"
    detail: str = ""


async def perform(
    request: Request,
    *,
    call: str,
    params: Mapping[str, Any],
    faults: Faults,
    journal: Journal,
    act: Callable[[], Awaitable[Answer]],
    say: Callable[[Fault], Response],
) -> Response:
    """Do one call as the faults that wait for it allow, and write it down.

    Args:
        request: the HTTP request, whose body has been read.
        call: the name that faults and journal know the call by.
        params: its parameters, for the faults' `match` and for the journal.
        faults: what may strike.
        journal: where the call is written down.
        act: does the call; an exception from it is a bug of the sandbox, answered with 500.
        say: what the real service would answer with the fault's status, where it has no body.
    """
    came = datetime.now(UTC)

    def note(status: int, outcome: Outcome, detail: str = "", said: Response | None = None) -> None:
        told = said.body if said is not None and said.media_type == "application/json" else b""
        journal.record(
            call=call,
            params=params,
            headers=request.headers.items(),
            status=status,
            outcome=outcome,
            time=came,
            detail=detail,
            peer=request.client.port if request.client else 0,
            answer=bytes(told),
        )

    fault = faults.strike(call, params)
    action = fault.action if fault else None
    if fault and action == "status":
        response = (
            say(fault)
            if fault.body is None
            else Response(fault.body, fault.status, media_type=fault.content_type)
        )
        if fault.retry_after is not None:
            response.headers["Retry-After"] = str(fault.retry_after)
        note(response.status_code, "fault", "status", response)
        return response
    if fault and action == "redirect":
        note(fault.redirect_status, "fault", "redirect")
        return RedirectResponse(_led_to(request, fault), fault.redirect_status)
    if fault and action in {"reset_before", "kill_before"}:
        note(0, "fault", fault.action)
        return await _broken_off(request, fault)
    if fault and action == "delay":
        await asyncio.sleep(fault.seconds)
    answer = await act()
    if fault and action in {"reset_after", "kill_after", *IN_ANSWER}:
        # A breach of contract is never hidden behind a fault.
        strict = answer.outcome == "strict"
        status = answer.response.status_code if action in IN_ANSWER else 0
        note(status, "strict" if strict else "fault", answer.detail if strict else fault.action)
        if action in IN_ANSWER:
            return BrokenAnswer(answer.response, fault)
        return await _broken_off(request, fault)
    note(answer.response.status_code, answer.outcome, answer.detail, answer.response)
    return answer.response


def _led_to(request: Request, fault: Fault) -> str:
    return str(request.url) if fault.location is None else fault.location


async def _broken_off(request: Request, fault: Fault) -> Response:
    if fault.pid is not None and fault.action.startswith("kill"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(fault.pid, signal.SIGKILL)
    await reset(request)
    return NoAnswer()


class _OpenProtocol(H11Protocol):
    """HTTP/1.1 whose requests can reach their own connection."""

    def connection_made(  # type: ignore[override]  # as uvicorn's own narrows it
        self, transport: asyncio.Transport
    ) -> None:
        super().connection_made(transport)
        inner: Any = self.app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("extensions", {})[TRANSPORT] = transport

            async def dated(message: Any) -> None:
                # uvicorn's own date is of its last tick, and this server has none
                if message["type"] == "http.response.start":
                    date = (b"date", formatdate(usegmt=True).encode())
                    message = {**message, "headers": [*message.get("headers", []), date]}
                await send(message)

            # Cancelled: `serve` ended it. Disconnected: the caller died in the middle of its body.
            with contextlib.suppress(asyncio.CancelledError, ClientDisconnect):
                await inner(scope, receive, dated)

        self.app = app


@contextlib.asynccontextmanager
async def serve(app: ASGIApp, *, port: int = 0) -> AsyncIterator[str]:
    """Serve an application on 127.0.0.1 in this event loop, and give its URL.

    Leaving the block cuts what is still under way, long polls included, within a second. Signal
    handlers are left alone.

    Raises:
        OSError: the port is taken.
    """
    # With the protocol named, asyncio turns Nagle's delay off; else each answer takes 40 ms more.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        listener.close()
        raise
    server = _Server(
        uvicorn.Config(
            app,
            http=_OpenProtocol,
            ws="none",
            lifespan="off",
            # Longer than clients keep a connection, so that none is closed just as it is used.
            timeout_keep_alive=75,
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=False,
        )
    )
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started and not running.done():  # noqa: ASYNC110  # uvicorn has no event
            await asyncio.sleep(0.005)
        if running.done():
            await running
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.stop.set()
        await running


class _Server(uvicorn.Server):
    """A server that stops at once and cuts what is open, instead of waiting for it."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stop = asyncio.Event()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # First, so that a caller who tries again at once finds no one.
        for listening in self.servers:
            listening.close()
        for sock in sockets or []:
            sock.close()
        while self.server_state.connections or self.server_state.tasks:
            for connection in list(self.server_state.connections):
                abort(connection.transport)
            await asyncio.sleep(0)
            tasks = list(self.server_state.tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for listening in self.servers:
            await listening.wait_closed()

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        """Leave the signals to whoever runs the loop."""
        yield


def control_routes(*, faults: Faults, journal: Journal) -> list[Route]:
    """Give the routes by which tests plant faults and read the journal."""

    async def calls(request: Request) -> Response:
        query = request.query_params
        found = journal.entries(
            call=query.get("call"), outcome=query.get("outcome"), after=int(query.get("after", 0))
        )
        return JSONResponse({"calls": [entry.to_json() for entry in found]})

    async def plant(request: Request) -> Response:
        try:
            fault = Fault.from_json(await request.json())
        except (TypeError, ValueError) as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse({"id": faults.add(fault)})

    async def waiting(_request: Request) -> Response:
        found = [{"id": n, **fault.to_json()} for n, fault in faults.list().items()]
        return JSONResponse({"faults": found})

    async def forget(request: Request) -> Response:
        fault_id = request.query_params.get("id")
        faults.remove(None if fault_id is None else int(fault_id))
        return JSONResponse({})

    return [
        Route("/sandbox/calls", calls, methods=["GET"]),
        Route("/sandbox/faults", plant, methods=["POST"]),
        Route("/sandbox/faults", waiting, methods=["GET"]),
        Route("/sandbox/faults", forget, methods=["DELETE"]),
    ]
