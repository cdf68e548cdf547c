"""/status: a person's own pictures, from the store alone."""

import asyncio
from pathlib import Path
from typing import Final

from sandbox.hidream.settings import Settings
from tests.e2e.world import (
    SAMPLE,
    Person,
    buttons_of,
    opened,
    picture_of,
    said,
    text_of,
    until,
)

QUICK: Final = Settings(seconds=0.2, parallel=10)
BACK, ON, REFRESH = "◀", "▶", "🔄"


async def test_list_of_ones_own(tmp_path: Path) -> None:
    """The list has the unfinished first, oldest first, each with its place or percentage, then the latest."""
    settings = Settings(seconds=0.2, parallel=1)
    async with opened(tmp_path, settings=settings) as world:
        await world.start(hidream={"parallel_requests": 1})
        ada, bob = await world.person(), await world.person("Bob")
        await ada.photo("first in sepia")
        await ada.gets(1)
        await ada.photo("second in sepia")
        await world.task_is("delivered", task=2)
        await world.set_hidream(seconds=30.0, jitter=0.0)
        await ada.photo("third in sepia /ratio 16:9 /count 2 /no text")
        await world.task_is("running", task=3)
        await bob.photo("fourth in sepia")
        await world.task_is("queued", task=4)
        await ada.photo("fifth in sepia")
        await world.task_is("queued", task=5)
        await until(
            lambda: _has(world.rows("SELECT 1 FROM tasks WHERE id = 3 AND completion > 0")),
            "HiDream says how far it is",
        )
        shown = await _asks(ada, "/status", "does the same")
        entries = [line for line in shown.splitlines() if line.startswith("#")]
        assert [entry.split()[0] for entry in entries] == ["#3", "#5", "#2", "#1"]
        assert "being made, " in entries[0]
        assert "%" in entries[0]
        assert "in line, number 2" in entries[1]
        assert all("· done ·" in entry for entry in entries[2:])
        assert all("ago" in entry or "just now" in entry for entry in entries)
        assert "third in sepia\n16:9 · 2 pictures · without: text" in shown
        assert "first in sepia\n4:3 · 1 picture" in shown
        assert "in line, number 1" in await _asks(bob, "/status", "#4")
        await bob.text("/status 3")
        await bob.reads("no number 3 here")


async def _has(rows: object) -> bool:
    return bool(rows)


async def test_lists_and_results_turn_over(tmp_path: Path) -> None:
    """Pages and pictures turn over in place, also after a restart, and lead on; in a group, for their owner alone."""
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start()
        ada, bob, cyd = [await world.person(name) for name in ("Ada", "Bob", "Cyd")]
        await ada.photo("rain in sepia")
        await ada.gets(1)
        await ada.photo("snow in sepia /count 2")
        await ada.gets(3)
        await world.task_is("delivered", task=2)
        await ada.text("/history sepia")
        await ada.gets(4)
        await world.set_hidream(down=True)
        for n in range(6):
            await bob.photo(f"picture {n} in blue")
        await world.task_is("queued", "waiting", "submitting", task=8)
        await bob.text("/status")
        listed = await bob.reads("does the same")
        assert buttons_of(listed)[-2:] == [REFRESH, ON]
        group = await world.group(bob, cyd)
        await cyd.photo("/n@sandbox_bot 1 for all in sepia", chat=group)
        await world.task_is("queued", "waiting", "submitting", task=9)
        await world.kill()
        await world.start()

        async def pages() -> None:
            await bob.press(listed, ON)
            page = await bob.reads("does the same", "picture 5 in blue")
            assert page["message_id"] == listed["message_id"]
            assert buttons_of(page) == ["#8", BACK, REFRESH]
            await bob.press(page, REFRESH)  # nothing has changed
            await bob.press(page, "#8")
            await bob.reads("#8 · in line", "Sent")

        async def pictures() -> None:
            history = await ada.reads("1 of 2 · picture 1 of 2")
            await ada.press(history, ON)
            shown = await ada.reads("1 of 2 · picture 2 of 2")
            await ada.press(shown, ON)
            shown = await ada.reads("2 of 2", "rain in sepia")
            assert shown["message_id"] == history["message_id"]
            await ada.text("/status", reply_to=shown["message_id"])
            await ada.reads("#1 · done", "HiDream's id")
            await ada.text("/history moon")
            await ada.reads("None of your pictures", "“moon”")

        async def group_of_two() -> None:
            await cyd.text("/status@sandbox_bot", chat=group)
            own = await cyd.reads("does the same", chat=group)
            for label in ("#9", REFRESH):
                notice = await bob.press(own, label, chat=group)
                assert notice["text"] == said("pressed-not-yours")
            await bob.text("/history@sandbox_bot", chat=group)
            await bob.reads("nothing of yours here yet", chat=group)

        await asyncio.gather(pages(), pictures(), group_of_two())


