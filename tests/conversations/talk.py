"""The language of the scripts: two people, the bot, and a chat that they are in.

A script notes what it waits for, and no more: so a transcript is the same each time. At the end
nothing of the bot may be left in the chat that the script has not seen as it is.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from tests.conversations.notes import Notes, Scene
from tests.conversations.shown import Record, number_in
from tests.conversations.someone import Someone
from tests.conversations.waited import Bot
from tests.e2e.world import JSON, World

RESTART: Final = "··· here the bot is killed, and started again ···"


class Talk(Notes):
    """One conversation: two people, a chat, the bot, and what has been noted so far."""

    def __init__(self, world: World, scene: Scene, restart: Callable[[], Awaitable[None]]) -> None:
        super().__init__(world, scene)
        self.restarts = 0
        self._restart = restart

    async def open(self) -> None:
        """Let the people in, and make the chat."""
        self.bot = Bot(self)
        people = [await self.world.person(name) for name in ("Ada", "Bob")]
        self.ada, self.bob = Someone(self, "Ada", people[0]), Someone(self, "Bob", people[1])
        self.chat_id = people[0].id
        if self.scene.group:
            self.chat_id = await self.world.group(*people, topics=self.scene.topics)
        if self.scene.topics:
            self.topic = await self.world.topic(self.chat_id, "Pictures")

    async def restart(self) -> None:
        """Kill the bot and start it again, where that is played; the transcript says where."""
        self.restarts += 1
        self.records.append(Record("", (RESTART,)))
        await self._restart()

    async def hidream_ends(self, *statuses: int | str, person: "Someone | None" = None) -> None:
        """Say how Ada's next task ends at HiDream, a status an image; "never" waits for `release`."""
        await self.world.next_ends(*statuses, user_id=str((person or self.ada).id))

    async def release(self, person: "Someone | None" = None) -> None:
        """Let HiDream be done with those of Ada's tasks that would never end."""
        body = {"user_id": str((person or self.ada).id)}
        answer = await self.world.http.post(f"{self.world.hidream}/sandbox/release", json=body)
        assert answer.json()["released"], answer.text

    def number(self, message: JSON) -> str:
        """Give the number of the task that a message names, for a command."""
        return number_in(message)

    async def close(self) -> None:
        """See that the chat shows what was noted, and nothing else of the bot.

        Raises:
            AssertionError: it does not.
        """

        def settled(shown: list[JSON]) -> bool | None:
            now = {m["message_id"]: self.bot.looks(m) for m in shown}
            return True if now == self.bot.seen else None

        expected = [" / ".join(lines) for lines in self.bot.seen.values()]
        await self.wait(settled, f"the chat shows {expected} and nothing else")


class Together:
    """Those who wait for one restart of the bot that they share."""

    def __init__(self, restart: Callable[[], Awaitable[None]], count: int) -> None:
        self._restart = restart
        self._count = count
        self._waiting: list[asyncio.Future[None]] = []

    async def __call__(self) -> None:
        """Wait until all others are as far, or at their end; then the bot is started anew."""
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        await self._go_on()
        await mine

    async def left(self) -> None:
        """Say that one of them is at its end."""
        self._count -= 1
        await self._go_on()

    async def _go_on(self) -> None:
        if self._waiting and len(self._waiting) == self._count:
            waiting, self._waiting = self._waiting, []
            try:
                await self._restart()
            finally:
                for one in waiting:
                    one.set_result(None)
