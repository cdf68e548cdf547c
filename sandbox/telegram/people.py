"""What people do to the bot: write, send, edit, press, leave. Each becomes an update, or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sandbox.telegram.markup import LONGEST_CAPTION, LONGEST_TEXT, Formatted, typed_by_person
from sandbox.telegram.records import JSON, Callback, Chat, Message, User
from sandbox.telegram.state import Telegram

SERVICE: Final = frozenset(
    {
        *("new_chat_members", "left_chat_member", "group_chat_created", "migrate_to_chat_id"),
        *("migrate_from_chat_id", "forum_topic_created", "pinned_message", "new_chat_title"),
    }
)


class CannotDo(Exception):
    """A person's wish that no app would let them have; worded for whoever wrote the test."""


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


def add_group(
    telegram: Telegram,
    *,
    title: str,
    members: list[int],
    supergroup: bool = False,
    topics: bool = False,
    privacy: bool = True,
) -> Chat:
    """Let the first of the members make a group with the bot in it; the bot is told."""
    if not members:
        raise CannotDo("a group needs a member who makes it")
    people = [user_of(telegram, member) for member in members]
    number = telegram.next_number()
    chat = Chat(
        id=-1_002_000_000_000 - number if supergroup or topics else -4_000_000_000 - number,
        type="supergroup" if supergroup or topics else "group",
        title=title,
        members={*members, telegram.bot.id},
        is_forum=topics,
        privacy=privacy,
    )
    telegram.chats[chat.id] = chat
    tell_membership(telegram, chat, people[0], old="left", new="member")
    if chat.type == "group":
        _serve(telegram, chat, people[0], {"group_chat_created": True})
    else:
        _serve(telegram, chat, people[0], {"new_chat_members": [telegram.bot.to_json()]})
    return chat


def add_topic(telegram: Telegram, chat: Chat, name: str) -> int:
    """Open a topic in a group with topics; the answer is its message_thread_id."""
    if not chat.is_forum:
        raise CannotDo("the group has no topics")
    thread_id = chat.last_message_id + 1
    chat.topics[thread_id] = name
    content = {"forum_topic_created": {"name": name, "icon_color": 7322096}}
    _serve(telegram, chat, _founder(telegram, chat), content, thread_id=thread_id)
    return thread_id


def upgrade(telegram: Telegram, chat: Chat) -> Chat:
    """Turn a group into a supergroup, under a new id; the bot is told in both."""
    if chat.type != "group":
        raise CannotDo("only a basic group can become a supergroup")
    new = Chat(
        id=-1_002_000_000_000 - telegram.next_number(),
        type="supergroup",
        title=chat.title,
        members=chat.members,
        privacy=chat.privacy,
    )
    telegram.chats[new.id] = new
    chat.migrated_to = new.id
    somebody = _founder(telegram, chat)
    _serve(telegram, chat, somebody, {"migrate_to_chat_id": new.id})
    _serve(telegram, new, somebody, {"migrate_from_chat_id": chat.id})
    return new


def kick(telegram: Telegram, chat: Chat) -> None:
    """Throw the bot out of a group; it is told."""
    if chat.type == "private":
        raise CannotDo("a private chat is blocked, not left")
    chat.kicked = True
    chat.members = chat.members - {telegram.bot.id}
    tell_membership(telegram, chat, _founder(telegram, chat), old="member", new="kicked")


def block(telegram: Telegram, chat: Chat, *, blocked: bool) -> None:
    """Let a user block the bot, or unblock it; it is told of a change."""
    if chat.type != "private":
        raise CannotDo("only a private chat can be blocked")
    user = telegram.users[chat.id]
    if user.blocked != blocked:
        user.blocked = blocked
        old, new = ("member", "kicked") if blocked else ("kicked", "member")
        tell_membership(telegram, chat, user, old=old, new=new)


def write(
    telegram: Telegram,
    chat: Chat,
    user_id: int,
    content: Mapping[str, Any],
    *,
    reply_to: int | None = None,
    thread_id: int | None = None,
) -> Message:
    """Let a person post something; the bot is told if privacy mode lets it hear."""
    user = writer(telegram, chat, user_id)
    if reply_to is not None and reply_to not in chat.messages:
        raise CannotDo(f"there is no message {reply_to} to reply to")
    if thread_id is not None and thread_id not in chat.topics:
        raise CannotDo(f"there is no topic {thread_id}")
    user.started = user.started or chat.type == "private"
    message = telegram.post(chat, user, content, reply_to=reply_to, thread_id=thread_id)
    tell(telegram, chat, message, "message")
    return message


