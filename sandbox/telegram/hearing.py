"""What the bot is told of what people write: privacy mode decides in groups.

Source: Telegram, "Bot features", "Privacy mode". Whether a command in a picture's caption gets
through is not documented: each group here says so for itself.
"""

from __future__ import annotations

from typing import Final

from sandbox.telegram.records import Chat, Message
from sandbox.telegram.state import Telegram

SERVICE: Final = frozenset(
    {
        *("new_chat_members", "left_chat_member", "group_chat_created", "migrate_to_chat_id"),
        *("migrate_from_chat_id", "forum_topic_created", "pinned_message", "new_chat_title"),
    }
)


def tell(telegram: Telegram, chat: Chat, message: Message, *, edited: bool = False) -> None:
    """Tell the bot that a message is new or edited, if it may hear it."""
    if telegram.bot.id in chat.members and _audible(telegram, chat, message):
        kind = "channel_post" if chat.type == "channel" else "message"
        telegram.updates.add(
            f"edited_{kind}" if edited else kind, telegram.message_json(chat, message)
        )


def _audible(telegram: Telegram, chat: Chat, message: Message) -> bool:
    """Apply privacy mode: commands for this bot, replies to it, and service messages."""
    if chat.type in {"private", "channel"} or not chat.privacy or chat.runs(telegram.bot.id):
        return True
    if SERVICE & message.data.keys():
        return True
    answered = chat.messages.get(message.reply_to) if message.reply_to is not None else None
    if answered is not None and answered.author == telegram.bot.id:
        return True
    caption = message.data.get("caption", "") if chat.captions_reach else ""
    words = message.data.get("text") or caption
    first = words.split(maxsplit=1)[0] if words.strip() else ""
    name, _, addressed = first.partition("@")
    return len(name) > 1 and name[0] == "/" and addressed.lower() in {"", telegram.bot.username}
