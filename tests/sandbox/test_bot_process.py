"""The bot as a process: one at a time, and none is left."""

import asyncio
from pathlib import Path

from sandbox.stage import set_up


def _bots(config: Path) -> int:
    """Count the bots that run with these settings."""
    found = 0
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += str(config).encode() in process.read_bytes()
        except OSError:
            continue  # it has just ended
    return found


async def test_pressed_twice_it_starts_once() -> None:
    """However often it is told to start, there is one bot; told to end while it starts, there is none."""
    async with set_up() as stage:
        config = stage.backstage.database.with_name("config.toml")
        await asyncio.gather(stage.bot.start(), stage.bot.start(), stage.bot.start())
        assert _bots(config) == 1
        await stage.bot.kill()
        await asyncio.gather(stage.bot.start(), stage.bot.kill())
        assert (_bots(config), stage.bot.is_up) == (0, False)


async def test_no_bot_outlives_the_stage() -> None:
    """A bot that is started again in the last moment ends with the rest, too."""
    async with set_up() as stage:

        async def work() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await stage.bot.kill()
                await stage.bot.start()

        working = asyncio.create_task(stage.with_bot(work()))
        async with asyncio.timeout(10):
            while not stage.bot.is_up:
                await asyncio.sleep(0.01)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        assert not stage.bot.is_up
        assert _bots(stage.backstage.database.with_name("config.toml")) == 0
