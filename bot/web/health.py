"""What whoever looks after the bot asks it."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route


def routes() -> list[Route]:
    """Give the routes: `/healthz`, answered as long as the event loop turns."""
    return [Route("/healthz", _alive)]


async def _alive(request: Request) -> Response:
    del request
    return PlainTextResponse("ok")
