"""The part of the composition that opens the doors: how updates come in, and who else may call."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from bot.arrivals import Arrivals
from bot.callbacks import Callbacks
from bot.certificates import Certificate
from bot.conditions import Reason
from bot.config import Config
from bot.inbox import RaisingApplication
from bot.intake import Intake
from bot.readings import Readings
from bot.supervisor import Loop
from bot.web import callback, health, metrics, presence, telegram
from bot.web.requests import create_app
from bot.web.serving import Web, listen
from bot.webhook import Webhook, WebhookWatch
from storage.clock import Clock
from storage.store import TaskStore


@dataclass(frozen=True, kw_only=True, slots=True)
class Doors:
    """The loops by which something comes in.

    Attributes:
        loops: by their names.
        intake: what fetches updates, with `telegram.mode = "polling"`.
        watch: what looks after the webhook, with `telegram.mode = "webhook"`.
    """

    loops: dict[str, Loop]
    intake: Intake | None = None
    watch: WebhookWatch | None = None


def open_doors(
    config: Config,
    stack: AsyncExitStack,
    *,
    store: TaskStore,
    application: RaisingApplication,
    clock: Clock,
    callbacks: Callbacks | None,
    add_secret: Callable[[str], None],
    reasons: Callable[[], tuple[Reason, ...]],
    readings: Readings,
    secret: str,
) -> Doors:
    """Take the addresses, and give the loops. `secret` is what `presence` proves to `hidream-bot check`.

    Raises:
        ConfigurationError: an address cannot be had.
    """
    bot = application.bot
    outside = [] if callbacks is None else [callback.route(callbacks)]
    loops: dict[str, Loop] = {}
    intake = watch = None
    if config.telegram.mode == "webhook" and config.web.public_url is not None:
        webhook = Webhook(
            bot=bot,
            facts=store,
            public_url=config.web.public_url,
            connections=config.telegram.webhook_connections,
            certificate=config.web.certificate if config.web.self_signed else None,
        )
        for one in webhook.secrets:
            add_secret(one)
        arrivals = Arrivals(store=store, bot_id=bot.id, clock=clock)
        outside.append(telegram.route(webhook, arrivals))
        watch = WebhookWatch(bot=bot, webhook=webhook, clock=clock)
        loops["webhook"] = watch.run
    else:
        intake = Intake(bot=bot, store=store, clock=clock)
        loops["intake"] = intake.run
    if outside:
        outside.append(presence.route(secret))
        web, tls = config.web, None
        if web.certificate is not None and web.key is not None:
            certificate = Certificate(web.certificate, web.key, clock)
            if watch is not None and web.self_signed:
                certificate.on_renewed = watch.certificate_renewed
            tls = certificate.tls
            loops["certificate"] = certificate.run
        listener = stack.enter_context(listen(web.listen, key="web.listen"))
        loops["web"] = Web(create_app(outside), listener, tls=tls).run
    if config.web.monitor is not None:
        stack.enter_context(readings.shown())
        within = [*health.routes(reasons), metrics.route(readings)]
        listener = stack.enter_context(listen(config.web.monitor, key="web.monitor"))
        loops["monitor"] = Web(create_app(within), listener).run
    return Doors(loops=loops, intake=intake, watch=watch)
