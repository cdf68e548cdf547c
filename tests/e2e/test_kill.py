"""Killed anywhere, nothing is lost: each photo still ends in a picture, once."""

from pathlib import Path

import pytest

from sandbox.hidream.settings import Settings
from tests.e2e.world import World, opened, text_of


async def _picture_once(world: World, chat: int) -> None:
    """Exactly one picture is in the chat, and no progress message that the bot knows of."""
    seen = (await world.see(f"chats/{chat}"))["messages"]
    pictures = [message for message in seen if message["from_bot"] and "photo" in message]
    assert len(pictures) == 1, [text_of(message) for message in seen]
    [row] = world.rows("SELECT progress_message_id AS id FROM tasks")
    assert row["id"] not in [message["message_id"] for message in seen]


_SHOWN = Settings(seconds=2.0, parallel=10)
"""Tasks that take long enough to have a progress message."""

# Where the bot is killed: a call that it makes, and whether before or after that call took effect.
KILLS = [
    pytest.param("telegram", "getUpdates", "kill_after", {}, id="update-not-received"),
    pytest.param("telegram", "getUpdates", "kill_before", {"skip": 1}, id="update-received"),
    pytest.param("telegram", "getFile", "kill_before", {}, id="queued"),
    pytest.param("telegram", "file", "kill_after", {}, id="photo-fetched"),
    pytest.param("hidream", "submit", "kill_before", {}, id="submitting-not-arrived"),
    pytest.param("hidream", "submit", "kill_after", {}, id="submitting-arrived"),
    pytest.param("hidream", "batch", "kill_before", {}, id="running"),
    pytest.param("hidream", "image", "kill_before", {}, id="image-not-fetched"),
    pytest.param("hidream", "image", "kill_after", {}, id="image-fetched"),
    pytest.param("telegram", "sendPhoto", "kill_before", {}, id="delivering-not-arrived"),
    pytest.param("telegram", "deleteMessage", "kill_before", {}, id="delivered-not-tidied"),
]


@pytest.mark.parametrize(("service", "call", "action", "more"), KILLS)
async def test_killed_at_a_call(
    tmp_path: Path, service: str, call: str, action: str, more: dict[str, int]
) -> None:
    """Killed before or after a call, the bot brings the picture after its restart, once."""
    async with opened(tmp_path, settings=_SHOWN) as world:
        pid = await world.start()
        ada = await world.person()
        await world.fault(service, call, action, pid=pid, **more)
        await ada.photo("sepia")
        await world.died()
        await world.start()
        await ada.gets(1)
        await world.task_is("delivered")
        await _picture_once(world, ada.id)
        made = await world.made()
        assert len(made["tasks"]) == 1, "HiDream was asked once"


async def test_killed_before_the_progress_message_is_known(tmp_path: Path) -> None:
    """Killed between Telegram taking the progress message and its answer: still one picture."""
    async with opened(tmp_path, settings=_SHOWN) as world:
        pid = await world.start()
        ada = await world.person()
        await world.fault("telegram", "sendMessage", "kill_after", pid=pid)
        await ada.photo("sepia")
        await world.died()
        await world.start()
        await ada.gets(1)
        await world.task_is("delivered")
        assert len([m for m in await ada.sees() if "photo" in m]) == 1
        assert len((await world.made())["tasks"]) == 1


async def test_killed_while_the_answer_to_the_picture_is_on_its_way(tmp_path: Path) -> None:
    """Killed after Telegram took the picture, it may be shown twice, and that is counted."""
    async with opened(tmp_path) as world:
        pid = await world.start()
        ada = await world.person()
        await world.fault("telegram", "sendPhoto", "kill_after", pid=pid)
        await ada.photo("sepia")
        await world.died()
        await world.start()
        await ada.gets(2)
        await world.task_is("delivered")
        assert world.rows("SELECT sum(repeats) AS n FROM steps") == [{"n": 1}]
        assert len((await world.made())["tasks"]) == 1


async def test_killed_with_a_line_of_people(tmp_path: Path) -> None:
    """Killed with tasks at HiDream and in line, everybody gets theirs in the end."""
    settings = Settings(seconds=0.6, parallel=2)
    async with opened(tmp_path, settings=settings) as world:
        await world.start(hidream={"parallel_requests": 2})
        people = [await world.person(f"P{n}") for n in range(4)]
        for person in people:
            await person.photo(f"sepia for {person.id}")
            await person.photo(f"warm sepia for {person.id}")
        await world.task_is("running")
        await world.kill()
        await world.start()
        for person in people:
            pictures = await person.gets(2)
            assert all(str(person.id) in text_of(picture) for picture in pictures)
        made = await world.made()
        assert len(made["tasks"]) == 8
        assert made["peak_parallel"] <= 2


async def test_killed_while_it_waits_for_a_retry(tmp_path: Path) -> None:
    """Killed while a task waits for its next try, it is tried again after the restart."""
    async with opened(tmp_path) as world:
        await world.set_hidream(down=True)
        await world.start()
        ada = await world.person()
        await ada.photo("sepia")
        await world.task_is("waiting")
        await world.kill()
        await world.set_hidream(down=False)
        await world.start()
        await ada.gets(1)


async def test_killed_while_a_submission_is_uncertain(tmp_path: Path) -> None:
    """Killed while it is not known whether HiDream has a task, that is found out after the restart."""
    async with opened(tmp_path) as world:
        await world.fault("hidream", "submit", "reset_after")
        await world.fault("hidream", "results", "status", status=503, times=None)
        await world.start()
        ada = await world.person()
        await ada.photo("sepia")
        await world.task_is("uncertain")
        await world.kill()
        await world.no_faults()
        await world.start()
        await ada.gets(1)
        assert len((await world.made())["tasks"]) == 1, "it was found, not made again"


async def test_stopped_and_started_again_knows_everything(tmp_path: Path) -> None:
    """After an orderly stop and a start, /status still tells, from the database."""
    async with opened(tmp_path) as world:
        await world.start()
        ada = await world.person()
        await ada.photo("sepia /ratio 16:9")
        await ada.gets(1)
        await world.task_is("delivered")
        assert await world.stop() == 0
        await world.start()
        await ada.text("/status")
        answer = text_of(await ada.reads("#1"))
        assert "sepia" in answer
        assert "16:9" in answer
