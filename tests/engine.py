"""The loops in one process, in a loop in which time passes at once: store, HiDream's client, clock.

HiDream is a function that answers requests, behind the real client; Telegram is a chat with memory.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import httpx

from bot.account import Account, Allowance, Minute
from bot.callbacks import Callbacks
from bot.checkup import Checkup
from bot.courier import Courier
from bot.dispatcher import Dispatcher
from bot.fetcher import Fetcher
from bot.health import Polls, WatchesWebhook
from bot.hidream.client import HiDreamClient
from bot.hidream.decoding import DownloadedImage
from bot.hidream.download import Downloader
from bot.hidream.wire import ApiVersion
from bot.images import Images, Photo
from bot.lookup import Lookup
from bot.messages import Chat, Fetched, FileOutcome, Outcome, Picture, Sent, Target
from bot.pace import Durations
from bot.preparer import Preparer
from bot.service import ServiceManager
from bot.slots import Slots
from bot.supervisor import Kept, Loop, supervise
from bot.texts import Say
from bot.watcher import Watcher
from storage.clock import Clock
from storage.files import PictureFiles
from storage.memory import MemoryStore
from storage.tasks import NewTask, Origin, Place, Settings, Task, TaskState
from storage.tasks import Photo as SentPhoto
from tests.time_machine import LoopClock, at_once

JSON = dict[str, Any]
Test = Callable[[Path], Coroutine[Any, Any, None]]
Answer = httpx.Response


class Room:
    """A Telegram in which everything arrives."""

    def __init__(self) -> None:
        self.said: list[tuple[int, str]] = []
        self.pictures: list[int] = []
        self.captions: list[str] = []

    async def fetch(self, file_id: str) -> FileOutcome:
        """Give a file."""
        return Fetched(content=file_id.encode())

    async def say(self, target: Target, *lines: Say, **_: Any) -> Outcome:
        """Take a text."""
        self.said.append((target.chat_id, lines[0].id))
        return Sent(message_ids=(1000 + len(self.said),))

    async def send_pictures(
        self, target: Target, pictures: Sequence[Picture], *lines: Say, **_: Any
    ) -> Outcome:
        """Take pictures."""
        self.pictures.append(target.chat_id)
        self.captions.append(lines[0].id)
        ids = tuple(f"file{n}" for n in range(len(pictures)))
        return Sent(message_ids=tuple(range(1, len(pictures) + 1)), file_ids=ids)

    async def delete(self, chat_id: int, message_id: int) -> Outcome:
        """Delete."""
        return Sent()


class Ready(Images):
    """Photos that need no work, and so no thread, for which time would not wait."""

    async def to_jpeg(self, content: bytes) -> Photo:
        """Give it as it is."""
        return Photo(content=content, width=4, height=3)


class Shelf(PictureFiles):
    """Picture files without a thread."""

    async def put(self, task_id: int, n: int, content: bytes) -> None:
        """Keep."""
        self._folder(task_id).mkdir(exist_ok=True)
        self._file(task_id, n).write_bytes(content)


class Storage(Downloader):
    """HiDream's storage; `fails` is what its next answers raise."""

    def __init__(self, fails: Callable[[str], Exception | None] = lambda _: None) -> None:
        super().__init__()
        self._fails = fails

    async def image(self, url: str) -> DownloadedImage:
        """Give an image, or fail."""
        if (error := self._fails(url)) is not None:
            raise error
        return DownloadedImage(content=b"picture", media_type="image/jpeg", width=4, height=3)


@dataclass
class HiDream:
    """What HiDream answers; each part can be replaced by a test."""

    submit: Callable[[JSON], Answer]
    results: Callable[[str], Answer] = field(default_factory=lambda: done)
    lookup: Callable[[str], Answer] = field(default=lambda _: refusal(2004, "任务不存在"))
    submitted: list[JSON] = field(default_factory=list)
    seconds: float = 0.0
    """How long each answer takes."""
    sending: int = 0
    most: int = 0
    """Bytes of requests without an answer: now, and at most."""

    def __call__(self, request: httpx.Request) -> Answer:
        """Answer a request of the real client."""
        if request.method == "POST" and request.url.path.endswith("/async"):
            body: JSON = json.loads(request.content)
            self.submitted.append(body)
            return self.submit(body)
        if request.url.path.endswith("/batch"):
            return Answer(404)
        if task_id := request.url.params.get("task_id"):
            return self.results(task_id)
        return self.lookup(request.url.params["request_id"])


def accepted(body: JSON) -> Answer:
    """Take a submission; its ids follow the request's."""
    task_id = f"task-{body['request_id']}"
    ids = [f"{task_id}-{n}" for n in range(body["img_count"])]
    return success({"task_id": task_id, "sub_task_ids": ids}, body["request_id"])


def done(task_id: str, *statuses: int, ids: Sequence[str] | None = None) -> Answer:
    """Say that a task has ended so (by default: one image, made)."""
    subs = [
        {
            "sub_task_id": ids[n] if ids else f"{task_id}-{n}",
            "task_status": status,
            "task_completion": 1.0,
            "image": f"https://x/{n}" if status == 1 else "",
        }
        for n, status in enumerate(statuses or (1,))
    ]
    return success({"task_id": task_id, "sub_task_results": subs})


def success(result: JSON, request_id: str = "") -> Answer:
    """Answer as the gateway does when all is well."""
    return Answer(
        200, json={"code": 0, "message": "ok", "request_id": request_id, "result": result}
    )


def refusal(code: int, message: str) -> Answer:
    """Refuse as the gateway does."""
    return Answer(200, json={"code": code, "message": message, "result": None})


