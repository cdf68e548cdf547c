"""The person's side over HTTP: what is posted into chats."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable
from typing import Final

from PIL import Image, UnidentifiedImageError

from sandbox.telegram import people, pictures
from sandbox.telegram.params import Upload
from sandbox.telegram.records import JSON
from sandbox.telegram.rules import CannotDo
from sandbox.telegram.wishes import Wish

_FORMATS: Final = {"static": "webp", "animated": "tgs", "video": "webm"}
_SPOILED: Final = frozenset({"photo", "video", "animation"})
"""What can be covered; a file cannot."""
_MOVING: Final[JSON] = {"width": 640, "height": 360, "duration": 4}
_MORE: Final[dict[str, JSON]] = {
    "video": _MOVING,
    "animation": _MOVING,
    "voice": {"duration": 3},
    "audio": {"duration": 180, "title": "Untitled"},
    "video_note": {"length": 240, "duration": 4},
}


async def text(wish: Wish) -> JSON:
    """Post a text."""
    content = people.text_content(wish.must("text", str), wish.may("entities", list))
    return wish.seen(wish.post(content))[0]


async def photo(wish: Wish) -> JSON:
    """Post a photo, or several as an album."""
    contents = []
    for content in _files(wish, "photo"):
        sizes = await asyncio.to_thread(pictures.sizes, content.content)
        kept = wish.telegram.add_photo([(size.width, size.height, size.jpeg) for size in sizes])
        contents.append({"photo": [file.to_json() for file in kept]})
    return _posted(wish, "photo", contents)


async def document(wish: Wish) -> JSON:
    """Post a file, or several as an album."""
    kept = [
        wish.telegram.add_file(name=file.name, content_type=file.content_type, content=file.content)
        for file in _files(wish, "document")
    ]
    return _posted(wish, "document", [{"document": file.to_json()} for file in kept])


async def sticker(wish: Wish) -> JSON:
    """Post a sticker: a still one, or by `format` an animated one or a video."""
    (file,) = _files(wish, "sticker", most=1)
    kind = wish.may("format", str) or "static"
    if kind not in _FORMATS:
        raise CannotDo(f"a sticker's format is one of {', '.join(_FORMATS)}")
    width, height = _size(file.content) if kind == "static" else (512, 512)
    kept = wish.telegram.add_file(
        kind="sticker",
        name=f"sticker.{_FORMATS[kind]}",
        content_type=file.content_type,
        content=file.content,
        width=width,
        height=height,
        more={
            "type": "regular",
            "is_animated": kind == "animated",
            "is_video": kind == "video",
            "emoji": wish.may("emoji", str) or "👍",
            "set_name": "Sandbox",
        },
    )
    return wish.seen(wish.post({"sticker": kept.to_json()}))[0]


def _size(content: bytes) -> tuple[int, int]:
    try:
        with Image.open(io.BytesIO(content)) as image:
            return image.size
    except UnidentifiedImageError as error:
        raise CannotDo("a static sticker is a picture") from error


def medium(kind: str) -> Callable[[Wish], Awaitable[JSON]]:
    """Give the deed that posts a file of a kind that is neither photo nor plain file."""

    async def post(wish: Wish) -> JSON:
        (file,) = _files(wish, kind, most=1)
        kept = wish.telegram.add_file(
            kind=kind,
            name=file.name,
            content_type=file.content_type,
            content=file.content,
            more=_MORE[kind],
        ).to_json()
        content = {kind: kept}
        if kind == "animation":
            # As Telegram does, for bots that are older than animations.
            same = ("file_id", "file_unique_id", "file_size", "file_name", "mime_type")
            content["document"] = {name: kept[name] for name in same}
        return _posted(wish, kind, [content])

    return post


async def forward(wish: Wish) -> JSON:
    """Post a message that is shown in another chat, or in this one."""
    source = wish.telegram.chats.get(wish.must("from_chat_id", int))
    if source is None:
        raise CannotDo("there is no such chat to forward from")
    content = people.forwarded_content(
        wish.telegram,
        wish.must("user_id", int),
        source,
        wish.must("message_id", int),
        hidden=wish.may("hidden", bool) or False,
    )
    return wish.seen(wish.post(content))[0]


async def other(wish: Wish) -> JSON:
    """Post any content at all, as it is."""
    return wish.seen(wish.post(wish.must("message", dict)))[0]


def _files(wish: Wish, name: str, *, most: int = 10) -> list[Upload]:
    found = [file for field, file in wish.files if field == name]
    if not 1 <= len(found) <= most:
        raise CannotDo(f"one to {most} files named {name} are needed")
    return found


def _posted(wish: Wish, kind: str, contents: list[JSON]) -> JSON:
    captioned = wish.may("caption_index", int) or 0
    if not 0 <= captioned < len(contents):
        raise CannotDo("caption_index names no item")
    caption = wish.may("caption", str) or ""
    contents[captioned] |= people.caption_content(caption, wish.may("entities", list))
    common: JSON = {}
    if wish.may("spoiler", bool):
        if kind not in _SPOILED:
            raise CannotDo(f"no app covers a {kind}")
        common["has_media_spoiler"] = True
    # Parts of an album may be posted one by one: the first with `album`, the others by its id.
    album = wish.may("media_group_id", str)
    if album is None and (len(contents) > 1 or wish.may("album", bool)):
        album = str(13_000_000_000_000_000 + wish.telegram.next_number())
    if album is not None:
        common["media_group_id"] = album
    return {"messages": wish.seen(*[wish.post(common | content) for content in contents])}
