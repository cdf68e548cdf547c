"""The composition root: the only module that knows all others. Starts, supervises and stops the loops."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial

import structlog

from bot import menu
from bot.account import Account, Allowance, Minute, Trouble
from bot.albums import Albums
from bot.alerts import Alerts
from bot.application import application_of, introduce
from bot.callbacks import Callbacks
from bot.chat import TelegramChat
from bot.checkup import Checkup
from bot.config import Config
from bot.courier import Courier
from bot.dispatcher import Dispatcher
from bot.doors import open_doors
from bot.estimates import Estimates
from bot.fetcher import Fetcher
from bot.handlers import Desk, all_handlers
from bot.hidream.client import HiDreamClient, new_client
from bot.hidream.download import Downloader
from bot.hidream.wire import ApiVersion
from bot.housekeeping import Housekeeping
from bot.images import Images
from bot.inbox import Inbox, RaisingApplication
from bot.lookup import Lookup
from bot.pace import Durations
from bot.pictures import AspectRatio, PictureRequest
from bot.preparer import Preparer
from bot.progress import Progress
from bot.reach import Reach
from bot.readings import Readings
from bot.service import ServiceManager
from bot.slots import Slots
from bot.supervisor import Kept, Loop, supervise
from bot.token import TokenSource
from bot.watcher import Watcher
from storage.clock import Clock, SystemClock
from storage.files import PictureFiles
from storage.folders import room_in
from storage.sqlite import open_store
from storage.store import TaskStore
from storage.tasks import Task, Topic

log = structlog.get_logger(__name__)

_GRACE = timedelta(minutes=2)
"""So long after a start HiDream is asked before anything that ran can expire."""
_MEASURES = 1000
"""So many of the latest durations are read at the start."""


async def run(
    config: Config, add_secret: Callable[[str], None], *, take_over: bool = False
) -> None:
    """Run the bot until SIGTERM or SIGINT; with `take_over`, also where somebody else's webhook is set.

    Raises:
        ConfigurationError: Telegram does not know the token, or does not take our webhook.
        TokenInUse: somebody else receives the bot's updates.
        DatabaseRefused: the database cannot be used as it is.
        GivenUp: a loop kept failing.
    """
    stop = asyncio.Event()
    event_loop = asyncio.get_running_loop()
    service = ServiceManager()
    for number in (signal.SIGTERM, signal.SIGINT):
        event_loop.add_signal_handler(number, _stop, stop, event_loop, service)
    clock = SystemClock()
    kept: dict[str, Kept] = {}
    async with AsyncExitStack() as stack:
        stack.callback(service.close)
        path = config.storage.path
        store = await open_store(path, clock=clock)
        stack.push_async_callback(store.close)
        set_back = await store.rebase(clock.now(), grace=_GRACE)
        if set_back:
            log.warning("clock_was_set_back", seconds=set_back.total_seconds())
        files = PictureFiles(path.parent / f"{path.stem}-pictures")
        application = application_of(config, clock)
        service.waiting()
        introduced = introduce(application, config, store, take_over=take_over)
        if not await _until(stop, introduced):
            return
        stack.push_async_callback(application.shutdown)
        loops = await _loops(
            config,
            stack,
            store=store,
            files=files,
            application=application,
            clock=clock,
            add_secret=add_secret,
            kept=kept,
            service=service,
        )
        log.info(
            "started",
            bot=application.bot.username,
            parallel=config.hidream.parallel_requests,
            images_per_minute=config.hidream.images_per_minute,
        )
        if config.access.everyone:
            log.warning("everyone_may_use_this_bot", mend="set access.allowed_users")
        await supervise(
            loops,
            wake=store.wake,
            stop=stop,
            clock=clock,
            stop_seconds=config.run.stop_seconds,
            # what the intake has not kept, Telegram still has; the others have another start
            at_once=("intake", "webhook", "certificate", "menu"),
            kept=kept,
        )
    log.info("stopped")


def _stop(
    stop: asyncio.Event, event_loop: asyncio.AbstractEventLoop, service: ServiceManager
) -> None:
    """Begin to stop; whoever presses Ctrl-C a second time does not want to wait."""
    stop.set()
    service.stopping()
    event_loop.remove_signal_handler(signal.SIGINT)


async def _until(stop: asyncio.Event, work: Awaitable[None]) -> bool:
    """Do something, unless the stop comes first; returns whether it was done."""
    doing = asyncio.ensure_future(work)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if doing.done():
        await doing
        return True
    doing.cancel()
    return False


# --- building -------------------------------------------------------------------------------------


async def _loops(
    config: Config,
    stack: AsyncExitStack,
    *,
    store: TaskStore,
    files: PictureFiles,
    application: RaisingApplication,
    clock: Clock,
    add_secret: Callable[[str], None],
    kept: dict[str, Kept],
    service: ServiceManager,
) -> dict[str, Loop]:
    http = await stack.enter_async_context(new_client())
    downloader = Downloader(allow_local=config.hidream.allow_local_results)
    stack.push_async_callback(downloader.aclose)
    images = Images(max_megapixels=config.telegram.max_megapixels)
    stack.callback(images.close)
    alerts: Alerts

    def take(token: str) -> None:
        add_secret(token)
        alerts.new_token(token)

    token = TokenSource(config.hidream, on_new=take)
    hidream = HiDreamClient(
        http,
        base_url=config.hidream.base_url,
        version=ApiVersion(config.hidream.api_version),
        token=token,
    )
    chat = TelegramChat(application.bot)
    alerts = Alerts(store=store, chat=chat, admins=config.access.admins, clock=clock)
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
    configured = config.hidream.parallel_requests

    def follow(found: int) -> None:
        if found < configured:
            log.warning("fewer_slots_than_configured", found=found, configured=configured)
        alerts.slots(found, configured)
        store.wake(Topic.QUEUE)

    slots = Slots(configured, clock, on_change=follow)
    allowance = Allowance(deadline=timedelta(seconds=config.hidream.task_deadline_seconds))
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
    ratio = config.defaults.ratio
    days = config.storage.retention_days
    retention = timedelta(days=days) if days else None
    desk = Desk(
        store=store,
        chat=chat,
        access=config.access,
        defaults=PictureRequest(
            prompt="",
            negative=config.defaults.negative,
            ratio=None if ratio == "auto" else AspectRatio(ratio),
            count=config.defaults.count,
        ),
        clock=clock,
        bot_id=application.bot.id,
        username=application.bot.username,
        check_link=Reach(allow_local=config.hidream.allow_local_results).check,
        files=files,
        keep_originals=timedelta(days=config.storage.keep_originals_days),
        retention=retention,
        slots=configured,
    )
    handlers = all_handlers(desk)
    application.add_handlers(list(handlers.for_updates))

    async def standing(task: Task) -> str:
        return (await desk.defaults_for(task.user_id, task.place.chat_id)).request.negative

    minute = Minute(config.hidream.images_per_minute, clock)
    preparer = Preparer(store=store, chat=chat, images=images, clock=clock)
    courier = Courier(store=store, chat=chat, files=files, clock=clock, standing=standing)
    checkup = Checkup(
        store=store,
        account=account,
        slots=slots,
        minute=minute,
        clock=clock,
        free=room_in(config.storage.path.parent),
        kept=kept,
        service=service,
        closed=courier.closed,
        preparing=preparer.is_at_work,
        on_change=alerts.unwell,
    )
    readings = Readings(
        store=store,
        account=account,
        slots=slots,
        minute=minute,
        path=config.storage.path,
        files=files,
        mode=config.telegram.mode,
        clock=clock,
        reasons=checkup.reasons,
        closed=courier.closed,
    )
    loops: dict[str, Loop] = {
        "inbox": Inbox(application=application, store=store, chat=chat, clock=clock).run,
        "albums": Albums(store=store, take=handlers.close_album, chat=chat, clock=clock).run,
        "dispatcher": Dispatcher(
            store=store,
            preparer=preparer,
            hidream=hidream,
            account=account,
            slots=slots,
            minute=minute,
            allowance=allowance,
            clock=clock,
            callbacks=callbacks,
        ).run,
        "watcher": watcher.run,
        "progress": Progress(
            store=store,
            chat=chat,
            account=account,
            estimates=Estimates(
                durations, slots=slots, images_per_minute=config.hidream.images_per_minute
            ),
            clock=clock,
        ).run,
        "courier": courier.run,
        "housekeeping": Housekeeping(
            store=store,
            files=files,
            keep_files=timedelta(days=config.storage.keep_originals_days),
            retention=retention,
            clock=clock,
        ).run,
        "alerts": alerts.run,
        "menu": partial(menu.run, bot=application.bot, facts=store, admins=config.access.admins),
    }
    doors = open_doors(
        config,
        stack,
        store=store,
        application=application,
        clock=clock,
        callbacks=callbacks,
        add_secret=add_secret,
        reasons=checkup.reasons,
        readings=readings,
    )
    checkup.ask(polls=doors.intake, webhook=doors.watch)
    # the checkup last: at its first turn all others run
    loops["checkup"] = checkup.run
    return doors.loops | loops
