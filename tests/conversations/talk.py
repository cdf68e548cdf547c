"""The language of the scripts: two people, the bot, and a chat that they are in.

A script notes what it waits for, and no more: so a transcript is the same each time. At the end
nothing of the bot may be left in the chat that the script has not seen as it is.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from tests.conversations.notes import Notes, Scene
from tests.conversations.shown import Record, number_in
from tests.conversations.someone import Someone
from tests.conversations.waited import Bot
from tests.e2e.world import JSON, World

if TYPE_CHECKING:
    from tests.conversations.conversation import Conversation

Deed = Callable[[], Awaitable[None]]
RESTART: Final = "··· here the bot is killed, and started again ···"


class Talk(Notes):
    """One conversation: two people, a chat, the bot, and what has been noted so far."""

    def __init__(
        self,
        world: World,
        scene: Scene,
        conversation: "Conversation",
        together: "Together",
        restart: Deed,
    ) -> None:
        super().__init__(world, scene, conversation.language)
        self.restarts = 0
        self._hears_all = conversation.hears_all
        self._together = together
        self._restart = restart

    async def open(self) -> None:
        """Let the people in, and make the chat."""
        self.bot = Bot(self)
        people = [
            await self.world.person(name, language_code=self.language) for name in ("Ada", "Bob")
        ]
        self.ada, self.bob = Someone(self, "Ada", people[0]), Someone(self, "Bob", people[1])
        self.chat_id = people[0].id
        if self.scene.group:
            more = {"topics": self.scene.topics, "privacy": not self._hears_all}
            self.chat_id = await self.world.group(*people, **more)
        if self.scene.topics:
            self.topic = await self.world.topic(self.chat_id, "Pictures")
        if self.scene.channel:
            self.chat_id = await self.world.channel(*people)

    async def restart(self) -> None:
        """Kill the bot and start it again, where that is played; the transcript says where."""
        self.restarts += 1
        self.records.append(Record("", (RESTART,)))
        await self._together.all_there(self._restart)

    async def hidream_is(self, what: str, **settings: object) -> None:
        """Change how HiDream behaves, for all who play this conversation at the same time."""

        async def change() -> None:
            await self.world.set_hidream(**settings)

        self.tells(what)
        await self._together.all_there(change)

    async def is_run_by(self, person: "Someone") -> None:
        """Let a person be one of the bot's admins."""

        async def name() -> None:
            await self.world.stop()
            await self.world.start(access={"admins": [person.id]})

        self.tells(f"{person.name} is named in access.admins, and the bot is started again")
        await self._together.all_there(name)

    async def upgrade(self) -> None:
        """Turn the group into a supergroup: a new chat, in which messages are counted anew."""
        self.chat_id = await self.world.upgrade(self.chat_id)
        self.tells("the group becomes a supergroup")
        self.begin_anew()
        self.bot.seen.clear()
        self.bot.passing.clear()

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

    async def is_delivered(self, *pictures: JSON) -> None:
        """Wait until the bot has noted that tasks' pictures have arrived; nothing shows that."""
        for picture in pictures:
            await self.world.task_is("delivered", task=int(self.number(picture)))

    async def blocks(self, person: "Someone") -> None:
        """Let a person block the bot."""
        await self.world.do(f"chats/{person.id}/block", blocked=True)
        self.tells(f"{person.name} blocks the bot")

    async def unblocks(self, person: "Someone") -> None:
        """Let a person use the bot again."""
        await self.world.do(f"chats/{person.id}/block", blocked=False)
        self.tells(f"{person.name} unblocks the bot")

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
    """Those who wait for each other, to do once what changes the world that they share."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._waiting: list[asyncio.Future[None]] = []
        self._deed: Deed | None = None

    async def all_there(self, deed: Deed) -> None:
        """Wait until all others are as far, or at their end; then it is done, once for all of them."""
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        self._deed = deed
        await self._go_on()
        await mine

    async def left(self) -> None:
        """Say that one of them is at its end."""
        self._count -= 1
        await self._go_on()

    async def _go_on(self) -> None:
        if self._waiting and self._deed and len(self._waiting) == self._count:
            waiting, self._waiting = self._waiting, []
            try:
                await self._deed()
            finally:
                for one in waiting:
                    one.set_result(None)
