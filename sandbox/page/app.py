"""The page as an application: its files, the person's side, what happens, and the switches.

Everything lies below a random key in the address, and is given only to whoever asks for it at this
machine's own name: a page of somebody else's, open in the same browser, can neither read nor do
anything here.
"""

import hmac
import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.bot_process import BotProcess
from sandbox.hidream.service import HiDream
from sandbox.journal import Journal
from sandbox.page.rows import Rows
from sandbox.page.stream import Stream
from sandbox.page.switches import Switches
from sandbox.telegram.person import person_routes
from sandbox.telegram.rules import CannotDo
from sandbox.telegram.state import Telegram
from sandbox.visitors import asks_for_us, origin_of

_STATIC: Final = Path(__file__).parent / "static"
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
        "connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
_SHOWN: Final = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})
"""What is shown as it is; any other file that somebody has sent is only handed out as a file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Backstage:
    """What the page shows and steers: both services, and the bot between them."""

    telegram: Starlette
    hidream: Starlette
    bot: BotProcess
    database: Path


def new_key() -> str:
    """Make the part of the address that nobody else knows."""
    return secrets.token_urlsafe(16)


def create_page(backstage: Backstage, *, key: str) -> ASGIApp:
    """Make the application.

    Args:
        backstage: what it shows and steers.
        key: what the path begins with.
    """
    telegram: Telegram = backstage.telegram.state.telegram
    hidream: HiDream = backstage.hidream.state.hidream
    journals: dict[str, Journal] = {
        "Telegram": backstage.telegram.state.journal,
        "HiDream": hidream.journal,
    }
    switches = Switches(
        telegram=backstage.telegram.state.faults, hidream=hidream.faults, bot=backstage.bot
    )
    rows = Rows(backstage.database)

    async def events(request: Request) -> Response:
        stream = Stream(
            telegram=telegram,
            user_id=int(request.query_params["user"]),
            journals=journals,
            switches=switches,
            secrets=(telegram.token, hidream.token),
        )
        return StreamingResponse(
            stream.events(request.is_disconnected), media_type="text/event-stream"
        )

    async def people(_request: Request) -> Response:
        users = [user for user in telegram.users.values() if user.id in telegram.chats]
        return JSONResponse({"users": [user.to_json() for user in users]})

    async def row(request: Request) -> Response:
        query = request.query_params
        found = await rows.of_message(int(query["chat"]), int(query["message"]))
        return JSONResponse(found)

    async def switch(request: Request) -> Response:
        wanted = json.loads(await request.body())
        try:
            await switches.turn(str(wanted["name"]), on=bool(wanted.get("on", True)))
        except KeyError:
            return JSONResponse({"error": "there is no such switch"}, 400)
        return JSONResponse({})

    return _Guarded(
        Starlette(
            routes=[
                Mount(
                    f"/{key}",
                    routes=[
                        Route("/api/events", _said(events)),
                        Route("/api/people", people),
                        Route("/api/row", _said(row)),
                        Route("/api/switch", _said(switch), methods=["POST"]),
                        Mount("/api", routes=person_routes(telegram)),
                        Mount("/", StaticFiles(directory=_STATIC, html=True)),
                    ],
                )
            ]
        ),
        key=key,
    )


def _said(act: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Any]:
    """Make an endpoint that says with status 400 what was wrong with a request."""

    async def endpoint(request: Request) -> Response:
        try:
            return await act(request)
        except (CannotDo, KeyError, OverflowError, TypeError, ValueError) as error:
            return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 400)

    return endpoint


class _Guarded:
    """Lets nobody in but a page of our own, and tells browsers to be as strict with ours."""

    def __init__(self, app: ASGIApp, *, key: str) -> None:
        self._app = app
        self._start = f"/{key}/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if not self._welcomes(scope):
            await PlainTextResponse("Not Found", 404)(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [pair for pair in message["headers"] if pair[0] != b"cache-control"]
                headers += [(k.lower().encode(), v.encode()) for k, v in _HEADERS.items()]
                if "/api/person/files/" in scope["path"] and not _is_shown(headers):
                    headers.append((b"content-disposition", b"attachment"))
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, sent)

    def _welcomes(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        # a name that leads here without being ours is somebody's who steers what names lead to
        if not asks_for_us(headers):
            return False
        begun = scope["path"][: len(self._start)].encode("utf-8", "replace")
        if not hmac.compare_digest(begun, self._start.encode()):
            return False
        if scope["method"] in {"GET", "HEAD"}:
            return True
        # what is done, only a page of this very address may do; programs send no Origin
        return origin_of(headers) in {None, headers["host"]}


def _is_shown(headers: list[tuple[bytes, bytes]]) -> bool:
    kind = dict(headers).get(b"content-type", b"").decode("latin-1").partition(";")[0]
    return kind in _SHOWN
