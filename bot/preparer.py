"""Makes photos ready before their turn: fetched from Telegram, and turned into what HiDream takes.

A photo that cannot be had moves its task out of the line: for good, with a reason to tell, or until
a later try. Nothing has been spent by then.
"""

import asyncio
import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from bot.delays import backoff
from bot.errors import ImageError
from bot.images import Images, Photo
from bot.messages import Chat, Fetched, FileOutcome, Later, Missing, TooLarge
from bot.pictures import nearest_ratio
from bot.worker import Busy
from storage.clock import Clock
from storage.store import StoreError, TaskStore
from storage.tasks import Failure, Task, Topic

log = structlog.get_logger(__name__)

GIVE_UP: Final = timedelta(days=2)
"""A task whose photo could not be fetched for so long is told so."""
MOST_BYTES: Final = 48 * 2**20
"""Of what is held ready; once it is reached nothing more is made ready but the head of the line."""
_AT_ONCE: Final = 2
"""So many photos are fetched and made ready at once: each may be 20 MB, and much more in pixels. The
head of the line, when it has just become that, may be one more."""
_LONGEST_PAUSE: Final = 30.0
"""Seconds; Telegram may ask for longer ones."""


class _Pause:
    """While Telegram gives out no files, whichever: none is asked for until a pause is over.

    A photo that waits for that is no try of its task. So an outage, or a 429, costs a call or two a
    pause, however long the line is.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until = float("-inf")
        self._failures = 0

    def left(self) -> float:
        """Give the seconds for which nothing is to be fetched; 0: go on."""
        return max(0.0, self._until - self._clock.monotonic())

    async def over(self) -> None:
        """Wait until files may be asked for."""
        while left := self.left():
            await self._clock.sleep(left)

    def failed(self, seconds: float) -> None:
        """Note a try that failed for now, with the pause that it asked for."""
        if not self.left():  # those under way at the same time say the same
            longer = backoff(self._failures, longest=_LONGEST_PAUSE)
            self._until = self._clock.monotonic() + longer
            self._failures += 1
        self._until = max(self._until, self._clock.monotonic() + seconds)

    def went_well(self) -> None:
        """Note that Telegram answered for a file."""
        self._failures = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """What is needed to submit a task."""

    images: tuple[str, ...]
    """The photos, each as Base64 of a JPEG."""
    ratio: str


class Preparer:
    """Holds what has been made ready, for the tasks at the front of the line alone."""

    def __init__(self, *, store: TaskStore, chat: Chat, images: Images, clock: Clock) -> None:
        self._store = store
        self._chat = chat
        self._images = images
        self._clock = clock
        self._pause = _Pause(clock)
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._tasks: dict[int, asyncio.Task[Prepared | None]] = {}

    def look_ahead(self, line: Sequence[Task]) -> None:
        """Make these ready, and let go of all others."""
        for task_id in self._tasks.keys() - {task.id for task in line}:
            self._tasks.pop(task_id).cancel()
        for place, task in enumerate(line):
            if task.id in self._tasks:
                continue
            # the head is made ready whatever is held: it is what all others wait for
            if place and not self._has_room():
                return
            preparing = asyncio.create_task(self._prepare(task), name=f"prepare {task.id}")
            preparing.add_done_callback(lambda _: self._store.wake(Topic.QUEUE))
            self._tasks[task.id] = preparing

    def _has_room(self) -> bool:
        """Say whether one more can be begun; the end of one that is under way wakes the queue."""
        under_way = sum(not one.done() for one in self._tasks.values())
        return under_way < _AT_ONCE and self._held() < MOST_BYTES

    def _held(self) -> int:
        """Give the bytes that are held ready."""
        done = (one for one in self._tasks.values() if one.done() and not one.cancelled())
        prepared = (one.result() for one in done if one.exception() is None)
        return sum(len(image) for one in prepared if one is not None for image in one.images)

    def is_done(self, task: Task) -> bool:
        """Say whether `result` can be asked for; when it becomes so, the queue is woken."""
        return task.id in self._tasks and self._tasks[task.id].done()

    def result(self, task: Task) -> Prepared | None:
        """Give what was made ready; None: the photo cannot be had, and the row says so already.

        Raises:
            StoreError: the row could not say so; the photo is looked at anew.
        """
        try:
            return self._tasks[task.id].result()
        except StoreError:
            self.let_go(task.id)
            raise

    def let_go(self, task_id: int) -> None:
        """Forget what was made ready for a task."""
        if preparing := self._tasks.pop(task_id, None):
            preparing.cancel()

    def close(self) -> None:
        """Forget everything."""
        for task_id in list(self._tasks):
            self.let_go(task_id)

    async def _prepare(self, task: Task) -> Prepared | None:
        """Fetch and convert the photos. None: it cannot be had, and the row says so already."""
        with structlog.contextvars.bound_contextvars(task=task.id):
            try:
                async with self._places:
                    return await self._photos(task)
            except ImageError as exc:
                await self._fail(task, Failure(id=exc.id, data=exc.data))
            except Busy as exc:
                await self._put_off(task, str(exc))
            except asyncio.CancelledError:
                raise
            except Exception:
                log.exception("photo_not_prepared")
                await self._put_off(task, "internal error")
            return None

    async def _photos(self, task: Task) -> Prepared | None:
        jpegs: list[Photo] = []
        for photo in task.photos:
            await self._pause.over()
            match await self._fetch(photo.file_id):
                case Fetched(content=content):
                    jpegs.append(await self._images.to_jpeg(content))
                    continue
                case TooLarge():
                    await self._fail(task, Failure(id="file-too-large"))
                case Missing(reason=reason):
                    log.info("photo_gone", why=reason)
                    await self._fail(task, Failure(id="photo-gone"))
                case Later(reason=reason):
                    await self._put_off(task, reason, at_least=self._pause.left())
            return None
        first = jpegs[0]
        return Prepared(
            images=tuple(base64.b64encode(jpeg.content).decode() for jpeg in jpegs),
            ratio=task.settings.ratio or nearest_ratio(first.width, first.height).value,
        )

    async def _fetch(self, file_id: str) -> FileOutcome:
        outcome = await self._chat.fetch(file_id)
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
        due_at = now + timedelta(seconds=max(backoff(task.tries), at_least))
        await self._store.put_off(task, due_at=due_at, reason=reason)

    async def _fail(self, task: Task, failure: Failure) -> None:
        await self._store.ready(task, now=self._clock.now(), failure=failure)
