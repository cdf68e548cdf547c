"""Where a conversation is played, and what has been noted of it."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

from tests.conversations.shown import Record
from tests.e2e.world import JSON, World, text_of

T = TypeVar("T")

_PATIENCE: Final = 100.0
"""Seconds after which what should happen has not happened: much is played at once."""
_LOOK: Final = 5.0
"""Seconds after which to look again though nothing is heard of a change."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """A kind of chat, in which a conversation is played."""

    name: str
    group: bool = False
    topics: bool = False
    channel: bool = False


PRIVATE: Final = Scene(name="a private chat")
GROUP: Final = Scene(name="a group", group=True)
TOPICS: Final = Scene(name="a topic of a supergroup", group=True, topics=True)
SCENES: Final = (PRIVATE, GROUP, TOPICS)
CHANNEL: Final = Scene(name="a channel", channel=True)
GROUPS: Final = (GROUP, TOPICS)
"""Where there are others than Ada."""


class Notes:
    """What has been noted of a conversation, and the chat that it is in."""

    def __init__(self, world: World, scene: Scene, language: str = "en") -> None:
        self.world = world
        self.scene = scene
        self.language = language
        self.records: list[Record] = []
        self.chat_id = 0
        self.topic: int | None = None
        self._by_message: dict[int, Record] = {}
        self._heard = 0

    def note(self, who: str, lines: Iterable[str], *messages: JSON, reply_to: int | None) -> None:
        """Note what somebody said, as these messages."""
        replied = self._by_message.get(reply_to) if reply_to is not None else None
        record = Record(who, tuple(lines), self._quote(replied) if replied else None)
        self.records.append(record)
        self._by_message.update((message["message_id"], record) for message in messages)

    @contextmanager
    def in_short(self, what: str) -> Iterator[None]:
        """Note only this of what happens meanwhile."""
        self.tells(what)
        before = len(self.records)
        yield
        del self.records[before:]

    def tells(self, what: str) -> None:
        """Note what nobody in the chat says or does."""
        self.records.append(Record("", (f"··· {what} ···",)))

    def begin_anew(self) -> None:
        """Forget which message is which: in another chat, others have their numbers."""
        self._by_message.clear()
        self._heard = 0

    def _quote(self, replied: Record) -> str:
        before = next((one for one in reversed(self.records) if one.who), None)
        return "" if before is replied else replied.quoted

    async def wait(self, look: Callable[[list[JSON]], T | None], what: str) -> T:
        """Wait until the chat shows something; `look` is given all messages of the bot in it.

        Raises:
            AssertionError: it has not happened in time.
        """
        end = time.monotonic() + _PATIENCE
        while True:
            shown = [m for m in await self._messages() if m["from_bot"]]
            found = look(shown)
            if found is not None:
                return found
            if time.monotonic() > end:
                raise AssertionError(f"not in time: {what}; the chat shows {shown_texts(shown)}")
            heard = await self.world.see(
                f"chats/{self.chat_id}/events", after=self._heard, timeout=_LOOK
            )
            self._heard = heard["last"]

    async def _messages(self) -> list[JSON]:
        messages: list[JSON] = (await self.world.see(f"chats/{self.chat_id}"))["messages"]
        return messages


def shown_texts(messages: Iterable[JSON]) -> list[str]:
    """Give what messages say, for whoever reads why a test failed."""
    return [text_of(message) or "[picture]" for message in messages]
