"""Pictures on disk."""

import os
import stat
from pathlib import Path

import pytest

from storage.files import PictureFiles


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a place for pictures that is not there yet."""
    return tmp_path / "deep" / "pictures"


async def test_an_image_is_kept_and_given_back(folder: Path) -> None:
    """An image's bytes come back, also from another start; written again, the new bytes count."""
    files = PictureFiles(folder)
    await files.put(1, 0, b"one")
    await files.put(1, 1, b"two")
    await files.put(1, 0, b"three")
    again = PictureFiles(folder)
    assert (again.find(1, 0).read_bytes(), again.find(1, 1).read_bytes()) == (b"three", b"two")


async def test_what_is_not_there_is_said_so(folder: Path) -> None:
    """Looking for an image that was never kept, or was removed, raises FileNotFoundError."""
    files = PictureFiles(folder)
    with pytest.raises(FileNotFoundError):
        files.find(1, 0)
    await files.put(1, 0, b"one")
    await files.put(2, 0, b"other")
    await files.remove(1)
    await files.remove(1)
    with pytest.raises(FileNotFoundError):
        files.find(1, 0)
    assert files.find(2, 0).read_bytes() == b"other"


async def test_nobody_else_may_look(folder: Path) -> None:
    """Folders are 0700 and files 0600, whatever the process' umask."""
    before = os.umask(0)
    try:
        await PictureFiles(folder).put(1, 0, b"one")
    finally:
        os.umask(before)
    modes = {
        path.relative_to(folder.parent).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in (folder.parent, folder, folder / "1", folder / "1" / "0")
    }
    assert list(modes.values()) == [0o700, 0o700, 0o700, 0o600]


async def test_a_failed_write_leaves_what_was_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the disk fails the old image stays, and nothing half written is left."""
    files = PictureFiles(folder)
    await files.put(1, 0, b"one")

    def full(_: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="disk full"):
        await files.put(1, 0, b"two")
    assert files.find(1, 0).read_bytes() == b"one"
    assert [path.name for path in (folder / "1").iterdir()] == ["0"]


async def test_what_an_earlier_process_left_is_removed(folder: Path) -> None:
    """A half-written file of a killed process goes at the next start; whole ones stay."""
    await PictureFiles(folder).put(1, 0, b"one")
    stray = folder / "1" / "1.999.part"
    stray.write_bytes(b"half")
    assert PictureFiles(folder).find(1, 0).read_bytes() == b"one"
    assert not stray.exists()
