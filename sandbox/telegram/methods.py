"""The methods that this Bot API has: what each takes, and which function does it.

Source: Bot API 10, "Available methods". To add a method is to add a row.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.telegram import editing, members, profile, receiving, sending, shapes
from sandbox.telegram.params import Args, Kind, Param
from sandbox.telegram.shapes import Check
from sandbox.telegram.state import Telegram


@dataclass(frozen=True, kw_only=True, slots=True)
class Method:
    """One method, by the name that the Bot API writes it with."""

    name: str
    params: Mapping[str, Param]
    act: Callable[[Telegram, Args], Awaitable[Any]]


def _must(kind: Kind | Check) -> Param:
    return Param(kind, required=True)


_WHERE: Final = {
    "business_connection_id": Param("text"),
    "chat_id": _must("chat"),
    "message_thread_id": Param("int"),
}
_SENT: Final = {
    **_WHERE,
    "direct_messages_topic_id": Param("int"),
    "disable_notification": Param("bool"),
    "protect_content": Param("bool"),
    "allow_paid_broadcast": Param("bool"),
    "message_effect_id": Param("text"),
    "reply_parameters": Param(shapes.REPLY_PARAMETERS),
}
_SENT_ALONE: Final = {
    **_SENT,
    "suggested_post_parameters": Param(shapes.SUGGESTED_POST),
    "reply_markup": Param(shapes.markup),
}
_CAPTION: Final = {
    "caption": Param("text"),
    "parse_mode": Param("text"),
    "caption_entities": Param(shapes.ENTITIES),
}
_TEXT: Final = {
    "text": _must("text"),
    "parse_mode": Param("text"),
    "entities": Param(shapes.ENTITIES),
    "link_preview_options": Param(shapes.LINK_PREVIEW),
}
_EDITED: Final = {
    "business_connection_id": Param("text"),
    "chat_id": Param("chat"),
    "message_id": Param("int"),
    "inline_message_id": Param("text"),
    "reply_markup": Param(shapes.markup),
}
_LANGUAGE: Final = {"language_code": Param("text")}
_MENU: Final = {"scope": Param(shapes.SCOPE), **_LANGUAGE}

_ALL: Final = (
    Method(name="getMe", params={}, act=profile.get_me),
    Method(
        name="getUpdates",
        params={
            "offset": Param("int"),
            "limit": Param("int"),
            "timeout": Param("int"),
            "allowed_updates": Param(shapes.TEXTS),
        },
        act=receiving.get_updates,
    ),
    Method(
        name="setWebhook",
        params={
            "url": _must("text"),
            "certificate": Param("file"),
            "ip_address": Param("text"),
            "max_connections": Param("int"),
            "allowed_updates": Param(shapes.TEXTS),
            "drop_pending_updates": Param("bool"),
            "secret_token": Param("text"),
        },
        act=receiving.set_webhook,
    ),
    Method(
        name="deleteWebhook",
        params={"drop_pending_updates": Param("bool")},
        act=receiving.delete_webhook,
    ),
    Method(name="getWebhookInfo", params={}, act=receiving.get_webhook_info),
    Method(
        name="setMyCommands",
        params={"commands": _must(shapes.COMMANDS), **_MENU},
        act=profile.set_my_commands,
    ),
    Method(name="getMyCommands", params=_MENU, act=profile.get_my_commands),
    Method(name="deleteMyCommands", params=_MENU, act=profile.delete_my_commands),
    Method(
        name="setMyDescription",
        params={"description": Param("text"), **_LANGUAGE},
        act=profile.set_my_description,
    ),
    Method(name="getMyDescription", params=_LANGUAGE, act=profile.get_my_description),
    Method(
        name="setMyShortDescription",
        params={"short_description": Param("text"), **_LANGUAGE},
        act=profile.set_my_short_description,
    ),
    Method(name="getMyShortDescription", params=_LANGUAGE, act=profile.get_my_short_description),
    Method(name="sendMessage", params={**_SENT_ALONE, **_TEXT}, act=sending.send_message),
    Method(
        name="sendPhoto",
        params={
            **_SENT_ALONE,
            **_CAPTION,
            "photo": _must("file"),
            "show_caption_above_media": Param("bool"),
            "has_spoiler": Param("bool"),
        },
        act=sending.send_photo,
    ),
    Method(
        name="sendDocument",
        params={
            **_SENT_ALONE,
            **_CAPTION,
            "document": _must("file"),
            "thumbnail": Param("file"),
            "disable_content_type_detection": Param("bool"),
        },
        act=sending.send_document,
    ),
    Method(
        name="sendMediaGroup",
        params={**_SENT, "media": _must(shapes.MEDIA)},
        act=sending.send_media_group,
    ),
    Method(name="editMessageText", params={**_EDITED, **_TEXT}, act=editing.edit_message_text),
    Method(
        name="editMessageCaption",
        params={**_EDITED, **_CAPTION, "show_caption_above_media": Param("bool")},
        act=editing.edit_message_caption,
    ),
    Method(
        name="editMessageMedia",
        params={**_EDITED, "media": _must(shapes.ONE_MEDIA)},
        act=editing.edit_message_media,
    ),
    Method(name="editMessageReplyMarkup", params=_EDITED, act=editing.edit_message_reply_markup),
    Method(
        name="deleteMessage",
        params={"chat_id": _must("chat"), "message_id": _must("int")},
        act=editing.delete_message,
    ),
    Method(
        name="deleteMessages",
        params={"chat_id": _must("chat"), "message_ids": _must(shapes.INTEGERS)},
        act=editing.delete_messages,
    ),
    Method(
        name="setMessageReaction",
        params={
            "chat_id": _must("chat"),
            "message_id": _must("int"),
            "reaction": Param(shapes.REACTIONS),
            "is_big": Param("bool"),
        },
        act=editing.set_message_reaction,
    ),
    Method(
        name="getChatMember",
        params={"chat_id": _must("chat"), "user_id": _must("int")},
        act=members.get_chat_member,
    ),
    Method(
        name="getChatAdministrators",
        params={"chat_id": _must("chat"), "return_bots": Param("bool")},
        act=members.get_chat_administrators,
    ),
    Method(
        name="answerCallbackQuery",
        params={
            "callback_query_id": _must("text"),
            "text": Param("text"),
            "show_alert": Param("bool"),
            "url": Param("text"),
            "cache_time": Param("int"),
        },
        act=receiving.answer_callback_query,
    ),
    Method(
        name="sendChatAction",
        params={**_WHERE, "action": _must("text")},
        act=sending.send_chat_action,
    ),
    Method(name="getFile", params={"file_id": _must("text")}, act=receiving.get_file),
)
METHODS: Final[Mapping[str, Method]] = {method.name.lower(): method for method in _ALL}
"""By lower-case name: the Bot API takes any letter case."""
