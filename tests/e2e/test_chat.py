"""A private chat: greetings, questions, and answers to whatever else comes."""

import asyncio
from pathlib import Path
from typing import Final

from bot.captions import parse
from bot.commands import COMMANDS
from bot.handlers.orders import IDEAS
from bot.options import OPTIONS
from bot.pictures import PictureRequest
from bot.texts import Say, plain
from bot.variants import expand
from sandbox.hidream.settings import Settings
from tests.e2e.test_options import AT_ONCE, has_ratio, submitted
from tests.e2e.world import JSON, SAMPLE, Person, World, buttons_of, opened, text_of, until

QUICK: Final = Settings(seconds=0.2, parallel=10)


async def test_start_help_and_menu(tmp_path: Path) -> None:
    """/start says what to do, /help shows every option and command, the menu comes from the same table."""
    async with opened(tmp_path) as world:
        await world.start()
        ada = await world.person()
        await ada.text("/start")
        await ada.reads("send me a photo", "make it snow", "/help", "/status")
        await ada.text("/HELP@sandbox_bot")
        shown = text_of(await ada.reads("the caption can also say"))
        for option in OPTIONS:
            for spelling in (option.usage(), *option.spellings()[1:], *option.values):
                assert spelling in shown, spelling
        for command in COMMANDS:
            assert f"/{command.name} — " in shown, command

        async def menu() -> list[JSON]:
            menus = (await world.see("commands"))["menus"]
            return next((one["commands"] for one in menus if not one["language_code"]), [])

        shown_there = await until(menu, "the menu is set")
        assert [row["command"] for row in shown_there] == [c.name for c in COMMANDS]
        for row in shown_there:
            assert row["description"] in shown, row


async def test_photo_first_words_later(tmp_path: Path) -> None:
    """A photo alone is asked about; the next text is its words, with the options that came before."""
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start(**AT_ONCE)
        ada, bob, cyd = [await world.person(name) for name in ("Ada", "Bob", "Cyd")]

        async def ada_writes_at_once() -> None:
            await ada.photo()
            question = await ada.reads("What shall I make of it?")
            assert buttons_of(question) == [plain(Say(idea)) for idea in IDEAS]
            assert await world.calls("hidream") == []
            await ada.text("make it sepia")
            await ada.gets(1)
            assert (await submitted(world, ada))["ratio"] == "4:3"
            await ada.text("and now in blue")
            await ada.reads("send it within 15 minutes")
            await ada.photo()
            await ada.gets(2)
            assert "and now in blue" in await _asked_for(world)

        async def bob_sends_options_first() -> None:
            await bob.photo("/ratio 16:9 /no text /count 3")
            await bob.reads("What shall I make of it?")
            await bob.text("make it sepia /n 2")
            pictures = await bob.gets(2)
            assert has_ratio(pictures[0], "16:9")
            seen = await submitted(world, bob)
            assert (seen["prompt"], seen["negative_prompt"]) == ("make it sepia", "text")
            assert seen["img_count"] == 2

        async def cyd_replies_to_the_older_question() -> None:
            first = await cyd.photo()
            question = await cyd.reads("What shall I make of it?")
            await cyd.photo()
            await cyd.reads("What shall I make of it?", times=2)
            await cyd.text("make it sepia", reply_to=question["message_id"])
            [picture] = await cyd.gets(1)
            assert picture["reply_to"] == first["message_id"]

        await asyncio.gather(
            ada_writes_at_once(), bob_sends_options_first(), cyd_replies_to_the_older_question()
        )


async def test_question_outlives_a_restart(tmp_path: Path) -> None:
    """The words for a photo are taken after a restart too, as a reply and as the next text."""
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start()
        ada, bob = await world.person(), await world.person("Bob")
        photos = [await person.photo("/ratio 1:1") for person in (ada, bob)]
        question = await ada.reads("What shall I make of it?")
        await until(lambda: _asked(world, 2), "the questions are noted")
        await world.kill()
        await world.start()
        await ada.text("make it sepia", reply_to=question["message_id"])
        await bob.text("make it sepia")
        for person, photo in zip((ada, bob), photos, strict=True):
            [picture] = await person.gets(1)
            assert picture["reply_to"] == photo["message_id"]
            assert has_ratio(picture, "1:1")


