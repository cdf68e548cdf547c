"""Brings finished images from HiDream to disk, a few at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from bot.delays import backoff
from bot.hidream.download import Downloader
from bot.hidream.errors import DownloadLater, DownloadRefused
from storage.clock import Clock
from storage.files import PictureFiles
from storage.store import TaskStore
from storage.tasks import Image, ImageState, Topic

log = structlog.get_logger(__name__)

_AT_ONCE: Final = 4
ANSWERED_TRIES: Final = 6
"""So often HiDream's storage may answer that it does not have the image (or not yet)."""


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
        self._refusals: dict[tuple[int, int], int] = {}
        self._failures: dict[tuple[int, int], int] = {}
        self._not_before: dict[tuple[int, int], float] = {}

    def start(
        self, image: Image, group: asyncio.TaskGroup, *, then: Callable[[int], Awaitable[None]]
    ) -> None:
        """Fetch an image in the background, unless that is under way or not due yet."""
        key = (image.task_id, image.n)
        if key in self._under_way or self._clock.monotonic() < self._not_before.get(key, 0.0):
            return
        self._under_way.add(key)
        group.create_task(self._bring(image, then), name=f"fetch {image.task_id}/{image.n}")

    async def _bring(self, image: Image, then: Callable[[int], Awaitable[None]]) -> None:
        key = (image.task_id, image.n)
        try:
            with structlog.contextvars.bound_contextvars(task=image.task_id, image=image.n):
                async with self._places:
                    over = await self._fetch(image)
            if over:
                for kept in (self._refusals, self._failures, self._not_before):
                    kept.pop(key, None)
                await then(image.task_id)
        finally:
            self._under_way.discard(key)
            self._store.wake(Topic.RUNNING)

    async def _fetch(self, image: Image) -> bool:
        """Fetch once; returns whether the image has come to an end of its own."""
        key = (image.task_id, image.n)
        try:
            fetched = await self._downloader.image(image.url or "")
        except DownloadRefused as exc:
            log.warning("image_refused", reason=exc.reason.value)
            await self._give_up(image, exc.reason.value)
            return True
        except DownloadLater as exc:
            tries = self._failures[key] = self._failures.get(key, 0) + 1
            self._not_before[key] = self._clock.monotonic() + backoff(tries, longest=30)
            if exc.http_status is not None:
                # only answers count: while there is no network, it waits
                self._refusals[key] = self._refusals.get(key, 0) + 1
            log.info("image_not_fetched", tries=tries, http=exc.http_status)
            if self._refusals.get(key, 0) < ANSWERED_TRIES:
                return False
            await self._give_up(image, f"HTTP {exc.http_status}")
            return True
        await self._files.put_async(image.task_id, image.n, fetched.content)
        await self._store.image_stored(
            image.task_id,
            image.n,
            media_type=fetched.media_type,
            width=fetched.width,
            height=fetched.height,
            size=len(fetched.content),
        )
        return True

    async def _give_up(self, image: Image, why: str) -> None:
        await self._store.image_ended(image.task_id, image.n, ImageState.UNFETCHED, why)
