"""Files made to keep the bot busy: whoever sends one waits for nothing, and keeps nobody waiting."""

import asyncio
import time
from pathlib import Path

from bot.jpegs import MOST_SCANS
from tests.bombs import scan_bomb
from tests.e2e.world import JSON, buttons_of, opened, said, until


async def test_scan_bomb(tmp_path: Path) -> None:
    """A small file of thousands of scans is told as broken; everybody else is served meanwhile."""
    async with opened(tmp_path) as world:
        await world.start()
        eve, bob = await world.person("Eve"), await world.person("Bob")
        await eve.file(scan_bomb(), "x.jpg", "image/jpeg", "snow")
        await bob.photo("night")
        assert buttons_of(await eve.reads(said("image-broken"))) == []
        await bob.gets(1)
        assert len(await world.calls("hidream", call="submit")) == 1
        began = time.monotonic()
        assert await world.stop() == 0
        assert time.monotonic() - began < 6  # stop_seconds, and two


async def test_stop_in_the_middle_of_decoding(tmp_path: Path) -> None:
    """A picture that takes long to decode does not keep the bot from ending; its task is kept."""
    # as many scans as are taken, each of 81 megapixels: many seconds
    content = scan_bomb(MOST_SCANS - 10, 9000)
    async with opened(tmp_path) as world:
        await world.start(telegram={"max_megapixels": 100}, run={"stop_seconds": 0.5})
        eve = await world.person("Eve")
        await eve.file(content, "x.jpg", "image/jpeg", "snow")

        async def fetched() -> list[JSON]:
            return await world.calls("telegram", call="file")

        await until(fetched, "the photo is fetched")
        await asyncio.sleep(0.5)
        began = time.monotonic()
        assert await world.stop() == 0
        assert time.monotonic() - began < 2.5
        [task] = world.rows("SELECT state FROM tasks")
        assert task["state"] == "queued"
