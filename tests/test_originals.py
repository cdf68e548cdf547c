"""Original files, as long as there are any."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.messages import Picture
from bot.originals import originals, stored
from storage.files import PictureFiles
from storage.tasks import ImageState
from tests.test_reports import images, task


async def test_originals_are_what_is_on_disk(tmp_path: Path) -> None:
    """Each stored image is given with a name of its own; what is not there is left out."""
    files = PictureFiles(tmp_path)
    await files.put(17, 0, b"one")
    one, two, failed = images(ImageState.STORED, ImageState.STORED, ImageState.FAILED)
    png = replace(one, media_type="image/png")
    (found,) = originals(files, task(), [png, two, failed])
    assert (found.content, found.name) == (files.find(17, 0), "17-1.png")
    with pytest.raises(FileNotFoundError):
        stored(files, task(), two)


async def test_what_went_as_a_file_is_an_original_for_ever(tmp_path: Path) -> None:
    """When the days are over, Telegram still has what it got as a file, and nothing else is left."""
    files = PictureFiles(tmp_path)
    photo, document = images(ImageState.STORED, ImageState.STORED)
    photo = replace(photo, file_id="p", sent_as="photo")
    document = replace(document, file_id="d", sent_as="document")
    assert originals(files, task(), [photo, document]) == (Picture(content="d", name=""),)
    assert originals(files, task(), [photo]) == ()
