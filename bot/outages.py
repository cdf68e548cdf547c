"""Waits out a Telegram that cannot be reached, where nothing can go on without it."""

from collections.abc import Awaitable, Callable

import stamina
from telegram import Bot
from telegram.error import BadRequest, InvalidToken, TelegramError

from bot.supervisor import Fatal


async def through_outages(work: Callable[[], Awaitable[None]]) -> None:
    """Do what Telegram is asked for, again and again while it cannot be reached.

    Raises:
        TelegramError: what no waiting mends.
    """
    async for attempt in stamina.retry_context(
        on=_is_outage, attempts=None, timeout=None, wait_initial=0.5, wait_max=30
    ):
        with attempt:
            await work()


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