async def _asked(world: World, count: int) -> bool:
    return len(world.rows("SELECT 1 FROM drafts WHERE question_id IS NOT NULL")) == count


ODD: Final[tuple[tuple[JSON, str], ...]] = (
    (
        {
            "sticker": {
                "file_id": "s1",
                "file_unique_id": "s",
                "type": "regular",
                "width": 512,
                "height": 512,
                "is_animated": True,
                "is_video": False,
            }
        },
        "that sticker moves",
    ),
    ({"voice": {"file_id": "v", "file_unique_id": "v", "duration": 3}}, "only work on photos"),
    (
        {
            "video": {
                "file_id": "v",
                "file_unique_id": "v",
                "duration": 3,
                "width": 640,
                "height": 480,
            },
            "caption": "make it sepia",
        },
        "that is a video",
    ),
    (
        {
            "animation": {
                "file_id": "g",
                "file_unique_id": "g",
                "duration": 3,
                "width": 640,
                "height": 480,
            },
            "document": {"file_id": "g", "file_unique_id": "g", "file_size": 9},
            "caption": "make it sepia",
        },
        "animation",
    ),
    ({"location": {"latitude": 59.9, "longitude": 10.7}}, "only work on photos"),
    ({"contact": {"phone_number": "1", "first_name": "Eve"}}, "only work on photos"),
    ({"dice": {"emoji": "🎲", "value": 6}}, "only work on photos"),
    ({"document": {"file_id": "d", "file_unique_id": "d", "file_size": 9}}, "only work on photos"),
    ({"something_new": {"of": "tomorrow"}}, "only work on photos"),
)


async def test_everything_else(tmp_path: Path) -> None:
    """Whatever cannot be worked on gets one helpful answer; service messages get none."""
    async with opened(tmp_path) as world:
        await world.start()

        async def sent(content: JSON, words: str) -> None:
            person = await world.person()
            await world.do(f"chats/{person.id}/message", user_id=person.id, message=content)
            await person.reads(words)
            assert len(await person.sees()) == 1

        await asyncio.gather(*(sent(*odd) for odd in ODD))
        ada = await world.person()
        for content in ({"new_chat_title": "New"}, {"delete_chat_photo": True}):
            await world.do(f"chats/{ada.id}/message", user_id=ada.id, message=content)
        for text, words in (
            ("a hello kitty", "send it within 15 minutes"),
            ("/ratoi 16:9 make it sepia", "mean /ratio?"),
            ("/nonsense", "don't know /nonsense"),
        ):
            await ada.text(text)
            await ada.reads(words)
        await ada.text("/sepia please")
        await ada.reads("don't know /sepia")
        assert len(await ada.sees()) == 4
        assert await world.calls("hidream") == []


async def test_albums(tmp_path: Path) -> None:
    """An album is one task with all its photos, also if the bot is killed between them; films are not."""
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start()
        ada, bob, cyd = [await world.person(name) for name in ("Ada", "Bob", "Cyd")]
        first = await ada.photo("make it sepia", contents=(SAMPLE,) * 4, caption_index=2)
        await until(lambda: _parts(world, 4), "the parts are kept")
        await world.kill()
        film = {"file_id": "v", "file_unique_id": "v", "duration": 3, "width": 64, "height": 48}
        for _ in range(3):
            album = {"video": film, "media_group_id": "5"}
            await world.do(f"chats/{bob.id}/message", user_id=bob.id, message=album)
        await cyd.photo("make it brown", contents=(SAMPLE,) * 5)
        await world.start()
        [picture] = await ada.gets(1)
        assert picture["reply_to"] == first["message_id"]
        await bob.reads("that is a video")
        offer = await cyd.reads("5 photos", "4 into one picture")
        await cyd.press(offer, plain(Say("button-each")))
        await cyd.gets(5)
        await cyd.press(offer, plain(Say("button-first")))
        await cyd.gets(6)
        assert len(await bob.sees()) == 1
        calls = await world.calls("hidream", call="submit")
        assert sorted(len(call["params"]["images"]) for call in calls) == [1] * 5 + [4] * 2


async def _parts(world: World, count: int) -> bool:
    if not world.database.exists():
        return False
    return len(world.rows("SELECT 1 FROM album_parts")) == count


