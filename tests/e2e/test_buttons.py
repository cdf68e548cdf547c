"""Buttons under a failure: they work as long as the store does, for whom they are meant."""

import asyncio
from pathlib import Path
from typing import Final

from sandbox.hidream.settings import Settings
from tests.e2e.test_options import has_ratio
from tests.e2e.world import (
    JSON,
    Person,
    World,
    buttons_of,
    opened,
    picture_of,
    said,
    text_of,
    until,
)

QUICK: Final = Settings(seconds=0.2, parallel=10)
AGAIN: Final = "🔁 Try again"
OTHER: Final = "✏️ Other words"


async def _failed(world: World, person: Person, caption: str, chat: int | None = None) -> JSON:
    """Let a picture fail; returns the message with the reason."""
    await world.next_ends(4)
    await person.photo(caption, chat=chat)
    reason = await person.reads("did not pass its review", chat=chat)
    assert buttons_of(reason) == [AGAIN, OTHER]
    await world.task_is("failed")
    return reason


async def test_try_again(tmp_path: Path) -> None:
    """It makes the same once more, also after a restart; pressing twice makes one."""
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start()
        ada = await world.person()
        reason = await _failed(world, ada, "make it sepia /ratio 16:9")
        await world.kill()
        await world.start()
        # twice before the bot gets to the first
        answers = await asyncio.gather(ada.press(reason, AGAIN), ada.press(reason, AGAIN))
        assert sorted(answer["text"] for answer in answers) == [
            "On its way again.",
            "That one is already on its way.",
        ]
        [picture] = await ada.gets(1)
        assert has_ratio(picture, "16:9")
        assert picture["reply_to"] == reason["reply_to"], "it answers the photo"
        await world.task_is("delivered")
        served = await ada.reads("did not pass its review", "again, as #2")
        assert buttons_of(served) == []
        assert [row["parent_id"] for row in world.rows("SELECT parent_id FROM tasks")] == [None, 1]
        calls = await world.calls("hidream", call="submit")
        assert [call["params"]["prompt"] for call in calls] == ["make it sepia"] * 2


async def test_other_words(tmp_path: Path) -> None:
    """The photo and the settings stay, the words are asked for, also across a restart."""
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start()
        ada = await world.person()
        reason = await _failed(world, ada, "make it sepia /ratio 16:9 /no text")
        assert (await ada.press(reason, OTHER))["text"] == "Write the new words."
        question = await ada.reads("instead", "16:9 · 1 picture · without: text")
        assert question["force_reply"]
        await world.stop()
        await world.start()
        await ada.text("make it brown")
        [picture] = await ada.gets(1)
        assert has_ratio(picture, "16:9")
        *_, last = await world.calls("hidream", call="submit")
        assert last["params"]["prompt"] == "make it brown"
        assert last["params"]["negative_prompt"] == "text"


async def test_not_for_others_and_not_forged(tmp_path: Path) -> None:
    """Somebody else's press gets a notice and changes nothing, nor does data that no button has."""
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start()
        ada, bob = await world.person(), await world.person("Bob")
        group = await world.group(ada, bob)
        reason = await _failed(world, ada, "/n@sandbox_bot 1 make it sepia", group)
        for label in (AGAIN, OTHER):
            notice = await bob.press(reason, label, chat=group)
            assert notice["text"] == said("pressed-not-yours")
        for data in (
            *("again:1", "words:1", "again:99", "again:", "again:-1", "again:1 OR 1=1", "drop:1"),
            *("again:" + "9" * 50, "::", "again:1:1", "١", "\u0000"),
        ):
            pressed = await world.do(
                f"chats/{group}/press",
                user_id=bob.id,
                message_id=reason["message_id"],
                data=data,
                forged=True,
            )
            notice = await bob.notice(pressed["callback_query_id"])
            assert notice["text"] in {
                said("pressed-not-yours"),
                "I no longer know what this button is for. Please send the photo again.",
            }, data
        assert len(world.rows("SELECT id FROM tasks")) == 1
        assert world.rows("SELECT id FROM drafts") == []
        notice = await ada.press(reason, AGAIN, chat=group)
        assert notice["text"] == "On its way again."
        await ada.gets(1, chat=group)


