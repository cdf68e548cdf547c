"""The methods that put messages into chats."""

from __future__ import annotations

from dataclasses import replace

from sandbox.telegram.media import content_of, item_content
from sandbox.telegram.params import Args
from sandbox.telegram.reaching import Place, caption_of, chat_of, place, text_of
from sandbox.telegram.records import JSON, Message
from sandbox.telegram.rules import breach
from sandbox.telegram.state import Telegram

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
    content = await content_of(telegram, "photo", args["photo"], args)
    # The chat may have changed while the picture was being made.
    where = place(telegram, args)
    content |= caption.fields("caption", "caption_entities")
    return _shown(telegram, where, _post(telegram, where, content))


async def send_document(telegram: Telegram, args: Args) -> JSON:
    """Bot API: sendDocument."""
    caption = caption_of(args)
    where = place(telegram, args)
    telegram.flood.count(where.chat.id, messages=1)
    content = await content_of(telegram, "document", args["document"], args)
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
        content = await item_content(telegram, item)
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
        placeholder=where.placeholder,
        silent=where.silent,
    )


def _shown(telegram: Telegram, where: Place, message: Message) -> JSON:
    return telegram.message_json(where.chat, message)
