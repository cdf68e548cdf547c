"""The language of the scripts: what people do, what the bot is waited for, and how both are noted.

A script notes what it waits for, and no more: so a transcript is the same each time. At the end
nothing of the bot may be left in the chat that the script has not seen as it is.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sandbox.sample import draw_sample
from tests.conversations.shown import (
    CHANGED,
    Record,
    button_lines,
    lines_of,
    normal,
    number_in,
    pattern_of,
)
from tests.e2e.world import JSON, PATIENCE, Person, World, buttons_of, picture_of, text_of

T = TypeVar("T")

ADDRESS: Final = "/ratio auto"
"""With this, words are meant for the bot in a group."""
RESTART: Final = "··· here the bot is killed, and started again ···"
_PHOTO: Final = draw_sample(240, 180)
_LOOK: Final = 5.0
"""Seconds after which to look again though nothing is heard of a change."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """A kind of chat, in which a conversation is played."""

    name: str
    group: bool = False
    topics: bool = False


PRIVATE: Final = Scene(name="a private chat")
GROUP: Final = Scene(name="a group", group=True)
TOPICS: Final = Scene(name="a topic of a supergroup", group=True, topics=True)
SCENES: Final = (PRIVATE, GROUP, TOPICS)
GROUPS: Final = (GROUP, TOPICS)
"""Where there are others than Ada."""


class Talk:
    """One conversation: two people, a chat, the bot, and what has been noted so far."""

    def __init__(self, world: World, scene: Scene, restart: Callable[[], Awaitable[None]]) -> None:
        self.world = world
        self.scene = scene
        self.records: list[Record] = []
        self.restarts = 0
        self.chat_id = 0
        self.topic: int | None = None
        self._restart = restart
        self._by_message: dict[int, Record] = {}
        self._heard = 0

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

    # --- noting

    def note(self, who: str, lines: Iterable[str], *messages: JSON, reply_to: int | None) -> None:
        """Note what somebody said, as these messages."""
        replied = self._by_message.get(reply_to) if reply_to is not None else None
        record = Record(who, tuple(lines), self._quote(replied) if replied else None)
        self.records.append(record)
        self._by_message.update((message["message_id"], record) for message in messages)

    def _quote(self, replied: Record) -> str:
        before = next((one for one in reversed(self.records) if one.who), None)
        return "" if before is replied else replied.quoted

    async def wait(self, look: Callable[[list[JSON]], T | None], what: str) -> T:
        """Wait until the chat shows something; `look` is given all messages of the bot in it.

        Raises:
            AssertionError: it has not happened in time.
        """
        end = time.monotonic() + PATIENCE
        while True:
            shown = [m for m in await self._messages() if m["from_bot"]]
            found = look(shown)
            if found is not None:
                return found
            if time.monotonic() > end:
                raise AssertionError(f"not in time: {what}; the chat shows {_texts(shown)}")
            heard = await self.world.see(
                f"chats/{self.chat_id}/events", after=self._heard, timeout=_LOOK
            )
            self._heard = heard["last"]

    async def _messages(self) -> list[JSON]:
        messages: list[JSON] = (await self.world.see(f"chats/{self.chat_id}"))["messages"]
        return messages

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


def _texts(messages: Iterable[JSON]) -> list[str]:
    return [text_of(message) or "[picture]" for message in messages]


class Someone:
    """A person in a conversation. In a group their words are meant for the bot."""

    def __init__(self, talk: Talk, name: str, person: Person) -> None:
        self._talk = talk
        self.name = name
        self.person = person
        self.id = person.id

    async def says(self, text: str, *, to: JSON | None = None) -> JSON:
        """Send a text, perhaps as a reply: to the bot as it is, to anybody else with the address."""
        ours = to is not None and to["from_bot"]
        words = text if ours else self._addressed(text)
        sent = await self.person.text(words, **self._where(to))
        self._note([normal(words)], sent, to=to)
        return sent

    async def sends(
        self,
        words: str | None = None,
        *,
        photos: int = 1,
        captioned: int = 0,
        to: JSON | None = None,
    ) -> JSON:
        """Send a photo or an album, with words or none; `captioned` is the part that has the words."""
        caption = self._addressed(words or "")
        more = {"caption_index": captioned} if captioned else {}
        sent = await self.person.photo(
            caption or None, contents=(_PHOTO,) * photos, **self._where(to), **more
        )
        what = "[photo]" if photos == 1 else f"[album of {photos} photos]"
        self._note([f"{what} {caption}".strip()], sent, to=to)
        return sent

    async def sends_as(
        self, what: str, send: Callable[..., Awaitable[JSON]], words: str | None = None, **more: Any
    ) -> JSON:
        """Send anything else by a deed of a person, such as `ada.person.sticker`; `what` names it."""
        if caption := self._addressed(words or ""):
            more["caption"] = caption
        sent = await send(**self._where(None), **more)
        self._note([f"[{what}] {caption}".strip()], sent, to=None)
        return sent

    async def edits(self, message: JSON, words: str) -> None:
        """Change the words of an earlier message."""
        changed = self._addressed(words)
        await self.person.edit(message, changed, chat=self._talk.chat_id)
        lines = [f"(changes that to: {normal(changed)})"]
        self._talk.note(self.name, lines, reply_to=message["message_id"])

    async def presses(self, message: JSON, button: str, **data: object) -> None:
        """Press a button, named by its sentence, and wait for Telegram's notice of it."""
        pattern = pattern_of(button, data)
        labels = [label for label in buttons_of(message) if pattern.fullmatch(label)]
        assert labels, f"no {button} among {buttons_of(message)}"
        shown = normal(labels[0])
        self._talk.note(self.name, [f"(presses [{shown}])"], reply_to=message["message_id"])
        answer = await self.person.press(message, labels[0], chat=self._talk.chat_id)
        if answer["text"]:
            way = "in a window" if answer["show_alert"] else "on the screen for a moment"
            self._talk.note("Bot", [f"({way}) {normal(answer['text'])}"], reply_to=None)

    def _addressed(self, words: str) -> str:
        if not self._talk.scene.group or words.startswith("/"):
            return words
        return f"{ADDRESS} {words}".strip()

    def _where(self, to: JSON | None) -> dict[str, Any]:
        where = {
            "chat": self._talk.chat_id,
            "thread_id": self._talk.topic,
            "reply_to": to and to["message_id"],
        }
        return _given(where)

    def _note(self, lines: list[str], *messages: JSON, to: JSON | None) -> None:
        flat = [one for line in lines for one in line.splitlines()]
        reply_to = None if to is None else to["message_id"]
        self._talk.note(self.name, flat, *messages, reply_to=reply_to)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


