"""How the bot presents itself: in every language, once, and never at the price of the start."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from bot import menu
from bot.commands import ADMIN_COMMANDS, COMMANDS
from bot.languages import LANGUAGES
from storage.clock import SystemClock
from storage.memory import MemoryStore
from tests.sandbox.telegram_client import World, opened


@pytest.fixture(autouse=True)
def _durations_as_the_bot_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "true")


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    """Serve a Telegram."""
    async with opened() as made:
        yield made


@pytest.fixture
def store() -> MemoryStore:
    """Make an empty store."""
    return MemoryStore(SystemClock())


async def made(world: World) -> int:
    """Count the calls so far that set how the bot presents itself."""
    answer = await world.http.get("/sandbox/calls")
    return sum(call["call"].startswith("setMy") for call in answer.json()["calls"])


ALL = 3 * len(LANGUAGES)
"""So many calls set everything."""


async def test_every_language_is_set_once(world: World, store: MemoryStore) -> None:
    """Menu and page are set for all ten languages; at the next start nothing is."""
    await menu.present(world.bot, store)
    assert await made(world) == ALL
    menus = {m["language_code"]: m["commands"] for m in (await world.see("commands"))["menus"]}
    profile = await world.see("profile")
    assert set(menus) == {"", "zh", "ru", "es", "pt", "de", "fr", "ar", "hi", "id"}
    assert menus.keys() == profile["description"].keys() == profile["short_description"].keys()
    for commands in menus.values():
        assert [command["command"] for command in commands] == [row.name for row in COMMANDS]
    assert "Schick mir ein Foto" in profile["description"]["de"]
    assert "Send me a photo" in profile["description"][""]
    await menu.present(world.bot, store)
    assert await made(world) == ALL


async def test_a_change_is_set(
    world: World, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a sentence of it has changed, all is set anew."""
    await menu.present(world.bot, store)
    changed = tuple(replace(page, short_description="Another") for page in menu.pages())
    monkeypatch.setattr(menu, "pages", lambda: changed)
    await menu.present(world.bot, store)
    assert await made(world) == 2 * ALL
    assert (await world.see("profile"))["short_description"]["de"] == "Another"


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        ("setMyDescription", {"action": "status", "status": 404}),
        ("setMyCommands", {"action": "status", "status": 429, "retry_after": 100}),
        ("setMyShortDescription", {"action": "reset_before"}),
    ],
)
async def test_a_failure_is_no_reason_to_stop(
    world: World, store: MemoryStore, call: str, fault: dict[str, Any]
) -> None:
    """Whatever Telegram answers, the bot goes on, and sets it at the next start."""
    answer = await world.http.post("/sandbox/faults", json={"call": call, "times": 1, **fault})
    assert answer.status_code == 200, answer.text
    await menu.present(world.bot, store)
    before = await made(world)
    assert before < ALL
    await menu.present(world.bot, store)
    assert await made(world) == before + ALL


async def test_admins_have_a_menu_of_their_own(world: World, store: MemoryStore) -> None:
    """In an admin's chat the menu has their commands too; who has not written to the bot gets it at a later start."""
    admins = [10**9, world.me]
    await menu.present_to_admins(world.bot, store, [])
    assert await made(world) == 0
    await menu.present_to_admins(world.bot, store, admins)
    menus = (await world.see("commands"))["menus"]
    assert {m["scope"]["chat_id"] for m in menus} == {world.me}
    assert len(menus) == len(LANGUAGES)
    names = [row.name for row in (*COMMANDS, *ADMIN_COMMANDS)]
    assert all([command["command"] for command in m["commands"]] == names for m in menus)
    before = await made(world)
    await menu.present_to_admins(world.bot, store, admins)
    assert await made(world) == before + 1, "only the one that is missing is tried again"


async def test_a_menu_that_cannot_be_set_now(world: World, store: MemoryStore) -> None:
    """Where Telegram fails, the admins' menu is set at the next start."""
    fault = {"call": "setMyCommands", "times": 1, "action": "status", "status": 429}
    await world.http.post("/sandbox/faults", json={**fault, "retry_after": 100})
    await menu.present_to_admins(world.bot, store, [world.me])
    assert (await world.see("commands"))["menus"] == []
    await menu.present_to_admins(world.bot, store, [world.me])
    assert len((await world.see("commands"))["menus"]) == len(LANGUAGES)


async def test_it_waits_for_the_stop(world: World, store: MemoryStore) -> None:
    """As one of the bot's loops it does its work once, and ends with the others."""
    stop = asyncio.Event()
    running = asyncio.create_task(menu.run(stop, bot=world.bot, facts=store))
    while await store.fact(f"menu:{world.bot.id}") is None:
        await asyncio.sleep(0.01)
    assert not running.done()
    stop.set()
    await asyncio.wait_for(running, 5)
