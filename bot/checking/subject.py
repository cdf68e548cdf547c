"""What is looked at: the settings, and what several checks need to know."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final

from bot.config import Config
from bot.web.presence import FACT
from storage.examining import Examined, examine

_READING: Final = 8.0
"""Seconds for which a database is read through."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(kw_only=True)
class Subject:
    """One bot to be looked at, by checks that run side by side."""

    config: Config
    file: Path | None = None
    """Where the settings are; None: in the environment alone."""
    from_environment: frozenset[str] = frozenset()
    """The sections whose token is in the environment."""
    thorough: bool = False
    now: Callable[[], datetime] = _now
    trust: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    """How the certificate of the public address is checked: one of our own is taken for what it is."""
    offsets: dict[str, float] = field(default_factory=dict)
    """By service: how many seconds this machine's clock is ahead of its own."""
    _database: "asyncio.Task[Examined] | None" = None

    def __post_init__(self) -> None:
        """Trust the bot's own certificate, where it says so."""
        web = self.config.web
        if web.self_signed and web.certificate is not None:
            self.trust.load_verify_locations(web.certificate)

    def database(self) -> Awaitable[Examined]:
        """Give what a look at the database finds; it is looked at once.

        Raises:
            DatabaseRefused: the bot could not use it.
        """
        if self._database is None:
            self._database = asyncio.create_task(
                asyncio.to_thread(
                    examine,
                    self.config.storage.path,
                    thorough=self.thorough,
                    seconds=_READING,
                    fact=FACT,
                )
            )
        # whoever asks may have less time than the others
        return asyncio.shield(self._database)

    def heard_from(self, service: str) -> Callable[[Any], Awaitable[None]]:
        """Give what reads the clock of a service off each of its answers."""

        async def heard(response: Any) -> None:
            try:
                theirs = parsedate_to_datetime(response.headers["date"])
            except (KeyError, ValueError, TypeError):
                return
            if theirs.tzinfo is not None:
                self.offsets[service] = (self.now() - theirs).total_seconds()

        return heard
