"""Fetches finished images. A result's URL comes from outside, and nothing about it is trusted.

Https only; the host is looked up once, every address of it must be public, and the connection goes
to an address as checked, anew at each redirect; a limit while reading; the bytes must decode.
Source: docs/hidream-api.md section 6.
"""

import asyncio
import io
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Self

import httpx

from bot.hidream.addresses import (
    IPAddress,
    Resolve,
    is_local_name,
    is_loopback,
    is_public,
    literal,
    look_up,
)
from bot.hidream.classify import FOREIGN, Call, failure
from bot.hidream.decoding import DownloadedImage, decode
from bot.hidream.errors import DownloadError, DownloadLater, DownloadReason, DownloadRefused
from bot.hidream.exchange import Patience, no_cookies, retry_after, transport
from bot.labels import HiDreamCall
from bot.metrics import of_hidream
from bot.worker import SECONDS, Busy, TookTooLong, Worker

__all__ = [
    "DownloadError",
    "DownloadLater",
    "DownloadReason",
    "DownloadRefused",
    "DownloadedImage",
    "Downloader",
]

PATIENCE: Final = Patience(
    connect=10,
    write=10,
    # Storage that pauses longer than this in the middle of a file has lost it.
    read=20,
    pool=60,
    # 50 MB at 4 Mbit/s. Without it, one byte every 19 s would hold a connection for years.
    total=120,
)

MAX_REDIRECTS: Final = 3
"""A link to storage needs one; more than this leads nowhere."""

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
# An image may be announced before the storage has it or its rights, so these two can change.
_LATER: Final = frozenset({401, 403, 404, 408, 425, 429})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Target:
    """Where to go: the URL, and the addresses as checked; none means that a proxy goes there."""

    url: httpx.URL
    addresses: tuple[IPAddress, ...]


class Downloader:
    """Fetches images by URL; to be closed with `aclose`, or used with `async with`.

    Args:
        allow_local: also take loopback addresses, and plain http from them; for the sandbox only.
        max_bytes: the largest file taken.
        max_pixels: the largest image decoded, width times height.
        resolve: looks up a host; the system's resolver by default.
        proxy: all goes through this proxy, which looks names up itself: only the scheme, literal
            addresses and names that are local by definition can be checked then.
        patience: time-outs; `total` is for all redirects together.
        verify: how certificates are checked; by default against the usual authorities.
        decoding_seconds: how long the decoding of one image may take.
    """

    def __init__(
        self,
        *,
        allow_local: bool = False,
        max_bytes: int = 50 * 2**20,
        max_pixels: int = 100_000_000,
        resolve: Resolve = look_up,
        proxy: str | None = None,
        patience: Patience = PATIENCE,
        verify: ssl.SSLContext | None = None,
        decoding_seconds: float = SECONDS,
    ) -> None:
        self._allow_local = allow_local
        self._max_bytes = max_bytes
        self._max_pixels = max_pixels
        self._resolve = resolve
        self._patience = patience
        context = verify or httpx.create_ssl_context(trust_env=False)
        self._proxied = proxy is not None
        self._http = _client(context, patience, proxy)
        # One image decoded at a time: at the pixel limit it takes some 300 MB.
        self._decoding = Worker("results", seconds=decoding_seconds)

    async def __aenter__(self) -> Self:
        """Use it with `async with`; closed at the end."""
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    @of_hidream(HiDreamCall.DOWNLOAD)
    async def image(self, url: str) -> DownloadedImage:
        """Fetch one image and decode it.

        Raises:
            DownloadLater: it may work later.
            DownloadRefused: it never will, or must not.
        """
        try:
            async with asyncio.timeout(self._patience.total):
                content = await self._fetch(url)
        except FOREIGN as error:
            raise failure(error, Call.DOWNLOAD, sent=True) from error
        try:
            return await self._decoding.do(partial(decode, content, self._max_pixels))
        except TookTooLong as error:
            raise DownloadRefused(
                "decoding took too long", reason=DownloadReason.NOT_AN_IMAGE
            ) from error
        except Busy as error:
            raise DownloadLater("too many images are stuck in decoding") from error

    async def _fetch(self, url: str) -> bytes:
        here = _parsed(url)
        for _ in range(MAX_REDIRECTS + 1):
            response = await self._get(await self._checked(here))
            try:
                if response.status_code in _REDIRECTS and "location" in response.headers:
                    here = _parsed(response.headers["location"], here)
                    continue
                _require_ok(response)
                return await self._read(response)
            finally:
                await response.aclose()
        raise DownloadRefused(
            f"more than {MAX_REDIRECTS} redirects", reason=DownloadReason.TOO_MANY_REDIRECTS
        )

    async def _checked(self, url: httpx.URL) -> _Target:
        """Where this URL leads, if one may go there."""
        itself = literal(url.host)
        if itself is not None:
            addresses: tuple[IPAddress, ...] = (itself,)
        elif self._proxied:
            if is_local_name(url.host):
                raise _forbidden_address()
            addresses = ()
        else:
            addresses = await self._addresses_of(url)
        loopback = bool(addresses) and all(map(is_loopback, addresses))
        local = self._allow_local and loopback
        if url.scheme != "https" and not (url.scheme == "http" and local):
            raise DownloadRefused("only https is taken", reason=DownloadReason.SCHEME)
        if not local and not all(map(is_public, addresses)):
            raise _forbidden_address()
        return _Target(url=url, addresses=() if self._proxied else addresses)

    async def _addresses_of(self, url: httpx.URL) -> tuple[IPAddress, ...]:
        try:
            found = await self._resolve(url.host, url.port or 443)
        except UnicodeError as error:
            raise DownloadRefused("the host is no name", reason=DownloadReason.ADDRESS) from error
        addresses = tuple(address for each in found if (address := literal(each)) is not None)
        if len(addresses) != len(found) or not addresses:
            raise DownloadLater("the host has no address")
        return addresses

    async def _get(self, target: _Target) -> httpx.Response:
        if not target.addresses:
            return await _send(self._http, target.url, target.url)
        return await self._get_directly(target.url, target.addresses)

    async def _get_directly(self, url: httpx.URL, addresses: Sequence[IPAddress]) -> httpx.Response:
        *others, last = addresses
        for address in others:
            try:
                return await _send(self._http, url, url.copy_with(host=str(address)))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                # A machine without IPv6 still gets IPv6 addresses from its resolver.
                continue
        return await _send(self._http, url, url.copy_with(host=str(last)))

    async def _read(self, response: httpx.Response) -> bytes:
        content = io.BytesIO()
        # Raw: a body packed against our wish could unpack to anything, and is no image as it is.
        async for piece in response.aiter_raw():
            content.write(piece)
            if content.tell() > self._max_bytes:
                raise DownloadRefused(
                    f"more than {self._max_bytes} bytes", reason=DownloadReason.TOO_LARGE
                )
        return content.getvalue()  # not a copy


