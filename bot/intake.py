"""Fetches updates into the inbox, and only then tells Telegram that they are received.

Telegram takes an update as received when it is asked for a later one. So the offset goes up only
after the batch is on disk; a crash in between makes Telegram send it again, and the inbox's key
drops the repeat. The updates stay raw here: one that cannot be parsed must not make the bot deaf.
"""

import asyncio
import json
import warnings
from collections.abc import Mapping
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

from bot.delays import backoff
from bot.supervisor import Fatal
from storage.clock import Clock
from storage.store import TaskStore
from storage.tasks import NewUpdate

log = structlog.get_logger(__name__)

LONG_POLL: Final = 50
"""Seconds for which Telegram may hold the call open (Bot API: getUpdates)."""
ALLOWED_UPDATES: Final = ("message", "edited_message", "callback_query", "my_chat_member")
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
                pause = exc.retry_after
                await self._clock.sleep(pause if isinstance(pause, int) else pause.total_seconds())
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
                    offset = max(update["update_id"] for update in batch) + 1
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

    async def _fetch(self, offset: int | None) -> list[dict[str, Any]]:
        asked: dict[str, Any] = {
            "timeout": LONG_POLL,
            "limit": _BATCH,
            # always said: Telegram would keep whatever an earlier program asked for
            "allowed_updates": list(ALLOWED_UPDATES),
        }
        if offset is not None:
            asked["offset"] = offset
        answer = await self._bot.do_api_request(
            "getUpdates", api_kwargs=asked, read_timeout=LONG_POLL + 5
        )
        if not isinstance(answer, list):
            raise NetworkError("getUpdates answered something that is no list")
        return [update for update in answer if _has_id(update)]

    async def _keep(self, batch: list[dict[str, Any]]) -> int:
        updates = [
            NewUpdate(
                update_id=update["update_id"],
                chat_id=chat_of(update),
                # in ASCII: half a surrogate pair is valid JSON, and no text that a database takes
                raw=json.dumps(update),
            )
            for update in batch
        ]
        return await self._store.receive(self._bot.id, updates, self._clock.now())


def _has_id(update: object) -> bool:
    return isinstance(update, dict) and isinstance(update.get("update_id"), int)


def chat_of(update: Mapping[str, Any]) -> int | None:
    """Find the chat that an update belongs to, or the person where it has no chat."""
    for content in update.values():
        if not isinstance(content, dict):
            continue
        message = content.get("message")
        for holder in (content, message if isinstance(message, dict) else {}):
            chat = holder.get("chat")
            if isinstance(chat, dict) and isinstance(chat.get("id"), int):
                return int(chat["id"])
        person = content.get("from")
        if isinstance(person, dict) and isinstance(person.get("id"), int):
            return int(person["id"])
    return None
