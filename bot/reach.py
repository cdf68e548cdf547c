"""Whether a link leads to the public internet, where HiDream can fetch it. Nothing is fetched here."""

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from bot.hidream.addresses import Resolve, is_local_name, is_public, literal
from bot.links import Link
from bot.texts import Say

_PATIENCE: Final = 5.0
"""Seconds for which a name is looked up; the system's resolver may take a minute."""
_LOOKUPS: Final = ThreadPoolExecutor(4, thread_name_prefix="links")
"""A look-up goes on when nobody waits for it any more. Strangers choose the names: their slow ones are
not to take the threads with which the program finds Telegram, HiDream and its own files."""


async def look_up(host: str, port: int) -> Sequence[str]:
    """Give the addresses of a host, as the system's resolver knows them.

    Raises:
        OSError: it knows none.
    """
    ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_LOOKUPS, ask)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Reach:
    """Checks links.

    Args:
        allow_local: take any address, and http: for the sandbox only.
        resolve: looks names up. None: nobody does, as behind a proxy, where a name may mean nothing
            here; then a name is believed, and HiDream's network decides.
    """

    def __init__(self, *, allow_local: bool = False, resolve: Resolve | None = look_up) -> None:
        self._allow_local = allow_local
        self._resolve = resolve

    async def check(self, link: Link) -> Say | None:
        """Say why a link cannot be used; None: it can."""
        host = link.host
        if host is None:
            return Say("link-odd")
        if self._allow_local:
            return None
        if not link.secure:
            return Say("link-http")
        if is_local_name(host):
            return Say("link-private", {"host": host})
        address = literal(host)
        if address is not None:
            return None if is_public(address) else Say("link-private", {"host": host})
        if self._resolve is None:
            return None
        try:
            async with asyncio.timeout(_PATIENCE):
                found = await self._resolve(host, 443)
        except (OSError, UnicodeError, TimeoutError):
            return Say("link-unknown", {"host": host})
        addresses = [literal(one) for one in found]
        if not addresses:
            return Say("link-unknown", {"host": host})
        if all(one is not None and is_public(one) for one in addresses):
            return None
        return Say("link-private", {"host": host})
