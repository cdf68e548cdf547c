"""What people do to the bot: write, send, edit, press. Each becomes an update, or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sandbox.telegram.hearing import tell
from sandbox.telegram.markup import LONGEST_CAPTION, LONGEST_TEXT, Formatted, formatted
from sandbox.telegram.records import JSON, TELEGRAM, Callback, Chat, Message, User
from sandbox.telegram.rules import CannotDo
from sandbox.telegram.state import Telegram

_WORDS: Final = frozenset({"text", "entities", "caption", "caption_entities"})
_FORWARDED: Final = _WORDS | {
    *("photo", "document", "sticker", "video", "animation", "voice", "audio", "video_note"),
    *("has_media_spoiler", "forward_origin"),
}
"""What a forward has of the message that it forwards."""


def add_user(
    telegram: Telegram,
    *,
    first_name: str,
    username: str | None = None,
    language_code: str | None = None,
    started: bool = True,
) -> User:
    """Let somebody appear; unless `started`, the bot may not write to them first."""
    user = User(
        id=1_000_000_000 + telegram.next_number(),
        first_name=first_name,
        username=username,
        language_code=language_code,
        started=started,
    )
    telegram.users[user.id] = user
    telegram.chats[user.id] = Chat(id=user.id, type="private", members={user.id, telegram.bot.id})
    return user


def write(
    telegram: Telegram,
    chat: Chat,
    user_id: int,
    content: Mapping[str, Any],
    *,
    as_chat: int | None = None,
    reply_to: int | None = None,
    thread_id: int | None = None,
) -> Message:
    """Let a person post something; the bot is told if it may hear it.

    Args:
        telegram: the state.
        chat: where; in a channel it is posted in the channel's name.
        user_id: who.
        content: the Bot API's fields beside those that every message has.
        as_chat: in whose name, if not in their own: the supergroup's that they administer,
            or that of a channel of theirs.
        reply_to: the message that it answers.
        thread_id: the topic.

    Raises:
        CannotDo: no app lets them do that.
    """
    user = writer(telegram, chat, user_id)
    sender_chat = _spoken_for(telegram, chat, user_id, as_chat)
    if chat.type == "channel" and not chat.runs(user_id):
        raise CannotDo(f"user {user_id} does not run the channel")
    if reply_to is not None and reply_to not in chat.messages:
        raise CannotDo(f"there is no message {reply_to} to reply to")
    if thread_id is not None and thread_id not in chat.topics:
        raise CannotDo(f"there is no topic {thread_id}")
    user.started = user.started or chat.type == "private"
    message = telegram.post(
        chat, user, content, sender_chat=sender_chat, reply_to=reply_to, thread_id=thread_id
    )
    tell(telegram, chat, message)
    if chat.linked is not None:
        _copy(telegram, chat, telegram.chats[chat.linked], message)
    return message


def _spoken_for(telegram: Telegram, chat: Chat, user_id: int, as_chat: int | None) -> Chat | None:
    if as_chat is None:
        return None
    if chat.type != "supergroup":
        raise CannotDo("only in a supergroup does anybody write in a chat's name")
    found = telegram.chats.get(as_chat)
    if found is None or (found is not chat and found.type != "channel"):
        raise CannotDo(f"nobody writes here in the name of {as_chat}")
    if not found.runs(user_id):
        raise CannotDo(f"user {user_id} does not run {as_chat}")
    if found is chat:
        chat.anonymous.add(user_id)
    return found


def _copy(telegram: Telegram, channel: Chat, group: Chat, post: Message) -> None:
    content = _forwarded(post, _origin(post, hidden=False))
    content["is_automatic_forward"] = True
    if "media_group_id" in post.data:
        content["media_group_id"] = post.data["media_group_id"]
    copied = telegram.post(group, TELEGRAM, content, sender_chat=channel)
    channel.copies[post.id] = copied.id
    tell(telegram, group, copied)


def forwarded_content(
    telegram: Telegram, user_id: int, source: Chat, message_id: int, *, hidden: bool
) -> JSON:
    """Give the content of a forward; `hidden` as of somebody who does not let themselves be named.

    Raises:
        CannotDo: this person does not see that message.
    """
    user_of(telegram, user_id)
    if user_id not in source.members:
        raise CannotDo(f"user {user_id} does not see chat {source.id}")
    message = present(source, message_id)
    return _forwarded(message, _origin(message, hidden=hidden))


def _forwarded(message: Message, origin: JSON) -> JSON:
    kept = {name: value for name, value in message.data.items() if name in _FORWARDED}
    return {"forward_origin": origin} | kept


def _origin(message: Message, *, hidden: bool) -> JSON:
    data = message.data
    origin: JSON = {"date": data["date"]}
    if (sender := data.get("sender_chat")) and sender["type"] == "channel":
        return origin | {"type": "channel", "chat": sender, "message_id": message.id}
    if sender:
        return origin | {"type": "chat", "sender_chat": sender}
    if hidden:
        return origin | {"type": "hidden_user", "sender_user_name": data["from"]["first_name"]}
    return origin | {"type": "user", "sender_user": data["from"]}


def text_content(text: str, entities: list[JSON] | None = None) -> JSON:
    """Give the content of a text message; `entities` are those that the person made."""
    return _worded(text, entities, LONGEST_TEXT).fields("text", "entities")


def caption_content(caption: str, entities: list[JSON] | None = None) -> JSON:
    """Give the part of a message's content that its caption is."""
    return _worded(caption, entities, LONGEST_CAPTION).fields("caption", "caption_entities")


