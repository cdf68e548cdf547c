"""Plays all conversations: in one world as they are, in another with the bot killed in their middle.

In each world they run side by side, each with people and a chat of its own; those that need the bot to
themselves come after that, one by one.
"""

import asyncio
import sqlite3
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.pace import ENOUGH
from sandbox.hidream.settings import Settings
from storage.clock import SystemClock
from storage.sqlite import open_store
from storage.tasks import Measured
from tests.conversations.conversation import Conversation
from tests.conversations.scripts import CONVERSATIONS
from tests.conversations.shown import FIRST_TASK, Record, numbered
from tests.conversations.talk import Talk, Together
from tests.e2e.world import World, opened, until

_ROOM: Final = 200
"""So many tasks at once: nobody's picture waits for another's."""
_HIDREAM: Final = Settings(seconds=0.3, drawn="once", parallel=_ROOM, images_per_minute=10_000)
_TOOK: Final = {
    **{("4:3", count): (0.3, 0.4) for count in range(1, 4)},
    ("9:16", 4): (40.0, 56.0),
    ("4:3", 4): (0.3, 0.4),
}
"""How long tasks have taken so far, by shape and number: such as are asked for, and one kind that takes long."""
_QUIET: Final = 0.4
"""Seconds without a call to Telegram after which the bot has noted all that it has done."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Played:
    """One conversation in one kind of chat, as it was played."""

    title: str
    scene: str
    killed: bool
    restarts: int
    records: tuple[Record, ...]
    error: str = ""


async def play_all(path: Path) -> list[Played]:
    """Play every conversation in each of its places, with and without the bot being killed."""
    worlds = [path / "undisturbed", path / "killed"]
    found = await asyncio.gather(*(_play(world, killed=world is worlds[1]) for world in worlds))
    return [played for some in found for played in some]


async def _play(path: Path, *, killed: bool) -> list[Played]:
    path.mkdir()
    async with opened(path, settings=_HIDREAM) as world:
        await _live_through(world)
        room = {"parallel_requests": _ROOM, "images_per_minute": 10_000}
        await world.start(hidream=room)
        found = await _together(world, [c for c in CONVERSATIONS if not c.alone], killed=killed)
        for conversation in CONVERSATIONS:
            if conversation.alone:
                found += await _together(world, [conversation], killed=killed)
        return found


async def _together(
    world: World, conversations: Sequence[Conversation], *, killed: bool
) -> list[Played]:
    parts = [(c, s) for c in conversations for s in c.scenes]

    async def kill() -> None:
        if killed:
            await _quiet(world)
            await world.kill()
            await world.start()

    together = Together(len(parts))
    played = [Talk(world, scene, c, together, kill) for c, scene in parts]
    return await asyncio.gather(
        *(
            _one(talk, conversation, together, killed=killed)
            for talk, (conversation, _) in zip(played, parts, strict=True)
        )
    )


async def _one(
    talk: Talk, conversation: Conversation, together: Together, *, killed: bool
) -> Played:
    error = ""
    try:
        await talk.open()
        await conversation.script(talk)
        await talk.close()
    except Exception:
        error = traceback.format_exc()
    await together.left()
    return Played(
        title=conversation.title,
        scene=talk.scene.name,
        killed=killed,
        restarts=talk.restarts,
        records=numbered(talk.records),
        error=error,
    )


async def _live_through(world: World) -> None:
    """Make the database of a bot that has been running for a while: it has tasks, and knows their times."""
    store = await open_store(world.database, clock=SystemClock())
    for (ratio, count), (least, most) in _TOOK.items():
        for n in range(ENOUGH):
            seconds = least + (most - least) * n / (ENOUGH - 1)
            await store.note_duration(Measured(ratio=ratio, count=count, seconds=seconds))
    await store.close()
    _number_tasks_from_there(world)


def _number_tasks_from_there(world: World) -> None:
    """Let the next task have a number that cannot be taken for another."""
    columns = {
        "id": FIRST_TASK - 1,
        **dict.fromkeys(
            ("bot_id", "update_id", "n", "user_id", "chat_id", "message_id", "turn"), 0
        ),
        **dict.fromkeys(("created_at", "finished_at"), 0),
        "count": 1,
        "state": "cancelled",
        "chat_type": "private",
        "photos": "[]",
        **dict.fromkeys(("prompt", "negative"), ""),
    }
    names, places = ", ".join(columns), ", ".join("?" for _ in columns)
    connection = sqlite3.connect(world.database, timeout=10)
    with connection:
        connection.execute(f"INSERT INTO tasks ({names}) VALUES ({places})", [*columns.values()])
    connection.close()


async def _quiet(world: World) -> None:
    """Wait until the bot has told Telegram nothing for a moment: what was answered has been noted."""
    last = 0

    async def silent() -> bool:
        nonlocal last
        calls = await world.calls("telegram", after=last)
        last = max([last, *(call["n"] for call in calls)])
        news = [call for call in calls if call["call"] != "getUpdates"]
        if news:
            await asyncio.sleep(_QUIET)
        return not news

    await until(silent, "the bot is quiet")
