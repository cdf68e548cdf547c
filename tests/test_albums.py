"""The loop that closes albums: when it does, and what becomes of one that cannot be taken."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, cast

from bot.albums import Albums
from bot.errors import PutOff
from bot.messages import Chat, Sent, Target
from bot.texts import Say, plain
from storage.memory import MemoryStore
from storage.store import StoreError, TaskStore
from storage.tasks import Album, AlbumPart, Origin
from tests.time_machine import LoopClock, at_once


class Hall:
    """An album's way, and what is done with it."""

    def __init__(self, *fails: Exception) -> None:
        self.clock = LoopClock()
        self.store = cast("TaskStore", MemoryStore(self.clock))
        self.fails = list(fails)
        self.taken: list[tuple[float, int]] = []
        self.chats: list[int] = []
        self.said: list[tuple[int, str]] = []
        self.slow = 0.0

    async def take(self, album: Album) -> None:
        """Take an album, or fail as told."""
        self.taken.append((round(self.clock.monotonic(), 1), len(album.parts)))
        self.chats.append(album.chat_id)
        await self.clock.sleep(self.slow)
        if self.fails:
            raise self.fails.pop(0)

    def albums(self) -> Albums:
        """Give the loop."""
        chat = cast("Chat", self)
        return Albums(store=self.store, take=self.take, chat=chat, clock=self.clock)

    async def say(self, target: Target, *lines: Say, language: str | None = None) -> Sent:
        """Take a text."""
        self.said += [(target.chat_id, plain(line, language=language)) for line in lines]
        return Sent()

    async def part(self, n: int, group: str = "g", chat_id: int = 1) -> bool:
        """Let a part come in, which is due in a second."""
        now = self.clock.now()
        return await self.store.album_part(
            AlbumPart(
                origin=Origin(bot_id=1, update_id=n),
                chat_id=chat_id,
                media_group_id=group,
                message_id=n,
                data='{"language": "de"}',
            ),
            now=now,
            due_at=now + timedelta(seconds=1),
        )


def _played(hall: Hall, play: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def work() -> None:
        stop = asyncio.Event()
        albums = hall.albums()
        running = asyncio.create_task(albums.run(stop))
        try:
            await play()
        finally:
            stop.set()
            hall.store.wake()
            await running

    at_once(work())


def test_an_album_is_taken_once_it_is_quiet() -> None:
    """A second after its last part it is taken with all of them, and what comes then is late."""
    hall = Hall()

    async def play() -> None:
        for n in (1, 2, 3):
            assert await hall.part(n)
            await hall.clock.sleep(0.8)
        assert hall.taken == []
        await hall.clock.sleep(1)
        assert hall.taken == [(2.6, 3)]
        assert not await hall.part(4)
        assert await hall.store.next_album_due() is None

    _played(hall, play)


def test_what_is_due_at_the_start_waits_for_its_other_parts() -> None:
    """An album that has been quiet only because nobody listened is whole, once the rest has come."""
    hall = Hall()

    async def work() -> None:
        await hall.part(1)
        await hall.clock.sleep(5)
        stop = asyncio.Event()
        albums = hall.albums()
        running = asyncio.create_task(albums.run(stop))
        await hall.clock.sleep(0.3)
        assert await hall.part(2)
        await hall.clock.sleep(2)
        stop.set()
        hall.store.wake()
        await running

    at_once(work())
    assert hall.taken == [(6.3, 2)]


def test_what_cannot_be_answered_now_is_taken_later() -> None:
    """As often as Telegram asks for it; a failing store is no reason to give it up either."""
    hall = Hall(PutOff(5), PutOff(5), PutOff(5), PutOff(5))

    async def play() -> None:
        await hall.part(1)
        await hall.clock.sleep(60)
        assert [at for at, _ in hall.taken] == [1.0, 6.0, 11.0, 16.0, 21.0]

    _played(hall, play)


def test_no_chat_waits_for_another() -> None:
    """However many albums wait in a chat that takes its time, another chat's is taken within seconds."""
    hall = Hall()
    hall.slow = 9

    async def play() -> None:
        for n in range(300):
            await hall.part(n, group=str(n))
        await hall.clock.sleep(2)
        await hall.part(300, chat_id=2)
        await hall.clock.sleep(3)
        assert hall.chats == [1, 2]

    _played(hall, play)


def test_what_keeps_failing_is_let_go() -> None:
    """After three tries it holds nobody up any more: the chat's next album is taken."""
    hall = Hall(PutOff(2, failed=True), ValueError("no"), ValueError("no"))

    async def play() -> None:
        await hall.part(1)
        await hall.clock.sleep(20)
        assert len(hall.taken) == 3
        [(chat_id, sorry)] = hall.said
        assert chat_id == 1
        told = plain(Say("sorry", {"reference": "U1"}), language="de")
        assert sorry == told, "nobody waits for it in vain, and it is said in their language"
        await hall.part(2, "h")
        await hall.clock.sleep(5)
        assert len(hall.taken) == 4

    _played(hall, play)


def test_a_group_hears_of_no_failure() -> None:
    """An apology would be for everybody there."""
    hall = Hall(ValueError("no"), ValueError("no"), ValueError("no"))

    async def play() -> None:
        await hall.part(1, chat_id=-1)
        await hall.clock.sleep(20)
        assert (len(hall.taken), hall.said) == (3, [])

    _played(hall, play)


def test_a_failing_store_ends_the_loop() -> None:
    """The album stays; the loop's supervisor hears of it and begins it anew."""
    hall = Hall(StoreError("disk is full"))

    async def work() -> None:
        await hall.part(1)
        albums = hall.albums()
        for _ in range(2):
            stop = asyncio.Event()
            running = asyncio.create_task(albums.run(stop))
            await hall.clock.sleep(30)
            if running.done():
                assert isinstance(running.exception(), StoreError)
                continue
            stop.set()
            hall.store.wake()
            await running
        assert len(hall.taken) == 2

    at_once(work())
