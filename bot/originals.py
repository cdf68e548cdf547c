"""Original files: a result as HiDream made it, for as long as its bytes are kept.

Telegram makes photos smaller and worse. What it got as a file it keeps as it was, for ever.
"""

from collections.abc import Sequence
from typing import Final

from bot.messages import Picture
from storage.files import PictureFiles
from storage.tasks import Image, ImageState, Task

_EXTENSIONS: Final = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


def stored(files: PictureFiles, task: Task, image: Image) -> Picture:
    """Give an image of a task as it is on disk.

    Raises:
        FileNotFoundError: it is not there (any more).
    """
    extension = _EXTENSIONS.get(image.media_type or "", "jpg")
    content = files.find(task.id, image.n)
    return Picture(content=content, name=f"{task.id}-{image.n + 1}.{extension}")


def on_disk(
    files: PictureFiles, task: Task, images: Sequence[Image]
) -> tuple[list[Picture], frozenset[int]]:
    """Give those of a task's images whose files are there, and the numbers of those whose are not."""
    found: list[Picture] = []
    lost: set[int] = set()
    for image in images:
        try:
            found.append(stored(files, task, image))
        except FileNotFoundError:
            lost.add(image.n)
    return found, frozenset(lost)


def originals(files: PictureFiles, task: Task, images: Sequence[Image]) -> tuple[Picture, ...]:
    """Give a task's original files, to be sent as documents; () where the days of all are over."""
    found: list[Picture] = []
    for image in images:
        if image.state is not ImageState.STORED:
            continue
        try:
            found.append(stored(files, task, image))
        except FileNotFoundError:
            if image.file_id and image.sent_as == "document":
                found.append(Picture(content=image.file_id, name=""))
    return tuple(found)
