"""A chat with the bot, followed at a terminal: what is said is printed as it is said."""

import asyncio
import os
import re
import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import click

from sandbox.guest import JSON, Guest

_POLL: Final = 20.0
_QUIET: Final = 0.7
"""Seconds of silence after which the bot has said what it had to say."""
_INDENT: Final = "     "
_LONGEST_NAME: Final = 40
_OPTION: Final = re.compile(r"(?:^|\s)/\w.*")
"""In a caption: from its first option on."""
_GOING_ON: Final = ("⏳", "⏸", "📤", "🔎", "🎨", "📥", "✋ Stopping")
"""What the bot's messages begin with that only say how it goes."""
_SPACE: Final = "\N{NO-BREAK SPACE}"


class PictureNames:
    """Names for the pictures of a chat, from their captions: `make-it-snow-1.jpg`.

    Whoever goes through a chat from its beginning comes to the same names; a picture that is shown
    again keeps its own.
    """

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._counts: Counter[str] = Counter()
        self._albums: dict[str, str] = {}

    def name(self, message: JSON) -> str:
        """Name the picture of a message."""
        file = file_of(message)
        assert file is not None  # noqa: S101 - asked only for messages with one
        if file["url"] not in self._names:
            base = self._base(message)
            self._counts[base] += 1
            suffix = Path(file.get("file_name", "")).suffix or ".jpg"
            self._names[file["url"]] = f"{base}-{self._counts[base]}{suffix}"
        return self._names[file["url"]]

    def _base(self, message: JSON) -> str:
        # of an album, only the first has the caption
        album = message.get("media_group_id", "")
        base = _slug(message.get("caption", "")) or self._albums.get(album) or "picture"
        if album:
            self._albums[album] = base
        return base


@dataclass(kw_only=True)
class Conversation:
    """One person's private chat with the bot, as a terminal shows it.

    Args:
        guest: whose chat.
        output: where pictures are saved.
    """

    guest: Guest
    output: Path
    saved: list[Path] = field(default_factory=list[Path])
    _after: int = 0
    _names: PictureNames = field(default_factory=PictureNames)
    _said: list[str] = field(default_factory=list)
    _buttons: dict[int, str] = field(default_factory=dict[int, str])
    """The buttons of each message, as they were printed last."""
    _going: set[int] = field(default_factory=set[int])
    """The messages that say how something goes that is not over."""
    _over: bool = False
    _failure: Exception | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _last: tuple[int, int] = (0, 0)
    """The message that was printed last, and how many lines that took."""

    async def skip_to_end(self) -> None:
        """Leave out what was said before."""
        events, self._after = await self.guest.events(0, seconds=0)
        for event in events:
            if _is_picture(event):
                self._names.name(event["message"])

    async def follow(self) -> None:
        """Print what happens in the chat, for ever; whoever waits here is told of a failure."""
        try:
            while True:
                await self._show_next()
        except Exception as exc:
            self._failure = exc
            raise
        finally:
            self._changed.set()

    async def _show_next(self) -> None:
        events, self._after = await self.guest.events(self._after, seconds=_POLL)
        album: list[JSON] = []
        for event in events:
            if _is_picture(event):
                album.append(event["message"])
                continue
            await self._show_pictures(album)
            album = []
            self._show(event["kind"], event["message"])
        await self._show_pictures(album)
        self._changed.set()

    def ask(self) -> None:
        """Forget the answers so far: a new question is about to be put."""
        self._said.clear()
        self._over = False

    async def pictures(self, count: int) -> Sequence[Path]:
        """Wait until so many pictures have come; returns where they are."""
        await self._until(lambda: len(self.saved) >= count)
        return tuple(self.saved)

    async def answer(self, words: str) -> None:
        """Wait until the bot has said something with these words."""
        await self._until(lambda: any(words in said for said in self._said))

    async def button(self, label: str) -> int:
        """Wait for a message that has such a button; returns the last one's number."""

        def found() -> list[int]:
            return [number for number, shown in self._buttons.items() if f"[ {label} ]" in shown]

        await self._until(lambda: bool(found()))
        return max(found())

    async def press(self, label: str) -> None:
        """Press such a button, and print what the bot says to it."""
        number = await self.button(label)
        self._print("You", f"(presses {label})", 0)
        if notice := await self.guest.press(number, label):
            self._print("Bot", click.style(f"({notice})", dim=True), 0)

    async def end(self) -> None:
        """Wait until the bot is done: pictures, a question, a reason or an answer, then quiet."""
        await self._until(lambda: self._over and not self._going)
        while True:
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), _QUIET)
            except TimeoutError:
                return

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            if self._failure is not None:
                raise self._failure
            self._changed.clear()
            await self._changed.wait()

    # --- printing

    def _show(self, kind: str, message: JSON) -> None:
        text = str(message.get("text") or message.get("caption") or "")
        number = message["message_id"]
        self._going.discard(number)
        if not message["from_bot"]:
            self._print("You", _sent(message, text), number)
        elif kind == "deleted":
            self._print("Bot", click.style("(takes its progress message away)", dim=True), number)
        else:
            over = kind == "edited" and self._last[0] == number and _redraws()
            buttons = _buttons(message)
            # what was there already is not said again, unless it is drawn anew
            known = self._buttons.get(number) == buttons and not over
            self._buttons[number] = buttons
            lines = text if known or not buttons else f"{text}\n{buttons}"
            self._print("Bot", lines, number, over=over)
            if _is_progress(text):
                self._going.add(number)
            elif kind == "new":
                self._over = True
            if kind == "new":
                self._said.append(text)

    async def _show_pictures(self, album: Sequence[JSON]) -> None:
        if not album:
            return
        paths = [await self._save(message) for message in album]
        file = file_of(album[0]) or {}
        size = f", {file['width']}×{file['height']}" if "width" in file else ""
        count = "1 picture" if len(album) == 1 else f"{len(album)} pictures"
        lines = [f"🖼  {count}{size}", str(album[0].get("caption", ""))]
        lines += [f"→ {path}" for path in paths]
        lines.append(buttons := _buttons(album[-1]))
        number = album[-1]["message_id"]
        self._buttons[number] = buttons
        self._print("Bot", "\n".join(line for line in lines if line), number)
        self.saved += paths
        # what follows an album, and has its buttons, is still to come
        self._over = self._over or not album[0].get("media_group_id")

    async def _save(self, message: JSON) -> Path:
        path = self.output / self._names.name(message)
        # a second terminal may be saving the same picture
        half = path.with_name(f".{path.name}.{os.getpid()}")
        half.write_bytes(await self.guest.fetch(file_of(message) or {}))
        half.replace(path)
        return path

    def _print(self, who: str, text: str, number: int, *, over: bool = False) -> None:
        width = max(40, shutil.get_terminal_size().columns - len(_INDENT) - 1)
        lines = [part for line in text.splitlines() for part in (_wrapped(line, width) or [""])]
        head, *rest = lines or [""]
        colour = "green" if who == "Bot" else "cyan"
        # over what was printed last: up, and clear it
        up = "\x1b[1A\x1b[2K" * self._last[1] if over else ""
        click.echo(up + click.style(who, fg=colour), nl=False)
        click.echo("\n".join([f"  {head}", *(f"{_INDENT}{line}".rstrip() for line in rest)]))
        self._last = (number, len(lines))


