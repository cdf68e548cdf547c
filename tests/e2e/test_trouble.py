"""Trouble at home, and everywhere at once: a full disk, a held database, a poison update, no network."""

import asyncio
import contextlib
import resource
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from bot.texts import Say, plain
from sandbox.hidream.settings import Settings
from tests.e2e.world import JSON, Person, World, opened, text_of, until

QUICK: Final = Settings(seconds=0.3, parallel=10)
HELD: Final = 7.0
"""Seconds for which the database is held: the bot takes it as failing after 5."""

# --- an update whose handler always fails


async def test_an_update_that_always_fails(tmp_path: Path) -> None:
    """It is tried three times and set aside with one apology; later ones wait, other chats do not."""
    async with opened(tmp_path, settings=QUICK) as world:
        ada, bob = await world.person(), await world.person("Bob")
        poison: int = (await world.do("updates", message=_poison(ada)))["update_id"]
        await ada.photo("sepia")
        await bob.photo("sepia too")
        await world.start()
        await asyncio.gather(ada.gets(1), bob.gets(1))
        aside, hers, his = (_update(world, poison + n) for n in range(3))
        assert [row["state"] for row in (aside, hers, his)] == ["aside", "done", "done"]
        assert his["handled_at"] < aside["handled_at"] < hers["handled_at"]
        assert aside["handled_at"] - aside["received_at"] < 10e6, "all tries are over within 10 s"
        assert world.log.count("handler_failed") == 3
        first, *_ = await ada.sees()
        sorry = plain(Say("sorry", {"reference": f"U{poison}"}), language="de")
        assert text_of(first) == sorry, "in her language, though nothing else of it could be read"
        apologies = [m for m in await ada.sees() if f"U{poison}" in text_of(m)]
        assert len(apologies) == 1


def _poison(person: Person) -> JSON:
    """A text that is no text: the library reads it, and the handler fails on it."""
    user = {"id": person.id, "is_bot": False, "first_name": "Ada", "language_code": "de"}
    chat = {"id": person.id, "type": "private", "first_name": "Ada"}
    return {"message_id": 1, "date": int(time.time()), "from": user, "chat": chat, "text": 5}


def _update(world: World, update_id: int) -> JSON:
    [row] = world.rows("SELECT * FROM inbox WHERE update_id = ?", update_id)
    return row


# --- a full disk


