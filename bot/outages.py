"""Waits out a Telegram that cannot be reached, where nothing can go on without it."""

from collections.abc import Awaitable, Callable

import stamina
import structlog
from telegram import Bot
from telegram.error import BadRequest, InvalidToken, TelegramError

from bot.supervisor import Fatal

log = structlog.get_logger(__name__)


async def through_outages(work: Callable[[], Awaitable[None]]) -> None:
    """Do what Telegram is asked for, again and again while it cannot be reached.

    Raises:
        TelegramError: what no waiting mends.
    """
    failed = False

    def outage(error: Exception) -> bool:
        nonlocal failed
        if _is_outage(error) and not failed:
            failed = True
            log.warning("telegram_unreachable", why=str(error))
        return _is_outage(error)

    async for attempt in stamina.retry_context(
        on=outage, attempts=None, timeout=None, wait_initial=0.5, wait_max=30
    ):
        with attempt:
            await work()
    if failed:
        log.info("telegram_reachable_again")


async def check_token(bot: Bot) -> None:
    """Tell a token that was revoked from a gateway that has lost its way: both answer 404.

    Raises:
        Fatal: Telegram no longer knows the bot's token.
    """
    try:
        await bot.get_me()
    except InvalidToken as exc:
        raise Fatal("Telegram no longer knows the bot's token") from exc
    except TelegramError:
        return


def _is_outage(error: Exception) -> bool:
    if isinstance(error, BadRequest):
        # Telegram could not look up a name of ours: its name server, or ours, may be back soon
        return "resolve" in error.message.lower()
    return isinstance(error, TelegramError) and not isinstance(error, InvalidToken)