async def test_one_in_full(tmp_path: Path) -> None:
    """/status 1 tells all there is, with HiDream's id, and shows the pictures from Telegram's own copies."""
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start()
        ada = await world.person()
        await ada.photo("make it sepia /count 2 /ratio 1:1")
        first = await ada.gets(2)
        await world.task_is("delivered")
        await world.stop()
        await world.start()
        shown = await _asks(ada, "/status #1", "HiDream's id")
        assert shown.startswith("#1 · done\nmake it sepia /ratio 1:1 /count 2\n")
        [call] = await world.calls("hidream", call="submit")
        assert call["params"]["task_id"] in shown
        again = (await ada.gets(4))[2:]
        assert [await world.picture(m) for m in again] == [await world.picture(m) for m in first]
        *_, album = await world.calls("telegram", call="sendMediaGroup")
        for item in album["params"]["media"]:
            assert not item["media"].startswith("attach://"), "nothing is uploaded again"


async def test_pictures_that_were_files(tmp_path: Path) -> None:
    """What arrived as a file, because Telegram took it as no photo, is shown again as a file."""
    async with opened(tmp_path, settings=QUICK) as world:
        body = '{"ok":false,"error_code":400,"description":"Bad Request: PHOTO_INVALID_DIMENSIONS"}'
        await world.fault("telegram", "sendPhoto", "status", status=400, body=body)
        await world.start()
        ada = await world.person()
        await ada.photo("make it sepia")
        [first] = await ada.gets(1)
        await world.task_is("delivered")
        await ada.text("/status 1")
        again = (await ada.gets(2))[1]
        assert "photo" not in again
        shown, before = picture_of(again), picture_of(first)
        assert shown
        assert before
        assert shown["file_id"] == before["file_id"]


async def test_why_there_is_no_picture(tmp_path: Path) -> None:
    """A failure is told again, one that is partly done says what is missing, and odd numbers are told right."""
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start()
        ada, bob = await world.person(), await world.person("Bob")
        await world.next_ends(4)
        await ada.photo("make it sepia")
        await ada.reads("did not pass its review")
        await world.task_is("failed")
        await world.next_ends(1, 3)
        await ada.photo("make it sepia /count 2")
        [picture] = await ada.gets(1)
        assert "1 of 2 pictures came out." in text_of(picture)
        await world.task_is("delivered")
        shown = await _asks(ada, "/status", "does the same")
        assert "#2 · done" in shown
        assert "#1 · no picture" in shown
        shown = await _asks(ada, "/status 1", "#1 · no picture", "did not pass its review")
        assert "HiDream's id for it: " in shown
        shown = await _asks(ada, "/status 2", "#2 · done\n")
        assert "1 of 2 pictures came out.\n1 failed at HiDream." in shown
        for wrong, words in (
            ("/status 17", "no number 17 here"),
            ("/status nine", "one number from its list"),
            ("/status -1", "one number from its list"),
            (f"/status {10**40}", "one number from its list"),
        ):
            await bob.text(wrong)
            await bob.reads(words)


async def test_status_answers_while_all_else_is_down(tmp_path: Path) -> None:
    """/status answers from the store, whatever HiDream does."""
    async with opened(tmp_path) as world:
        await world.set_hidream(down=True)
        await world.start()
        ada = await world.person()
        await ada.photo("make it sepia", contents=(SAMPLE,))
        await until(lambda: world.calls("hidream", call="submit"), "HiDream is tried")
        assert "in line" in await _asks(ada, "/status", "#1")
        shown = await _asks(ada, "/status 1", "Sent just now")
        assert "HiDream's id" not in shown


async def _asks(person: Person, text: str, *words: str) -> str:
    await person.text(text)
    return text_of(await person.reads(*words))