def _client(context: ssl.SSLContext, patience: Patience, proxy: str | None) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        # No connection is used twice: they are pooled by address, and one that was verified for
        # one host name must not serve another at the same address.
        transport=transport(
            proxy, context, httpx.Limits(max_connections=10, max_keepalive_connections=0)
        ),
        trust_env=False,
        follow_redirects=False,
        cookies=no_cookies(),
        timeout=patience.timeout,
        headers={"Accept": "image/*", "Accept-Encoding": "identity", "Connection": "close"},
    )


async def _send(client: httpx.AsyncClient, named: httpx.URL, reached: httpx.URL) -> httpx.Response:
    request = client.build_request(
        "GET",
        reached,
        headers={"Host": named.netloc.decode("ascii")},
        # The certificate is checked against this name, not against the address.
        extensions={"sni_hostname": named.raw_host.decode("ascii")},
    )
    return await client.send(request, stream=True)


def _parsed(url: str, base: httpx.URL | None = None) -> httpx.URL:
    try:
        parsed = httpx.URL(url) if base is None else base.join(url)
    except (httpx.InvalidURL, ValueError):
        # Without its cause: that one's text holds parts of the URL.
        raise DownloadRefused("not a URL", reason=DownloadReason.URL) from None
    if parsed.scheme not in {"http", "https"}:
        raise DownloadRefused("only https is taken", reason=DownloadReason.SCHEME)
    # httpx takes any number for a port, and what it calls fails on it in a way of its own.
    if not parsed.host or parsed.userinfo or (parsed.port or 443) > 65535:
        raise DownloadRefused("no host, credentials, or no port", reason=DownloadReason.URL)
    return parsed


def _require_ok(response: httpx.Response) -> None:
    status = response.status_code
    if status == 200:
        return
    if status >= 500 or status < 400 or status in _LATER:
        raise DownloadLater(
            f"the storage answered HTTP {status}",
            http_status=status,
            retry_after=retry_after(response.headers.get("retry-after")),
        )
    raise DownloadRefused(
        f"the storage answered HTTP {status}", reason=DownloadReason.GONE, http_status=status
    )


def _forbidden_address() -> DownloadRefused:
    return DownloadRefused("not a public address", reason=DownloadReason.ADDRESS)
