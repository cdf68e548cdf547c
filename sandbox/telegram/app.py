"""The local Telegram as an application: the Bot API, the person's side, the controls."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from sandbox.faults import Fault, Faults
from sandbox.journal import Journal
from sandbox.serving import Answer, control_routes, perform
from sandbox.telegram.methods import METHODS
from sandbox.telegram.params import Args, Raw, read, shown, typed
from sandbox.telegram.person import person_routes
from sandbox.telegram.rules import Refusal, Rules
from sandbox.telegram.state import Telegram
from sandbox.visitors import ProgramsOnly

TOKEN: Final = "7000000001:AAsandbox-telegram-token-0123456789"  # noqa: S105  # opens only the sandbox
_UNAUTHORIZED: Final = Refusal("Unauthorized", code=401)
_NOT_FOUND: Final = Refusal("Not Found", code=404, outcome="strict")
_LOCAL: Final = Refusal("Not Found", code=404, outcome="strict")
_NOTHING: Final = Raw(values={}, uploads={})


def create_app(
    *,
    token: str = TOKEN,
    rules: Rules | None = None,
    faults: Faults | None = None,
    journal: Journal | None = None,
    controls: bool = True,
) -> Starlette:
    """Make a Telegram with one bot and nobody to talk to.

    Its state is `app.state.telegram`, beside `app.state.faults` and `app.state.journal`.

    Args:
        token: the bot's; the digits before its colon are the bot's user id.
        rules: limits and deadlines; by default Telegram's own.
        faults: those that wait already; more can be planted over HTTP.
        journal: where calls are written down.
        controls: whether faults can be planted and calls be read over HTTP.

    Raises:
        ValueError: the token does not begin with digits and a colon.
    """
    faults = Faults() if faults is None else faults
    journal = Journal() if journal is None else journal
    rules = Rules() if rules is None else rules
    telegram = Telegram(token=token, rules=rules, faults=faults, journal=journal)

    async def method(request: Request) -> Response:
        return await _method(request, telegram, faults, journal)

    async def file(request: Request) -> Response:
        return await _file(request, telegram, faults, journal)

    app = Starlette(
        routes=[
            Route("/bot{token}/{method}", method, methods=["GET", "POST"]),
            Route("/file/bot{token}/{path:path}", file, methods=["GET"]),
            *person_routes(telegram),
            *(control_routes(faults=faults, journal=journal) if controls else ()),
        ],
        middleware=[Middleware(ProgramsOnly)],
    )
    app.state.telegram, app.state.faults, app.state.journal = telegram, faults, journal
    return app


async def _method(
    request: Request, telegram: Telegram, faults: Faults, journal: Journal
) -> Response:
    name = request.path_params["method"]
    method = METHODS.get(name.lower())
    raw, args, wrong = _NOTHING, None, None
    try:
        raw = await read(request)
        if request.path_params["token"] != telegram.token:
            raise _UNAUTHORIZED
        if method is None:
            raise _NOT_FOUND
        args = typed(raw, method.params)
    except Refusal as refusal:
        wrong = refusal

    async def act() -> Answer:
        if wrong is not None:
            return refused(wrong)
        assert method is not None  # noqa: S101  # else it is what was wrong
        assert args is not None  # noqa: S101
        return await _answer(telegram, method.act, args)

    return await perform(
        request,
        call=method.name if method else name,
        params=shown(raw, args),
        faults=faults,
        journal=journal,
        act=act,
        say=spoken,
    )


async def _answer(telegram: Telegram, act: Any, args: Args) -> Answer:
    try:
        result = await act(telegram, args)
    except Refusal as refusal:
        return refused(refusal)
    return Answer(response=JSONResponse({"ok": True, "result": result}))


async def _file(request: Request, telegram: Telegram, faults: Faults, journal: Journal) -> Response:
    path = request.path_params["path"]
    found = next((file for file in telegram.files.values() if file.path == path), None)

    async def act() -> Answer:
        if request.path_params["token"] != telegram.token:
            return refused(_UNAUTHORIZED)
        if telegram.rules.local_folder is not None:
            return refused(_LOCAL)
        oldest = telegram.clock.now() - telegram.rules.file_link_seconds
        linked = found.linked_at if found and not found.vanished else None
        if found is None or linked is None or linked < oldest:
            return refused(Refusal("Not Found", code=404))
        return Answer(response=Response(found.content, media_type="application/octet-stream"))

    return await perform(
        request,
        call="file",
        params={"path": path} | ({"file_id": found.file_id} if found else {}),
        faults=faults,
        journal=journal,
        act=act,
        say=spoken,
    )


def refused(refusal: Refusal) -> Answer:
    """Say a refusal as the Bot API does."""
    body: dict[str, Any] = {
        "ok": False,
        "error_code": refusal.code,
        "description": refusal.description,
    }
    more = {"retry_after": refusal.retry_after, "migrate_to_chat_id": refusal.migrate_to_chat_id}
    if told := {name: value for name, value in more.items() if value is not None}:
        body["parameters"] = told
    response = JSONResponse(body, refusal.code)
    if refusal.retry_after is not None:
        response.headers["Retry-After"] = str(refusal.retry_after)
    return Answer(response=response, outcome=refusal.outcome, detail=refusal.description)


def spoken(fault: Fault) -> Response:
    """Say what Telegram says with a fault's status: JSON, or its proxy's page."""
    phrase = HTTPStatus(fault.status).phrase
    if fault.status in {502, 503, 504}:
        title = f"{fault.status} {phrase}"
        page = f"<html><head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1>"
        return HTMLResponse(
            f"{page}</center>\r\n<hr><center>nginx/1.18.0</center>\r\n</body></html>\r\n",
            fault.status,
        )
    if fault.status == 429:
        seconds = fault.retry_after or 5
        return refused(
            Refusal(f"Too Many Requests: retry after {seconds}", code=429, retry_after=seconds)
        ).response
    return refused(Refusal(phrase, code=fault.status)).response
