"""Groups: the bot is silent unless it is addressed, and keeps to the topic it is addressed in."""

from pathlib import Path
from typing import Final

from bot.texts import Say, plain
from sandbox.hidream.settings import Settings
from tests.e2e.test_options import has_ratio, submitted
from tests.e2e.world import SAMPLE, Person, opened, text_of, until

QUICK: Final = Settings(seconds=0.2, parallel=10)


async def test_silent_unless_addressed(tmp_path: Path) -> None:
    """In a group only commands for this bot and replies to it are answered, all that people say heard."""
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start()
        ada = await world.person()
        group = await world.group(ada, privacy=False)
        for text in (
            *(
                "hello",
                "/status@other_bot",
                "/nonsense",
                "/nonsense@other_bot",
                "@sandbox_bot hello",
            ),
            *("/ratio@other_bot 16:9", "/status@sandbox_bot_2", "--ratio 16:9", "what is /status?"),
        ):
            await ada.text(text, chat=group)
        for caption in (
            None,
            "make it sepia",
            "make it sepia /ratio@other_bot 16:9",
            "--ratio 1:1",
        ):
            await ada.photo(caption, chat=group)
        await ada.photo("look", chat=group, contents=(SAMPLE, SAMPLE))
        for content in ({"dice": {"emoji": "🎲", "value": 6}}, {"new_chat_title": "New"}):
            await world.do(f"chats/{group}/message", user_id=ada.id, message=content)
        photo = await ada.photo("/ratio@sandbox_bot 16:9 make it sepia", chat=group)
        [picture] = await ada.gets(1, chat=group)
        assert picture["reply_to"] == photo["message_id"]
        assert has_ratio(picture, "16:9")
        assert (await submitted(world, ada))["prompt"] == "make it sepia"
        sent = [c for c in await world.calls("telegram") if c["call"] == "sendMessage"]
        assert len(sent) <= 1, "beside the picture there was the progress message at most"


async def test_what_is_answered(tmp_path: Path) -> None:
    """Commands and replies are answered in the group; words come as a reply to the question."""
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start()
        ada, bob = await world.person(), await world.person("Bob")
        group = await world.group(ada, bob, supergroup=True)
        photo = await ada.photo("/ratio@sandbox_bot 1:1", chat=group)
        question = await ada.reads("Reply to this", chat=group)
        assert question["reply_to"] == photo["message_id"], "it is for the one who sent the photo"
        await bob.text("make it blue", chat=group, reply_to=question["message_id"])
        asked = await bob.reads("send it within 15 minutes", chat=group)
        assert asked["force_reply"], "what answers it reaches the bot"
        blue = await bob.photo(chat=group, reply_to=asked["message_id"])
        [picture] = await bob.gets(1, chat=group)
        assert picture["reply_to"] == blue["message_id"]
        await ada.text("/status@other_bot", chat=group, reply_to=question["message_id"])
        await ada.text("make it sepia", chat=group, reply_to=question["message_id"])
        picture = (await ada.gets(2, chat=group))[-1]
        assert picture["reply_to"] == photo["message_id"]
        assert has_ratio(picture, "1:1")
        seen = await submitted(world, ada)
        assert (seen["prompt"], seen["ratio"]) == ("make it sepia", "1:1")
        await ada.text("/nonsense@sandbox_bot", chat=group)
        await ada.reads("don't know /nonsense@sandbox_bot", chat=group)
        dice = {"dice": {"emoji": "🎲", "value": 6}}
        await world.do(
            f"chats/{group}/message",
            user_id=ada.id,
            message=dice,
            reply_to=picture["message_id"],
        )
        await ada.reads("only work on photos", chat=group)


async def test_mistake_in_a_group(tmp_path: Path) -> None:
    """A misspelt option that names the bot is answered; a reply with the caption put right works."""
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start()
        ada = await world.person()
        group = await world.group(ada)
        await ada.photo("/ratoi@sandbox_bot 1:1 make it sepia", chat=group)
        answer = await ada.reads("mean /ratio?", chat=group)
        await ada.text("make it sepia --ar 1:1", chat=group, reply_to=answer["message_id"])
        assert has_ratio((await ada.gets(1, chat=group))[0], "1:1")
        await ada.photo("/count@sandbox_bot 2", chat=group, contents=(SAMPLE, SAMPLE))
        # in privacy mode the bot is told of the part that names it alone
        await ada.reads("What shall I make of it?", chat=group)


