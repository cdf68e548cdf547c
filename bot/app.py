"""The composition root: the only module that knows all others. Starts, supervises and stops the loops."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial

import structlog

from bot import menu
from bot.account import Account, Allowance, Minute, Trouble
from bot.albums import Albums
from bot.alerts import Alerts
from bot.application import application_of, introduce, let_go
from bot.callbacks import Callbacks
from bot.chat import TelegramChat
from bot.config import Config
from bot.courier import Courier
from bot.dispatcher import Dispatcher
from bot.estimates import Estimates
from bot.fetcher import Fetcher
from bot.handlers import Desk, all_handlers
from bot.hangups import HANGUPS
from bot.hidream.client import HiDreamClient, new_client
from bot.hidream.download import Downloader
from bot.hidream.wire import ApiVersion
from bot.housekeeping import Housekeeping
from bot.images import Images
from bot.inbox import Inbox, RaisingApplication
from bot.intake import Intake
from bot.live import Live
from bot.lookup import Lookup
from bot.pace import Durations
from bot.preparer import Preparer
from bot.progress import Progress
from bot.reach import Reach, look_up
from bot.rereading import SWAP_SECONDS, Rereading
from bot.sent_files import SentFiles
from bot.slots import Slots
from bot.stopping import Stop, done_before
from bot.supervisor import Loop, supervise
from bot.token import TokenSource
from bot.watcher import Watcher
from bot.web import callback, health
from bot.web.requests import Routes, create_app
from bot.web.serving import Web, listen
from storage.clock import Clock, SystemClock
from storage.files import PictureFiles
from storage.sqlite import open_store
from storage.store import TaskStore
from storage.tasks import Task, Topic

log = structlog.get_logger(__name__)

_GRACE = timedelta(minutes=2)
"""So long after a start HiDream is asked before anything that ran can expire."""
_MEASURES = 1000
"""So many of the latest durations are read at the start."""


async def run(
    config: Config, add_secret: Callable[[str], None], reread: Callable[[], Config]
) -> None:
    """Run the bot until SIGTERM or SIGINT; at SIGHUP, `reread` gives the settings anew.

    Raises:
        ConfigurationError: Telegram does not know the token.
        DatabaseRefused: the database cannot be used as it is.
        GivenUp: a loop kept failing.
    """
    stop = Stop.at_signals()
    HANGUPS.attend()
    clock = SystemClock()
    live = Live(config)
    async with AsyncExitStack() as stack:
        path = config.storage.path
        store = await open_store(path, clock=clock)
        stack.push_async_callback(store.close)
        set_back = await store.rebase(clock.now(), grace=_GRACE)
        if set_back:
            log.warning("clock_was_set_back", seconds=set_back.total_seconds())
        files = PictureFiles(path.parent / f"{path.stem}-pictures")
        first = application_of(config, clock)
        if not await done_before(introduce(first), stop.wait()):
            await let_go(first)
            return
        begin = partial(_loops, live, store=store, files=files, clock=clock, add_secret=add_secret)
        application: RaisingApplication | None = first
        while application is not None:
            rereading = Rereading(
                live, reread, build=partial(application_of, clock=clock), add_secret=add_secret
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
    async with AsyncExitStack() as stack:
        stack.push_async_callback(let_go, application)
        loops = await begin(stack, application=application, rereading=rereading)
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
            # what the intake has not kept, Telegram still has; the menu has another start
            at_once=("intake", "menu", "settings"),
        )
    if not stop.told:
        stop.clear()
        return rereading.next
    if rereading.next is not None:
        await let_go(rereading.next)
    return None


# --- building -------------------------------------------------------------------------------------


async def _loops(
    live: Live,
    stack: AsyncExitStack,
    *,
    store: TaskStore,
    files: PictureFiles,
    application: RaisingApplication,
    clock: Clock,
    add_secret: Callable[[str], None],
    rereading: Rereading,
) -> dict[str, Loop]:
    config = live.now  # for what does not change
    http = await stack.enter_async_context(new_client(proxy=config.hidream.proxy_url))
    downloader = Downloader(
        allow_local=config.hidream.allow_local_results, proxy=config.hidream.proxy_url
    )
    stack.push_async_callback(downloader.aclose)
    images = Images(max_megapixels=config.telegram.max_megapixels)
    stack.callback(images.close)
    alerts: Alerts

    def take(token: str) -> None:
        add_secret(token)
        alerts.new_token(token)

    token = TokenSource(lambda: live.now.hidream, on_new=take)
    hidream = HiDreamClient(
        http,
        base_url=config.hidream.base_url,
        version=ApiVersion(config.hidream.api_version),
        token=token,
    )
    chat = TelegramChat(
        application.bot,
        SentFiles(folder=config.telegram.files_on_disk, max_bytes=config.telegram.max_file_bytes),
    )
    alerts = Alerts(store=store, chat=chat, admins=live.admins, clock=clock)
    alerts.new_token(token())

    def heed(trouble: Trouble | None) -> None:
        if trouble is None:
            log.info("submitting")
        else:
            log.error("submitting_paused", trouble=trouble.value)
        alerts.trouble(trouble)
        store.wake(Topic.QUEUE)
        store.wake(Topic.PROGRESS)

    account = Account(clock, new_token=token.changed, on_change=heed)

    def follow(found: int) -> None:
        configured = live.parallel()
        if found < configured:
            log.warning("fewer_slots_than_configured", found=found, configured=configured)
        alerts.slots(found, configured)
        store.wake(Topic.QUEUE)

    slots = Slots(live.parallel, clock, on_change=follow)
    allowance = Allowance(deadline=live.deadline)
    durations = Durations(await store.durations(_MEASURES))
    public_url = config.web.public_url
    watcher = Watcher(
        store=store,
        hidream=hidream,
        fetcher=Fetcher(store=store, files=files, downloader=downloader, clock=clock),
        account=account,
        lookup=Lookup(
            store=store,
            hidream=hidream,
            allowance=allowance,
            durations=durations,
            callbacks=public_url is not None,
            clock=clock,
        ),
        durations=durations,
        clock=clock,
    )
    callbacks = None
    if public_url is not None:
        callbacks = Callbacks(
            store=store, clock=clock, public_url=public_url, on_call=watcher.called_back
        )
        await callbacks.recall()
    desk = Desk(
        store=store,
        chat=chat,
        house=live.house,
        clock=clock,
        bot_id=application.bot.id,
        username=application.bot.username,
        check_link=Reach(
            allow_local=config.hidream.allow_local_results,
            # behind a proxy, names may mean nothing here
            resolve=look_up if config.hidream.proxy is None else None,
        ).check,
        files=files,
    )
    handlers = all_handlers(desk)
    application.add_handlers(list(handlers.for_updates))

    async def standing(task: Task) -> str:
        return (await desk.defaults_for(task.user_id, task.place.chat_id)).request.negative

    rereading.then = (
        token,
        account.look_again,
        watcher.look_again,
        lambda: follow(slots.known),
        store.wake,
    )
    loops: dict[str, Loop] = {
        "intake": Intake(bot=application.bot, store=store, clock=clock).run,
        "inbox": Inbox(application=application, store=store, chat=chat, clock=clock).run,
        "albums": Albums(store=store, take=handlers.close_album, chat=chat, clock=clock).run,
        "dispatcher": Dispatcher(
            store=store,
            preparer=Preparer(store=store, chat=chat, images=images, clock=clock),
            hidream=hidream,
            account=account,
            slots=slots,
            minute=Minute(live.images_per_minute, clock),
            allowance=allowance,
            clock=clock,
            callbacks=callbacks,
        ).run,
        "watcher": watcher.run,
        "progress": Progress(
            store=store,
            chat=chat,
            account=account,
            estimates=Estimates(durations, slots=slots, images_per_minute=live.images_per_minute),
            clock=clock,
        ).run,
        "courier": Courier(store=store, chat=chat, files=files, clock=clock, standing=standing).run,
        "housekeeping": Housekeeping(
            store=store,
            files=files,
            keep_files=lambda: live.house().keep_originals,
            retention=lambda: live.house().retention,
            clock=clock,
        ).run,
        "alerts": alerts.run,
        "settings": rereading.run,
        "menu": partial(menu.run, bot=application.bot, facts=store),
    }
    return loops | _doors(config, stack, callbacks)


def _doors(config: Config, stack: AsyncExitStack, callbacks: Callbacks | None) -> dict[str, Loop]:
    """Give the loops that serve: to the internet, and to whoever looks after the bot."""
    doors: dict[str, tuple[str, Routes]] = {}
    if callbacks is not None:
        doors["web"] = (config.web.listen, [callback.route(callbacks)])
    if config.web.monitor is not None:
        doors["monitor"] = (config.web.monitor, health.routes())
    keys = {"web": "web.listen", "monitor": "web.monitor"}
    return {
        name: Web(create_app(routes), stack.enter_context(listen(address, key=keys[name]))).run
        for name, (address, routes) in doors.items()
    }