async def test_going_on(tmp_path: Path) -> None:
    """A reply to a result goes on from it; a link goes to HiDream as it is; an edit is taken in line."""
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start()
        ada = await world.person()
        await ada.photo("make it sepia")
        [result] = await ada.gets(1)
        await ada.text("and now in blue", reply_to=result["message_id"])
        await ada.gets(2)
        assert world.rows("SELECT parent_id FROM tasks WHERE id = 2") == [{"parent_id": 1}]
        link = f"{world.telegram}/cat.jpg"
        await ada.text(f"{link} make it rain")
        await world.task_is("delivered", "failed", task=3)
        calls = await world.calls("hidream", call="submit")
        assert calls[2]["params"]["images"] == [{"url": link}]
        assert calls[2]["params"]["ratio"] == "1:1"
        await world.set_hidream(down=True)
        photo = await ada.photo("make it snow")
        await world.task_is("queued", "waiting", task=4)
        words = {"user_id": ada.id, "message_id": photo["message_id"], "caption": "{fog, hail}"}
        await world.do(f"chats/{ada.id}/edit", **words)
        offer = await ada.reads("make it again")
        await world.do(f"chats/{ada.id}/edit", **{**words, "caption": "make it foggy"})
        await ada.reads("new words")
        await ada.press(offer, plain(Say("button-new-words")))
        await world.set_hidream(down=False)
        await until(lambda: _prompts(world, {"make it foggy", "fog", "hail"}), "all are handed in")


async def _prompts(world: World, prompts: set[str]) -> bool:
    return prompts <= await _asked_for(world)


async def _asked_for(world: World) -> set[str]:
    return {task["prompt"] for task in (await world.made())["tasks"]}


FAMILY: Final = "👩‍👩‍👧‍👦"
PROMPTS: Final = (
    "<b>bold</b> & <script>alert('x')</script> &amp; </i>",
    "🎉" * 1000,
    FAMILY * 90,
    "הפוך את זה לחורף עם שלג 123 (כן)",
    "\u202eright to left override\u202c and a\u200bzero\u2060width",
    "e\u0301" * 500,
    "{prompt} {0} %s %(x)s \\n",
    "one\ntwo\n\nthree",
    "a /foo @someone https://example.org/?a=1&b=2 #tag",
)


async def test_people_see_what_they_wrote(tmp_path: Path) -> None:
    """Whatever the words are, Telegram takes every message about them, and they are shown as written."""
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start(**AT_ONCE)

        async def wrote(prompt: str) -> None:
            person: Person = await world.person()
            await person.photo()
            await person.reads("What shall I make of it?")
            await person.text(prompt)
            [picture] = await person.gets(1)
            assert (await submitted(world, person))["prompt"] == prompt
            _does_the_same(_copied(picture), prompt)
            await person.text("/status")
            _is_shown(text_of(await person.reads("does the same")).splitlines()[1], prompt)
            number = text_of(picture).rpartition("\n#")[2].split()[0]
            await person.text(f"/status {number}")
            _does_the_same(_copied(await person.reads("HiDream's id")), prompt)

        await asyncio.gather(*(wrote(prompt) for prompt in PROMPTS))
        assert await world.calls("telegram", outcome="refused") == []


def _copied(message: JSON) -> str:
    """Give what a tap copies of a message, or what stands in its place where that is cut."""
    entities = message.get("caption_entities") or message["entities"]
    first = next(one for one in entities if one["type"] in {"code", "italic"})
    units = text_of(message).encode("utf-16-le")
    begin, end = first["offset"], first["offset"] + first["length"]
    return units[2 * begin : 2 * end].decode("utf-16-le")


def _does_the_same(caption: str, prompt: str) -> None:
    """Check that a caption, sent again, says the same words; or is their beginning, if it is cut."""
    request = parse(caption, defaults=PictureRequest(prompt=""))
    if request.prompt.endswith("…"):
        _is_shown(request.prompt, prompt)
    else:
        assert expand(request.prompt) == (prompt,)


def _is_shown(line: str, prompt: str) -> None:
    """Check that a line is the prompt as it was written, or its beginning."""
    flat = " ".join(prompt.split())
    line = line.strip("\u2068\u2069")  # where its direction could turn the line around
    assert line == flat or (line.endswith("…") and len(line) > 30 and flat.startswith(line[:-1]))