async def test_answers_stay_in_the_topic(tmp_path: Path) -> None:
    """In a group with topics all that the bot says is in the topic in which it was addressed."""
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start()
        ada = await world.person()
        group = await world.group(ada, topics=True)
        topic = (await world.do(f"groups/{group}/topics", name="Pictures"))["message_thread_id"]
        await ada.photo("/ratio@sandbox_bot 1:1", chat=group, thread_id=topic)
        question = await ada.reads("Reply to this", chat=group)
        await ada.text(
            "make it sepia", chat=group, reply_to=question["message_id"], thread_id=topic
        )
        [picture] = await ada.gets(1, chat=group)
        edit = {"reply_to": picture["message_id"], "thread_id": topic}
        await ada.text("/edit make it brown", chat=group, **edit)
        await ada.gets(2, chat=group)
        await ada.text("/status 1", chat=group, thread_id=topic)
        await ada.gets(3, chat=group)
        assert {message["thread_id"] for message in await ada.sees(group)} == {topic}


async def test_status_in_a_group(tmp_path: Path) -> None:
    """In a group nobody sees what someone does elsewhere, nor what others do."""
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start()
        ada, bob = await world.person(), await world.person("Bob")
        group, other = await world.group(ada, bob), await world.group(ada, bob)
        await ada.photo("a secret in sepia")
        await ada.gets(1)
        await ada.photo("/n@sandbox_bot 1 for all in sepia", chat=group)
        await ada.gets(1, chat=group)
        shown = await _asks(ada, "/status", "does the same", group)
        assert "secret" not in shown
        assert "for all" in shown
        await _asks(bob, "/status@sandbox_bot", "nothing of yours here", group)
        await _asks(bob, "/status 2", "no number 2 here", group)
        await _asks(ada, "/status", "nothing of yours here", other)
        for number in (1, 2):
            await _asks(ada, f"/status {number}", f"no number {number} here", other)
        shown = await _asks(ada, "/status", "does the same", ada.id)
        assert "#1" in shown, "their own chat shows a person everything"
        assert "#2" in shown


async def _asks(person: Person, text: str, words: str, chat: int) -> str:
    await person.text(text, chat=chat)
    return text_of(await person.reads(words, chat=chat))


async def test_group_that_becomes_a_supergroup(tmp_path: Path) -> None:
    """A group's pictures are still its own after its id has changed."""
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start()
        ada = await world.person()
        group = await world.group(ada)
        await ada.photo("/n@sandbox_bot 1 make it sepia", chat=group)
        await ada.gets(1, chat=group)
        new = int((await world.do(f"groups/{group}/upgrade"))["id"])
        await _asks(ada, "/status", "#1", new)


async def test_answers_follow_a_group(tmp_path: Path) -> None:
    """What was asked before a group's id changed is answered under the new one, pressed or written."""
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start()
        ada = await world.person()
        group = await world.group(ada)
        await world.next_ends(4)
        await ada.photo("/n@sandbox_bot 1 make it sepia", chat=group)
        reason = await ada.reads("did not pass", chat=group)
        await world.task_is("failed")
        await world.kill()
        await ada.text("/status", chat=group)
        await ada.photo("/ratio@sandbox_bot 99:1 make it brown", chat=group)
        pressed = await world.do(
            f"chats/{group}/press",
            user_id=ada.id,
            message_id=reason["message_id"],
            text=plain(Say("button-words")),
        )
        new = int((await world.do(f"groups/{group}/upgrade"))["id"])
        await world.start()
        await ada.notice(pressed["callback_query_id"])
        await ada.reads("does the same", "#1", chat=new)
        await ada.reads("99:1", "still here", chat=new)
        question = await ada.reads("instead", chat=new)
        await ada.text("make it blue", chat=new, reply_to=question["message_id"])
        await ada.gets(1, chat=new)


async def test_group_that_throws_the_bot_out(tmp_path: Path) -> None:
    """What waits for a group that the bot was thrown out of is dropped, and nothing is spent."""
    async with opened(tmp_path) as world:
        ada = await world.person()
        group = await world.group(ada)
        await world.set_hidream(down=True)
        await world.start()
        await ada.photo("/n@sandbox_bot 1 make it sepia", chat=group)
        await until(lambda: world.calls("hidream", call="submit"), "HiDream is tried")
        await world.do(f"groups/{group}/kick")
        await world.task_is("cancelled")
        assert (await world.made())["tasks"] == []
