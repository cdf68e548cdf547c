"""The methods that put messages into chats."""

from __future__ import annotations

import asyncio
import mimetypes
from dataclasses import replace

from sandbox.telegram import pictures
from sandbox.telegram.params import Args, Upload, attached
from sandbox.telegram.reaching import Place, caption_of, chat_of, place, text_of
from sandbox.telegram.rules import Refusal, bad_request, breach
from sandbox.telegram.state import JSON, File, Message, Telegram

ACTIONS = frozenset(
    {
        *("typing", "upload_photo", "record_video", "upload_video", "record_voice"),
        *("upload_voice", "upload_document", "choose_sticker", "find_location"),
        *("record_video_note", "upload_video_note"),
    }
)


async def send_message(telegram: Telegram, args: Args) -> JSON:
    """Bot API: sendMessage."""
    text = text_of(args)
    where = place(telegram, args)
    telegram.flood.count(where.chat.id, messages=1)
    content = text.fields("text", "entities")
    if args.get("link_preview_options"):
        content["link_preview_options"] = args["link_preview_options"]
    return _shown(telegram, where, _post(telegram, where, content))


async def send_photo(telegram: Telegram, args: Args) -> JSON:
    """Bot API: sendPhoto."""
    caption = caption_of(args)
    where = place(telegram, args)
    # Counted before the work: Telegram, too, refuses a flood whatever the file is.
    telegram.flood.count(where.chat.id, messages=1)
    content = await _photo(telegram, args["photo"])
    # The chat may have changed while the picture was being made.
    where = place(telegram, args)
    content |= caption.fields("caption", "caption_entities") | _photo_flags(args)
    return _shown(telegram, where, _post(telegram, where, content))


async def send_document(telegram: Telegram, args: Args) -> JSON:
    """Bot API: sendDocument."""
    caption = caption_of(args)
    where = place(telegram, args)
    telegram.flood.count(where.chat.id, messages=1)
    content = _document(telegram, args["document"])
    content |= caption.fields("caption", "caption_entities")
    return _shown(telegram, where, _post(telegram, where, content))


async def send_media_group(telegram: Telegram, args: Args) -> list[JSON]:
    """Bot API: sendMediaGroup, of photos or of documents."""
    items = [replace(args, values=item) for item in args["media"]]
    if not 2 <= len(items) <= 10:
        raise breach("an album takes 2–10 items")
    if len({item["type"] for item in items}) > 1:
        raise breach("document can't be mixed with other media types")
    captions = [caption_of(item) for item in items]
    where = place(telegram, args)
    telegram.flood.count(where.chat.id, messages=len(items))
    contents = []
    for item, caption in zip(items, captions, strict=True):
        media = attached(item["media"], args.uploads) or item["media"]
        if item["type"] == "photo":
            content = await _photo(telegram, media) | _photo_flags(item)
        else:
            content = _document(telegram, media)
        contents.append(content | caption.fields("caption", "caption_entities"))
    where = place(telegram, args)
    album = {"media_group_id": str(13_000_000_000_000_000 + telegram.next_number())}
    posted = [_post(telegram, where, album | content) for content in contents]
    return [_shown(telegram, where, message) for message in posted]


async def send_chat_action(telegram: Telegram, args: Args) -> bool:
    """Bot API: sendChatAction."""
    if args["action"] not in ACTIONS:
        raise breach("wrong parameter action in request")
    chat = chat_of(telegram, args)
    telegram.flood.count(chat.id, messages=0)
    chat.action = (args["action"], telegram.clock.now())
    return True


def _post(telegram: Telegram, where: Place, content: JSON) -> Message:
    return telegram.post(
        where.chat,
        telegram.bot,
        content | where.content,
        reply_to=where.reply_to,
        thread_id=where.thread_id,
        force_reply=where.force_reply,
    )


def _shown(telegram: Telegram, where: Place, message: Message) -> JSON:
    return telegram.message_json(where.chat, message)


def _photo_flags(args: Args) -> JSON:
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
    file = telegram.add_document(name=given.name, content_type=kind, content=given.content)
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
