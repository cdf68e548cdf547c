"""The inbox's order: nobody waits for another chat, and who waits longest comes first."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any, Final, cast

from telegram import Update
from telegram.ext import Application

from bot.errors import PutOff
from bot.inbox import TRIES, Inbox, RaisingApplication
from bot.messages import Chat
from storage.memory import MemoryStore
from storage.store import StoreError
from storage.tasks import NewUpdate
from tests.time_machine import LoopClock, at_once

BOT: Final = 77
Work = Callable[[Update], Coroutine[Any, Any, None]]


class Handling(RaisingApplication):
    """An application whose one handler is the test's."""

    work: Work

    async def process_update(self, update: object) -> None:
        """Handle."""
        await self.work(cast("Update", update))


async def worked_off(store: MemoryStore, work: Work, seconds: float) -> None:
    """Let the inbox work for so long, then stop it."""
    built = Application.builder().application_class(Handling).token("1:a").updater(None).build()
    application = cast("Handling", built)
    application.work = work
    stop = asyncio.Event()
    inbox = Inbox(
        application=application,
        store=store,
        chat=cast("Chat", None),  # nothing is set aside here, so nobody is apologised to
        clock=LoopClock(),
    )
    running = asyncio.create_task(inbox.run(stop))
    await asyncio.wait([running], timeout=seconds)
    stop.set()
    store.wake()
    await running


async def receive(store: MemoryStore, first: int, *chats: int) -> None:
    """Let a message come from each of these chats."""
    updates = [
        NewUpdate(update_id=n, chat_id=chat, raw=json.dumps({"update_id": n, "chat": chat}))
        for n, chat in enumerate(chats, first)
    ]
    await store.receive(BOT, updates, LoopClock().now())


def test_nobody_waits_for_chats_with_a_backlog() -> None:
    """Many chats whose answers wait for their own limits keep no other chat waiting."""

    async def work() -> None:
        store, started = MemoryStore(LoopClock()), dict[int, float]()

        async def slow(update: Update) -> None:
            started[update.update_id] = LoopClock().monotonic()
            await asyncio.sleep(4)

        await receive(store, 1, *(list(range(1, 101)) * 3))
        await receive(store, 1000, 555)
        await worked_off(store, slow, 1)
        assert started[1000] < 0.1
        assert len(started) == 101, "of each chat its first"

    at_once(work())


def test_who_was_served_longest_ago_comes_first() -> None:
    """Where places are short, a newcomer goes before the backlog of those that were just served."""

    async def work() -> None:
        store, order = MemoryStore(LoopClock()), list[int]()

        async def slow(update: Update) -> None:
            order.append(update.update_id)
            await asyncio.sleep(4)

        await receive(store, 1, *(list(range(1, 201)) * 3))
        await receive(store, 1000, *range(300, 310))
        await worked_off(store, slow, 5)
        assert set(order[:200]) == set(range(1, 201))
        assert order[200:210] == list(range(1000, 1010))

    at_once(work())


def test_a_chat_that_moves_is_not_handled_twice() -> None:
    """While an update is in hand whose chat gets another id, it is not begun under that id."""

    async def work() -> None:
        store, order = MemoryStore(LoopClock()), list[int]()

        async def moving(update: Update) -> None:
            order.append(update.update_id)
            if update.update_id == 1:
                await store.move_chat(-5, -1005)
                await asyncio.sleep(4)
                assert order == [1], "nothing of this chat is begun meanwhile"

        await receive(store, 1, -5, -5)
        await worked_off(store, moving, 10)
        assert order == [1, 2]

    at_once(work())


def test_a_failing_store_is_no_fault_of_the_update() -> None:
    """However often a handler meets a failing store, its update is kept and handled in the end."""

    async def work() -> None:
        store, times = MemoryStore(LoopClock()), list[float]()

        async def unlucky(update: Update) -> None:
            times.append(LoopClock().monotonic())
            if len(times) <= TRIES + 1:
                raise StoreError("the database is locked")
            if len(times) <= TRIES + 3:
                raise PutOff(2)

        await receive(store, 1, 5)
        await worked_off(store, unlucky, 100)
        assert len(times) == TRIES + 4
        assert await store.inbox_heads(LoopClock().now(), 5) == []

    at_once(work())
