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


def pictures_beside(database: Path) -> Path:
    """Name the folder with the pictures of a database."""
    return database.parent / f"{database.stem}-pictures"


class PictureFiles:
    """A folder with a folder a task, and in it a file an image. The disk is waited for in threads."""

    def __init__(self, directory: Path, *, tidy: bool = True) -> None:
        """Make the folder, and remove what an earlier process left half written.

        Not `tidy`: nothing is made or removed, since a bot may be at work there.
        """
        self._directory = directory
        if not tidy:
            return
        make_folder(directory)
        for leftover in directory.glob(f"*/*{_UNFINISHED}"):
            leftover.unlink(missing_ok=True)

    async def put(self, task_id: int, n: int, content: bytes) -> None:
        """Keep an image: it is there in full or not at all, also after a power cut.

        Raises:
            OSError: the disk does not take it.
        """
        await asyncio.to_thread(self._put, task_id, n, content)

    def _put(self, task_id: int, n: int, content: bytes) -> None:
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

    def find(self, task_id: int, n: int) -> Path:
        """Say in which file an image is, for whoever reads it piece by piece.

        Raises:
            FileNotFoundError: it is not there (any more).
        """
        file = self._file(task_id, n)
        if not file.is_file():
            raise FileNotFoundError(file)
        return file

    async def remove(self, task_id: int) -> None:
        """Remove all of a task's images; nothing happens where there are none."""
        await asyncio.to_thread(self._remove, task_id)

    def _remove(self, task_id: int) -> None:
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self._folder(task_id))

    async def size(self) -> int:
        """Count the bytes of all images, by looking through every folder.

        Raises:
            OSError: the disk does not say.
        """
        return await asyncio.to_thread(self._size)

    def _size(self) -> int:
        total = 0
        with os.scandir(self._directory) as folders:
            for folder in folders:
                # what is removed meanwhile takes no room any more
                with contextlib.suppress(FileNotFoundError), os.scandir(folder) as files:
                    total += sum(file.stat().st_size for file in files)
        return total

    def _folder(self, task_id: int) -> Path:
        return self._directory / f"{int(task_id)}"

    def _file(self, task_id: int, n: int) -> Path:
        return self._folder(task_id) / f"{int(n)}"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
