"""What people do in a conversation; each deed is noted."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from sandbox.sample import draw_sample
from tests.conversations.notes import Notes
from tests.conversations.shown import normal, pattern_of, visible
from tests.e2e.world import JSON, Person, buttons_of

ADDRESS: Final = "/edit"
"""With this, words are meant for the bot in a group."""
_PHOTO: Final = draw_sample(240, 180)


class Someone:
    """A person in a conversation. In a group their words are meant for the bot."""

    def __init__(
        self, notes: Notes, name: str, person: Person, *, as_chat: int | None = None
    ) -> None:
        self._notes = notes
        self.name = name
        self.person = person
        self.id = as_chat or person.id
        self._as_chat = as_chat

    def anonymous(self, name: str) -> "Someone":
        """Give the same person as one who writes in the chat's name."""
        return Someone(self._notes, name, self.person, as_chat=self._notes.chat_id)

    async def says(self, text: str, *, to: JSON | None = None, address: bool = True) -> JSON:
        """Send a text, perhaps as a reply: to the bot as it is, to anybody else with the address."""
        words = self._addressed(text, to) if address else text
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
        address: bool = True,
        **more: Any,
    ) -> JSON:
        """Send a photo or an album, with words or none; `captioned` is the part that has the words."""
        caption = self._addressed(words or "", to) if address else words or ""
        if captioned:
            more["caption_index"] = captioned
        sent = await self.person.photo(
            caption or None, contents=(_PHOTO,) * photos, **self._where(to), **more
        )
        what = "photo" if photos == 1 else f"album of {photos} photos"
        what = f"{what}, covered" if more.get("spoiler") else what
        self._note([f"[{what}] {caption}".strip()], sent, to=to)
        return sent

    async def adds(self, album: JSON) -> JSON:
        """Let one more photo of an album come after the others."""
        sent = await self.person.photo(
            contents=(_PHOTO,), media_group_id=album["media_group_id"], **self._where(None)
        )
        self._note(["[one more photo of that album]"], sent, to=None)
        return sent

    async def sends_as(
        self,
        what: str,
        send: Callable[..., Awaitable[JSON]],
        words: str | None = None,
        *,
        to: JSON | None = None,
        **more: Any,
    ) -> JSON:
        """Send anything else by a deed of a person, such as `ada.person.sticker`; `what` names it."""
        caption = self._addressed(words or "", to) if words is not None else ""
        if caption:
            more["caption"] = caption
        sent = await send(**self._where(to), **more)
        self._note([f"[{what}] {caption}".strip()], sent, to=to)
        return sent

    async def edits(self, message: JSON, words: str) -> None:
        """Change the words of an earlier message."""
        changed = self._addressed(words)
        await self.person.edit(message, changed, chat=self._notes.chat_id)
        lines = [f"(changes that to: {normal(changed)})"]
        self._notes.note(self.name, lines, reply_to=message["message_id"])

    async def presses(self, message: JSON, button: str, **data: object) -> None:
        """Press a button, named by its sentence, and wait for Telegram's notice of it."""
        pattern = pattern_of(button, data, self._notes.language)
        labels = [one for one in buttons_of(message) if pattern.fullmatch(visible(one))]
        assert labels, f"no {button} among {buttons_of(message)}"
        shown = normal(labels[0])
        self._notes.note(self.name, [f"(presses [{shown}])"], reply_to=message["message_id"])
        answer = await self.person.press(message, labels[0], chat=self._notes.chat_id)
        if answer["text"]:
            way = "in a window" if answer["show_alert"] else "on the screen for a moment"
            self._notes.note("Bot", [f"({way}) {normal(answer['text'])}"], reply_to=None)

    def _addressed(self, words: str, to: JSON | None = None) -> str:
        scene = self._notes.scene
        to_the_bot = to is not None and to["from_bot"] and not scene.channel
        if not (scene.group or scene.channel) or to_the_bot or words.startswith(("/", "@")):
            return words
        return f"{ADDRESS} {words}".strip()

    def _where(self, to: JSON | None) -> dict[str, Any]:
        where = {
            "chat": self._notes.chat_id,
            "thread_id": self._notes.topic,
            "reply_to": to and to["message_id"],
            "as_chat": self._as_chat,
        }
        return _given(where)

    def _note(self, lines: list[str], *messages: JSON, to: JSON | None) -> None:
        flat = [one for line in lines for one in line.splitlines()]
        reply_to = None if to is None else to["message_id"]
        self._notes.note(self.name, flat, *messages, reply_to=reply_to)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
