"""How a delivery ends, where that is not how it began."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from bot.courier import Courier
from bot.messages import Chat, Later, Outcome, Picture, Refused, Sent, Target
from bot.texts import Say
from storage.files import PictureFiles
from storage.memory import MemoryStore
from storage.tasks import TaskState
from tests.engine import HiDream, Room, accepted, done, engine
from tests.storage.making import HandClock, reach
from tests.time_machine import at_once


class Picky:
    """A chat that takes no pictures."""

    def __init__(self) -> None:
        self.said: list[str] = []

    async def say(self, target: Target, *lines: Say, **_: Any) -> Outcome:
        """Take a text."""
        self.said += [line.id for line in lines]
        return Sent(message_ids=(len(self.said),))

    async def send_pictures(
        self, target: Target, pictures: Sequence[Picture], *lines: Say, **_: Any
    ) -> Outcome:
        """Refuse them, whatever they are."""
        return Refused(reason="no")


@pytest.mark.parametrize(("kept", "reason"), [(True, "telegram-refused"), (False, "pictures-lost")])
async def test_pictures_that_cannot_be_shown(tmp_path: Path, kept: bool, reason: str) -> None:
    """Where only a reason reaches the chat the task has failed, though its pictures were made."""
    store, files, chat = MemoryStore(HandClock()), PictureFiles(tmp_path), Picky()
    task = await reach(store, TaskState.READY)
    if kept:
        await files.put(task.id, 0, b"one")
    courier = Courier(store=store, chat=cast(Chat, chat), files=files, clock=HandClock())
    stop = asyncio.Event()
    running = asyncio.create_task(courier.run(stop))
    async with asyncio.timeout(5):
        while (now := await store.get(task.id)) is None or now.finished_at is None:
            await asyncio.sleep(0)
    stop.set()
    store.wake()
    await running
    assert (now.state, chat.said) == (TaskState.FAILED, [reason])


# --- trouble at Telegram, in a loop in which time passes at once ----------------------------------

HOUR = 3_600.0
SLOW = range(1000, 1060)
"""Chats to which sending a picture takes an hour: more than there were lanes for in the past."""


class Troubled(Room):
    """A Telegram that is down until `up_at`, for all chats or for some, and slow to others."""

    def __init__(self) -> None:
        super().__init__()
        self.up_at = 0.0
        self.down_for: int | None = None
        self.tries = 0
        self.brought: list[tuple[float, int, str]] = []

    async def send_pictures(
        self, target: Target, pictures: Sequence[Picture], *lines: Say, **more: Any
    ) -> Outcome:
        """Take pictures, or not."""
        self.tries += 1
        now = asyncio.get_running_loop().time()
        if now < self.up_at and self.down_for in {None, target.chat_id}:
            return Later(seconds=2, reason="down")
        for picture in pictures:
            assert isinstance(picture.content, Path)
            assert picture.content.read_bytes() == b"picture"
        if target.chat_id in SLOW:
            await asyncio.sleep(HOUR)
        self.brought.append((now, target.chat_id, str(lines[0].data["caption"]).partition(" /")[0]))
        return await super().send_pictures(target, pictures, *lines, **more)


def test_telegram_down_for_an_hour_loses_nothing(tmp_path: Path) -> None:
    """Pictures wait on disk while Telegram is down, and each is brought once when it is back."""

    async def work() -> None:
        room = Troubled()
        hidream = HiDream(accepted, results=lambda task_id: done(task_id, 1, 1))
        async with engine(tmp_path, hidream, room=room) as world:
            room.up_at = HOUR
            tasks = [await world.photo(f"{n}", user=n, count=2) for n in range(1, 21)]
            for task in tasks:
                await world.reaches(task, TaskState.READY, TaskState.DELIVERING, within=300)
            await world.clock.sleep(HOUR / 2)
            assert len(list(tmp_path.glob("*/*"))) == 20 * 2, "the results wait on disk"
            assert room.pictures == []
            for task in tasks:
                row = await world.reaches(task, TaskState.DELIVERED, within=HOUR)
                assert row.uncertain == 0
            assert sorted(room.pictures) == list(range(1, 21))
            assert len(world.hidream.submitted) == 20, "a try to deliver submits nothing again"
            assert room.brought[-1][0] < HOUR + 75, "the longest pause between tries is a minute"
            assert room.tries < 20 * (HOUR / 45 + 8), "and they become few"

    at_once(work())


def test_the_order_in_a_chat_is_kept(tmp_path: Path) -> None:
    """While a chat takes nothing its later pictures wait behind the first; other chats get theirs."""

    async def work() -> None:
        room = Troubled()
        async with engine(tmp_path, HiDream(accepted), room=room) as world:
            room.up_at, room.down_for = HOUR, 1
            first = [await world.photo(f"first {n}", user=1) for n in range(4)]
            other = await world.photo("other", user=2)
            await world.reaches(other, TaskState.DELIVERED, within=60)
            for task in first:
                await world.reaches(task, TaskState.DELIVERED, within=HOUR + 100)
            shown = [prompt for _, chat, prompt in room.brought if chat == 1]
            assert shown == [f"first {n}" for n in range(4)]

    at_once(work())


def test_slow_chats_hold_nobody_up(tmp_path: Path) -> None:
    """Sixty chats to which a picture takes an hour delay no other chat's."""

    async def work() -> None:
        room = Troubled()
        async with engine(tmp_path, HiDream(accepted), room=room, parallel=100) as world:
            slow = [await world.photo("slow", user=chat) for chat in SLOW]
            for task in slow:
                await world.reaches(task, TaskState.DELIVERING, within=600)
            began = world.clock.monotonic()
            quick = [await world.photo("quick", user=n) for n in range(1, 21)]
            for task in quick:
                await world.reaches(task, TaskState.DELIVERED, within=120)
            assert world.clock.monotonic() - began < 120
            for task in slow:
                await world.reaches(task, TaskState.DELIVERED, within=2 * HOUR)

    at_once(work())
