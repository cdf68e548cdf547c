"""Brings finished images from HiDream to disk, a few at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog

from bot.delays import backoff
from bot.hidream.download import Downloader
from bot.hidream.errors import DownloadLater, DownloadRefused
from bot.insisting import keep
from storage.clock import Clock
from storage.files import PictureFiles
from storage.store import TaskStore
from storage.tasks import Image, ImageState, TaskState, Topic

log = structlog.get_logger(__name__)

_AT_ONCE: Final = 4
UNANSWERED_TRIES: Final = 20
"""So often it may not answer at all while HiDream itself does: about ten minutes."""
ANSWERED_TRIES: Final = 6
"""So often HiDream's storage may answer that it does not have the image (or not yet)."""


@dataclass(slots=True)
class _Tries:
    """How the tries at one image went so far."""

    failed: int = 0
    answered: int = 0
    """Those of them that got an answer of HiDream's storage."""
    unanswered: int = 0
    """Those that got none although HiDream itself answered."""
    not_before: float = 0.0
    """When the next one is due, by the monotonic clock."""


class Fetcher:
    """Downloads each image once, and again where that may help."""

    def __init__(
        self, *, store: TaskStore, files: PictureFiles, downloader: Downloader, clock: Clock
    ) -> None:
        self._store = store
        self._files = files
        self._downloader = downloader
        self._clock = clock
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._under_way: set[tuple[int, int]] = set()
        self._tries: dict[tuple[int, int], _Tries] = {}

    def begin(self) -> None:
        """Begin anew: downloads of an earlier run that were cut off are not under way any more."""
        self._under_way.clear()

    def start(
        self,
        image: Image,
        group: asyncio.TaskGroup,
        *,
        then: Callable[[int], Awaitable[None]],
        hidream_is_well: bool,
    ) -> None:
        """Fetch an image in the background, unless that is under way or not due yet.

        `hidream_is_well`: HiDream itself answers, so a failure is not for want of a network.
        """
        key = (image.task_id, image.n)
        if key in self._under_way:
            return
        if key in self._tries and self._clock.monotonic() < self._tries[key].not_before:
            return
        self._under_way.add(key)
        group.create_task(
            self._bring(image, then, hidream_is_well=hidream_is_well),
            name=f"fetch {image.task_id}/{image.n}",
        )

    async def _bring(
        self, image: Image, then: Callable[[int], Awaitable[None]], *, hidream_is_well: bool
    ) -> None:
        key = (image.task_id, image.n)
        try:
            with structlog.contextvars.bound_contextvars(task=image.task_id, image=image.n):
                async with self._places:
                    # whoever began this may have read the row before an earlier download ended
                    current = await keep(lambda: self._still_made(image))
                    if current is None:
                        return
                    over = await self._fetch(current, hidream_is_well=hidream_is_well)
            if over:
                self._tries.pop(key, None)
                await keep(lambda: then(image.task_id))
        finally:
            self._under_way.discard(key)
            self._store.wake(Topic.RUNNING)

    async def _still_made(self, image: Image) -> Image | None:
        images = await self._store.images(image.task_id)
        return next((i for i in images if i.n == image.n and i.state is ImageState.MADE), None)

    async def _fetch(self, image: Image, *, hidream_is_well: bool) -> bool:
        """Fetch once; returns whether the image has come to an end of its own."""
        try:
            fetched = await self._downloader.image(image.url or "")
        except DownloadRefused as exc:
            log.warning("image_refused", reason=exc.reason.value)
            await self._give_up(image, exc.reason.value)
            return True
        except DownloadLater as exc:
            tries = self._failed(image, at_least=exc.retry_after or 0.0)
            # while there is no network it waits: then nothing counts
            tries.answered += exc.http_status is not None
            tries.unanswered += exc.http_status is None and hidream_is_well
            log.info("image_not_fetched", tries=tries.failed, http=exc.http_status)
            if tries.answered < ANSWERED_TRIES and tries.unanswered < UNANSWERED_TRIES:
                return False
            await self._give_up(
                image, f"HTTP {exc.http_status}" if exc.http_status else "no answer"
            )
            return True
        try:
            await self._files.put(image.task_id, image.n, fetched.content)
        except OSError:
            # a full disk may have room again; no other task is to stop for it
            log.exception("image_not_kept", tries=self._failed(image).failed)
            return False
        await keep(
            lambda: self._store.image_stored(
                image.task_id,
                image.n,
                media_type=fetched.media_type,
                width=fetched.width,
                height=fetched.height,
                size=len(fetched.content),
            )
        )
        log.info("fetched", bytes=len(fetched.content), width=fetched.width, height=fetched.height)
        task = await keep(lambda: self._store.get(image.task_id))
        if task is not None and task.state is TaskState.CANCELLED:
            # it was stopped while this was under way, and whoever stopped it has tidied up by now
            await self._files.remove(image.task_id)
        return True

    def _failed(self, image: Image, *, at_least: float = 0.0) -> _Tries:
        """Note a failed try, and when the next one is due; `at_least` is what the storage asked for."""
        tries = self._tries.setdefault((image.task_id, image.n), _Tries())
        tries.failed += 1
        pause = max(backoff(tries.failed, longest=30), at_least)
        tries.not_before = self._clock.monotonic() + pause
        return tries

    async def _give_up(self, image: Image, why: str) -> None:
        await keep(
            lambda: self._store.image_ended(image.task_id, image.n, ImageState.UNFETCHED, why)
        )
