"""Who is what in a chat: the Bot API's ChatMember, and the methods that ask for it."""

from __future__ import annotations

from typing import Final

from sandbox.telegram.params import Args
from sandbox.telegram.reaching import chat_of
from sandbox.telegram.records import JSON, Chat
from sandbox.telegram.rules import bad_request
from sandbox.telegram.state import Telegram

_RIGHTS: Final = (
    *("can_manage_chat", "can_delete_messages", "can_manage_video_chats"),
    *("can_restrict_members", "can_promote_members", "can_change_info", "can_invite_users"),
    *("can_post_stories", "can_edit_stories", "can_delete_stories"),
)


def chat_member(telegram: Telegram, chat: Chat, user_id: int, status: str) -> JSON:
    """Write what a user is in a chat as the Bot API's ChatMember."""
    shown: JSON = {"user": telegram.users[user_id].to_json(), "status": status}
    match status:
        case "kicked":
            return shown | {"until_date": 0}
        case "creator":
            return shown | {"is_anonymous": user_id in chat.anonymous}
        case "administrator":
            rights = dict.fromkeys(_RIGHTS, True)
            return (
                shown | rights | {"can_be_edited": False, "is_anonymous": user_id in chat.anonymous}
            )
    return shown


async def get_chat_member(telegram: Telegram, args: Args) -> JSON:
    """Bot API: getChatMember."""
    chat, user_id = chat_of(telegram, args), args["user_id"]
    if user_id not in telegram.users:
        raise bad_request("member not found")
    if chat.type == "channel" and not chat.runs(telegram.bot.id):
        raise bad_request("CHAT_ADMIN_REQUIRED")
    telegram.flood.count(chat.id, messages=0)
    return chat_member(telegram, chat, user_id, chat.status(user_id))


async def get_chat_administrators(telegram: Telegram, args: Args) -> list[JSON]:
    """Bot API: getChatAdministrators; other bots than this one there are none."""
    chat = chat_of(telegram, args)
    if chat.type == "private":
        raise bad_request("there are no administrators in the private chat")
    telegram.flood.count(chat.id, messages=0)
    found = sorted(user_id for user_id in chat.members if chat.runs(user_id))
    return [
        chat_member(telegram, chat, user_id, chat.status(user_id))
        for user_id in found
        if user_id != telegram.bot.id or args.get("return_bots")
    ]