async def test_press_that_is_too_late_or_too_much(tmp_path: Path) -> None:
    """A press whose notice comes too late is done all the same; no press goes beyond the limits."""
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start(access={"max_unfinished": 1})
        ada = await world.person()
        reason = await _failed(world, ada, "make it sepia")
        await world.set_hidream(seconds=1.0)
        await ada.photo("make it brown")
        await world.task_is("running")
        assert "as I take at one time" in (await ada.press(reason, AGAIN))["text"]
        assert len(world.rows("SELECT id FROM tasks")) == 2
        await ada.gets(1)
        await world.task_is("delivered")
        await world.stop()
        pressed = await world.do(
            f"chats/{ada.id}/press",
            user_id=ada.id,
            message_id=reason["message_id"],
            text=AGAIN,
        )
        assert pressed
        await world.do("clock", advance_seconds=60)
        await world.start()
        await ada.gets(2)


async def test_press_of_someone_shut_out(tmp_path: Path) -> None:
    """Who may no longer use the bot can press nothing."""
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start()
        ada = await world.person()
        reason = await _failed(world, ada, "make it sepia")
        await world.stop()
        await world.start(access={"allowed_users": [1]})
        assert (await ada.press(reason, AGAIN))["text"] == "You can't use this bot any more."
        assert len(world.rows("SELECT id FROM tasks")) == 1


async def _shows(person: Person, message: JSON, *labels: str) -> None:
    """Wait until a message has these buttons (and perhaps others)."""

    async def look() -> bool:
        shown = [one for one in await person.sees() if one["message_id"] == message["message_id"]]
        return set(labels) <= {label for one in shown for label in buttons_of(one)}

    await until(look, f"the buttons are {labels}")


async def test_what_leads_on(tmp_path: Path) -> None:
    """Shape, original files, one of two as the new photo, across a restart; then all of it is deleted."""
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start()
        ada, bob = await world.person(), await world.person("Bob")
        await ada.photo("make it sepia /count 2")
        album = await ada.gets(2)
        next_ = await ada.reads("#1", "what next?")
        await bob.photo("make it sepia")
        [picture] = await bob.gets(1)
        await bob.press(picture, said("button-ratio"))
        await _shows(bob, picture, "16:9", said("button-back"))
        await world.kill()
        await world.start()

        async def ada_goes_on() -> list[JSON]:
            await ada.press(next_, said("button-file"))
            files = (await ada.gets(4))[-2:]
            assert text_of(files[0]) == said("original", task=1)
            assert all(file["document"] for file in files)
            assert files[0]["reply_to"] == next_["message_id"]
            await ada.press(next_, said("button-use"))
            await _shows(ada, next_, "1", "2")
            assert (await ada.press(next_, "2"))["text"] == said("pressed-use")
            question = await ada.reads("picture 2 of #1")
            assert question["force_reply"]
            await ada.text("make it brown")
            await ada.gets(5)
            assert world.rows("SELECT prompt FROM tasks WHERE parent_id = 1") == [
                {"prompt": "make it brown"}
            ]
            return files

        async def bob_deletes() -> None:
            assert (await bob.press(picture, "16:9"))["text"] == said("pressed-go", count=1)
            await _shows(bob, picture, said("button-file"))
            (_, wide) = await bob.gets(2)
            assert has_ratio(wide, "16:9")
            [row] = world.rows("SELECT id FROM tasks WHERE parent_id = 2")
            await world.task_is("delivered", task=row["id"])
            await bob.press(wide, said("button-delete"))
            await _shows(bob, wide, said("button-delete-yes"))
            await bob.press(wide, said("button-delete-yes"))
            await bob.reads(f"#{row['id']} is deleted")
            assert wide["message_id"] not in {one["message_id"] for one in await bob.sees()}

        files, _ = await asyncio.gather(ada_goes_on(), bob_deletes())
        await world.later(49 * 3600)
        press = await ada.press_blindly(next_, "delete:1:yes", inaccessible=True)
        assert (await ada.notice(press))["text"] == said("pressed-deleting")
        await ada.reads("#1 is deleted", "5 messages are older")
        shown = {one["message_id"]: one for one in await ada.sees()}
        emptied = [shown[one["message_id"]] for one in (*album, *files)]
        assert [text_of(one) for one in emptied] == [said("deleted"), "", "", ""]
        for now, then in zip(emptied, (*album, *files), strict=True):
            assert (picture_of(now) or {})["file_id"] != (picture_of(then) or {})["file_id"]
        assert not list((tmp_path / "data" / "bot-pictures").glob("1/*"))

        async def forgotten() -> bool:
            kept = "SELECT 1 FROM images WHERE task_id = 1 AND file_id IS NOT NULL"
            return world.rows(kept) == []

        await until(forgotten, "the pictures' ids are forgotten")
