"""Photos and files that a call brings, or names by their id."""

from __future__ import annotations

import asyncio
import mimetypes

from sandbox.telegram import pictures
from sandbox.telegram.params import Args, Upload, attached
from sandbox.telegram.records import JSON, File
from sandbox.telegram.rules import Refusal, bad_request, breach
from sandbox.telegram.state import Telegram


async def content_of(telegram: Telegram, kind: str, given: str | Upload, flags: Args) -> JSON:
    """Give the message fields of a photo or a document. Takes some 50 ms for a new photo.

    Args:
        telegram: the state; a new file is kept in it.
        kind: "photo" or "document".
        given: the file, or the id of one that is known.
        flags: how it is to be shown.

    Raises:
        Refusal: there is no such file, or it cannot be shown so.
    """
    if kind == "photo":
        return await _photo(telegram, given) | photo_flags(flags)
    return _document(telegram, given)


async def item_content(telegram: Telegram, item: Args) -> JSON:
    """Give the message fields of an InputMedia, its caption aside.

    Raises:
        Refusal: as with `content_of`.
    """
    given = attached(item["media"], item.uploads) or item["media"]
    return await content_of(telegram, item["type"], given, item)


def photo_flags(args: Args) -> JSON:
    """Give the message fields that say how a photo is shown."""
    shown_as = {
        "has_spoiler": "has_media_spoiler",
        "show_caption_above_media": "show_caption_above_media",
    }
    return dict(args.flags(**shown_as))


async def _photo(telegram: Telegram, given: str | Upload) -> JSON:
    if isinstance(given, str):
        kept = _known(telegram, given, "photo").group
        return {"photo": [telegram.files[size].to_json() for size in kept]}
    if not given.content:
        raise breach("file must be non-empty")
    if len(given.content) > telegram.rules.photo_bytes:
        raise bad_request(
            f"file of size {len(given.content)} bytes is too big for a photo; "
            f"the maximum size is {telegram.rules.photo_bytes} bytes"
        )
    made = await asyncio.to_thread(pictures.sizes, given.content)
    files = telegram.add_photo([(size.width, size.height, size.jpeg) for size in made])
    return {"photo": [file.to_json() for file in files]}


def _document(telegram: Telegram, given: str | Upload) -> JSON:
    if isinstance(given, str):
        return {"document": _known(telegram, given, "document").to_json()}
    if not given.content:
        raise breach("file must be non-empty")
    if len(given.content) > telegram.rules.document_bytes:
        raise Refusal("Request Entity Too Large", code=413)
    kind = mimetypes.guess_type(given.name)[0] or given.content_type
    file = telegram.add_file(name=given.name, content_type=kind, content=given.content)
    return {"document": file.to_json()}


def _known(telegram: Telegram, file_id: str, kind: str) -> File:
    if "://" in file_id:
        raise breach("wrong HTTP URL specified: the sandbox fetches none")
    file = telegram.files.get(file_id)
    if file is None:
        raise bad_request("wrong file identifier/HTTP URL specified")
    if file.kind != kind:
        raise bad_request(f"can't use file of type {file.kind.title()} as {kind.title()}")
    return file
