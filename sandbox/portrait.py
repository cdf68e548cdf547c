"""The picture of a conversation that the README shows: had with the real bot, then drawn."""

import asyncio
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import click

from sandbox.conversation import file_of
from sandbox.drawing import Bubble, draw
from sandbox.guest import JSON, Attachment, Guest
from sandbox.sample import draw_sample
from sandbox.stage import DemoFailed, patiently, set_up, until_stopped

NAME: Final = "HiDream bot"
ABOUT: Final = "bot"
LARGEST: Final = 345_000
"""Bytes; a README is to open fast."""
_QUALITIES: Final = (84, 80, 76, 72, 66, 60, 50)
_FIRST: Final = "make it snow /ratio 16:9 /count 2"
_SECOND: Final = "as a pencil sketch /ratio square /no text"
_SECONDS: Final = 6.0
_PATIENCE: Final = 60.0
_PERCENT: Final = 60
"""Of what was shown of the progress, what was nearest to this is drawn."""
_FOUND: Final = re.compile(r"(\d+)%")


class Watched:
    """What happened in a chat, as far as it was looked at."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        self._after = 0
        self.events: list[JSON] = []

    async def until(self, seen: Callable[["Watched"], bool]) -> None:
        """Look on until this has been seen.

        Raises:
            DemoFailed: it has not, for too long.
        """

        async def look() -> None:
            while not seen(self):
                events, self._after = await self._guest.events(self._after, seconds=10)
                self.events += events

        await patiently(look(), _PATIENCE, "the conversation did not go as it should")

    def shown(self) -> list[JSON]:
        """Give the messages that the chat shows now, each as it was changed last."""
        messages: dict[int, JSON] = {}
        for event in self.events:
            number = event["message"]["message_id"]
            if event["kind"] == "deleted":
                messages.pop(number, None)
            else:
                messages[number] = event["message"]
        return list(messages.values())

    def pictures(self) -> int:
        """Count the pictures of the bot that the chat shows."""
        return sum(message["from_bot"] and "photo" in message for message in self.shown())

    def tidy(self) -> bool:
        """Whether no message is left that says how it goes."""
        gone = {e["message"]["message_id"] for e in self.events if e["kind"] == "deleted"}
        return all(number in gone for number, _ in _percents(self.events))

    def leads_on(self) -> bool:
        """Whether what the bot said last has buttons."""
        return bool((self.shown() or [{"buttons": ()}])[-1]["buttons"])

    def says(self, words: str) -> bool:
        """Whether the bot's last message has these words."""
        last = (self.shown() or [{"from_bot": False}])[-1]
        return bool(last["from_bot"]) and words in last.get("text", "")


async def portray(*, output: Path) -> None:
    """Have a conversation with the real bot, and draw it into this file.

    Raises:
        DemoFailed: it did not go as it should, or the file can't be written.
    """
    if not await until_stopped(_portray(output)):
        raise DemoFailed("stopped before the picture was drawn")


async def _portray(output: Path) -> None:
    click.echo("A conversation with the bot is going on, to be drawn; it takes half a minute.")
    async with set_up(seconds=_SECONDS) as stage:
        watched = await stage.with_bot(_converse(stage.guest))
        svg = await _draw(stage.guest, watched)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(svg, encoding="utf-8")
    except OSError as exc:
        raise DemoFailed(f"can't write {output}: {exc.strerror}") from exc
    click.echo(f"Drawn: {output} ({len(svg.encode()) / 1000:.0f} kB)")


async def _converse(guest: Guest) -> Watched:
    watched = Watched(guest)
    await guest.write("/start")
    await watched.until(lambda w: w.says("photo"))
    await guest.send(await _sample(1280, 960), _FIRST)
    await watched.until(lambda w: w.pictures() == 2 and w.tidy())
    await guest.send(await _sample(960, 1200))
    await watched.until(lambda w: w.says("photo") and w.leads_on())
    await guest.write(_SECOND, reply_to=watched.shown()[-1]["message_id"])
    await watched.until(lambda w: w.pictures() == 3 and w.tidy())
    return watched


async def _sample(width: int, height: int) -> Attachment:
    content = await asyncio.to_thread(draw_sample, width, height)
    return Attachment(name="sample.jpg", content=content, media_type="image/jpeg")


async def _draw(guest: Guest, watched: Watched) -> str:
    messages = watched.shown()
    pictures = {
        message["message_id"]: await guest.fetch(file)
        for message in messages
        if (file := file_of(message)) is not None
    }
    cards = compose(watched.events, messages, pictures)
    for quality in _QUALITIES:
        svg = await asyncio.to_thread(draw, cards, name=NAME, about=ABOUT, quality=quality)
        if len(svg.encode()) < LARGEST:
            return svg
    raise DemoFailed("the pictures are too large for a README, however they are packed")


def compose(
    events: Sequence[JSON], messages: Sequence[JSON], pictures: dict[int, bytes]
) -> list[list[Bubble]]:
    """Make bubbles of what happened: a new card begins with each photo but the first.

    Args:
        events: all that happened, in order.
        messages: what the chat shows in the end.
        pictures: the content of each message's picture.
    """
    progress = _progress(events)
    cards: list[list[Bubble]] = [[]]
    bubbles: dict[int, Bubble] = {}
    above = 0
    for message in messages:
        number, album = message["message_id"], message.get("media_group_id")
        if not message["from_bot"] and number in pictures and any(b.pictures for b in cards[-1]):
            cards.append([])
        first = next((m for m in messages if album and m.get("media_group_id") == album), message)
        if first is not message:
            continue
        if message["reply_to"] in progress and message["from_bot"]:
            passing = progress.pop(message["reply_to"])
            cards[-1].append(Bubble(mine=False, text=passing["text"], passing=True))
            above = passing["message_id"]
        whole = [m["message_id"] for m in messages if album and m.get("media_group_id") == album]
        # what stands right below the message that it answers needs no quote
        quotes = bubbles.get(message["reply_to"]) if message["reply_to"] != above else None
        bubble = Bubble(
            mine=not message["from_bot"],
            text=message.get("text") or message.get("caption") or "",
            entities=message.get("entities") or message.get("caption_entities") or (),
            pictures=[pictures[n] for n in whole or [number] if n in pictures],
            buttons=[[button["text"] for button in row] for row in message["buttons"]],
            quotes=quotes,
        )
        cards[-1].append(bubble)
        bubbles[number] = bubble
        above = number
    return cards


def _progress(events: Sequence[JSON]) -> dict[int, JSON]:
    """Find the message about the first photo's progress, as it was shown about halfway.

    By the message that it replies to.
    """
    shown = _percents(events)
    if not shown:
        return {}
    of_first = [message for number, message in shown if number == shown[0][0]]
    best = min(of_first, key=lambda m: abs(int(_FOUND.findall(m["text"])[0]) - _PERCENT))
    return {best["reply_to"]: best}


def _percents(events: Sequence[JSON]) -> list[tuple[int, JSON]]:
    """Give the messages that said a percentage, as they were at that time."""
    return [
        (event["message"]["message_id"], event["message"])
        for event in events
        if event["kind"] != "deleted"
        and event["message"]["from_bot"]
        and _FOUND.search(event["message"].get("text", ""))
    ]
