"""python-telegram-bot's Application as it is used here: built, introduced to Telegram, and honest.

Handlers are added by whoever knows them; updates come from the inbox, not from the library.
"""

import structlog
from telegram.error import InvalidToken
from telegram.ext import Application, ContextTypes

from bot import connections
from bot.config import Config
from bot.errors import ConfigurationError
from bot.inbox import RaisingApplication
from bot.limits import TelegramLimits
from bot.outages import through_outages
from bot.webhook import admit
from storage.clock import Clock
from storage.store import Facts

log = structlog.get_logger(__name__)


def application_of(
    config: Config, clock: Clock, *, on_answer: connections.Hook | None = None
) -> RaisingApplication:
    """Build it from the settings; nothing is asked of Telegram yet. `on_answer` hears of each answer."""
    url, proxy = config.telegram.api_url, config.telegram.proxy_url
    built = (
        Application.builder()
        .application_class(RaisingApplication)
        .token(config.telegram.read_token())
        .base_url(f"{url}/bot")
        .base_file_url(f"{url}/file/bot")
        .request(connections.for_calls(proxy, on_answer=on_answer))
        .get_updates_request(connections.for_updates(proxy))
        .rate_limiter(TelegramLimits(clock))
        .updater(None)  # it confirms updates before they are handled
        .build()
    )
    if not isinstance(built, RaisingApplication):
        raise TypeError("the builder made another application than was asked for")
    built.add_error_handler(_log_error)
    return built


async def introduce(
    application: RaisingApplication, config: Config, facts: Facts, *, take_over: bool = False
) -> None:
    """Ask Telegram who we are, and make it ready for us; a network that is down is waited out.

    Args:
        application: not yet initialised.
        config: the settings.
        facts: where it is kept which webhook is our own.
        take_over: whether somebody else's webhook may be replaced.

    Raises:
        ConfigurationError: Telegram does not know the token.
        TokenInUse: it has a webhook that somebody else has set.
    """

    async def ask() -> None:
        await application.initialize()
        bot, public_url = application.bot, config.web.public_url
        now = await admit(bot, facts=facts, public_url=public_url, take_over=take_over)
        if now and config.telegram.mode == "polling":
            # without dropping what waits: those are people's photos
            await bot.delete_webhook(drop_pending_updates=False)

    try:
        await through_outages(ask)
    except InvalidToken as exc:
        raise ConfigurationError(
            "telegram.token: Telegram does not know this token. "
            "Ask @BotFather for it again, and put it into telegram.token or its file."
        ) from exc


async def let_go(application: RaisingApplication) -> None:
    """Close its connections, however far it was introduced."""
    await application.shutdown()
    await application.bot.shutdown()


async def _log_error(update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
    del update  # its text is the person's own
    log.error("handler_failed", exc_info=context.error)
