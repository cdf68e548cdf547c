"""/settings for real: what HiDream is asked for, how results come, in which language, over a restart."""

import asyncio
from pathlib import Path
from typing import Final

from bot.texts import Say, plain
from sandbox.hidream.settings import Settings
from tests.e2e.world import JSON, Person, World, buttons_of, opened, until

QUICK: Final = Settings(seconds=0.2, parallel=10)
TITLE: Final = "Your settings"


def _words(id_: str, language: str) -> str:
    return plain(Say(id_), language=language).splitlines()[0]


async def _choose(person: Person, message: JSON, *labels: str, chat: int | None = None) -> JSON:
    """Press these buttons one after the other; returns the answer to the last press."""
    answer: JSON = {}
    for label in labels:

        async def there(label: str = label) -> bool:
            shown = await person.sees(chat)
            return any(
                label in buttons_of(one)
                for one in shown
                if one["message_id"] == message["message_id"]
            )

        await until(there, f"there is a button {label}")
        answer = await person.press(message, label, chat=chat)
    return answer


async def _asked(world: World, person: Person, nth: int) -> tuple[str, int, str]:
    """Give ratio, number and negative words of what HiDream was asked for, for the nth time."""

    async def look() -> JSON | None:
        calls = await world.calls("hidream", call="submit")
        mine = [call for call in calls if call["headers"]["api-user-id"] == str(person.id)]
        return mine[nth] if len(mine) > nth else None

    params = (await until(look, "HiDream is asked"))["params"]
    return params["ratio"], params["img_count"], params["negative_prompt"]


async def test_what_is_chosen_holds(tmp_path: Path) -> None:
    """What is asked for is the caption's, else the person's, else the group's, else the bot's; buttons outlive a restart."""
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start(
            defaults={"ratio": "1:1", "count": 1, "negative": "cars"},
            hidream={"parallel_requests": 10},
        )
        ada, bob = await world.person(), await world.person("Bob")
        eve = await world.person("Eve", language_code="de")
        fay = await world.person("Fay")
        group = await world.group(bob, ada, supergroup=True)  # it is Bob's
        await bob.text("/settings@sandbox_bot", chat=group)
        await eve.text("/settings")
        await ada.photo("make it snow")
        await ada.gets(1)
        assert await _asked(world, ada, 0) == ("1:1", 1, "cars")
        await ada.text("/settings")
        settings = await ada.reads(TITLE)
        assert "Shape: 1:1 · default" in settings["text"]
        await _choose(ada, settings, "Keep out", "✏️ Write the words")
        question = await ada.reads("What must never be in your pictures")
        assert question["force_reply"]
        shared = await bob.reads(TITLE, chat=group)
        hers = await eve.reads(_words("preferences-own", "de"))
        await world.stop()
        await world.start()

        async def in_private() -> None:
            await ada.text("text,\npeople", reply_to=question["message_id"])
            shown = await ada.reads("Keep out: text, people · yours")
            answer = await _choose(ada, shown, "Shape", "16:9")
            assert answer["text"] == "Saved."
            await ada.reads("Shape: 16:9 · yours")
            await ada.photo("make it rain")
            [_, made] = await ada.gets(2)
            assert await _asked(world, ada, 1) == ("16:9", 1, "text, people")
            # what a result was made with stays, whatever holds by now
            await _choose(ada, shown, "Shape", "3:4")
            await ada.reads("Shape: 3:4 · yours")
            await ada.press(made, "✏️ Other words")
            other = await ada.reads("instead?")
            await ada.text("make it sunny", reply_to=other["message_id"])
            assert await _asked(world, ada, 2) == ("16:9", 1, "text, people")
            await ada.gets(3)

        async def in_the_group() -> None:
            answer = await ada.press(shared, "👥 For this group", chat=group)
            assert "this group's admins" in answer["text"]
            await bob.press(shared, "👥 For this group", chat=group)
            await bob.reads("Settings for everybody here", chat=group)
            await _choose(bob, shared, "Pictures at a time", "2", chat=group)
            await bob.reads("Pictures at a time: 2 · this group's", chat=group)
            await bob.photo("/no@sandbox_bot boats\nmake it snow", chat=group)
            assert await _asked(world, bob, 0) == ("1:1", 2, "boats")
            await bob.gets(2, chat=group)

        async def in_her_language() -> None:
            language = (_words("preference-language", code) for code in ("de", "fr"))
            await _choose(eve, hers, next(language), "Français")
            await eve.reads(_words("preferences-own", "fr"))
            await eve.text("/status")
            await eve.reads(_words("status-none", "fr"))
            as_telegram = _words("preference-in-telegram", "fr")
            await _choose(eve, hers, next(language), as_telegram)
            await eve.text("/status")
            await eve.reads(_words("status-none", "de"))

        async def as_a_file() -> None:
            await fay.text("/settings")
            shown = await fay.reads(TITLE)
            await _choose(fay, shown, "As files", "Yes")
            await fay.reads("As files: Yes · yours")
            await _choose(fay, shown, "Without a sound", "Yes")
            await fay.reads("Without a sound: Yes · yours")
            await fay.photo("make it snow")
            [made] = await fay.gets(1)
            assert made.get("document"), "as a file"
            assert made["silent"]

        await asyncio.gather(in_private(), in_the_group(), in_her_language(), as_a_file())
        await ada.photo("/ratio@sandbox_bot auto make it snow", chat=group)
        assert await _asked(world, ada, 3) == ("4:3", 2, "text, people")
