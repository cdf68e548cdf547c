"""The way through a proxy, http or SOCKS: what fails on it is told from what fails behind it.

httpx goes through proxies by itself. What it leaves open is closed here: a SOCKS proxy that says
nothing is not waited for without end, one that talks nonsense raises an error of httpx, and a proxy's
407 is the proxy's, not an answer of whoever is behind it.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import httpx
import structlog

log = structlog.get_logger(__name__)

_NOT_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
"""What says by its type already that nothing was sent."""
_PASSWORD: Final = ("407", "username/password", "Requested ")
"""What httpx says where a proxy wants a password, another one, or none."""

Trace = Callable[[str, Mapping[str, Any]], Awaitable[None]]


class Through(httpx.AsyncHTTPTransport):
    """Goes through a proxy, and only through it.

    Args:
        proxy: its address, with user and password if it wants them.
        setting: the key of the configuration that names it, for the log.
        verify: how certificates are checked, a proxy's too; by default against the usual authorities.
        more: as httpx's own transport takes them.
    """

    def __init__(
        self, proxy: str, *, setting: str, verify: ssl.SSLContext | None = None, **more: Any
    ) -> None:
        context = verify or httpx.create_ssl_context(trust_env=False)
        way = httpx.Proxy(proxy, ssl_context=context if proxy.startswith("https:") else None)
        super().__init__(proxy=way, verify=context, trust_env=False, **more)
        self._setting = setting
        self._passes_on = not proxy.startswith("socks")
        self._told = ""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; whatever fails before it has begun says that nothing was sent.

        Raises:
            httpx.HTTPError: as ever, with `httpx.ProxyError` for all that the proxy itself refuses.
        """
        way = _Way(request.extensions.get("trace"), _connect_seconds(request))
        request.extensions = {**request.extensions, "trace": way}
        try:
            async with way.limit:
                response = await super().handle_async_request(request)
        except _NOT_SENT as error:
            self._tell(error)
            raise
        except Exception as error:
            if way.begun:
                raise
            refused = httpx.ProxyError(f"the proxy broke off: {type(error).__name__}")
            self._tell(refused)
            raise refused from error
        # through a tunnel, which TLS and SOCKS have, it would come from whoever is behind the proxy
        passed_on = self._passes_on and request.url.scheme == "http"
        if passed_on and response.status_code == httpx.codes.PROXY_AUTHENTICATION_REQUIRED:
            await response.aclose()
            unknown = httpx.ProxyError("407 Proxy Authentication Required")
            self._tell(unknown)
            raise unknown
        if self._told:
            self._told = ""
            log.info("proxy_works", setting=self._setting)
        return response

    def _tell(self, error: httpx.HTTPError) -> None:
        """Say once what is wrong with the proxy."""
        if isinstance(error, httpx.PoolTimeout):
            return
        said = str(error)
        if isinstance(error, httpx.ProxyError) and any(words in said for words in _PASSWORD):
            kind = "password"
        else:
            kind = "way"
        if kind == self._told:
            return
        self._told = kind
        setting, why = self._setting, said or type(error).__name__
        if kind == "password":
            mend = f"put the user and password right in {setting}"
            log.error("proxy_refuses_the_password", setting=setting, why=why, mend=mend)
        else:
            mend = f"see whether the proxy of {setting} runs, and lets this through"
            log.error("proxy_fails", setting=setting, why=why, mend=mend)


class _Way:
    """Watches one request on its way, by the `trace` extension of httpx."""

    def __init__(self, inner: Trace | None, seconds: float | None) -> None:
        self._inner = inner
        self._seconds = seconds
        self._stream: Any = None
        self.limit = asyncio.timeout(None)
        self.begun = False
        """Whether our own request, and not a proxy's CONNECT, has begun to leave."""

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        """Take one event; called by httpx."""
        if event.endswith("connect_tcp.complete"):
            self._stream = info["return_value"]
        elif event == "socks.setup_socks5_connection.started" and self._seconds is not None:
            # in this part alone httpx waits without a limit
            self.limit.reschedule(asyncio.get_running_loop().time() + self._seconds)
        elif event == "socks.setup_socks5_connection.complete":
            self.limit.reschedule(None)
        elif event == "socks.setup_socks5_connection.failed":
            await self._stream.aclose()  # nobody else does
        elif event.endswith("send_request_headers.started"):
            self.begun = info["request"].method != b"CONNECT"
        if self._inner is not None:
            await self._inner(event, info)


def _connect_seconds(request: httpx.Request) -> float | None:
    seconds: float | None = request.extensions.get("timeout", {}).get("connect")
    return seconds
