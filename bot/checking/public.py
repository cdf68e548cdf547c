"""The public address: does it lead, from outside and safely, to this very bot."""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from bot.certificates import tls_of
from bot.checking.lines import Level, Line, Lines, note, ok, one_line, warning, wrong
from bot.checking.subject import Subject
from bot.config import Web as Settings
from bot.errors import ConfigurationError
from bot.hidream.classify import FOREIGN
from bot.hidream.client import new_client
from bot.web.presence import ask, new_secret, route
from bot.web.requests import create_app
from bot.web.serving import Web, listen
from storage.store import DatabaseRefused

_CONNECT: Final = 5.0
_DAYS: Final = 14
"""A certificate with fewer days left has not been renewed when it should have been."""
_PROXY: Final = (
    "Let the proxy hand {path}/… to web.listen ({listen}): docs/configuration.md. "
    "(Some routers let no machine call its own public address: then it may be well all the same.)"
)


async def public(subject: Subject) -> Lines:
    """Follow the way of a call: name, address, certificate, proxy, and this bot at its end."""
    url = subject.config.web.public_url
    if url is None:
        return [note("web.public_url is not set: HiDream does not call, results are asked for")]
    where = urlsplit(url)
    name = where.hostname or ""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError as exc:
        return [
            wrong(
                f"{name} has no address ({one_line(exc.strerror or str(exc))})",
                "Mend web.public_url, or the name's entry in the DNS.",
            )
        ]
    lines = [_addresses(name, {entry[4][0] for entry in found})]
    async with _whoever_answers(subject) as who:
        lines.append(await _certificate(where, subject))
        if isinstance(who, Line):
            lines.append(who)
        elif lines[-1].level is not Level.WRONG:
            lines.append(await _asked(url, who, subject))
    return lines


def _addresses(name: str, addresses: set[Any]) -> Line:
    shown = ", ".join(sorted(map(str, addresses)))
    if all(ipaddress.ip_address(str(one).partition("%")[0]).is_global for one in addresses):
        return ok(f"{name} leads to {shown}")
    return warning(
        f"{name} leads to {shown}, which others cannot reach",
        "Give web.public_url a name whose address is public. "
        "(Where only this machine's hosts file says so, all may be well.)",
    )


async def _certificate(where: SplitResult, subject: Subject) -> Line:
    if where.scheme != "https":
        return warning(
            "web.public_url is not https: whoever is on the way reads its secret paths",
            "Put a proxy with a certificate before it, and write https:// in web.public_url.",
        )
    try:
        async with asyncio.timeout(_CONNECT):
            _, writer = await asyncio.open_connection(
                where.hostname, where.port or 443, ssl=subject.trust
            )
    except ssl.SSLCertVerificationError as exc:
        return wrong(
            f"its certificate is not valid: {one_line(exc.verify_message)}",
            "Renew it, for this very name, with all that stands between it and its authority.",
        )
    except (OSError, TimeoutError) as exc:
        return wrong(
            f"no TLS connection to {where.netloc} ({one_line(str(exc)) or 'no answer'})",
            "Start the proxy, open its port in the firewall, and see that it speaks TLS there.",
        )
    end = ssl.cert_time_to_seconds(writer.get_extra_info("peercert")["notAfter"])
    writer.transport.abort()
    days = (datetime.fromtimestamp(end, UTC) - subject.now()).days
    if days < _DAYS:
        return warning(
            f"its certificate is valid for {days} more days", "See why it was not renewed."
        )
    return ok(f"its certificate is valid, for {days} more days")


@dataclass(frozen=True, slots=True)
class _Who:
    """Who is to answer at the public address, and the secret that nobody else knows."""

    name: str
    secret: str


@contextlib.asynccontextmanager
async def _whoever_answers(subject: Subject) -> AsyncIterator[_Who | Line]:
    """Give the bot that runs, or stand in for it; or say why nobody can be asked."""
    try:
        found = await subject.database()
    except DatabaseRefused:
        yield note("whether it leads to this bot was not asked: see the database first")
        return
    if found.in_use is None:
        yield note("whether it leads to this bot was not asked: it cannot be seen whether it runs")
    elif found.in_use and found.fact is None:
        yield warning(
            "whether it leads to this bot cannot be asked: an older version of it runs",
            "Start the bot anew, then check again.",
        )
    elif found.in_use and found.fact is not None:
        yield _Who("the bot that runs here", found.fact)
    else:
        secret = new_secret()
        async with contextlib.AsyncExitStack() as stack:
            who: _Who | Line = _Who("web.listen, where the bot will be", secret)
            try:
                await stack.enter_async_context(_standing_in(subject.config.web, secret))
            except ConfigurationError as exc:
                mend = "End the other program, or give web.listen another port."
                who = wrong(one_line(str(exc)), mend)
            yield who


@contextlib.asynccontextmanager
async def _standing_in(web: Settings, secret: str) -> AsyncIterator[None]:
    """Serve in the place of a bot that does not run, for as long as it takes to be asked."""
    stop = asyncio.Event()
    tls = tls_of(web.certificate, web.key) if web.certificate and web.key else None
    with contextlib.closing(listen(web.listen, key="web.listen")) as listener:
        serving = asyncio.create_task(Web(create_app([route(secret)]), listener, tls=tls).run(stop))
        try:
            yield
        finally:
            stop.set()
            await serving


async def _asked(url: str, who: _Who, subject: Subject) -> Line:
    """Ask through the public address what only the bot, or we in its place, can answer."""
    question, whom = ask(who.secret), who.name
    mend = _PROXY.format(path=url.rstrip("/") + "/hidream", listen=subject.config.web.listen)
    try:
        async with new_client(verify=subject.trust) as http:
            answer = await http.get(url.rstrip("/") + question.path, timeout=_CONNECT)
    except FOREIGN as exc:
        why = one_line(str(exc)) or "no answer"
        return wrong(f"it does not lead to {whom} ({why})", mend)
    if answer.status_code == 200 and answer.text == question.answer:
        return ok(f"it leads to {whom}")
    return wrong(
        f"it does not lead to {whom}, but to something that answers HTTP {answer.status_code}",
        mend,
    )
