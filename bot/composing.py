"""The composition: the only module, with app.py and doors.py, that knows all others. Everything is built here."""

from collections.abc import Callable
from contextlib import AsyncExitStack, closing
from functools import partial

import structlog

from bot import menu
from bot.account import Account, Allowance, Minute, Trouble
from bot.albums import Albums
from bot.alerts import Alerts
from bot.callbacks import Callbacks
from bot.chat import TelegramChat
from bot.checkup import Checkup
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
from bot.live import Live
from bot.lookup import Lookup
from bot.pace import Durations
from bot.preparer import Preparer
from bot.progress import Progress
from bot.reach import Reach, look_up
from bot.readings import Readings
from bot.rereading import Rereading
from bot.sent_files import SentFiles
from bot.service import ServiceManager
from bot.slots import Slots
from bot.supervisor import Kept, Loop
from bot.token import TokenSource
from bot.watcher import Watcher
from bot.web.presence import kept_secret
from storage.clock import Clock
from storage.files import PictureFiles
from storage.folders import room_in
from storage.store import TaskStore
from storage.tasks import Topic

log = structlog.get_logger(__name__)

_MEASURES = 1000
"""So many of the latest durations are read at the start."""


async def compose(
    live: Live,
    stack: AsyncExitStack,
    *,
    store: TaskStore,
    files: PictureFiles,
    application: RaisingApplication,
    clock: Clock,
    add_secret: Callable[[str], None],
    kept: dict[str, Kept],
    service: ServiceManager,
    rereading: Rereading,
) -> dict[str, Loop]:
    """Build everything, and give the loops by their names; the stack takes what is to be closed.

    Raises:
        ConfigurationError: an address cannot be had.
    """
    config = live.now  # for what does not change
    downloader = Downloader(
        allow_local=config.hidream.allow_local_results, proxy=config.hidream.proxy_url
    )
    stack.push_async_callback(downloader.aclose)
    images = stack.enter_context(closing(Images(max_megapixels=config.telegram.max_megapixels)))
    alerts: Alerts

    def take(token: str) -> None:
        add_secret(token)
        alerts.new_token(token)

    token = TokenSource(lambda: live.now.hidream, on_new=take)
    hidream = HiDreamClient(
        await stack.enter_async_context(new_client(proxy=config.hidream.proxy_url)),
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
    tell = _teller()

    def heed(trouble: Trouble | None) -> None:
        tell(trouble)
        alerts.trouble(trouble)
        store.wake(Topic.QUEUE)
        store.wake(Topic.PROGRESS)

    account = Account(clock, new_token=token.changed, on_change=heed)

    def follow(found: int) -> None:
        if found < live.parallel():
            log.warning("fewer_slots_than_configured", found=found, configured=live.parallel())
        alerts.slots(found, live.parallel())
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

    minute = Minute(live.images_per_minute, clock)
    preparer = Preparer(store=store, chat=chat, images=images, clock=clock)
    courier = Courier(store=store, chat=chat, files=files, clock=clock, standing=desk.standing)
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
            estimates=Estimates(durations, slots=slots, images_per_minute=live.images_per_minute),
            clock=clock,
        ).run,
        "courier": courier.run,
        "housekeeping": Housekeeping(
            store=store,
            files=files,
            keep_files=lambda: live.house().keep_originals,
            retention=lambda: live.house().retention,
            clock=clock,
        ).run,
        "alerts": alerts.run,
        "settings": rereading.run,
        "menu": partial(menu.run, bot=application.bot, facts=store, admins=config.access.admins),
    }
    rereading.then = (
        token,
        account.look_again,
        watcher.look_again,
        lambda: follow(slots.found),
        store.wake,
    )
    doors = open_doors(
        config,
        stack,
        store=store,
        application=application,
        clock=clock,
        callbacks=callbacks,
        add_secret=add_secret,
        reasons=checkup.reasons,
        secret=await kept_secret(store),
        readings=readings,
    )
    checkup.ask(polls=doors.intake, webhook=doors.watch)
    # the checkup last: at its first turn all others run
    loops["checkup"] = checkup.run
    return doors.loops | loops


def _teller() -> Callable[[Trouble | None], None]:
    """Give what tells the log of a pause, and of its end."""
    paused = False

    def tell(trouble: Trouble | None) -> None:
        nonlocal paused
        if trouble is not None:
            log.error("submitting_paused", trouble=trouble.value)
        elif (
            paused
        ):  # the first success since the start is none: it may only end what admins were told
            log.info("submitting_goes_on")
        paused = trouble is not None

    return tell
