"""How a delivery ends, where that is not how it began."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from bot.courier import Courier
from bot.messages import Chat, Outcome, Picture, Refused, Sent, Target
from bot.texts import Say
from storage.files import PictureFiles
from storage.memory import MemoryStore
from storage.tasks import TaskState
from tests.storage.making import HandClock, reach


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
