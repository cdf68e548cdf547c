"""Fetches updates into the inbox, and only then tells Telegram that they are received.

Telegram takes an update as received when it is asked for a later one. So the offset goes up only
after the batch is on disk; a crash in between makes Telegram send it again, and the inbox's key
drops the repeat.
"""

import asyncio
import warnings
from typing import Any, Final, Literal

import structlog
from telegram.error import (
    Conflict,
    EndPointNotFound,
    NetworkError,
    RetryAfter,
    TelegramError,
)
from telegram.ext import ExtBot

from bot import updates
from bot.arrivals import Arrivals
from bot.delays import backoff
from bot.errors import TokenInUse
from bot.outages import check_token
from bot.outcomes import counted, pause_of
from bot.webhook import host_of
from storage.clock import Clock
from storage.store import TaskStore
from storage.tasks import NewUpdate

log = structlog.get_logger(__name__)

LONG_POLL: Final = 20
"""Seconds for which Telegram may hold the call open (Bot API: getUpdates). Short enough that a quiet call
after one that was given up still ends within a minute of the last good one."""
UNDISTURBED: Final = 60.0
"""Who has polled for so many seconds without a conflict was here first."""
CONFLICTS: Final = 3
"""A newcomer gives up at so many."""
ALONE: Final = 5.0
"""Who was not disturbed for so many seconds at first bears one more: of two newcomers, the later gives up. It
hears of the other within this time, when that comes back from its first pause."""
_BATCH: Final = 100

Other = Literal["poller", "webhook"]
"""Who else receives this bot's updates: a process that polls too, or a webhook that somebody has set."""


class Intake:
    """The loop that asks Telegram for updates.

    Of two that poll with the same token each ends the other's calls. Whoever came last gives up, so that a
    second process which was started by mistake does not stop the first.

    Attributes:
        fetched_at: monotonic seconds of the last call that Telegram answered; None before the first.
        conflict: who else receives the updates, as long as it is not a minute ago; None: nobody.
    """

    def __init__(self, *, bot: ExtBot[Any], store: TaskStore, clock: Clock) -> None:
        self._bot = bot
        self._arrivals = Arrivals(store=store, bot_id=bot.id, clock=clock)
        self._clock = clock
        self._established = False
        self._quiet_since: float | None = None
        self._conflicts = 0
        self._bears = CONFLICTS
        self._began = 0.0
        self.fetched_at: float | None = None
        self.conflict: Other | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Fetch until told to stop. Cancelling it is safe at any moment.

        Raises:
            Fatal: Telegram no longer knows the bot's token.
            TokenInUse: another process was here first.
        """
        # it is called raw on purpose: the library's own method parses the whole batch at once
        warnings.filterwarnings("ignore", message="Please use 'Bot.getUpdates'")
        offset: int | None = None  # none is kept: what was not confirmed comes again
        failures = 0
        self._began = self._clock.monotonic()
        while not stop.is_set():
            try:
                batch = await self._fetch(offset)
            except Conflict as exc:
                await self._disturbed("webhook" if "webhook" in exc.message.lower() else "poller")
            except RetryAfter as exc:
                await self._clock.sleep(pause_of(exc))
            except TelegramError as exc:
                if isinstance(exc, EndPointNotFound):
                    await check_token(self._bot)
                if failures == 0:
                    log.warning("telegram_unreachable", why=exc.message)
                await self._clock.sleep(backoff(failures, first=0.5, longest=30))
                failures += 1
            else:
                if failures:
                    log.info("telegram_reachable_again")
                failures = 0
                self._fetched()
                if batch:
                    new = await self._arrivals.keep(batch)
                    offset = max(update.update_id for update in batch) + 1
                    log.debug("updates_received", count=len(batch), new=new)

    def _fetched(self) -> None:
        now = self.fetched_at = self._clock.monotonic()
        if self._quiet_since is None:
            self._quiet_since = now
        if now - self._quiet_since >= UNDISTURBED:
            self._established = True
            self._conflicts = 0
            self.conflict = None

    async def _disturbed(self, other: Other) -> None:
        """Wait after a conflict, or give up.

        They are counted until a minute has gone by without any, not in a row: where many people write,
        calls between them go well, and the other process would be disturbed for ever.

        Raises:
            TokenInUse: another process was here first.
        """
        if self._conflicts == 0 and self._clock.monotonic() - self._began > ALONE:
            self._bears = CONFLICTS + 1
        self.conflict = other
        self._quiet_since = None
        self._conflicts += 1
        log.error("another_process_receives_the_updates", by=other, mend="stop one of the two")
        if not self._established and self._conflicts >= self._bears:
            raise TokenInUse(await self._in_words(other))
        await self._clock.sleep(backoff(self._conflicts - 1, first=2, longest=30))

    async def _in_words(self, other: Other) -> str:
        if other == "poller":
            return (
                "Another process fetches the updates of this bot's token, and each ends the other's "
                "calls. Stop that one before you start this one, or use another bot's token."
            )
        try:
            host = host_of((await self._bot.get_webhook_info()).url)
        except TelegramError:
            host = "an address that is not known"
        return TokenInUse.by_webhook(host)

    async def _fetch(self, offset: int | None) -> list[NewUpdate]:
        # the first is answered at once, so that who starts the bot need not wait to see that it is well
        seconds = LONG_POLL if self.fetched_at is not None else 0
        asked: dict[str, Any] = {
            "timeout": seconds,
            "limit": _BATCH,
            "allowed_updates": list(updates.ALLOWED),
        }
        if offset is not None:
            asked["offset"] = offset
        # the library takes it past the limits, where all others are counted
        with counted("getUpdates"):
            answer = await self._bot.do_api_request(
                "getUpdates", api_kwargs=asked, read_timeout=seconds + 5
            )
        if not isinstance(answer, list):
            raise NetworkError("getUpdates answered something that is no list")
        read = [updates.read(update) for update in answer]
        kept = [update for update in read if update is not None]
        if len(kept) < len(read):
            log.error("not_an_update", count=len(read) - len(kept))
            if not kept:
                # nothing of it can be confirmed: it would come again at once, without end
                raise NetworkError("getUpdates answered with nothing that is an update")
        return kept
