"""What the bot is waited for; each message is noted as it is then."""

from collections.abc import Iterable

from tests.conversations.notes import Notes, shown_texts
from tests.conversations.shown import (
    CHANGED,
    button_lines,
    form_of,
    lines_of,
    number_in,
    pattern_of,
    visible,
)
from tests.e2e.world import JSON, picture_of, text_of


class Bot:
    """What the bot is waited for."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self.seen: dict[int, list[str]] = {}
        """How its messages looked when they were noted; those that are to go are in `passing`."""
        self.passing: set[int] = set()

    async def says(self, *ids: str, **data: object) -> JSON:
        """Wait for a new message with these sentences."""
        message = await self._notes.wait(
            lambda shown: self._new(shown, ids, data), f"it says {ids}"
        )
        self._noted([message])
        return message

    async def reports(self, id: str, **data: object) -> JSON:  # noqa: A002 - a sentence's
        """Wait until a progress message says this; it may change further, and must go in the end.

        What it says beyond that is not noted: an estimate, say, is there or is not.
        """
        message = await self._notes.wait(
            lambda shown: self._new(shown, [id], data), f"it says {id}"
        )
        lines = [*form_of(id, data, self._notes.language).splitlines(), *button_lines(message)]
        self._notes.note("Bot", lines, message, reply_to=message["reply_to"])
        self.passing.add(message["message_id"])
        return message

    async def shows(self, count: int = 1, *ids: str, **data: object) -> JSON:
        """Wait for new pictures, or files; returns the first of them."""

        def look(shown: list[JSON]) -> list[JSON] | None:
            new = [m for m in shown if m["message_id"] not in self.seen and picture_of(m)]
            return new[:count] if len(new) >= count else None

        messages = await self._notes.wait(look, f"{count} pictures are there")
        texts = " ".join(shown_texts(messages))
        for id_ in ids:
            found = pattern_of(id_, data, self._notes.language).search(visible(texts))
            assert found, f"no {id_} in {texts!r}"
        self._noted(messages)
        return messages[0]

    async def shows_figures(self, *ids: str) -> JSON:
        """Wait for a new picture with these sentences; what they say of all who talk to the bot is not noted."""

        def look(shown: list[JSON]) -> JSON | None:
            new = [m for m in shown if m["message_id"] not in self.seen and picture_of(m)]
            return next((m for m in new if self._fits(m, ids, {})), None)

        message = await self._notes.wait(look, f"a picture with {ids} is there")
        lines = [lines_of([message])[0], *(form_of(id_, {}, self._notes.language) for id_ in ids)]
        self._notes.note("Bot", lines, message, reply_to=message["reply_to"])
        self.seen[message["message_id"]] = self.looks(message)
        return message

    async def shows_each(self, count: int, *ids: str) -> list[JSON]:
        """Wait for pictures of so many tasks, each its own message; they are noted in their tasks' order.

        Which of them comes first is left to chance.
        """

        def look(shown: list[JSON]) -> list[JSON] | None:
            new = [m for m in shown if m["message_id"] not in self.seen and picture_of(m)]
            return new if len(new) >= count and all(self._fits(m, ids, {}) for m in new) else None

        messages = await self._notes.wait(look, f"{count} pictures with {ids} are there")
        messages.sort(key=lambda message: int(number_in(message)))
        for message in messages:
            self._noted([message])
        return messages

    async def changes(self, message: JSON, *ids: str, **data: object) -> JSON:
        """Wait until a message that was seen says this instead."""
        number = message["message_id"]

        def look(shown: list[JSON]) -> JSON | None:
            now = next((m for m in shown if m["message_id"] == number), None)
            fits = now is not None and self._fits(now, ids, data)
            return now if fits and now and self.looks(now) != self.seen.get(number) else None

        changed = await self._notes.wait(look, f"it changes to {ids}")
        self.passing.discard(number)
        self._noted([changed], mark=CHANGED)
        return changed

    async def deletes(self, message: JSON) -> None:
        """Wait until a message that was seen is gone."""
        number = message["message_id"]

        def look(shown: list[JSON]) -> bool | None:
            return None if any(m["message_id"] == number for m in shown) else True

        await self._notes.wait(look, "a message goes")
        self.seen.pop(number, None)
        self._notes.note("Bot", ["(deletes that)"], reply_to=number)

    def looks(self, message: JSON) -> list[str]:
        """Say how a message looks."""
        lines = lines_of([message])
        here = message["thread_id"] == self._notes.topic or not self._notes.scene.topics
        return lines if here else ["(outside of the topic)", *lines]

    def _new(self, shown: list[JSON], ids: Iterable[str], data: dict[str, object]) -> JSON | None:
        known = self.seen.keys() | self.passing
        new = (m for m in shown if m["message_id"] not in known)
        return next((m for m in new if self._fits(m, ids, data)), None)

    def _fits(self, message: JSON, ids: Iterable[str], data: dict[str, object]) -> bool:
        language, text = self._notes.language, visible(text_of(message))
        return all(pattern_of(id_, data, language).search(text) for id_ in ids)

    def _noted(self, messages: list[JSON], mark: str = "") -> None:
        lines = lines_of(messages)
        if any("(outside" in self.looks(message)[0] for message in messages):
            lines.insert(0, "(outside of the topic)")
        if mark:
            lines.insert(0, mark)
        reply_to = None if mark else messages[0]["reply_to"]
        self._notes.note("Bot", lines, *messages, reply_to=reply_to)
        self.seen.update((m["message_id"], self.looks(m)) for m in messages)
