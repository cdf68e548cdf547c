"""The main job: a photo with words goes in, pictures come out."""

from pathlib import Path

from tests.e2e.world import opened, text_of


async def test_photo_in_picture_out(tmp_path: Path) -> None:
    """A photo with a caption comes back as two pictures in the ratio that was asked for."""
    async with opened(tmp_path) as world:
        await world.start()
        ada = await world.person()
        await ada.photo("make it snow /ratio 16:9 /count 2")
        pictures = await ada.gets(2)
        assert "make it snow" in text_of(pictures[0])
        await ada.text("/status")
        await ada.reads("#1", "done")
