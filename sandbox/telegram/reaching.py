"""Whether a message may go where a call wants it: chat, topic, reply, buttons, pace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.telegram.markup import (
    LONGEST_CAPTION,
    LONGEST_TEXT,
    Formatted,
    formatted,
    units,
    visible,
)
from sandbox.telegram.params import Args
from sandbox.telegram.records import Chat, Message
from sandbox.telegram.rules import Refusal, bad_request, breach, forbidden
from sandbox.telegram.shapes import KEYBOARD
from sandbox.telegram.state import Telegram


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a message goes, and what every kind of message has."""

    chat: Chat
    thread_id: int | None
    reply_to: int | None
    content: dict[str, Any]
    force_reply: bool
    placeholder: str
    silent: bool


def chat_of(telegram: Telegram, args: Args) -> Chat:
    """Find the chat that a call names, if the bot may write there.

    Raises:
        Refusal: it does not exist, has moved, or does not want the bot.
    """
    chat_id = args["chat_id"]
    chat = telegram.chats.get(chat_id) if isinstance(chat_id, int) else None
    if chat is None:
        raise bad_request("chat not found")
    if chat.migrated_to is not None:
        raise Refusal(
            "Bad Request: group chat was upgraded to a supergroup chat",
            migrate_to_chat_id=chat.migrated_to,
        )
    if telegram.bot.id in chat.banned:
        raise forbidden(f"bot was kicked from the {chat.type} chat")
    if telegram.bot.id not in chat.members:
        raise forbidden(f"bot is not a member of the {chat.type} chat")
    if chat.type == "private":
        user = telegram.users[chat.id]
        if user.blocked:
            raise forbidden("bot was blocked by the user")
        if not user.started:
            raise forbidden("bot can't initiate conversation with a user")
    return chat


def place(telegram: Telegram, args: Args) -> Place:
    """Find where a call's message goes; it counts against nothing yet.

    Raises:
        Refusal: chat, topic, or the message replied to is not there, or the buttons are wrong.
    """
    shown = buttons(args.get("reply_markup"))
    for name in ("business_connection_id", "direct_messages_topic_id", "suggested_post_parameters"):
        if args.get(name) is not None:
            raise breach(f"{name} does not apply to this chat")
    chat = chat_of(telegram, args)
    thread_id = args.get("message_thread_id")
    # A supergroup without topics takes the message that a thread began with.
    threads = chat.topics if chat.is_forum or chat.type != "supergroup" else chat.messages
    if thread_id is not None and thread_id not in threads:
        raise bad_request("message thread not found")
    content: dict[str, Any] = dict(args.flags(protect_content="has_protected_content"))
    if any(shown.get("inline_keyboard", [])):
        content["reply_markup"] = shown
    if args.get("message_effect_id"):
        content["effect_id"] = args["message_effect_id"]
    answered = _reply(chat, wanted := args.get("reply_parameters") or {})
    if answered is not None:
        content |= _quote(answered, wanted)
    return Place(
        chat=chat,
        thread_id=thread_id,
        reply_to=answered.id if answered is not None else None,
        content=content,
        force_reply="force_reply" in shown,
        placeholder=shown.get("input_field_placeholder", ""),
        silent=args.get("disable_notification", False),
    )


def _reply(chat: Chat, wanted: dict[str, Any]) -> Message | None:
    if not wanted:
        return None
    if wanted.get("chat_id", chat.id) != chat.id:
        raise breach("the sandbox replies within one chat only")
    found = chat.messages.get(wanted["message_id"])
    if found is None and not wanted.get("allow_sending_without_reply"):
        raise bad_request("message to be replied not found")
    return found


def _quote(answered: Message, wanted: dict[str, Any]) -> dict[str, Any]:
    quote = formatted(
        wanted.get("quote", ""),
        parse_mode=wanted.get("quote_parse_mode"),
        entities=wanted.get("quote_entities"),
    )
    if not quote.text:
        return {}
    words = answered.data.get("text") or answered.data.get("caption") or ""
    if quote.text not in words:
        raise bad_request("QUOTE_TEXT_INVALID")
    position = units(words[: words.index(quote.text)])
    return {"quote": {"text": quote.text, "position": position, "is_manual": True}}


def buttons(markup: dict[str, Any] | None) -> dict[str, Any]:
    """Check the buttons of a markup beyond their shape.

    Raises:
        Refusal: a button does nothing or two things, or its data is too long.
    """
    for row in (markup or {}).get("inline_keyboard", []):
        for button in row:
            if not visible(button["text"]):
                raise breach("inline keyboard button text must be non-empty")
            actions = button.keys() - {"text", "style", "icon_custom_emoji_id"}
            if len(actions) != 1:
                raise breach("text buttons are unallowed in the inline keyboard")
            data = button.get("callback_data")
            if data is not None and not 1 <= len(data.encode()) <= 64:
                raise breach("BUTTON_DATA_INVALID")
    return markup or {}


def keyboard(args: Args) -> dict[str, Any]:
    """Give the inline keyboard of an edit; empty where there is none.

    Raises:
        Refusal: it is another kind of markup.
    """
    markup = args.get("reply_markup")
    if markup is not None and KEYBOARD(markup):
        raise breach("inline keyboard expected")
    shown = buttons(markup)
    return shown if any(shown.get("inline_keyboard", [])) else {}


def text_of(args: Args) -> Formatted:
    """Read the text of a message.

    Raises:
        Refusal: it is empty, too long, or its markup is wrong.
    """
    found = formatted(
        args["text"], parse_mode=args.get("parse_mode"), entities=args.get("entities")
    )
    if not visible(found.text):
        raise breach("message text is empty")
    if len(found.text) > LONGEST_TEXT:
        raise breach("message is too long")
    return found


def caption_of(args: Args) -> Formatted:
    """Read the caption of a message; it may be missing.

    Raises:
        Refusal: it is too long, or its markup is wrong.
    """
    found = formatted(
        args.get("caption", ""),
        parse_mode=args.get("parse_mode"),
        entities=args.get("caption_entities"),
    )
    if len(found.text) > LONGEST_CAPTION:
        raise breach("message caption is too long")
    return found


def own_message(telegram: Telegram, args: Args) -> tuple[Chat, Message]:
    """Find the message that an edit names.

    Raises:
        Refusal: it is not there, or not the bot's.
    """
    for name in ("inline_message_id", "business_connection_id"):
        if args.get(name) is not None:
            raise breach(f"the sandbox edits no message by {name}")
    for name in ("chat_id", "message_id"):
        if args.get(name) is None:
            raise breach("message identifier is not specified")
    chat = chat_of(telegram, args)
    message = chat.messages.get(args["message_id"])
    if message is None:
        raise bad_request("message to edit not found")
    if message.author != telegram.bot.id:
        raise bad_request("message can't be edited")
    if message.force_reply:
        # "It is only possible to edit messages without reply_markup or with inline keyboards."
        raise breach("message can't be edited: it asks for a reply")
    return chat, message