def file_of(message: JSON) -> JSON | None:
    """Give the photo or the file of a message."""
    found: JSON | None = message.get("photo") or message.get("document")
    return found


def _is_picture(event: JSON) -> bool:
    message = event["message"]
    return event["kind"] == "new" and message["from_bot"] and file_of(message) is not None


def _is_progress(text: str) -> bool:
    """Whether the bot only says how it goes: such a message begins with a sign, as ⏳."""
    return text.startswith(_GOING_ON)


def _sent(message: JSON, text: str) -> str:
    if "photo" in message:
        return f"📷  {text}".rstrip()
    if "document" in message:
        return f"📎  {message['document'].get('file_name', '')}  {text}".rstrip()
    return text


def _buttons(message: JSON) -> str:
    """Give the buttons of a message, a line each row."""
    return "\n".join(
        "  ".join(f"[ {button['text']} ]" for button in row) for row in message["buttons"]
    )


def _wrapped(line: str, width: int) -> list[str]:
    # a path is copied from here: it stays whole
    if line.startswith("→"):
        return [line]
    # so does what stands on a button
    whole = re.sub(r"\[ [^\]]* \]", lambda found: found[0].replace(" ", _SPACE), line)
    return [part.replace(_SPACE, " ") for part in textwrap.wrap(whole, width)]


def _redraws() -> bool:
    return sys.stdout.isatty()


def _slug(caption: str) -> str:
    """Make a file's name of a caption's first line: its words, as many as fit, without options."""
    name = ""
    for word in re.findall(r"\w+", _OPTION.sub("", caption.partition("\n")[0]).lower()):
        longer = f"{name}-{word}" if name else word[:_LONGEST_NAME]
        if len(longer) > _LONGEST_NAME:
            break
        name = longer
    return name
