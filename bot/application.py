"""python-telegram-bot's Application as it is used here: built, introduced to Telegram, and honest.

Handlers are added by whoever knows them; updates come from the inbox, not from the library.
"""

import stamina
import structlog
from telegram.error import BadRequest, InvalidToken, TelegramError
from telegram.ext import Application, ContextTypes

from bot import connections
from bot.config import Config
from bot.errors import ConfigurationError
from bot.inbox import RaisingApplication
from bot.limits import TelegramLimits
from storage.clock import Clock

log = structlog.get_logger(__name__)


def application_of(
    config: Config, clock: Clock, *, on_answer: connections.Hook | None = None
) -> RaisingApplication:
    """Build it from the settings; nothing is asked of Telegram yet. `on_answer` hears of each answer."""
    url = config.telegram.api_url
    built = (
        Application.builder()
        .application_class(RaisingApplication)
        .token(config.telegram.read_token())
        .base_url(f"{url}/bot")
        .base_file_url(f"{url}/file/bot")
        .request(connections.for_calls(on_answer=on_answer))
        .get_updates_request(connections.for_updates())
        .rate_limiter(TelegramLimits(clock))
        .updater(None)  # it confirms updates before they are handled
        .build()
    )
    if not isinstance(built, RaisingApplication):
        raise TypeError("the builder made another application than was asked for")
    built.add_error_handler(_log_error)
    return built


async def introduce(application: RaisingApplication) -> None:
    """Ask Telegram who we are, and make it ready for polling; a network that is down is waited out.

    Raises:
        ConfigurationError: Telegram does not know the token.
    """
    retry = stamina.retry_context(
        on=_is_outage, attempts=None, timeout=None, wait_initial=0.5, wait_max=30
    )
    try:
        async for attempt in retry:
            with attempt:
                await application.initialize()
                # without dropping what waits: those are people's photos
                await application.bot.delete_webhook(drop_pending_updates=False)
    except InvalidToken as exc:
        raise ConfigurationError(
            "telegram.token: Telegram does not know this token. "
            "Ask @BotFather for it again, and put it into the configuration."
        ) from exc


def _is_outage(error: Exception) -> bool:
    return isinstance(error, TelegramError) and not isinstance(error, InvalidToken | BadRequest)


async def _log_error(update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
    del update  # its text is the person's own
    log.error("handler_failed", exc_info=context.error)
