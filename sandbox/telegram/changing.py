"""The methods that change what chats show, and those that answer presses and give files."""

from __future__ import annotations

import json
from typing import Any

from sandbox.telegram.params import Args
from sandbox.telegram.reaching import chat_of, keyboard, own_message, text_of
from sandbox.telegram.rules import bad_request, breach
from sandbox.telegram.shapes import COMMAND_NAME
from sandbox.telegram.state import JSON, Chat, Message, Telegram

_UNCHANGED = (
    "message is not modified: specified new message content and reply markup are exactly "
    "the same as a current content and reply markup of the message"
)
_SERVICE = frozenset(
    {
        *("new_chat_members", "group_chat_created", "migrate_to_chat_id"),
        *("migrate_from_chat_id", "forum_topic_created"),
    }
)


async def edit_message_text(telegram: Telegram, args: Args) -> JSON:
    """Bot API: editMessageText."""
    text, markup = text_of(args), keyboard(args)
    chat, message = own_message(telegram, args)
    if "text" not in message.data:
        raise bad_request("there is no text in the message to edit")
    telegram.flood.count(chat.id, messages=1)
    content = text.fields("text", "entities")
    if args.get("link_preview_options"):
        content["link_preview_options"] = args["link_preview_options"]
    kept = ("text", "entities", "link_preview_options", "reply_markup")
    return _edited(telegram, chat, message, kept, content | _markup(markup))


async def edit_message_reply_markup(telegram: Telegram, args: Args) -> JSON:
    """Bot API: editMessageReplyMarkup."""
    markup = keyboard(args)
    chat, message = own_message(telegram, args)
    telegram.flood.count(chat.id, messages=1)
    return _edited(telegram, chat, message, ("reply_markup",), _markup(markup))


def _markup(markup: JSON) -> JSON:
    return {"reply_markup": markup} if markup else {}


def _edited(
    telegram: Telegram, chat: Chat, message: Message, names: tuple[str, ...], content: JSON
) -> JSON:
    if content == {name: message.data[name] for name in names if name in message.data}:
        raise bad_request(_UNCHANGED)
    left = {name: value for name, value in message.data.items() if name not in names}
    message.data = left | content | {"edit_date": int(telegram.clock.now())}
    message.edits += 1
    telegram.note(chat, "edited", message)
    return telegram.message_json(chat, message)


async def delete_message(telegram: Telegram, args: Args) -> bool:
    """Bot API: deleteMessage."""
    chat = chat_of(telegram, args)
    message = chat.messages.get(args["message_id"])
    if message is None:
        raise bad_request("message to delete not found")
    own = message.author == telegram.bot.id or chat.type == "private"
    old = telegram.clock.now() - message.data["date"] >= telegram.rules.delete_seconds
    if not own or old or _SERVICE & message.data.keys():
        raise bad_request("message can't be deleted")
    telegram.flood.count(chat.id, messages=0)
    del chat.messages[message.id]
    telegram.note(chat, "deleted", message)
    return True


async def answer_callback_query(telegram: Telegram, args: Args) -> bool:
    """Bot API: answerCallbackQuery."""
    if len(args.get("text", "")) > 200:
        raise breach("MESSAGE_TOO_LONG")
    if args.get("url"):
        raise breach("URL_INVALID")
    callback = telegram.callbacks.get(args["callback_query_id"])
    oldest = telegram.clock.now() - telegram.rules.callback_seconds
    if callback is None or callback.pressed_at < oldest or callback.answered:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    callback.answered = True
    callback.text = args.get("text", "")
    callback.show_alert = args.get("show_alert", False)
    return True


async def get_file(telegram: Telegram, args: Args) -> JSON:
    """Bot API: getFile."""
    file = telegram.files.get(args["file_id"])
    if file is None or file.vanished:
        raise bad_request("wrong file_id or the file is temporarily unavailable")
    if len(file.content) > telegram.rules.download_bytes:
        raise bad_request("file is too big")
    file.linked_at = telegram.clock.now()
    return {
        "file_id": file.file_id,
        "file_unique_id": file.unique_id,
        "file_size": len(file.content),
        "file_path": file.path,
    }


async def get_me(telegram: Telegram, _args: Args) -> JSON:
    """Bot API: getMe."""
    return telegram.bot.to_json() | {
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


async def get_updates(telegram: Telegram, args: Args) -> list[JSON]:
    """Bot API: getUpdates, with true long polling."""
    limit, timeout = args.get("limit", 100), args.get("timeout", 0)
    if not 1 <= limit <= 100:
        raise breach("limit must be between 1 and 100")
    if timeout < 0:
        raise breach("timeout must not be negative")
    return await telegram.updates.fetch(
        offset=args.get("offset", 0),
        limit=limit,
        seconds=timeout,
        allowed=args.get("allowed_updates"),
    )


async def delete_webhook(telegram: Telegram, args: Args) -> bool:
    """Bot API: deleteWebhook; there never is one here."""
    if args.get("drop_pending_updates"):
        telegram.updates.clear()
    return True


async def get_webhook_info(telegram: Telegram, _args: Args) -> JSON:
    """Bot API: getWebhookInfo."""
    pending = len(telegram.updates.pending())
    shown: JSON = {"url": "", "has_custom_certificate": False, "pending_update_count": pending}
    allowed = telegram.updates.allowed
    return shown | ({"allowed_updates": allowed} if allowed else {})


async def set_my_commands(telegram: Telegram, args: Args) -> bool:
    """Bot API: setMyCommands."""
    if len(args["commands"]) > 100:
        raise breach("BOT_COMMANDS_TOO_MUCH")
    for command in args["commands"]:
        if not COMMAND_NAME.fullmatch(command["command"]):
            raise breach("BOT_COMMAND_INVALID")
        if not 1 <= len(command["description"]) <= 256:
            raise breach("BOT_COMMAND_DESCRIPTION_INVALID")
    telegram.commands[_menu(args)] = args["commands"]
    return True


async def get_my_commands(telegram: Telegram, args: Args) -> list[JSON]:
    """Bot API: getMyCommands."""
    return telegram.commands.get(_menu(args), [])


def _menu(args: Args) -> tuple[str, str]:
    scope: Any = args.get("scope", {"type": "default"})
    language = args.get("language_code", "")
    if language and not (len(language) == 2 and language.isascii() and language.isalpha()):
        raise breach("invalid language code specified")
    return json.dumps(scope, sort_keys=True), language
