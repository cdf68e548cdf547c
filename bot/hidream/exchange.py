"""One HTTP exchange with HiDream's API: sent, watched, read up to a limit, and put into our errors."""

import asyncio
import email.utils
import math
import ssl
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final

import httpx

from bot.hidream.classify import FOREIGN, Answer, Call, failure, read_answer
from bot.proxies import Through

REPLY_LIMIT: Final = 4 * 2**20
"""Bytes. An answer about 50 tasks of 4 images is some 100 kB; anything of this size is not one."""

RETRY_AFTER_LIMIT: Final = 3600.0
"""Seconds. A slip in a header must not silence the bot for a day."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How long one kind of call may take: each phase, and all of it, in seconds."""

    connect: float
    write: float
    read: float
    pool: float
    total: float

    @property
    def timeout(self) -> httpx.Timeout:
        """The same, as httpx takes it."""
        return httpx.Timeout(connect=self.connect, write=self.write, read=self.read, pool=self.pool)


SUBMIT_PATIENCE: Final = Patience(
    connect=10,
    # httpx writes a body in one piece, so this is for all of it: 15 MB of Base64 at 1 Mbit/s.
    write=150,
    # The answer takes a second; but to give up early makes an uncertain task, which costs more.
    read=60,
    pool=10,
    total=240,
)

ASK_PATIENCE: Final = Patience(
    connect=10,
    write=10,
    # Small both ways, and asked again in a moment: a slow answer is worth less than the next one.
    read=15,
    pool=10,
    total=30,
)


def no_cookies() -> CookieJar:
    """A jar that keeps nothing and sends nothing."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


def new_client(
    *, proxy: str | None = None, connections: int = 20, verify: ssl.SSLContext | None = None
) -> httpx.AsyncClient:
    """An HTTP client for the API; whoever asked for it closes it.

    `verify` is how certificates are checked; by default against the usual authorities.
    Time-outs are set by each call; the environment's proxies and `.netrc` are not trusted.
    """
    return httpx.AsyncClient(
        transport=transport(
            proxy,
            verify or httpx.create_ssl_context(trust_env=False),
            httpx.Limits(
                max_connections=connections,
                max_keepalive_connections=connections,
                # A connection that the other side closes as we write makes an uncertain task, and
                # the longer it idles the likelier that is.
                keepalive_expiry=5,
            ),
        ),
        trust_env=False,
        follow_redirects=False,
        cookies=no_cookies(),
        timeout=ASK_PATIENCE.timeout,
    )


def transport(
    proxy: str | None, verify: ssl.SSLContext, limits: httpx.Limits
) -> httpx.AsyncHTTPTransport:
    """The way to HiDream: straight, or through a proxy and only through it."""
    if proxy is None:
        return httpx.AsyncHTTPTransport(verify=verify, trust_env=False, limits=limits)
    return Through(proxy, setting="hidream.proxy", verify=verify, limits=limits)


def endpoint(base_url: str, version: int) -> str:
    """Give the address of image-to-image at this host, in this version of the API."""
    return f"{base_url.rstrip('/')}/api-pub/gw/v{version}/image/img2img/async"


def headers_of(token: str, user_id: str) -> dict[str, str]:
    """Give the headers that every call has."""
    return {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Accept": "application/json",
        "API-User-ID": user_id,
    }


class BodyWatch:
    """Watches one request through httpx's `trace` extension; `sent` once its body is written.

    "Written" means handed to the operating system: an error after it leaves open whether HiDream
    has the request, one before it does not.
    """

    def __init__(self) -> None:
        self.sent = False
        self._tunnel = False

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        """Take one event; called by httpx."""
        if event.endswith("send_request_body.started"):
            # A proxy's CONNECT is traced as a request of its own, before ours.
            self._tunnel = info["request"].method == b"CONNECT"
        elif event.endswith("send_request_body.complete"):
            self.sent = not self._tunnel


async def exchange(
    http: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    call: Call,
    patience: Patience,
    headers: Mapping[str, str],
    params: Mapping[str, str] | None = None,
    content: bytes | None = None,
    secret: str = "",
    own_words: Collection[str] = (),
) -> Answer:
    """Send one request and read its answer, whatever it says.

    Raises:
        NotSent, Uncertain, GatewayIll: there was no answer.
    """
    watch = BodyWatch()
    try:
        async with asyncio.timeout(patience.total):
            request = http.build_request(
                method,
                url,
                params=params,
                content=content,
                headers=headers,
                timeout=patience.timeout,
                extensions={"trace": watch},
            )
            response = await http.send(request, stream=True, follow_redirects=False)
            try:
                body = await _read(response)
            finally:
                await response.aclose()
                # It knows the answer, which knows the request: all would stay, with the photos that
                # were sent, until the garbage is collected.
                response.stream = httpx.ByteStream(b"")
    except FOREIGN as error:
        raise failure(error, call, sent=watch.sent) from error
    return read_answer(
        call=call,
        sent=watch.sent,
        http_status=response.status_code,
        content_type=response.headers.get("content-type", ""),
        body=body,
        retry_after=retry_after(response.headers.get("retry-after")),
        secret=secret,
        own_words=own_words,
    )


async def _read(response: httpx.Response) -> bytes:
    """The body up to the limit, which makes it unreadable JSON beyond that."""
    body = bytearray()
    try:
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > REPLY_LIMIT:
                return bytes(body[:REPLY_LIMIT])
    except FOREIGN:
        # A status that says no is an answer, also when its text breaks off.
        if response.status_code < 300:
            raise
    return bytes(body)


def retry_after(header: str | None) -> float | None:
    """Seconds to wait, out of a `Retry-After` header: a number or a date. None if unreadable."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            moment = email.utils.parsedate_to_datetime(header)
        except (ValueError, TypeError, OverflowError, IndexError):
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = (moment - datetime.now(UTC)).total_seconds()
    if math.isnan(seconds):
        return None
    return min(max(seconds, 0.0), RETRY_AFTER_LIMIT)
