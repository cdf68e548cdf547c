"""Progress messages: what is shown is noted when it was shown, and looked up no oftener than shown."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

from bot.account import Account
from bot.messages import Button, Chat, Later, Outcome, Sent, Target, Urgency
from bot.progress import Progress
from bot.texts import Say
from storage.memory import MemoryStore
from storage.tasks import Task, TaskState
from tests.storage.making import reach
from tests.time_machine import LoopClock, at_once


class Paper:
    """A chat that shows what it is given, unless it is closed."""

    def __init__(self) -> None:
        self.closed = False
        self.shown: list[str] = []

    async def say(
        self,
        target: Target,
        *lines: Say,
        language: str | None = None,
        buttons: Sequence[Button] = (),
        ask: bool = False,
        urgency: Urgency = Urgency.REPLY,
    ) -> Outcome:
        """Show a message."""
        return await self.edit(target.chat_id, 1, *lines)

    async def edit(self, chat_id: int, message_id: int, *lines: Say, **_more: Any) -> Outcome:
        """Show another text."""
        if self.closed:
            return Later(seconds=30, reason="closed")
        self.shown += [line.id for line in lines]
        return Sent(message_ids=(message_id,))


class Counting(MemoryStore):
    """A store that counts what it is asked."""

    looks = 0

    async def place_in_line(self, task: Task) -> int:
        """Count, and answer."""
        self.looks += 1
        return await super().place_in_line(task)


def progress_of(store: MemoryStore, paper: Paper) -> Progress:
    """Give the loop."""
    clock = LoopClock()
    account = Account(clock, new_token=lambda: False)
    return Progress(store=store, chat=cast("Chat", paper), account=account, clock=clock)


async def stopped(store: MemoryStore, running: asyncio.Task[None], stop: asyncio.Event) -> None:
    """Stop the loop in order."""
    stop.set()
    store.wake()
    await running


def test_a_place_counts_when_it_was_shown() -> None:
    """A place that nobody has seen yet does not hold; one that was seen is never exceeded."""

    async def work() -> None:
        store, paper, stop = Counting(LoopClock()), Paper(), asyncio.Event()
        tasks = [await reach(store, TaskState.QUEUED, n, user_id=n) for n in (1, 2, 3)]
        running = asyncio.create_task(progress_of(store, paper).run(stop))
        await asyncio.sleep(1)
        assert [await _shown(store, task) for task in tasks] == [1, 2, 3]
        paper.closed = True
        await reach(store, TaskState.SUBMITTING, 4, user_id=4)  # something changes
        await store.cancel_queued(1, 1, LoopClock().now())
        await asyncio.sleep(10)
        assert [await _shown(store, task) for task in tasks[1:]] == [2, 3], "nobody has seen more"
        paper.closed = False
        await asyncio.sleep(60)
        assert [await _shown(store, task) for task in tasks[1:]] == [1, 2]
        await stopped(store, running, stop)

    at_once(work())


async def _shown(store: MemoryStore, task: Task) -> int | None:
    current = await store.get(task.id)
    return current.shown_place if current else None


def test_many_changes_cost_few_looks() -> None:
    """However often something changes, each message is looked at once an interval."""

    async def work() -> None:
        store, paper, stop = Counting(LoopClock()), Paper(), asyncio.Event()
        running = asyncio.create_task(progress_of(store, paper).run(stop))
        for n in range(1, 6):
            await reach(store, TaskState.QUEUED, n, user_id=n)
        for n in range(100):
            await asyncio.sleep(0.1)
            # somebody else comes, whose message is not sent
            await store.note_completion(99, n / 100)
            store.wake()
        assert store.looks <= 5 * (1 + 10 / 2), "once when it was sent, then every 2 s"
        await stopped(store, running, stop)

    at_once(work())


class Slow(MemoryStore):
    """A store whose lists are a little old when they arrive."""

    async def unannounced(self, limit: int) -> list[Task]:
        """Read at once, and give it later."""
        found = await super().unannounced(limit)
        await asyncio.sleep(0.2)
        return found


class SlowPaper(Paper):
    """A chat in which a message takes a while."""

    async def say(self, target: Target, *lines: Say, **more: Any) -> Outcome:
        """Show a message, in the end."""
        await asyncio.sleep(0.1)
        return await super().say(target, *lines, **more)


def test_a_task_has_one_message() -> None:
    """A list that was read before a message arrived does not make a second message."""

    async def work() -> None:
        store, paper, stop = Slow(LoopClock()), SlowPaper(), asyncio.Event()
        running = asyncio.create_task(progress_of(store, paper).run(stop))
        await asyncio.sleep(1)
        await reach(store, TaskState.QUEUED, 1, user_id=1)
        for _ in range(20):
            await asyncio.sleep(0.05)
            store.wake()
        assert paper.shown == ["progress-next"]
        await stopped(store, running, stop)

    at_once(work())
