"""/mydata and /forget in the real process: all of one person, nothing of another, killed in the midst of it."""

import json
from pathlib import Path
from typing import Any, Final

from sandbox.hidream.settings import Settings
from tests.e2e.world import Person, World, buttons_of, opened, said, text_of, until

_TABLES: Final = "SELECT name FROM sqlite_master WHERE type = 'table'"


def _rows(world: World) -> str:
    """Give all that the database holds, as text."""
    tables = [row["name"] for row in world.rows(_TABLES)]
    return repr({name: world.rows(f"SELECT * FROM {name}") for name in tables})


def _bytes(world: World) -> bytes:
    """Give what is in the database's files, whether a table still knows of it or not."""
    files = [world.database.with_name(world.database.name + end) for end in ("", "-wal")]
    return b"".join(file.read_bytes() for file in files if file.exists())


def _folders(world: World) -> set[str]:
    """Say of which tasks there are picture files."""
    return {folder.name for folder in world.database.with_name("bot-pictures").iterdir()}


def _file_ids(kept: Any) -> set[str]:
    """Give Telegram's ids of all files that are named in this."""
    if isinstance(kept, dict):
        own = {str(value) for name, value in kept.items() if name.endswith("_file_id")}
        return own.union(*(_file_ids(value) for value in kept.values()))
    return set().union(*(_file_ids(one) for one in kept)) if isinstance(kept, list) else set()


async def _live(world: World, ada: Person, group: int) -> None:
    """Let someone have a picture, a failure, one that HiDream is at, two in line, and a photo without words."""
    await ada.photo("zebra is delivered")
    await ada.gets(1)
    await world.task_is("delivered", task=1)
    await world.next_ends(4)
    await ada.photo("zebra has failed")
    await world.task_is("failed", task=2)
    await world.next_ends("never")
    await ada.photo("zebra is running")
    await world.task_is("running", task=3)
    await ada.photo("zebra is queued")
    await ada.photo("/edit@sandbox_bot zebra in a group", chat=group)
    await ada.photo(None)
    await ada.reads("in line", chat=group)
    await ada.reads("What shall I make of it")


async def test_all_of_a_person_is_told_and_forgotten(tmp_path: Path) -> None:
    """The file has all of theirs and nothing of another's; then neither rows nor bytes have, and HiDream's slot stays held."""
    settings = Settings(seconds=0.2, parallel=1)
    async with opened(tmp_path, settings=settings) as world:
        pid = await world.start(hidream={"parallel_requests": 1})
        ada, bob = await world.person(), await world.person("Bob")
        group = await world.group(ada, bob)
        await _live(world, ada, group)
        await bob.photo("lion in line")
        await bob.reads("in line: number")
        assert _folders(world) == {"1"}

        await ada.text("/privacy")
        told = text_of(await ada.reads("What HiDream gets"))
        assert "for 7 days" in told
        assert str(ada.id) in told
        await ada.text("/mydata", chat=group)
        await ada.reads("in private: https://t.me/sandbox_bot", chat=group)
        await ada.text("/mydata")
        handed = await ada.reads("Everything that I keep of you, as of")
        assert handed["document"]["file_name"] == "mydata.json"
        kept = json.loads(await world.picture(handed))
        words = [one["settings"]["words"] for one in kept["pictures"]]
        assert words == [
            *("zebra is delivered", "zebra has failed", "zebra is running", "zebra is queued"),
            "zebra in a group",
        ]
        assert len(kept["waiting_for_words_or_a_tap"]) == 1
        assert kept["your_telegram_id"] == ada.id
        ids = _file_ids(kept)
        assert len(ids) >= 6, "the photos, and what came of them"
        told_bob = json.dumps(kept)
        assert "lion" not in told_bob
        assert str(bob.id) not in told_bob

        await ada.text("/forget")
        question = await ada.reads("Shall I forget everything of yours?")
        # killed when all is forgotten, and nobody has been told
        match = {"message_id": str(question["message_id"])}
        await world.fault("telegram", "editMessageText", "kill_before", pid=pid, match=match)
        (label,) = buttons_of(question)
        await ada.press_blindly(question, question["buttons"][0][0]["callback_data"])
        assert label == said("button-forget")
        assert await world.died() < 0
        await world.start()
        await ada.reads(said("forget-over"))
        for chat in (ada.id, group):
            shown = [text_of(message) for message in await ada.sees(chat)]
            assert [text for text in shown if "in line" in text.lower() or "is at it" in text] == []
        rows = _rows(world)
        assert [one for one in (str(ada.id), "zebra", *ids) if one in rows] == []
        assert "lion" in rows
        content = _bytes(world)
        left = [one for one in (b"zebra", *(one.encode() for one in ids)) if one in content]
        assert left == []
        await until(lambda: _are(_folders(world) == set()), "the files are gone")

        # HiDream is still at it, and nobody else is given its place
        [held] = world.rows("SELECT * FROM tasks WHERE person_hash IS NOT NULL")
        assert (held["id"], held["state"], held["user_id"]) == (3, "cancelled", 0)
        await world.task_is("queued", task=6)
        await ada.text("/status")
        await ada.reads(said("status-none"))
        picture, _ = await ada.gets(2)  # and the file of /mydata
        notice = await ada.press_blindly(picture, "again:1")
        assert (await ada.notice(notice))["text"] == said("pressed-forgotten")


async def _are(fact: bool) -> bool:
    return fact
