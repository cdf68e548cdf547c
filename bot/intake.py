"""Fetches updates into the inbox, and only then tells Telegram that they are received.

Telegram takes an update as received when it is asked for a later one. So the offset goes up only
after the batch is on disk; a crash in between makes Telegram send it again, and the inbox's key
drops the repeat.
"""

import asyncio
import warnings
from collections.abc import Sequence
from typing import Any, Final

import structlog
from telegram.error import (
    Conflict,
    EndPointNotFound,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)
from telegram.ext import ExtBot

from bot import metrics, updates
from bot.delays import backoff
from bot.outcomes import counted, pause_of
from bot.supervisor import Fatal
from storage.clock import Clock
from storage.store import StoreError, TaskStore
from storage.tasks import NewUpdate

log = structlog.get_logger(__name__)

LONG_POLL: Final = 50
"""Seconds for which Telegram may hold the call open (Bot API: getUpdates)."""
ALLOWED_UPDATES: Final = (
    "message",
    "edited_message",
    "channel_post",
    "callback_query",
    "my_chat_member",
)
_BATCH: Final = 100


class Intake:
    """The loop that asks Telegram for updates."""

    def __init__(self, *, bot: ExtBot[Any], store: TaskStore, clock: Clock) -> None:
        self._bot = bot
        self._store = store
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Fetch until told to stop. Cancelling it is safe at any moment.

        Raises:
            Fatal: Telegram no longer knows the bot's token.
        """
        # it is called raw on purpose: the library's own method parses the whole batch at once
        warnings.filterwarnings("ignore", message="Please use 'Bot.getUpdates'")
        offset: int | None = None  # none is kept: what was not confirmed comes again
        failures = 0
        while not stop.is_set():
            try:
                batch = await self._fetch(offset)
            except Conflict:
                log.error("another_process_polls_this_token")  # noqa: TRY400 - no trace needed
                await self._clock.sleep(backoff(failures, first=2))
                failures += 1
            except RetryAfter as exc:
                await self._clock.sleep(pause_of(exc))
            except TelegramError as exc:
                if isinstance(exc, EndPointNotFound):
                    await self._check_token()
                if failures == 0:
                    log.warning("telegram_unreachable", why=exc.message)
                await self._clock.sleep(backoff(failures, first=0.5, longest=30))
                failures += 1
            else:
                if failures:
                    log.info("telegram_reachable_again")
                failures = 0
                if batch:
                    new = await self._keep(batch)
                    offset = max(update.update_id for update in batch) + 1
                    log.debug("updates_received", count=len(batch), new=new)

    async def _check_token(self) -> None:
        """Tell a token that was revoked from a gateway that has lost its way: both answer 404.

        Raises:
            Fatal: Telegram no longer knows the bot's token.
        """
        try:
            await self._bot.get_me()
        except InvalidToken as exc:
            raise Fatal("Telegram no longer knows the bot's token") from exc
        except TelegramError:
            return

    async def _fetch(self, offset: int | None) -> list[NewUpdate]:
        asked: dict[str, Any] = {
            "timeout": LONG_POLL,
            "limit": _BATCH,
            # always said: Telegram would keep whatever an earlier program asked for
            "allowed_updates": list(ALLOWED_UPDATES),
        }
        if offset is not None:
            asked["offset"] = offset
        with counted(
            "getUpdates"
        ):  # the library takes it past the limits, where all others are counted
            answer = await self._bot.do_api_request(
                "getUpdates", api_kwargs=asked, read_timeout=LONG_POLL + 5
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

    async def _keep(self, batch: Sequence[NewUpdate]) -> int:
        """Keep a batch; what is wrong with one of its updates is no matter of the others.

        Raises:
            StoreError: the store keeps nothing now; Telegram still has the batch.
        """
        try:
            return await self._receive(*batch)
        except StoreError:
            raise
        except Exception:
            log.exception("batch_not_kept")
        return sum([await self._keep_one(update) for update in batch])

    async def _keep_one(self, update: NewUpdate) -> int:
        try:
            return await self._receive(update)
        except StoreError:
            raise
        except Exception:
            # handling what is kept in its place sets it aside, where an operator finds it
            log.exception("update_not_kept", update=update.update_id)
            return await self._receive(updates.unread(update))

    async def _receive(self, *new: NewUpdate) -> int:
        kept = await self._store.receive(self._bot.id, new, self._clock.now())
        metrics.updates_received.inc(kept)
        return kept
