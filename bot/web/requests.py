"""What all routes need: the application round them, bodies with a limit, and the answer to strangers."""

import asyncio
from collections.abc import Sequence
from typing import Final

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""A route that takes them all decides itself what it answers, so that it tells strangers nothing."""


Routes = Sequence[BaseRoute]


def create_app(routes: Routes) -> Starlette:
    """Make the application that serves these routes, and knows nothing else."""
    app = Starlette(routes=routes)
    app.router.redirect_slashes = False
    return app


def not_found() -> Response:
    """Give the answer to whoever asks for what is not there."""
    return PlainTextResponse("Not Found", 404)


async def body_of(
    request: Request, *, limit: int, seconds: float, cut: bool = False
) -> bytes | Response:
    """Read a body of at most `limit` bytes within so many seconds, or give the refusal of it.

    With `cut`, the first bytes of a longer one are given, and the rest is let pass.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for piece in request.stream():
                if cut and len(body) >= limit:
                    continue
                body += piece
                if len(body) > limit and not cut:
                    return PlainTextResponse("too large", 413)
    except (TimeoutError, ClientDisconnect):
        return Response(status_code=408)
    return bytes(body[:limit])
