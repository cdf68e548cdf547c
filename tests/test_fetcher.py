"""Images on their way from HiDream to disk: what goes wrong with one stops nothing else."""

import asyncio
from pathlib import Path

from bot.fetcher import Fetcher
from bot.hidream.decoding import DownloadedImage
from bot.hidream.download import Downloader
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
