"""The pictures' bytes on disk, between HiDream and the chat.

Names are made of numbers only, so nothing from outside can choose where a file goes.
"""

import asyncio
import contextlib
import os
import shutil
from pathlib import Path
from typing import Final

from storage.folders import make_folder, sync_folder

_UNFINISHED: Final = ".part"


class PictureFiles:
    """A folder with a folder a task, and in it a file an image.

    Each method blocks on the disk; its `…_async` twin does the same in a thread.
    """

    def __init__(self, directory: Path) -> None:
        """Make the folder, and remove what an earlier process left half written."""
        self._directory = directory
        make_folder(directory)
        for leftover in directory.glob(f"*/*{_UNFINISHED}"):
            leftover.unlink(missing_ok=True)

    def put(self, task_id: int, n: int, content: bytes) -> None:
        """Keep an image: it is there in full or not at all, also after a power cut.

        Raises:
            OSError: the disk does not take it.
        """
        folder = self._folder(task_id)
        if make_folder(folder):
            sync_folder(self._directory)
        target = self._file(task_id, n)
        # Named after the process as well, so that two that write the same image do not mix.
        draft = folder / f"{target.name}.{os.getpid()}{_UNFINISHED}"
        try:
            with open(draft, "wb", opener=_private) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(target)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        sync_folder(folder)

    def read(self, task_id: int, n: int) -> bytes:
        """Give an image's bytes.

        Raises:
            FileNotFoundError: it is not there (any more).
        """
        return self._file(task_id, n).read_bytes()

    def remove(self, task_id: int) -> None:
        """Remove all of a task's images; nothing happens where there are none."""
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self._folder(task_id))

    async def put_async(self, task_id: int, n: int, content: bytes) -> None:
        """Do as `put`, in a thread."""
        await asyncio.to_thread(self.put, task_id, n, content)

    async def read_async(self, task_id: int, n: int) -> bytes:
        """Do as `read`, in a thread."""
        return await asyncio.to_thread(self.read, task_id, n)

    async def remove_async(self, task_id: int) -> None:
        """Do as `remove`, in a thread."""
        await asyncio.to_thread(self.remove, task_id)

    def _folder(self, task_id: int) -> Path:
        return self._directory / f"{int(task_id)}"

    def _file(self, task_id: int, n: int) -> Path:
        return self._folder(task_id) / f"{int(n)}"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
