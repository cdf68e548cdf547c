"""What whoever looks after the bot asks it: whether it is alive, and whether it is ready."""

from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.conditions import Reason

_FRESH: Final = {"Cache-Control": "no-store"}


def routes(reasons: Callable[[], tuple[Reason, ...]]) -> list[Route]:
    """Give the routes: `/healthz`, answered as long as the event loop turns, and `/readyz`.

    `reasons` says why the bot is not ready, and waits for nothing.
    """

    async def ready(request: Request) -> Response:
        del request
        found = reasons()
        said = {
            "ready": not found,
            "reasons": [reason.sentence for reason in found],
            "causes": [reason.cause.value for reason in found],
        }
        return JSONResponse(said, 503 if found else 200, headers=_FRESH)

    return [Route("/healthz", _alive), Route("/readyz", ready)]


async def _alive(request: Request) -> Response:
    del request
    return PlainTextResponse("ok", headers=_FRESH)
