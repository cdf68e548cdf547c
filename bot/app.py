"""The process: starts, supervises and stops what `composing` builds, and begins anew with another token."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial

import structlog

from bot.application import application_of, introduce, let_go
from bot.composing import compose
from bot.config import Config
from bot.hangups import HANGUPS
from bot.inbox import RaisingApplication
from bot.live import Live
from bot.rereading import SWAP_SECONDS, Rereading
from bot.service import ServiceManager
from bot.stopping import Stop, done_before
from bot.supervisor import Kept, Loop, supervise
from storage.clock import Clock, SystemClock
from storage.files import PictureFiles, pictures_beside
from storage.sqlite import open_store
from storage.store import TaskStore

log = structlog.get_logger(__name__)

_GRACE = timedelta(minutes=2)
"""So long after a start HiDream is asked before anything that ran can expire."""


async def run(
    config: Config,
    add_secret: Callable[[str], None],
    reread: Callable[[], Config],
    *,
    take_over: bool = False,
) -> None:
    """Run the bot until SIGTERM or SIGINT; at SIGHUP, `reread` gives the settings anew.

    With `take_over`, also where somebody else's webhook is set.

    Raises:
        ConfigurationError: Telegram does not know the token, or does not take our webhook.
        TokenInUse: somebody else receives the bot's updates.
        DatabaseRefused: the database cannot be used as it is.
        GivenUp: a loop kept failing.
    """
    service = ServiceManager()
    stop = Stop.at_signals(service.stopping)
    HANGUPS.attend()
    clock = SystemClock()
    live = Live(config)
    async with AsyncExitStack() as stack:
        stack.callback(service.close)
        path = config.storage.path
        store = await open_store(path, clock=clock)
        stack.push_async_callback(store.close)
        set_back = await store.rebase(clock.now(), grace=_GRACE)
        if set_back:
            log.warning("clock_was_set_back", seconds=set_back.total_seconds())
        files = PictureFiles(pictures_beside(path))
        first = application_of(config, clock)
        service.waiting()
        introduced = introduce(first, config, store, take_over=take_over)
        if not await done_before(introduced, stop.wait()):
            await let_go(first)
            return
        begin = partial(
            compose,
            live,
            store=store,
            files=files,
            clock=clock,
            add_secret=add_secret,
            service=service,
        )
        application: RaisingApplication | None = first
        while application is not None:
            rereading = Rereading(
                live,
                reread,
                build=partial(application_of, clock=clock),
                facts=store,
                add_secret=add_secret,
                service=service,
            )
            application = await _until_the_end(
                application, live, stop, begin=begin, rereading=rereading, store=store, clock=clock
            )
    log.info("stopped")


async def _until_the_end(
    application: RaisingApplication,
    live: Live,
    stop: Stop,
    *,
    begin: Callable[..., Awaitable[dict[str, Loop]]],
    rereading: Rereading,
    store: TaskStore,
    clock: Clock,
) -> RaisingApplication | None:
    """Run the loops; returns with what they are to begin anew, or None at the end."""
    kept: dict[str, Kept] = {}
    async with AsyncExitStack() as stack:
        stack.push_async_callback(let_go, application)
        loops = await begin(stack, application=application, rereading=rereading, kept=kept)
        log.info(
            "started",
            bot=application.bot.username,
            parallel=live.parallel(),
            images_per_minute=live.images_per_minute(),
        )
        live.say_who_may()
        await supervise(
            loops,
            wake=store.wake,
            stop=stop,
            clock=clock,
            stop_seconds=lambda: live.stop_seconds() if stop.told else SWAP_SECONDS,
            # what the intake has not kept, Telegram still has; the others have another start
            at_once=("intake", "webhook", "certificate", "menu", "settings"),
            kept=kept,
        )
    if not stop.told:
        stop.clear()
        return rereading.next
    if rereading.next is not None:
        await let_go(rereading.next)
    return None
