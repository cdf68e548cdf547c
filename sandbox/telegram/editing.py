"""The methods that change, delete, or react to what chats show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from sandbox.telegram.media import item_content
from sandbox.telegram.params import Args
from sandbox.telegram.reaching import caption_of, chat_of, keyboard, own_message, text_of
from sandbox.telegram.records import JSON, Chat, Message
from sandbox.telegram.rules import bad_request, breach
from sandbox.telegram.state import Telegram

REACTIONS: Final = frozenset(
    {
        *"👍👎❤🔥🥰👏😁🤔🤯😱🤬😢🎉🤩🤮💩🙏👌🕊🤡🥱🥴😍🐳🌚🌭💯🤣⚡🍌🏆💔🤨😐🍓🍾💋🖕😈😴😭🤓👻",
        *"👀🎃🙈😇😨🤝✍🤗🫡🎅🎄☃💅🤪🗿🆒💘🙉🦄😘💊🙊😎👾🤷😡",
        *("❤‍🔥", "👨‍💻", "🤷‍♂", "🤷‍♀"),
    }
)
"""The emoji with which anybody can react."""
_UNCHANGED: Final = (
    "message is not modified: specified new message content and reply markup are exactly "
    "the same as a current content and reply markup of the message"
)
_SERVICE: Final = frozenset(
    {
        *("new_chat_members", "group_chat_created", "migrate_to_chat_id"),
        *("migrate_from_chat_id", "forum_topic_created"),
    }
)
_TEXT: Final = ("text", "entities", "link_preview_options")
_CAPTION: Final = ("caption", "caption_entities", "show_caption_above_media")
_FILES: Final = ("photo", "document", "has_media_spoiler")
_MOST_DELETED: Final = 100


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
    return _edited(telegram, chat, message, _TEXT, content | _markup(markup))


async def edit_message_caption(telegram: Telegram, args: Args) -> JSON:
    """Bot API: editMessageCaption."""
    caption, markup = caption_of(args), keyboard(args)
    chat, message = own_message(telegram, args)
    if not {"photo", "document"} & message.data.keys():
        raise bad_request("there is no caption in the message to edit")
    telegram.flood.count(chat.id, messages=1)
    content = caption.fields("caption", "caption_entities")
    content |= args.flags(show_caption_above_media="show_caption_above_media")
    return _edited(telegram, chat, message, _CAPTION, content | _markup(markup))


async def edit_message_media(telegram: Telegram, args: Args) -> JSON:
    """Bot API: editMessageMedia, to a photo or a document."""
    item = replace(args, values=args["media"])
    caption, markup = caption_of(item), keyboard(args)
    chat, message = own_message(telegram, args)
    if "media_group_id" in message.data and item["type"] not in message.data:
        raise breach("message content type can't be changed in an album")
    telegram.flood.count(chat.id, messages=1)
    content = await item_content(telegram, item)
    # The message may have changed while the picture was being made.
    chat, message = own_message(telegram, args)
    content |= caption.fields("caption", "caption_entities")
    content |= _markup(markup)
    return _edited(telegram, chat, message, (*_TEXT, *_CAPTION, *_FILES), content)


async def edit_message_reply_markup(telegram: Telegram, args: Args) -> JSON:
    """Bot API: editMessageReplyMarkup."""
    markup = keyboard(args)
    chat, message = own_message(telegram, args)
    telegram.flood.count(chat.id, messages=1)
    return _edited(telegram, chat, message, (), _markup(markup))


def _markup(markup: JSON) -> JSON:
    return {"reply_markup": markup} if markup else {}


def _edited(
    telegram: Telegram, chat: Chat, message: Message, names: Iterable[str], content: JSON
) -> JSON:
    names = (*names, "reply_markup")
    if "media_group_id" in message.data and "reply_markup" in content:
        raise breach("an album has no buttons")
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
    _delete(telegram, chat, [message])
    return True


async def delete_messages(telegram: Telegram, args: Args) -> bool:
    """Bot API: deleteMessages; what is not there is passed over."""
    wanted = args["message_ids"]
    if not 1 <= len(wanted) <= _MOST_DELETED:
        raise breach(f"message_ids must be 1–{_MOST_DELETED}")
    chat = chat_of(telegram, args)
    found = [chat.messages[id_] for id_ in dict.fromkeys(wanted) if id_ in chat.messages]
    _delete(telegram, chat, found)
    return True


def _delete(telegram: Telegram, chat: Chat, messages: list[Message]) -> None:
    oldest = telegram.clock.now() - telegram.rules.delete_seconds
    anybodys = chat.type == "private" or chat.runs(telegram.bot.id)
    for message in messages:
        own = message.author == telegram.bot.id or anybodys
        if not own or message.data["date"] <= oldest or _SERVICE & message.data.keys():
            raise bad_request("message can't be deleted")
    telegram.flood.count(chat.id, messages=0)
    for message in messages:
        del chat.messages[message.id]
        telegram.note(chat, "deleted", message)


async def set_message_reaction(telegram: Telegram, args: Args) -> bool:
    """Bot API: setMessageReaction, with emoji that cost nothing."""
    emoji = tuple(reaction["emoji"] for reaction in args.get("reaction", []))
    # Bots, like people without a subscription, have one reaction a message.
    if len(emoji) > 1:
        raise breach("REACTIONS_TOO_MANY")
    if not REACTIONS.issuperset(one.replace("\ufe0f", "") for one in emoji):
        raise breach("REACTION_INVALID")
    chat = chat_of(telegram, args)
    message = chat.messages.get(args["message_id"])
    if message is None:
        raise bad_request("message to react not found")
    telegram.flood.count(chat.id, messages=0)
    message.reactions = emoji
    telegram.note(chat, "edited", message)
    return True
