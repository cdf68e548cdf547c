"""Groups, supergroups and channels: how they come to be, who is in them, and who runs them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sandbox.telegram.hearing import tell
from sandbox.telegram.members import chat_member
from sandbox.telegram.people import user_of
from sandbox.telegram.records import JSON, Chat, User
from sandbox.telegram.rules import CannotDo
from sandbox.telegram.state import Telegram

_STATUSES: Final = ("member", "administrator", "left", "kicked")
_PRESENT: Final = frozenset({"member", "administrator"})


def add_group(
    telegram: Telegram,
    *,
    title: str,
    members: Sequence[int],
    admins: Sequence[int] = (),
    supergroup: bool = False,
    topics: bool = False,
    privacy: bool = True,
    captions_reach: bool = True,
) -> Chat:
    """Let the first of the members make a group with the bot in it; the bot is told."""
    creator = _founder(telegram, members, admins)
    number = telegram.next_number()
    chat = Chat(
        id=-1_002_000_000_000 - number if supergroup or topics else -4_000_000_000 - number,
        type="supergroup" if supergroup or topics else "group",
        title=title,
        members={*members, telegram.bot.id},
        creator=creator.id,
        admins=set(admins),
        is_forum=topics,
        privacy=privacy,
        captions_reach=captions_reach,
    )
    telegram.chats[chat.id] = chat
    _tell_status(telegram, chat, creator, telegram.bot.id, old="left", new="member")
    if chat.type == "group":
        _serve(telegram, chat, {"group_chat_created": True})
    else:
        _serve(telegram, chat, {"new_chat_members": [telegram.bot.to_json()]})
    return chat


def add_channel(
    telegram: Telegram,
    *,
    title: str,
    members: Sequence[int],
    admins: Sequence[int] = (),
    linked: int | None = None,
    bot: bool = True,
) -> Chat:
    """Let the first of the members open a channel.

    Args:
        telegram: the state.
        title: the channel's name.
        members: who reads it.
        admins: who may post, beside its creator.
        linked: the supergroup that gets a copy of each post.
        bot: whether the bot is made an administrator of it, as which it hears all posts.

    Raises:
        CannotDo: somebody in it does not exist, or the linked chat is no supergroup.
    """
    creator = _founder(telegram, members, admins)
    if linked is not None and getattr(telegram.chats.get(linked), "type", "") != "supergroup":
        raise CannotDo("a channel is linked to a supergroup")
    chat = Chat(
        id=-1_003_000_000_000 - telegram.next_number(),
        type="channel",
        title=title,
        members=set(members),
        creator=creator.id,
        admins=set(admins),
        linked=linked,
    )
    telegram.chats[chat.id] = chat
    if bot:
        set_status(telegram, chat, telegram.bot.id, "administrator")
    return chat


def add_topic(telegram: Telegram, chat: Chat, name: str) -> int:
    """Open a topic in a group with topics; the answer is its message_thread_id."""
    if not chat.is_forum:
        raise CannotDo("the group has no topics")
    thread_id = chat.last_message_id + 1
    chat.topics[thread_id] = name
    content = {"forum_topic_created": {"name": name, "icon_color": 7322096}}
    _serve(telegram, chat, content, thread_id=thread_id)
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
        creator=chat.creator,
        admins=chat.admins,
        banned=chat.banned,
        privacy=chat.privacy,
        captions_reach=chat.captions_reach,
    )
    telegram.chats[new.id] = new
    chat.migrated_to = new.id
    _serve(telegram, chat, {"migrate_to_chat_id": new.id})
    _serve(telegram, new, {"migrate_from_chat_id": chat.id})
    return new


def set_status(telegram: Telegram, chat: Chat, user_id: int, status: str) -> None:
    """Let the creator add somebody, or the bot, or throw them out, or change what they may do.

    The bot is told of what becomes of itself; of others only if it runs the chat and has asked.

    Raises:
        CannotDo: there is no such status, or it is not for this user.
    """
    if chat.type == "private":
        raise CannotDo("a private chat is blocked, not left")
    if status not in _STATUSES:
        raise CannotDo(f"the status is one of {', '.join(_STATUSES)}")
    if user_id == chat.creator:
        raise CannotDo("who made a chat stays its creator")
    user = telegram.bot if user_id == telegram.bot.id else user_of(telegram, user_id)
    old = chat.status(user_id)
    if old == status:
        return
    for group, belongs in (
        (chat.members, status in _PRESENT),
        (chat.admins, status == "administrator"),
        (chat.banned, status == "kicked"),
    ):
        (group.add if belongs else group.discard)(user_id)
    by = telegram.users[chat.creator]
    _tell_status(telegram, chat, by, user_id, old=old, new=status)
    if chat.type != "channel" and (old in _PRESENT) != (status in _PRESENT):
        came = {"new_chat_members": [user.to_json()]}
        _serve(telegram, chat, came if status in _PRESENT else {"left_chat_member": user.to_json()})


def block(telegram: Telegram, chat: Chat, *, blocked: bool) -> None:
    """Let a user block the bot, or unblock it; it is told of a change."""
    if chat.type != "private":
        raise CannotDo("only a private chat can be blocked")
    user = telegram.users[chat.id]
    if user.blocked != blocked:
        user.blocked = blocked
        old, new = ("member", "kicked") if blocked else ("kicked", "member")
        _tell_status(telegram, chat, user, telegram.bot.id, old=old, new=new)


def _founder(telegram: Telegram, members: Sequence[int], admins: Sequence[int]) -> User:
    if not members:
        raise CannotDo("a group needs a member who makes it")
    if not set(admins) <= set(members[1:]):
        raise CannotDo("administrators are members, and not the one who makes the group")
    return next(iter([user_of(telegram, member) for member in members]))


def _tell_status(
    telegram: Telegram, chat: Chat, by: User, user_id: int, *, old: str, new: str
) -> None:
    change = {
        "chat": telegram.chat_json(chat),
        "from": by.to_json(),
        "date": int(telegram.clock.now()),
        "old_chat_member": chat_member(telegram, chat, user_id, old),
        "new_chat_member": chat_member(telegram, chat, user_id, new),
    }
    if user_id == telegram.bot.id:
        telegram.updates.add("my_chat_member", change)
    elif chat.runs(telegram.bot.id):
        telegram.updates.add("chat_member", change)


def _serve(telegram: Telegram, chat: Chat, content: JSON, *, thread_id: int | None = None) -> None:
    by = telegram.users[chat.creator]
    tell(telegram, chat, telegram.post(chat, by, content, thread_id=thread_id))
