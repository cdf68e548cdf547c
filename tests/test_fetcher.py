"""Images on their way from HiDream to disk: what goes wrong with one stops nothing else."""

import asyncio
from pathlib import Path

from bot.fetcher import Fetcher
from bot.hidream.decoding import DownloadedImage
from bot.hidream.download import Downloader
from bot.hidream.errors import DownloadLater
from storage.files import PictureFiles
from storage.memory import MemoryStore
from storage.tasks import Image, ImageState, TaskState
from tests.storage.making import reach
from tests.time_machine import LoopClock, at_once


class Storage(Downloader):
    """HiDream's storage, which has every image."""

    async def image(self, url: str) -> DownloadedImage:
        """Give one."""
        return DownloadedImage(content=url.encode(), media_type="image/png", width=2, height=1)


class Disk(PictureFiles):
    """A disk that is full at first; it needs no thread, which time would not wait for."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.full = True
        self.kept: list[bytes] = []

    async def put(self, task_id: int, n: int, content: bytes) -> None:
        """Refuse the first image."""
        if self.full:
            self.full = False
            raise OSError(28, "No space left on device")
        self.kept.append(content)


def test_a_full_disk_is_waited_out(tmp_path: Path) -> None:
    """An image that the disk does not take is fetched again later; it ends neither the loop nor itself."""

    async def work() -> None:
        clock = LoopClock()
        store, files = MemoryStore(clock), Disk(tmp_path / "pictures")
        ended: list[int] = []

        async def then(task_id: int) -> None:
            ended.append(task_id)

        async def look(fetcher: Fetcher) -> Image:
            async with asyncio.TaskGroup() as group:
                fetcher.start(
                    (await store.images(task.id))[0], group, then=then, hidream_is_well=True
                )
            return (await store.images(task.id))[0]

        task = await reach(store, TaskState.RUNNING)
        await store.image_made(task.id, 0, "https://x")
        async with Storage() as storage:
            fetcher = Fetcher(store=store, files=files, downloader=storage, clock=clock)
            assert (await look(fetcher)).state is ImageState.MADE
            assert (await look(fetcher)).state is ImageState.MADE, "tried again at once"
            await clock.sleep(5)
            assert (await look(fetcher)).state is ImageState.STORED
        assert (ended, files.kept) == ([task.id], [b"https://x"])

    at_once(work())


class Shelf(PictureFiles):
    """A disk with room, without threads."""

    async def put(self, task_id: int, n: int, content: bytes) -> None:
        """Take it."""


class Counting(Storage):
    """HiDream's storage, which counts what it is asked; at first it may want to be left alone."""

    def __init__(self, *, quiet: float | None = None) -> None:
        super().__init__()
        self.asked: list[float] = []
        self._quiet = quiet

    async def image(self, url: str) -> DownloadedImage:
        """Give one, after a while."""
        self.asked.append(LoopClock().monotonic())
        await asyncio.sleep(0.1)
        if self._quiet is not None and len(self.asked) == 1:
            raise DownloadLater("busy", http_status=429, retry_after=self._quiet)
        return await super().image(url)


async def _nothing(_: int) -> None:
    """Do nothing when an image is over."""


def test_an_image_is_fetched_once(tmp_path: Path) -> None:
    """An image that has come meanwhile is not fetched again by who read its row before."""

    async def work() -> None:
        clock = LoopClock()
        store, storage = MemoryStore(clock), Counting()
        fetcher = Fetcher(
            store=store, files=Shelf(tmp_path / "pictures"), downloader=storage, clock=clock
        )
        task = await reach(store, TaskState.RUNNING)
        await store.image_made(task.id, 0, "https://x")
        read_before = (await store.images(task.id))[0]
        for _ in range(2):
            async with asyncio.TaskGroup() as group:
                fetcher.start(read_before, group, then=_nothing, hidream_is_well=True)
        assert len(storage.asked) == 1
        await storage.aclose()

    at_once(work())


def test_a_storage_that_asks_for_quiet_is_left_alone(tmp_path: Path) -> None:
    """Where the storage says for how long (429), it is not asked before."""

    async def work() -> None:
        clock = LoopClock()
        store, storage = MemoryStore(clock), Counting(quiet=30)
        fetcher = Fetcher(
            store=store, files=Shelf(tmp_path / "pictures"), downloader=storage, clock=clock
        )
        task = await reach(store, TaskState.RUNNING)
        await store.image_made(task.id, 0, "https://x")
        async with asyncio.TaskGroup() as group:
            while (await store.images(task.id))[0].state is not ImageState.STORED:
                image = (await store.images(task.id))[0]
                fetcher.start(image, group, then=_nothing, hidream_is_well=True)
                await clock.sleep(1)
        first, second = storage.asked
        assert second - first >= 30
        await storage.aclose()

    at_once(work())


def test_what_was_stopped_meanwhile_leaves_no_file(tmp_path: Path) -> None:
    """A picture whose task is stopped while it is fetched is neither kept on disk nor noted."""

    async def work() -> None:
        clock = LoopClock()
        store, files = MemoryStore(clock), Disk(tmp_path / "pictures")
        files.full = False
        removed: list[int] = []
        task = await reach(store, TaskState.RUNNING)
        await store.image_made(task.id, 0, "https://x")

        class Stopping(Storage):
            async def image(self, url: str) -> DownloadedImage:
                assert await store.cancel(task, clock.now()) is not None
                return await super().image(url)

        async def remove(task_id: int) -> None:
            removed.append(task_id)

        async def then(task_id: int) -> None:
            assert task_id == task.id

        files.remove = remove  # type: ignore[method-assign] # no thread, for which time would not wait
        async with Stopping() as storage, asyncio.TaskGroup() as group:
            fetcher = Fetcher(store=store, files=files, downloader=storage, clock=clock)
            image = (await store.images(task.id))[0]
            fetcher.start(image, group, then=then, hidream_is_well=True)
        assert removed == [task.id]
        assert (await store.images(task.id))[0].state is ImageState.UNFETCHED

    at_once(work())