class Bot:
    """What the bot is waited for."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self.seen: dict[int, list[str]] = {}
        """How its messages looked when they were noted; those that are to go are in `passing`."""
        self.passing: set[int] = set()

    async def says(self, *ids: str, **data: object) -> JSON:
        """Wait for a new message with these sentences."""
        message = await self._talk.wait(lambda shown: self._new(shown, ids, data), f"it says {ids}")
        self._noted([message])
        return message

    async def reports(self, id: str, **data: object) -> JSON:  # noqa: A002 - a sentence's
        """Wait until a progress message says this; it may change further, and must go in the end.

        What it says beyond that is not noted: an estimate, say, is there or is not.
        """
        message = await self._talk.wait(lambda shown: self._new(shown, [id], data), f"it says {id}")
        found = pattern_of(id, data).search(text_of(message))
        lines = normal(found.group() if found else "").splitlines()
        lines += button_lines(message)
        self._talk.note("Bot", lines, message, reply_to=message["reply_to"])
        self.passing.add(message["message_id"])
        return message

    async def shows(self, count: int = 1, *ids: str, **data: object) -> JSON:
        """Wait for new pictures, or files; returns the first of them."""

        def look(shown: list[JSON]) -> list[JSON] | None:
            new = [m for m in shown if m["message_id"] not in self.seen and picture_of(m)]
            return new[:count] if len(new) >= count else None

        messages = await self._talk.wait(look, f"{count} pictures are there")
        texts = " ".join(_texts(messages))
        for id_ in ids:
            assert pattern_of(id_, data).search(texts), f"no {id_} in {texts!r}"
        self._noted(messages)
        return messages[0]

    async def changes(self, message: JSON, *ids: str, **data: object) -> JSON:
        """Wait until a message that was seen says this instead."""
        number = message["message_id"]

        def look(shown: list[JSON]) -> JSON | None:
            now = next((m for m in shown if m["message_id"] == number), None)
            fits = now is not None and self._fits(now, ids, data)
            return now if fits and now and self.looks(now) != self.seen.get(number) else None

        changed = await self._talk.wait(look, f"it changes to {ids}")
        self.passing.discard(number)
        self._noted([changed], mark=CHANGED)
        return changed

    async def deletes(self, message: JSON) -> None:
        """Wait until a message that was seen is gone."""
        number = message["message_id"]

        def look(shown: list[JSON]) -> bool | None:
            return None if any(m["message_id"] == number for m in shown) else True

        await self._talk.wait(look, "a message goes")
        self.seen.pop(number, None)
        self._talk.note("Bot", ["(deletes that)"], reply_to=number)

    def looks(self, message: JSON) -> list[str]:
        """Say how a message looks."""
        lines = lines_of([message])
        here = message["thread_id"] == self._talk.topic or not self._talk.scene.topics
        return lines if here else ["(outside of the topic)", *lines]

    def _new(self, shown: list[JSON], ids: Iterable[str], data: dict[str, object]) -> JSON | None:
        known = self.seen.keys() | self.passing
        new = (m for m in shown if m["message_id"] not in known)
        return next((m for m in new if self._fits(m, ids, data)), None)

    @staticmethod
    def _fits(message: JSON, ids: Iterable[str], data: dict[str, object]) -> bool:
        return all(pattern_of(id_, data).search(text_of(message)) for id_ in ids)

    def _noted(self, messages: list[JSON], mark: str = "") -> None:
        lines = lines_of(messages)
        if any("(outside" in self.looks(message)[0] for message in messages):
            lines.insert(0, "(outside of the topic)")
        if mark:
            lines.insert(0, mark)
        reply_to = None if mark else messages[0]["reply_to"]
        self._talk.note("Bot", lines, *messages, reply_to=reply_to)
        self.seen.update((m["message_id"], self.looks(m)) for m in messages)


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
