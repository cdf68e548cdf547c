"""Reads the settings anew at a SIGHUP: all that they say holds from then on, or nothing does.

A new token of Telegram's is tried first: the bot goes on with it only if Telegram knows it.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Final

import structlog

from bot.application import introduce, let_go
from bot.config import Config
from bot.errors import ConfigurationError
from bot.hangups import HANGUPS
from bot.inbox import RaisingApplication
from bot.live import Live, differing, with_live
from bot.logs import set_level
from bot.service import ServiceManager
from bot.stopping import done_before
from storage.store import Facts

log = structlog.get_logger(__name__)

SWAP_SECONDS: Final = 60.0
"""For so long requests under way may take to end before the bot goes on with another token: nobody waits."""


class _ToldAgain(Exception):
    """Another SIGHUP has come."""


class Rereading:
    """The loop that rereads.

    Args:
        live: the settings that hold.
        reread: reads them, as they were read at the start.
        build: makes what speaks to Telegram, out of settings.
        facts: where it is kept which webhook is our own.
        add_secret: is told what must never be logged.
        service: is told that it begins, and that it is over.

    Attributes:
        then: called when other settings hold, or the same again.
        next: what speaks to Telegram from now on, where that has changed: the loops are to begin anew.
    """

    def __init__(
        self,
        live: Live,
        reread: Callable[[], Config],
        *,
        build: Callable[[Config], RaisingApplication],
        facts: Facts,
        add_secret: Callable[[str], None],
        service: ServiceManager,
    ) -> None:
        self._live = live
        self._reread = reread
        self._build = build
        self._facts = facts
        self._add_secret = add_secret
        self._service = service
        self._token = live.now.telegram.read_token()
        self.then: Sequence[Callable[[], object]] = ()
        self.next: RaisingApplication | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Reread at each SIGHUP. Ends, with the stop set, where the loops are to begin anew."""
        while not stop.is_set():
            await HANGUPS.wait()
            self._service.reloading()
            try:
                anew = await self._once()
            finally:
                self._service.ready()
            if anew:
                stop.set()

    async def _once(self) -> bool:
        """Reread; returns whether the loops are to begin anew."""
        try:
            found = await asyncio.to_thread(self._reread)
            for secret in found.secrets():
                self._add_secret(secret)
            settings = with_live(self._live.now, found)
            application = await self._with_new_token(settings)
        except _ToldAgain:
            return False
        except (ConfigurationError, ValueError) as exc:
            log.error("settings_not_reread", errors=str(exc).splitlines())  # noqa: TRY400 - no trace needed
            return False
        changed = differing(self._live.now, settings)
        self._live.take(settings)
        log.info("settings_reread", changed=changed)
        if waiting := differing(settings, found):
            log.warning("settings_need_a_restart", keys=waiting)
        set_level(settings.run.log_level)
        self._live.say_who_may()
        for heed in self.then:
            heed()
        self.next = application
        return application is not None

    async def _with_new_token(self, settings: Config) -> RaisingApplication | None:
        """Give what speaks to Telegram with another token, introduced; None: the token is the same.

        Raises:
            ConfigurationError: Telegram does not know it.
        """
        token = settings.telegram.read_token()
        if token == self._token:
            return None
        log.info("telegram_token_is_tried")
        application = self._build(settings)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(let_go, application)
            # while Telegram can't be reached, the settings may change once more
            if not await done_before(introduce(application, settings, self._facts), HANGUPS.next()):
                raise _ToldAgain
            stack.pop_all()
        return application
