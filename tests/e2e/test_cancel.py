"""Stopping, over HTTP: in line, being handed in, at HiDream; by words and buttons, through a restart."""

from pathlib import Path
from typing import Final

from sandbox.hidream.settings import Settings
from tests.e2e.world import Person, World, buttons_of, opened, said, text_of, until

STOP: Final = said("button-cancel")
ALL: Final = said("button-stop-all")


async def test_stopping(tmp_path: Path) -> None:
    """What is in line costs nothing, what HiDream has is dropped, and its slot is used again only after its end."""
    async with opened(tmp_path, settings=Settings(seconds=5.0, jitter=0.0, parallel=1)) as world:
        await world.start(hidream={"parallel_requests": 1})
        ada, bob = await world.person(), await world.person("Bob")
        await ada.text("/cancel")
        await ada.reads(said("cancel-none"))

        # at HiDream, by the button; the next one waits for its end
        await ada.photo("first in sepia")
        await world.task_is("running", task=1)
        await world.set_hidream(seconds=0.3)
        await ada.photo("second in sepia")
        await ada.photo("third in sepia")
        await ada.photo("fourth in sepia")
        await world.task_is("queued", task=4)
        running = await ada.reads("HiDream is at it")
        assert (await ada.press(running, STOP))["text"] == said("cancelled-running", task=1)
        stopped = await ada.reads(said("progress-stopped"))
        assert stopped["message_id"] == running["message_id"]
        assert buttons_of(stopped) == []
        assert _submitted(world) == 1
        assert world.rows("SELECT 1 FROM submissions WHERE released_at IS NULL")

        # in line, by its number, after a kill in between; somebody else cannot
        await bob.text("/cancel 2")
        await bob.reads(said("status-unknown", task=2))
        await world.kill()
        await ada.text("/cancel #2")
        await world.start(hidream={"parallel_requests": 1})
        await ada.reads(said("cancelled", task=2))
        await world.task_is("cancelled", task=2)

        # those that are left, from the list
        await ada.text("/cancel")
        listed = await ada.reads(said("cancel-which"), "third in sepia")
        await ada.press(listed, "✖️ #4")
        listed = await ada.reads(said("cancelled", task=4), said("cancel-which"))
        assert buttons_of(listed) == ["✖️ #3"]

        # the slot is free with HiDream's own end, and the late result is not shown
        [picture] = await ada.gets(1)
        assert "third in sepia" in text_of(picture)
        first, third = world.rows("SELECT * FROM submissions ORDER BY id")
        assert (first["task_id"], third["task_id"]) == (1, 3)
        assert first["released_at"] <= third["sent_at"]
        assert (await world.made())["peak_parallel"] == 1


def _submitted(world: World) -> int:
    return len(world.rows("SELECT 1 FROM submissions"))


async def test_stopping_what_is_being_handed_in(tmp_path: Path) -> None:
    """It says that it is stopping, ends with HiDream's answer, and brings nothing."""
    async with opened(tmp_path, settings=Settings(seconds=0.5, parallel=10)) as world:
        await world.fault("hidream", "submit", "delay", seconds=2.0, times=1)
        await world.start()
        ada = await world.person()
        photo = await ada.photo("first in sepia")
        await world.task_is("submitting", task=1)
        handing = await ada.reads(said("progress-submitting"))
        await ada.text("/cancel", reply_to=photo["message_id"])
        await ada.reads(said("cancelling", task=1))
        await _shows(ada, handing["message_id"], said("progress-stopping"))
        await _shows(ada, handing["message_id"], said("progress-stopped"))
        await ada.photo("second in sepia")
        await ada.gets(1)
        await until(lambda: _free(world), "all slots are free")
        assert len(await ada.gets(1)) == 1
        await world.task_is("cancelled", task=1)


async def _shows(person: Person, message_id: int, text: str) -> None:
    async def look() -> bool:
        seen = {message["message_id"]: message for message in await person.sees()}
        return text in text_of(seen[message_id])

    await until(look, f"the message says {text}")


async def _free(world: World) -> bool:
    return not world.rows("SELECT 1 FROM submissions WHERE released_at IS NULL")
