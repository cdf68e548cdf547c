"""Who is let in: the programs of this machine, and no page of somebody else's in its browser.

Any page that is open in a browser can send requests to this machine. It cannot keep the browser
from saying so, nor from naming the host that it thinks it talks to.
"""

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.loopback import is_loopback

_TYPED: Final = "none"
"""What a browser says of an address that somebody has typed (Fetch Metadata: Sec-Fetch-Site)."""


def asks_for_us(headers: Headers) -> bool:
    """Tell whether a request names this machine, and not a name that somebody has led here."""
    try:
        return is_loopback(f"//{headers.get('host', '')}")
    except ValueError:
        return False


def origin_of(headers: Headers) -> str | None:
    """Give the host and port of the page that sends a request; None where no page does."""
    origin = headers.get("origin")
    if origin is None:
        return None
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


class ProgramsOnly:
    """Lets a browser's pages do nothing: what is behind it is for programs."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with status 403 where a page asks."""
        app = self._app
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            by_page = "origin" in headers or headers.get("sec-fetch-site", _TYPED) != _TYPED
            if by_page or not asks_for_us(headers):
                app = PlainTextResponse("Only programs of this machine are served here.", 403)
        await app(scope, receive, send)
