"""What people can do in Telegram beyond writing: files of all kinds, edits, groups, channels."""

import io
from abc import ABC, abstractmethod
from functools import cache
from typing import Any

from PIL import Image

from sandbox.sample import draw_sample

JSON = dict[str, Any]


class Place(ABC):
    """The world as those see it who do something in it: its groups, its channels, its clock."""

    @abstractmethod
    async def do(self, path: str, **fields: Any) -> JSON:
        """Do something as a person in Telegram."""

    @abstractmethod
    async def see(self, path: str, **query: Any) -> JSON:
        """Look at something as a person in Telegram."""

    @abstractmethod
    async def upload(self, path: str, fields: JSON, files: list[Any]) -> JSON:
        """Send files as a person in Telegram."""

    async def channel(self, *members: "Deeds", **more: Any) -> int:
        """Open a channel of the first of these people, with the bot in it; returns its id."""
        fields = {"title": "News", "members": [member.id for member in members], **more}
        return int((await self.do("channels", **fields))["id"])

    async def topic(self, chat: int, name: str) -> int:
        """Open a topic in a group with topics; returns its thread id."""
        return int((await self.do(f"groups/{chat}/topics", name=name))["message_thread_id"])

    async def upgrade(self, chat: int) -> int:
        """Turn a group into a supergroup; returns its new id."""
        return int((await self.do(f"groups/{chat}/upgrade"))["id"])

    async def becomes(self, chat: int, status: str, who: "Deeds | None" = None) -> None:
        """Make somebody, or the bot, "administrator", "member", "left" or "kicked" in a chat."""
        fields = {} if who is None else {"user_id": who.id}
        await self.do(f"groups/{chat}/status", status=status, **fields)

    async def later(self, seconds: float) -> None:
        """Move Telegram's clock on: messages grow old, and file links end."""
        await self.do("clock", advance_seconds=seconds)

    async def menus(self) -> dict[str, list[str]]:
        """Give the names in the command menu for everybody, by language; "" is for all others."""
        return {
            menu["language_code"]: [command["command"] for command in menu["commands"]]
            for menu in (await self.see("commands"))["menus"]
            if menu["scope"] == {"type": "default"}
        }

    async def profile(self) -> dict[str, dict[str, str]]:
        """Give the bot's "description" and "short_description", each by language."""
        return await self.see("profile")


class Deeds:
    """Someone who does all that Telegram's apps can do."""

    def __init__(self, place: Place, user: JSON) -> None:
        self._place = place
        self.id: int = user["id"]

    async def sticker(
        self,
        content: bytes | None = None,
        *,
        form: str = "static",
        chat: int | None = None,
        **more: Any,
    ) -> JSON:
        """Send a sticker: "static", "animated" or "video"."""
        content = sticker() if content is None and form == "static" else content or b"moving"
        fields = {"user_id": self.id, "format": form, **more}
        files = [("sticker", ("sticker", content, "application/octet-stream"))]
        return await self._place.upload(f"chats/{chat or self.id}/sticker", fields, files)

    async def medium(
        self, kind: str, caption: str | None = None, *, chat: int | None = None, **more: Any
    ) -> JSON:
        """Send a "video", an "animation", a "voice", an "audio" or a "video_note"."""
        fields = {"user_id": self.id, "caption": caption, **more}
        files = [(kind, (f"{kind}.mp4", b"moving", "video/mp4"))]
        sent = await self._place.upload(f"chats/{chat or self.id}/{kind}", fields, files)
        message: JSON = sent["messages"][0]
        return message

    async def forward(
        self, message: JSON, *, source: int | None = None, chat: int | None = None, **more: Any
    ) -> JSON:
        """Forward a message of the chat `source` into another."""
        return await self._place.do(
            f"chats/{chat or self.id}/forward",
            user_id=self.id,
            from_chat_id=source or self.id,
            message_id=message["message_id"],
            **more,
        )

    async def edit(self, message: JSON, words: str, *, chat: int | None = None) -> JSON:
        """Change the text, or the caption, of an own message."""
        return await self._place.do(
            f"chats/{chat or self.id}/edit",
            user_id=self.id,
            message_id=message["message_id"],
            **{"text" if "text" in message else "caption": words},
        )

    async def press_blindly(
        self, message: JSON, data: str, *, chat: int | None = None, **more: Any
    ) -> str:
        """Press by the button's data, whether it is shown or not; returns the press's id."""
        pressed = await self._place.do(
            f"chats/{chat or self.id}/press",
            user_id=self.id,
            message_id=message["message_id"],
            data=data,
            forged=True,
            **more,
        )
        return str(pressed["callback_query_id"])


@cache
def sticker() -> bytes:
    """Draw a static sticker."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(draw_sample(512, 384))) as image:
        image.convert("RGBA").save(out, "WEBP")
    return out.getvalue()
