"""A message as a person sees it: what an app shows, beside the Bot API's own fields."""

from __future__ import annotations

from typing import Final

from sandbox.telegram.records import JSON, Message

_FILES: Final = (*("document", "sticker", "video", "animation", "voice", "audio", "video_note"),)
_KNOWN: Final = frozenset(
    {
        *("message_id", "from", "chat", "date", "photo", "reply_markup", "message_thread_id"),
        *("is_topic_message", "edit_date", "has_media_spoiler", "media_group_id"),
        *_FILES,
    }
)


def seen(message: Message, *, bot_id: int) -> JSON:
    """Write a message as a person sees it."""
    data = message.data
    shown: JSON = {
        "message_id": message.id,
        "date": data["date"],
        "from": data.get("from"),
        "from_bot": message.author == bot_id,
        "reply_to": message.reply_to,
        "thread_id": data.get("message_thread_id"),
        "media_group_id": data.get("media_group_id"),
        "edited": message.edits > 0,
        "edits": message.edits,
        "silent": message.silent,
        "spoiler": data.get("has_media_spoiler", False),
        "reactions": list(message.reactions),
        "force_reply": message.force_reply,
        "placeholder": message.placeholder,
        "buttons": data.get("reply_markup", {}).get("inline_keyboard", []),
    }
    if "photo" in data:
        shown["photo"] = _file(data["photo"][-1])
    shown |= {kind: _file(data[kind]) for kind in _FILES if "file_id" in data.get(kind, {})}
    # A file that was made up as raw JSON has no bytes to show.
    return shown | {name: value for name, value in data.items() if name not in {*_KNOWN, *shown}}


def _file(data: JSON) -> JSON:
    renamed = {**data, "url": f"/person/files/{data['file_id']}", "size": data.get("file_size")}
    return {name: value for name, value in renamed.items() if name != "file_size"}
