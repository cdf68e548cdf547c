"""HiDream's callbacks. One is answered within milliseconds, before anything slow.

What is not a known path gets 404 and costs next to nothing: its body is not read.
"""

import json
from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot import metrics
from bot.callbacks import PATH, Callbacks
from bot.labels import Callback
from bot.web.requests import METHODS, body_of, not_found
from storage.store import StoreError

log = structlog.get_logger(__name__)

BODY_LIMIT: Final = 64 * 1024
"""Bytes: a callback about four images has some 2 kB."""
_BODY_SECONDS: Final = 3.0
"""HiDream waits 5 s for an answer; whoever sends slower than this is not HiDream."""
_LONGEST_ID: Final = 200
_REFUSED: Final = {413: Callback.TOO_LARGE, 408: Callback.TOO_SLOW}
"""What a callback was whose body could not be had, by the answer to it."""


def route(callbacks: Callbacks) -> Route:
    """Give the route that takes callbacks. Source of their form: docs/hidream-api.md section 3."""

    async def call(request: Request) -> Response:
        token = request.path_params["token"]
        if request.method != "POST" or not callbacks.knows(token):
            metrics.callbacks.labels(Callback.UNKNOWN).inc()
            return not_found()
        body = await body_of(request, limit=BODY_LIMIT, seconds=_BODY_SECONDS)
        if isinstance(body, Response):
            metrics.callbacks.labels(_REFUSED[body.status_code]).inc()
            return body
        try:
            kind = await callbacks.called(token, task_id_of(body))
        except StoreError:
            log.exception("callback_not_kept")
            metrics.callbacks.labels(Callback.NOT_KEPT).inc()
            return Response(status_code=503)
        metrics.callbacks.labels(kind).inc()
        return not_found() if kind is Callback.UNKNOWN else PlainTextResponse("ok")

    return Route(PATH + "/{token}", call, methods=METHODS)


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