@contextlib.contextmanager
def _little_room(size: int) -> Iterator[None]:
    """Whoever is started now can write no file beyond so many bytes: as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_no_room_for_a_picture(tmp_path: Path) -> None:
    """A picture that the disk does not take stays at HiDream, and arrives when there is room again."""
    async with opened(tmp_path, settings=QUICK) as world:
        # a picture of 5 MB: what follows its end is no matter
        await world.fault("hidream", "image", "huge", bytes=5 * 2**20, times=None)
        with _little_room(3 * 2**20):
            await world.start()
        ada = await world.person()
        await ada.photo("sepia")
        await until(lambda: _says(world, "image_not_kept"), "the disk does not take it")
        await ada.text("/help")
        await ada.reads("Send a photo with a caption")
        await world.task_is("running")
        await world.stop()
        await world.start()
        await ada.gets(1)
        await world.task_is("delivered")
        assert len((await world.made())["tasks"]) == 1
        assert len(await ada.sees()) == 2, "the help and the picture"


@pytest.mark.parametrize("size", [40_000, 120_000])
async def test_no_room_for_the_database(tmp_path: Path, size: int) -> None:
    """While the database cannot grow, Telegram is told of nothing that is not kept; all comes later."""
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start()
        await until(lambda: _says(world, "started"), "the bot has started")
        await world.stop()
        (world.path / "bot.log").rename(world.path / "first.log")
        with _little_room(size):
            await world.start()
        ada = await world.person()
        sent = 4
        for n in range(sent):
            await ada.photo(f"sepia {n}")
        # the log finds no room either: what tells is that the bot has had its time
        await asyncio.sleep(3)
        await world.kill()
        waiting = (await world.see("updates"))["pending"]
        kept = world.rows("SELECT count(*) AS n FROM inbox")[0]["n"]
        assert waiting + kept >= sent, "each is at Telegram still, or here"
        shown = sum("photo" in message for message in await ada.sees())
        assert shown < sent, "there was no room for all of it"
        await world.start()
        await ada.gets(sent)
        await until(lambda: _all_delivered(world, sent), "all are delivered")
        made = (await world.made())["tasks"]
        again = world.rows("SELECT sum(uncertain) AS n FROM tasks")[0]["n"]
        assert sent <= len(made) <= sent + again, "none is made twice without it being known"
        assert not [m for m in await ada.sees() if "wrong on my side" in text_of(m)]


async def _says(world: World, words: str) -> bool:
    return words in world.log


async def _all_delivered(world: World, count: int) -> bool:
    return world.rows("SELECT state, count(*) AS n FROM tasks GROUP BY state") == [
        {"state": "delivered", "n": count}
    ]


# --- a database that another process holds


async def test_a_database_that_is_held(tmp_path: Path) -> None:
    """Held for longer than the bot waits for it, the database costs no photo, and nobody is apologised to."""
    async with opened(tmp_path, settings=Settings(seconds=1.0, parallel=10)) as world:
        await world.start()
        ada, bob = await world.person(), await world.person("Bob")
        await ada.photo("sepia")
        await world.task_is("running")
        holding = sqlite3.connect(world.database, isolation_level=None, timeout=10)
        with contextlib.closing(holding):
            holding.execute("BEGIN EXCLUSIVE")
            await bob.photo("sepia too")
            await asyncio.sleep(HELD)
            assert [m for m in await ada.sees() if "photo" in m] == []
            holding.execute("ROLLBACK")
        for person in (ada, bob):
            await person.gets(1)
        await until(lambda: _all_delivered(world, 2), "both are delivered")
        assert "database is locked" in world.log
        for person in (ada, bob):
            assert len(await person.sees()) == 1, "the picture, and nothing else"
        assert len((await world.made())["tasks"]) == 2
        assert world.rows("SELECT coalesce(sum(repeats), 0) AS n FROM steps") == [{"n": 0}]


# --- everything down at once


async def test_both_down_together(tmp_path: Path) -> None:
    """With Telegram and HiDream both away, what was begun goes on afterwards, and nothing is made twice."""
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start()
        people = [await world.person(f"P{n}") for n in range(4)]
        await people[0].photo("sepia")
        await people[0].gets(1)
        await world.set_hidream(seconds=1.0)
        await people[1].photo("sepia")
        await world.task_is("running")
        await people[2].photo("sepia")
        for service in ("telegram", "hidream"):
            await world.fault(service, "*", "reset_before", times=None)
        await people[3].photo("sepia")
        await asyncio.sleep(3)
        await world.no_faults()
        for person in people:
            await person.gets(1)
        await until(lambda: _all_delivered(world, 4), "all are delivered")
        again = world.rows("SELECT sum(uncertain) AS n FROM tasks")[0]["n"]
        repeats = world.rows("SELECT coalesce(sum(repeats), 0) AS n FROM steps")[0]["n"]
        pictures = [m for person in people for m in await person.sees() if "photo" in m]
        assert 4 <= len((await world.made())["tasks"]) <= 4 + again
        assert 4 <= len(pictures) <= 4 + repeats


async def test_one_chat_is_to_be_left_alone(tmp_path: Path) -> None:
    """Where Telegram asks for 30 s of quiet in a chat, nothing goes there, and all others are served."""
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start()
        ada, bob = await world.person(), await world.person("Bob")
        await world.fault(
            "telegram", "sendPhoto", "status", status=429, retry_after=30,
            match={"chat_id": str(bob.id)},
        )  # fmt: skip
        await bob.photo("sepia")
        await until(lambda: _struck(world), "Telegram asks for quiet")
        before = len(await _calls_to(world, bob))
        for n in range(3):
            await ada.photo(f"sepia {n}")
        await bob.text("/status")
        await ada.gets(3)
        assert len(await _calls_to(world, bob)) == before
        [row] = world.rows("SELECT state, due_at FROM tasks WHERE chat_id = ?", bob.id)
        assert row["state"] == "ready"
        assert row["due_at"] / 1e6 - time.time() > 20


async def _struck(world: World) -> bool:
    return bool(await world.calls("telegram", call="sendPhoto", outcome="fault"))


async def _calls_to(world: World, person: Person) -> list[JSON]:
    calls = await world.calls("telegram")
    return [call for call in calls if str(call["params"].get("chat_id")) == str(person.id)]
