"""Makes photos ready before their turn: fetched from Telegram, and turned into what HiDream takes.

A photo that cannot be had moves its task out of the line: for good, with a reason to tell, or until
a later try. Nothing has been spent by then.
"""

import asyncio
import base64
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, cast

import structlog

from bot.delays import backoff
from bot.errors import ImageError
from bot.file_pause import FilePause
from bot.images import Images, Photo
from bot.messages import Chat, Fetched, FileOutcome, Later, Missing, TooLarge
from bot.pictures import TELEGRAMS_LIMIT, AspectRatio, nearest_ratio, too_large
from bot.reports import ONE_OF_SEVERAL
from bot.worker import Busy
from storage.clock import Clock
from storage.store import StoreError, TaskStore
from storage.tasks import Failure, Task, Topic
from storage.tasks import Photo as SentPhoto

log = structlog.get_logger(__name__)

GIVE_UP: Final = timedelta(days=2)
"""A task whose photo could not be fetched for so long is told so."""
MOST_BYTES: Final = 48 * 2**20
"""Of what is held ready; once it is reached nothing more is made ready but the head of the line. The
photos of one task that are done wait for room for its others."""
_AT_ONCE: Final = 2
"""So many photos are fetched and made ready at once: each may be 20 MB, and much more in pixels. The
head of the line, when it has just become that, may be one more."""
FETCHING: Final = 600.0
"""Seconds for a photo to come: 20 MB in them are 35 kB a second. One that comes in drops, for which the
time-outs of its connection begin anew with each, would hold up all who are behind it for ever."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """What is needed to submit a task."""

    images: tuple[str, ...]
    """The photos, each as Base64 of a JPEG, or as the address where HiDream finds it."""
    ratio: str

    @property
    def size(self) -> int:
        """Give the bytes of its photos."""
        return sum(map(len, self.images))


@dataclass(kw_only=True, slots=True)
class _Making:
    """A task whose photos are made ready, or are ready."""

    made_for: tuple[object, ...]
    work: asyncio.Task[Prepared | None] | None = None
    held: int = 0
    """Bytes of its photos so far."""

    @property
    def done(self) -> bool:
        return self.work is not None and self.work.done()

    def stop(self) -> None:
        if self.work is not None:
            self.work.cancel()


def _made_for(task: Task) -> tuple[object, ...]:
    """Give what is made ready: while a task is in line, its caption may change, or its photos."""
    return (task.photos, task.settings.ratio)


class Preparer:
    """Holds what has been made ready, for the tasks at the front of the line alone."""

    def __init__(self, *, store: TaskStore, chat: Chat, images: Images, clock: Clock) -> None:
        self._store = store
        self._chat = chat
        self._images = images
        self._clock = clock
        self._pause = FilePause(clock)
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._large = asyncio.Semaphore(1)
        self._tasks: dict[int, _Making] = {}
        self._head: int | None = None
        self._waiting: list[asyncio.Event] = []

    def look_ahead(self, line: Sequence[Task]) -> None:
        """Make these ready, and let go of all others."""
        wanted = {task.id: _made_for(task) for task in line}
        for task_id, making in list(self._tasks.items()):
            if wanted.get(task_id) != making.made_for:
                self.let_go(task_id)
        self._head = line[0].id if line else None
        self._look_for_room()
        for place, task in enumerate(line):
            if task.id in self._tasks:
                continue
            # the head is made ready whatever is held: it is what all others wait for
            if place and not self._has_room():
                return
            making = _Making(made_for=wanted[task.id])
            making.work = asyncio.create_task(
                self._prepare(task, making), name=f"prepare {task.id}"
            )
            making.work.add_done_callback(lambda _: self._store.wake(Topic.QUEUE))
            self._tasks[task.id] = making

    def _has_room(self) -> bool:
        """Say whether one more can be begun; the end of one that is under way wakes the queue."""
        under_way = sum(not one.done for one in self._tasks.values())
        return under_way < _AT_ONCE and self.held < MOST_BYTES

    @property
    def held(self) -> int:
        """Give the bytes that are held ready, those of tasks with photos still to come among them."""
        return sum(one.held for one in self._tasks.values())

    def _look_for_room(self) -> None:
        """Let those go on that wait for room, if there is any, or if they have become the head."""
        for waiting in self._waiting:
            waiting.set()

    def is_done(self, task: Task) -> bool:
        """Say whether `result` can be asked for; when it becomes so, the queue is woken."""
        making = self._tasks.get(task.id)
        return making is not None and making.done and making.made_for == _made_for(task)

    def is_at_work(self, task_id: int) -> bool:
        """Say whether a task's photos are still being made ready."""
        making = self._tasks.get(task_id)
        return making is not None and not making.done

    def result(self, task: Task) -> Prepared | None:
        """Give what was made ready; None: the photo cannot be had, and the row says so already.

        Raises:
            StoreError: the row could not say so; the photo is looked at anew.
        """
        work = self._tasks[task.id].work
        if work is None:
            return None
        try:
            return work.result()
        except StoreError:
            self.let_go(task.id)
            raise

    def let_go(self, task_id: int) -> None:
        """Forget what was made ready for a task."""
        if making := self._tasks.pop(task_id, None):
            making.stop()
            self._look_for_room()

    def close(self) -> None:
        """Forget everything."""
        for task_id in list(self._tasks):
            self.let_go(task_id)

    async def _prepare(self, task: Task, making: _Making) -> Prepared | None:
        """Fetch and convert the photos. None: it cannot be had, and the row says so already."""
        with structlog.contextvars.bound_contextvars(task=task.id):
            try:
                prepared = await self._photos(task, making)
                if prepared is not None:
                    log.info("prepared", photos=len(prepared.images), bytes=prepared.size)
                return prepared
            except Busy as exc:
                await self._put_off(task, str(exc))
            except asyncio.CancelledError:
                raise
            except Exception:
                log.exception("photo_not_prepared")
                await self._put_off(task, "internal error")
            making.held = 0
            return None

    async def _photos(self, task: Task, making: _Making) -> Prepared | None:
        images: list[str] = []
        ratio: str | None = task.settings.ratio
        for n, photo in enumerate(task.photos, 1):
            if photo.url is not None:  # HiDream fetches it, so nobody knows its shape here
                images.append(photo.url)
                ratio = ratio or AspectRatio.R1_1.value
                continue
            await self._room_for(task, making)
            async with self._turn(photo), self._places:
                jpeg = await self._jpeg(task, n, photo)
            if jpeg is None:
                making.held = 0
                return None
            ratio = ratio or nearest_ratio(jpeg.width, jpeg.height).value
            images.append(base64.b64encode(jpeg.content).decode())
            making.held += len(images[-1])
        return Prepared(images=tuple(images), ratio=ratio or AspectRatio.R1_1.value)

    def _turn(self, photo: SentPhoto) -> AbstractAsyncContextManager[None]:
        """Let large files in one by one: only a Bot API server of one's own gives them, whole, into memory."""
        large = (photo.size or 0) > TELEGRAMS_LIMIT
        return self._large if large else nullcontext()

    async def _room_for(self, task: Task, making: _Making) -> None:
        """Wait until one more photo of a task may be held; its first one may be at once."""
        while making.held and task.id != self._head and self.held >= MOST_BYTES:
            room = asyncio.Event()
            self._waiting.append(room)
            try:
                await room.wait()
            finally:
                self._waiting.remove(room)

    async def _jpeg(self, task: Task, n: int, photo: SentPhoto) -> Photo | None:
        """Give one photo as a JPEG. None: it cannot be had, and the row says so already."""
        await self._pause.over()
        match await self._fetch(photo.file_id):
            case Fetched(content=content):
                try:
                    return await self._images.to_jpeg(content)
                except ImageError as exc:
                    await self._fail(task, _of_photo(task, n, Failure(id=exc.id, data=exc.data)))
            case TooLarge(max_bytes=most):
                say = too_large(most)
                failure = Failure(id=say.id, data=cast("Mapping[str, int]", say.data))
                await self._fail(task, _of_photo(task, n, failure))
            case Missing(reason=reason):
                log.info("photo_gone", why=reason)
                await self._fail(task, _of_photo(task, n, Failure(id="photo-gone")))
            case Later(reason=reason):
                await self._put_off(task, reason, at_least=self._pause.left())
        return None

    async def _fetch(self, file_id: str) -> FileOutcome:
        try:
            async with asyncio.timeout(FETCHING):
                outcome = await self._chat.fetch(file_id)
        except TimeoutError:
            # of this photo alone: no reason to ask for no other
            return Later(seconds=0.0, reason=f"it has not come within {FETCHING:g} s")
        if isinstance(outcome, Later):
            self._pause.failed(outcome.seconds)
        else:
            self._pause.went_well()
        return outcome

    async def _put_off(self, task: Task, reason: str, *, at_least: float = 0.0) -> None:
        now = self._clock.now()
        if now - task.created_at > GIVE_UP:
            await self._fail(task, Failure(id="photo-unreachable"))
            return
        seconds = max(backoff(task.tries), at_least)
        log.info("photo_put_off", why=reason, seconds=round(seconds, 1))
        due_at = now + timedelta(seconds=seconds)
        await self._store.put_off(task, due_at=due_at, reason=reason)

    async def _fail(self, task: Task, failure: Failure) -> None:
        log.info("not_submitted", why=failure.id)
        await self._store.ready(task, now=self._clock.now(), failure=failure)


def _of_photo(task: Task, n: int, failure: Failure) -> Failure:
    """Give the failure of a task for one of its photos, which it names where there are several."""
    if len(task.photos) == 1:
        return failure
    return Failure(id=ONE_OF_SEVERAL, data={**failure.data, "number": n, "why": failure.id})
