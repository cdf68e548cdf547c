"""A chat to which Telegram is slow holds nobody up."""

from pathlib import Path
from typing import Final

from sandbox.hidream.settings import Settings
from tests.e2e.world import opened, until

SLOW: Final = 12
SECONDS: Final = 8.0


async def test_slow_chats_hold_nobody_up(tmp_path: Path) -> None:
    """While pictures to a dozen chats crawl, others get theirs and their answers."""
    async with opened(tmp_path, settings=Settings(seconds=0.2, parallel=20)) as world:
        await world.start(hidream={"parallel_requests": 20})
        slow = [await world.person(f"Slow {n}") for n in range(SLOW)]
        for person in slow:
            await world.fault(
                "telegram", "sendPhoto", "delay", seconds=SECONDS, match={"chat_id": person.id}
            )
            await person.photo("sepia")

        async def crawling() -> bool:
            query = "SELECT count(*) AS n FROM steps WHERE state = 'sending'"
            return world.database.exists() and world.rows(query) == [{"n": SLOW}]

        await until(crawling, "a picture to each of them is under way")
        ada = await world.person()
        await ada.photo("sepia")
        await ada.gets(1)
        await ada.text("/status")
        await ada.reads("sepia")
        assert await crawling(), "it took less than theirs"
        for person in slow:
            await person.gets(1)
        assert len((await world.made())["tasks"]) == SLOW + 1
        assert world.rows("SELECT sum(repeats) AS n FROM steps") == [{"n": 0}]
