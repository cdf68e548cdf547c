"""A person at the local Telegram: sends, and sees what the chat shows."""

import asyncio
import io
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from PIL import Image, UnidentifiedImageError

JSON = dict[str, Any]

_AS_PHOTO: Final = frozenset({"JPEG", "MPO", "PNG", "WEBP"})
"""What Telegram's apps turn into a photo; anything else goes as a file."""
_PHOTO_BYTES: Final = 10 * 2**20
_PHOTO_SIDES: Final = 10_000
"""Width and height together, in pixels (Bot API: sendPhoto)."""
_PHOTO_RATIO: Final = 20
_PATIENCE: Final = 60.0
_LOOK: Final = 0.1
"""Seconds between looks for the answer to a press: an app is told of it."""
_HEIC_BRANDS: Final = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis"}
)
"""What stands behind `ftyp` in HEIC and AVIF files (ISO/IEC 23008-12)."""
_MEDIA_TYPES: Final[Mapping[str, str]] = {
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".avif": "image/avif",
}


class NotAPhoto(Exception):
    """A file that no app would send as a picture; worded for the person."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    """A picture to send. `kind` is how an app would send it."""

    name: str
    content: bytes
    media_type: str
    kind: str = "photo"


@dataclass(frozen=True, kw_only=True, slots=True)
class Guest:
    """One person's private chat with the bot, over HTTP.

    Args:
        http: who asks.
        telegram: the local Telegram's address.
        id: the person's, which is also their chat's.
    """

    http: httpx.AsyncClient
    telegram: str
    id: int

    @classmethod
    @asynccontextmanager
    async def arriving(cls, telegram: str, id: int | None = None) -> AsyncIterator["Guest"]:  # noqa: A002 - Telegram's word
        """Let a person be there: somebody new, or the one with this id."""
        async with httpx.AsyncClient(timeout=_PATIENCE, trust_env=False, verify=False) as http:  # noqa: S501 - loopback
            if id is None:
                answer = await http.post(f"{telegram}/person/users", json={"first_name": "You"})
                answer.raise_for_status()
                id = int(answer.json()["id"])  # noqa: A001 - as above
            yield cls(http=http, telegram=telegram, id=id)

    async def write(self, text: str, *, reply_to: int | None = None) -> JSON:
        """Send a text; returns the message."""
        body = {"user_id": self.id, "text": text, "reply_to": reply_to}
        answer = await self.http.post(f"{self._chat}/text", json=body)
        answer.raise_for_status()
        message: JSON = answer.json()
        return message

    async def send(self, attachment: Attachment, caption: str = "") -> JSON:
        """Send a picture; returns the message.

        Raises:
            NotAPhoto: Telegram does not take it.
        """
        answer = await self.http.post(
            f"{self._chat}/{attachment.kind}",
            data={"user_id": self.id, "caption": caption},
            files={attachment.kind: (attachment.name, attachment.content, attachment.media_type)},
        )
        if answer.status_code == 400:
            raise NotAPhoto(f"Telegram does not take {attachment.name}: {answer.json()['error']}")
        answer.raise_for_status()
        message: JSON = answer.json()["messages"][0]
        return message

    async def press(self, message_id: int, label: str) -> str:
        """Press a button; returns what the bot answers, "" where that is nothing."""
        body = {"user_id": self.id, "message_id": message_id, "text": label}
        pressed = await self.http.post(f"{self._chat}/press", json=body)
        pressed.raise_for_status()
        number = pressed.json()["callback_query_id"]
        while True:
            answer = await self.http.get(f"{self.telegram}/person/callbacks/{number}")
            answer.raise_for_status()
            if (seen := answer.json())["answered"]:
                return str(seen["text"] or "")
            await asyncio.sleep(_LOOK)

    async def events(self, after: int, *, seconds: float) -> tuple[list[JSON], int]:
        """Give what has happened in the chat since, and up to where that is.

        Where nothing has, it is waited for, so long.
        """
        query = {"after": after, "timeout": seconds}
        answer = await self.http.get(f"{self._chat}/events", params=query)
        answer.raise_for_status()
        found = answer.json()
        return found["events"], found["last"]

    async def fetch(self, file: JSON) -> bytes:
        """Give the content of a file that the chat shows."""
        answer = await self.http.get(f"{self.telegram}{file['url']}")
        answer.raise_for_status()
        return answer.content

    @property
    def _chat(self) -> str:
        return f"{self.telegram}/person/chats/{self.id}"


async def attach(path: Path) -> Attachment:
    """Read a file as an app would send it: as a photo, or as a file where that can't be.

    Raises:
        NotAPhoto: it can't be read, or is no whole picture.
    """
    try:
        content = path.read_bytes()
    except OSError as exc:
        raise NotAPhoto(f"{path} can't be read: {exc.strerror}") from exc
    return await asyncio.to_thread(_attachment, path.name, content)


def _attachment(name: str, content: bytes) -> Attachment:
    # the bot reads these, Pillow alone may not
    if content[4:8] == b"ftyp" and content[8:12] in _HEIC_BRANDS:
        media_type = _MEDIA_TYPES.get(Path(name).suffix.lower(), "image/heic")
        return Attachment(name=name, content=content, media_type=media_type, kind="document")
    try:
        with Image.open(io.BytesIO(content)) as image:
            width, height = image.size
            as_photo = (
                image.format in _AS_PHOTO
                and not getattr(image, "is_animated", False)
                and len(content) <= _PHOTO_BYTES
                and width + height <= _PHOTO_SIDES
                and max(width, height) <= _PHOTO_RATIO * min(width, height)
            )
            media_type = Image.MIME.get(image.format or "", "application/octet-stream")
            image.load()
    except UnidentifiedImageError as exc:
        raise NotAPhoto(f"{name} is not a picture that can be read") from exc
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as exc:
        raise NotAPhoto(f"{name} has more pixels than any photo") from exc
    except Exception as exc:
        # Pillow's decoders meet broken bytes with exceptions of many kinds, none of it promised
        raise NotAPhoto(f"{name} is broken or incomplete") from exc
    kind = "photo" if as_photo else "document"
    return Attachment(name=name, content=content, media_type=media_type, kind=kind)