def _worded(text: str, entities: list[JSON] | None, most: int) -> Formatted:
    found = formatted(text, parse_mode=None, entities=entities)
    if len(found.text) > most:
        raise CannotDo(f"no app sends more than {most} characters here")
    return found


def edit(telegram: Telegram, chat: Chat, user_id: int, message_id: int, content: JSON) -> Message:
    """Let a person change the words of their own message."""
    writer(telegram, chat, user_id)
    message = present(chat, message_id)
    if message.author != user_id:
        raise CannotDo("a person can edit only what they wrote")
    _reword(telegram, chat, message, content)
    if message_id in chat.copies and chat.linked is not None:
        group = telegram.chats[chat.linked]
        if copied := group.messages.get(chat.copies[message_id]):
            _reword(telegram, group, copied, content)
    return message


def _reword(telegram: Telegram, chat: Chat, message: Message, content: JSON) -> None:
    left = {name: value for name, value in message.data.items() if name not in _WORDS}
    message.data = left | content | {"edit_date": int(telegram.clock.now())}
    message.edits += 1
    telegram.note(chat, "edited", message)
    tell(telegram, chat, message, edited=True)


def delete(telegram: Telegram, chat: Chat, message_id: int) -> None:
    """Let a message be deleted; no bot is ever told of that."""
    message = present(chat, message_id)
    del chat.messages[message_id]
    telegram.note(chat, "deleted", message)


def press(
    telegram: Telegram,
    chat: Chat,
    user_id: int,
    message_id: int,
    *,
    data: str | None = None,
    text: str | None = None,
    forged: bool = False,
    inaccessible: bool = False,
) -> Callback:
    """Let a person press a button, named by its data or its label.

    `forged` sends the data though no button has it, as a modified app might; `inaccessible` tells
    the bot no more of the message than its id, as Telegram may with old ones.
    """
    user = writer(telegram, chat, user_id)
    message = present(chat, message_id)
    rows = message.data.get("reply_markup", {}).get("inline_keyboard", [])
    found = [
        button["callback_data"]
        for row in rows
        for button in row
        if "callback_data" in button and (button["callback_data"] == data or button["text"] == text)
    ]
    if not found and not (forged and data is not None):
        raise CannotDo(f"message {message_id} has no such button; it has {rows}")
    number = telegram.next_number()
    callback = Callback(id=str(4_300_000_000_000_000_000 + number), pressed_at=telegram.clock.now())
    telegram.callbacks[callback.id] = callback
    shown = telegram.message_json(chat, message)
    if inaccessible:
        shown = {"chat": shown["chat"], "message_id": message_id, "date": 0}
    telegram.updates.add(
        "callback_query",
        {
            "id": callback.id,
            "from": user.to_json(),
            "message": shown,
            "chat_instance": str(chat.id * 7919),
            "data": found[0] if found else data,
        },
    )
    return callback


def user_of(telegram: Telegram, user_id: int) -> User:
    """Find a person."""
    user = telegram.users.get(user_id)
    if user is None or user.is_bot or user is TELEGRAM:
        raise CannotDo(f"there is no user {user_id}")
    return user


def writer(telegram: Telegram, chat: Chat, user_id: int) -> User:
    """Find a person who is in a chat, and may do something there."""
    user = user_of(telegram, user_id)
    if user_id not in chat.members:
        raise CannotDo(f"user {user_id} is not in chat {chat.id}")
    if chat.migrated_to is not None:
        raise CannotDo(f"the group is now the supergroup {chat.migrated_to}")
    if chat.type == "private" and user.blocked:
        raise CannotDo("the user has blocked the bot; unblock it first")
    return user


def present(chat: Chat, message_id: int) -> Message:
    """Find a message that a chat shows."""
    message = chat.messages.get(message_id)
    if message is None:
        raise CannotDo(f"chat {chat.id} shows no message {message_id}")
    return message