class Line(httpx.AsyncBaseTransport):
    """The way to HiDream: it tells, as a real one does, that a request was sent to its end."""

    def __init__(self, hidream: HiDream) -> None:
        self._hidream = hidream

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Bring a request there, and its answer back."""
        if (trace := request.extensions.get("trace")) is not None:
            await trace("http11.send_request_body.complete", {"return_value": None})
        hidream = self._hidream
        hidream.sending += len(request.content)
        hidream.most = max(hidream.most, hidream.sending)
        await asyncio.sleep(hidream.seconds)
        hidream.sending -= len(request.content)
        return hidream(request)


@dataclass
class Engine:
    """The loops, and what they work on."""

    store: MemoryStore
    clock: Clock
    room: Room
    hidream: HiDream
    slots: Slots
    callbacks: Callbacks
    durations: Durations
    kept: dict[str, Kept]
    checkup: Checkup
    free: list[int | OSError]
    """How many bytes the disk has left: the last one."""
    told: list[tuple[str, ...]]
    """What the admins were to hear of."""
    _update: int = 0

    async def photo(self, prompt: str, *, user: int = 1, count: int = 1) -> Task:
        """Queue a task."""
        self._update += 1
        return await self.store.add(
            NewTask(
                origin=Origin(bot_id=1, update_id=self._update),
                user_id=user,
                place=Place(chat_id=user, chat_type="private", message_id=self._update),
                photos=(SentPhoto(file_id="f", file_unique_id="u"),),
                settings=Settings(prompt=prompt, count=count),
            ),
            now=self.clock.now(),
            max_unfinished=None,
        )

    async def row(self, task: Task) -> Task:
        """Read a task's row."""
        row = await self.store.get(task.id)
        assert row is not None
        return row

    async def reaches(self, task: Task, *states: TaskState, within: float) -> Task:
        """Wait until a task is in one of these states; `within` is in the loop's seconds."""
        end = self.clock.monotonic() + within
        while (row := await self.row(task)).state not in states:
            assert self.clock.monotonic() < end, f"still {row.state}"
            await asyncio.sleep(0.1)
        return row


def in_no_time(test: Test) -> Callable[[Path], None]:
    """Let a test run in a loop in which time passes at once."""

    def run(tmp_path: Path) -> None:
        at_once(test(tmp_path))

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


@asynccontextmanager
async def engine(
    path: Path,
    hidream: HiDream,
    *,
    store: MemoryStore | None = None,
    room: Room | None = None,
    storage: Downloader | None = None,
    parallel: int = 3,
    deadline: float = 600,
    new_token: Callable[[], bool] = lambda: False,
    clock: Clock | None = None,
    called_back: bool = False,
    looked_after: bool = False,
    more: Mapping[str, Loop] | None = None,
    polls: Polls | None = None,
    webhook: WatchesWebhook | None = None,
) -> AsyncIterator[Engine]:
    """Run dispatcher, watcher and courier, supervised, and `more`; stop them at the end."""
    clock = clock or LoopClock()
    store = store or MemoryStore(clock)
    room, files, stop = room or Room(), Shelf(path), asyncio.Event()
    account = Account(clock, new_token=new_token)
    allowance = Allowance(deadline=lambda: timedelta(seconds=deadline))
    slots, durations, minute = (
        Slots(lambda: parallel, clock),
        Durations(),
        Minute(lambda: 100, clock),
    )
    kept: dict[str, Kept] = {}
    service = ServiceManager()
    free: list[int | OSError] = [2**40]
    told: list[tuple[str, ...]] = []

    async def room_left() -> int:
        if isinstance(free[-1], OSError):
            raise free[-1]
        return free[-1]

    images = Ready(max_megapixels=1)
    chat = cast(Chat, room)
    preparer = Preparer(store=store, chat=chat, images=images, clock=clock)
    courier = Courier(store=store, chat=chat, files=files, clock=clock)
    checkup = Checkup(
        store=store,
        account=account,
        slots=slots,
        minute=minute,
        clock=clock,
        free=room_left,
        kept=kept,
        service=service,
        closed=courier.closed,
        preparing=preparer.is_at_work,
        on_change=told.append,
    )
    checkup.ask(polls=polls, webhook=webhook)
    http = httpx.AsyncClient(transport=Line(hidream))
    client = HiDreamClient(
        http, base_url="https://hidream.test", version=ApiVersion.V2, token=lambda: "token"
    )
    watcher = Watcher(
        store=store,
        hidream=client,
        fetcher=Fetcher(store=store, files=files, downloader=storage or Storage(), clock=clock),
        account=account,
        lookup=Lookup(
            store=store,
            hidream=client,
            allowance=allowance,
            durations=durations,
            callbacks=called_back,
            clock=clock,
        ),
        durations=durations,
        clock=clock,
    )
    callbacks = Callbacks(
        store=store, clock=clock, public_url="https://bot.test", on_call=watcher.called_back
    )
    loops: dict[str, Loop] = {
        "dispatcher": Dispatcher(
            store=store,
            preparer=preparer,
            hidream=client,
            account=account,
            slots=slots,
            minute=minute,
            allowance=allowance,
            clock=clock,
            callbacks=callbacks if called_back else None,
        ).run,
        "watcher": watcher.run,
        "courier": courier.run,
        **(more or {}),
    }
    if looked_after:
        loops["checkup"] = checkup.run
    running = asyncio.create_task(
        supervise(loops, wake=store.wake, stop=stop, clock=clock, stop_seconds=lambda: 4, kept=kept)
    )
    try:
        yield Engine(
            store=store,
            clock=clock,
            room=room,
            hidream=hidream,
            slots=slots,
            callbacks=callbacks,
            durations=durations,
            kept=kept,
            checkup=checkup,
            free=free,
            told=told,
        )
    finally:
        stop.set()
        store.wake()
        await running
        await http.aclose()
        service.close()
        images.close()
