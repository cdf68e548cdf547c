"""A chat with the bot, followed at a terminal: what is said is printed as it is said."""

import asyncio
import html
import shutil
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

_POLL: Final = 20.0


@dataclass(kw_only=True)
class Conversation:
    """One person's private chat with the bot, over the sandbox's HTTP.

    Args:
        http: who asks.
        telegram: the sandbox's address.
        chat_id: whose chat.
        output: where pictures are saved.
    """

    http: httpx.AsyncClient
    telegram: str
    chat_id: int
    output: Path
    _after: int = 0
    _saved: list[Path] = field(default_factory=list)
    _answers: list[str] = field(default_factory=list)
    _over: list[int] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def send_photo(self, content: bytes, name: str, caption: str) -> None:
        """Send a photo, and keep a copy of it beside the pictures."""
        (self.output / Path(name).name).write_bytes(content)
        answer = await self.http.post(
            f"{self.telegram}/person/chats/{self.chat_id}/photo",
            data={"user_id": self.chat_id, "caption": caption},
            files={"photo": (name, content)},
        )
        answer.raise_for_status()

    async def send_text(self, text: str) -> None:
        """Send a text."""
        self._answers.clear()
        answer = await self.http.post(
            f"{self.telegram}/person/chats/{self.chat_id}/text",
            json={"user_id": self.chat_id, "text": text},
        )
        answer.raise_for_status()

    async def pictures(self, count: int) -> list[Path]:
        """Wait until so many pictures have come; returns where they are."""
        await self._until(lambda: len(self._saved) >= count)
        return list(self._saved)

    async def answer(self, words: str) -> None:
        """Wait until the bot has said something with these words."""
        await self._until(lambda: any(words in answer for answer in self._answers))

    async def end_of_task(self) -> list[Path]:
        """Wait until a task has ended, in pictures, a question or a reason; returns the pictures."""
        await self._until(lambda: bool(self._over))
        return list(self._saved)

    async def skip_to_end(self) -> None:
        """Leave out what was said before."""
        self._after = (await self._events(timeout=0))["last"]

    async def follow(self) -> None:
        """Print what happens in the chat, for ever."""
        while True:
            seen = await self._events(timeout=_POLL)
            album: list[dict[str, Any]] = []
            for event in seen["events"]:
                message = event["message"]
                if event["kind"] == "new" and message["from_bot"] and "photo" in message:
                    album.append(message)
                    continue
                self._show(event["kind"], message)
            if album:
                await self._show_pictures(album)
            self._after = seen["last"]
            self._changed.set()

    async def _events(self, *, timeout: float) -> dict[str, Any]:  # noqa: ASYNC109 - the service's
        answer = await self.http.get(
            f"{self.telegram}/person/chats/{self.chat_id}/events",
            params={"after": self._after, "timeout": timeout},
        )
        answer.raise_for_status()
        events: dict[str, Any] = answer.json()
        return events

    def _show(self, kind: str, message: dict[str, Any]) -> None:
        text = html.unescape(str(message.get("text") or message.get("caption") or ""))
        if not message["from_bot"]:
            _print("You", f"[photo] {text}" if "photo" in message else text)
        elif kind == "deleted":
            _print("Bot", "(takes its progress message away)")
        else:
            _print("Bot", text + _buttons(message), edited=kind == "edited")
            if kind == "new":
                self._answers.append(text)
                if not text.startswith(("⏳", "📤", "🎨", "⏸", "🔎", "📥")):
                    self._over.append(1)

    async def _show_pictures(self, album: list[dict[str, Any]]) -> None:
        for message in album:
            path = self.output / f"picture-{message['message_id']}.jpg"
            answer = await self.http.get(f"{self.telegram}{message['photo']['url']}")
            answer.raise_for_status()
            path.write_bytes(answer.content)
            self._saved.append(path)
        size = f"{album[0]['photo']['width']}×{album[0]['photo']['height']}"
        count = "1 picture" if len(album) == 1 else f"{len(album)} pictures"
        _print("Bot", f"[{count}, {size}] {album[0].get('caption', '')}")
        self._over.append(1)

    async def _until(self, condition: Any) -> None:
        while not condition():
            self._changed.clear()
            if condition():
                return
            await self._changed.wait()


def _buttons(message: dict[str, Any]) -> str:
    labels = [f"[ {button['text']} ]" for row in message["buttons"] for button in row]
    return "\n" + "  ".join(labels) if labels else ""


def _print(who: str, text: str, *, edited: bool = False) -> None:
    width = max(40, shutil.get_terminal_size().columns - 10)
    sign = "✎" if edited else "▸"
    lines = [part for line in text.splitlines() for part in (textwrap.wrap(line, width) or [""])]
    head, *rest = lines or [""]
    print(f"{who} {sign} {head}", flush=True)
    for line in rest:
        print(f"      {line}", flush=True)
