"""Telegram's webhook: an update is answered with 200 once it is on disk, and not before.

Anything else makes Telegram bring it again, and keeps what comes after it in the same chat waiting. So an
update that nobody can read is kept as its number alone, and set aside where an operator finds it.
"""

from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot import updates
from bot.arrivals import Arrivals
from bot.web.requests import METHODS, body_of, not_found
from bot.webhook import PATH, Webhook
from storage.store import StoreError

log = structlog.get_logger(__name__)

SECRET: Final = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the name of a header
BODY_LIMIT: Final = 2**20
"""Bytes: the longest message, in reply to the longest, with all that can be in them, has a quarter of it."""
_BODY_SECONDS: Final = 20.0
_AGAIN_SECONDS: Final = 5
"""When Telegram is to come again while nothing can be kept: else it waits twice as long each time."""


def route(webhook: Webhook, arrivals: Arrivals) -> Route:
    """Give the route that takes updates. Source: Bot API, setWebhook."""

    async def call(request: Request) -> Response:
        # nothing of the body is read before it is known who sends it
        if request.method != "POST" or not webhook.knows(request.path_params["path"]):
            return not_found()
        if not webhook.admits(request.headers.get(SECRET, "")):
            log.warning("webhook_called_without_its_secret")
            return PlainTextResponse("Unauthorized", 401)
        body = await body_of(request, limit=BODY_LIMIT, seconds=_BODY_SECONDS, cut=True)
        if isinstance(body, Response):
            return body
        update = updates.parsed(body)
        if update is None:
            # it has no number by which it could be kept: Telegram never sends such
            log.error("not_an_update", count=1)
            return PlainTextResponse("not an update", 400)
        if not update.raw:
            log.error("update_not_readable", update=update.update_id)
        try:
            new = await arrivals.keep([update])
        except StoreError:
            log.exception("update_not_kept", update=update.update_id)
            return Response(status_code=503, headers={"Retry-After": str(_AGAIN_SECONDS)})
        log.debug("updates_received", count=1, new=new)
        return Response(status_code=200)

    return Route(PATH + "/{path}", call, methods=METHODS)