def text_content(text: str) -> JSON:
    """Give the content of a text message."""
    return _worded(text, LONGEST_TEXT).fields("text", "entities")


def caption_content(caption: str) -> JSON:
    """Give the part of a message's content that its caption is."""
    return _worded(caption, LONGEST_CAPTION).fields("caption", "caption_entities")


def _worded(text: str, most: int) -> Formatted:
    found = typed_by_person(text)
    if len(found.text) > most:
        raise CannotDo(f"no app sends more than {most} characters here")
    return found


def edit(telegram: Telegram, chat: Chat, user_id: int, message_id: int, content: JSON) -> Message:
    """Let a person change the words of their own message."""
    writer(telegram, chat, user_id)
    message = _present(chat, message_id)
    if message.author != user_id:
        raise CannotDo("a person can edit only what they wrote")
    words = {"text", "entities", "caption", "caption_entities"}
    left = {name: value for name, value in message.data.items() if name not in words}
    message.data = left | content | {"edit_date": int(telegram.clock.now())}
    message.edits += 1
    telegram.note(chat, "edited", message)
    tell(telegram, chat, message, "edited_message")
    return message


def delete(telegram: Telegram, chat: Chat, message_id: int) -> None:
    """Let a message be deleted; no bot is ever told of that."""
    message = _present(chat, message_id)
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
) -> Callback:
    """Let a person press a button, named by its data or its label.

    `forged` sends the data though no button has it, as a modified app might.
    """
    user = writer(telegram, chat, user_id)
    message = _present(chat, message_id)
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
    telegram.updates.add(
        "callback_query",
        {
            "id": callback.id,
            "from": user.to_json(),
            "message": telegram.message_json(chat, message),
            "chat_instance": str(chat.id * 7919),
            "data": found[0] if found else data,
        },
    )
    return callback


def tell(telegram: Telegram, chat: Chat, message: Message, kind: str) -> None:
    """Tell the bot of a message, if it may hear it."""
    if not chat.kicked and _audible(telegram, chat, message):
        telegram.updates.add(kind, telegram.message_json(chat, message))


def _audible(telegram: Telegram, chat: Chat, message: Message) -> bool:
    """Apply privacy mode: commands for this bot, replies to it, and service messages."""
    if chat.type == "private" or not chat.privacy or SERVICE & message.data.keys():
        return True
    answered = chat.messages.get(message.reply_to) if message.reply_to is not None else None
    if answered is not None and answered.author == telegram.bot.id:
        return True
    words = message.data.get("text") or message.data.get("caption") or ""
    first = words.split(maxsplit=1)[0] if words.strip() else ""
    name, _, addressed = first.partition("@")
    return len(name) > 1 and name[0] == "/" and addressed.lower() in {"", telegram.bot.username}


def tell_membership(telegram: Telegram, chat: Chat, by: User, *, old: str, new: str) -> None:
    """Tell the bot that it was added, thrown out, blocked, or unblocked."""
    bot = telegram.bot.to_json()

    def member(status: str) -> JSON:
        until = {"until_date": 0} if status == "kicked" else {}
        return {"user": bot, "status": status} | until

    change = {
        "chat": telegram.chat_json(chat),
        "from": by.to_json(),
        "date": int(telegram.clock.now()),
        "old_chat_member": member(old),
        "new_chat_member": member(new),
    }
    telegram.updates.add("my_chat_member", change)


def user_of(telegram: Telegram, user_id: int) -> User:
    """Find a person."""
    user = telegram.users.get(user_id)
    if user is None or user.is_bot:
        raise CannotDo(f"there is no user {user_id}")
    return user


def writer(telegram: Telegram, chat: Chat, user_id: int) -> User:
    """Find a person who can write in a chat."""
    user = user_of(telegram, user_id)
    if user_id not in chat.members:
        raise CannotDo(f"user {user_id} is not in chat {chat.id}")
    if chat.migrated_to is not None:
        raise CannotDo(f"the group is now the supergroup {chat.migrated_to}")
    if chat.type == "private" and user.blocked:
        raise CannotDo("the user has blocked the bot; unblock it first")
    return user


def _present(chat: Chat, message_id: int) -> Message:
    message = chat.messages.get(message_id)
    if message is None:
        raise CannotDo(f"chat {chat.id} shows no message {message_id}")
    return message


def _founder(telegram: Telegram, chat: Chat) -> User:
    return telegram.users[min(chat.members - {telegram.bot.id})]


def _serve(
    telegram: Telegram, chat: Chat, by: User, content: JSON, *, thread_id: int | None = None
) -> None:
    tell(telegram, chat, telegram.post(chat, by, content, thread_id=thread_id), "message")
