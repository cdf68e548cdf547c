"""Who may use the bot, and how much at one time."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sandbox.hidream.settings import Settings
from tests.e2e.world import SAMPLE, World, opened, said, text_of, until

QUICK: Final = Settings(seconds=0.2, parallel=10)


async def test_only_who_is_allowed(tmp_path: Path) -> None:
    """Allowed people, everybody in allowed groups, and admins are served; others learn their id, once."""
    async with opened(tmp_path, settings=QUICK) as world:
        ada, bob, cyd, eve = [await world.person(n) for n in ("Ada", "Bob", "Cyd", "Eve")]
        ours, theirs = await world.group(bob, eve), await world.group(ada, eve)
        await world.start(
            access={"allowed_users": [ada.id], "allowed_chats": [ours], "admins": [cyd.id]}
        )
        await eve.photo("make it sepia")
        await eve.reads("private", str(eve.id))
        await eve.photo("make it sepia", contents=(SAMPLE, SAMPLE))
        for text in ("hello", "/start", "/help", "/status", "/nonsense"):
            await eve.text(text)
        await until(lambda: _handled(world), "all of it is handled")
        await bob.photo()
        await bob.reads("private", str(bob.id))
        await eve.photo("/n@sandbox_bot 1 make it sepia", chat=theirs)
        await eve.reads("private", str(eve.id), str(theirs), chat=theirs)
        await eve.text("hello", chat=theirs)
        assert len(await eve.sees(theirs)) == 1
        assert world.rows("SELECT id FROM tasks") == []
        assert world.rows("SELECT id FROM drafts") == []
        assert await world.calls("hidream") == []
        assert len(await eve.sees()) == 1, "she is told once, not at each message"
        await ada.photo("make it sepia")
        await cyd.photo("make it sepia")
        await eve.photo("/n@sandbox_bot 1 make it sepia", chat=ours)
        await ada.photo("/n@sandbox_bot 1 make it sepia", chat=theirs)
        await asyncio.gather(
            *(ada.gets(1), cyd.gets(1), eve.gets(1, chat=ours), ada.gets(1, chat=theirs))
        )


async def test_not_too_many_at_one_time(tmp_path: Path) -> None:
    """Beyond the limit a photo is refused, whatever comes at once; words that were asked for wait."""
    async with opened(tmp_path, settings=QUICK) as world:
        await world.set_hidream(down=True)
        await world.start(access={"max_unfinished": 2})
        ada, bob = await world.person(), await world.person("Bob")
        group = await world.group(ada)
        await ada.photo()
        await ada.reads("What shall I make of it?")
        await asyncio.gather(
            *(
                ada.photo("/n@sandbox_bot 1 make it sepia", chat=chat)
                for chat in (ada.id, group) * 3
            )
        )

        async def refused(times: int) -> bool:
            shown = [text_of(m) for chat in (ada.id, group) for m in await ada.sees(chat)]
            return sum("still busy with 2 pictures" in text for text in shown) == times

        await until(lambda: refused(4), "four of the six are refused")
        assert len(world.rows("SELECT id FROM tasks")) == 2
        await ada.text("make it brown")
        await until(lambda: refused(5), "the words are refused too")
        await bob.photo("make it sepia")
        await until(lambda: _rows(world.rows("SELECT id FROM tasks"), 3), "others are not hindered")
        await world.set_hidream(down=False)
        await until(
            lambda: _rows(world.rows("SELECT id FROM tasks WHERE state = 'delivered'"), 3),
            "all that was taken is made",
        )
        await ada.press(await ada.reads("still busy", times=3), said("button-go"))
        await until(
            lambda: _rows(world.rows("SELECT id FROM tasks WHERE state = 'delivered'"), 4),
            "the photo that waited still had its words taken",
        )


async def _handled(world: World) -> bool:
    return not world.rows("SELECT 1 FROM inbox WHERE state = 'new'")


async def _rows(rows: Sequence[object], count: int) -> bool:
    return len(rows) == count
