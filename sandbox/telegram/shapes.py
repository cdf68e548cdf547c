"""The shapes of the JSON objects that methods take, checked to the last field.

Source: the Bot API's "Available types". A field that the API does not know is a breach here,
because a misspelt one would be ignored silently there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

Check = Callable[[Any], str | None]
"""Looks at a value from JSON; answers with what is wrong, or None."""


def _typed(kind: type, name: str) -> Check:
    def check(value: Any) -> str | None:
        fits = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
        return None if fits else f"expected {name}, got {value!r:.60}"

    return check


text: Final = _typed(str, "a string")
integer: Final = _typed(int, "an integer")
boolean: Final = _typed(bool, "a boolean")


def sized(least: int, most: int) -> Check:
    """Accept a string of so many characters."""

    def check(value: Any) -> str | None:
        return text(value) or (
            None if least <= len(value) <= most else f"expected {least}–{most} characters"
        )

    return check


def chosen(*values: Any) -> Check:
    """Accept one of these values."""

    def check(value: Any) -> str | None:
        return None if value in values else f"expected one of {values}, got {value!r:.60}"

    return check


def array(of: Check, *, most: int | None = None) -> Check:
    """Accept a list whose items all pass."""

    def check(value: Any) -> str | None:
        if not isinstance(value, list):
            return "expected an array"
        if most is not None and len(value) > most:
            return f"expected at most {most} items"
        return next((f"[{i}]: {w}" for i, item in enumerate(value) if (w := of(item))), None)

    return check


def either(*checks: Check) -> Check:
    """Accept what one of the checks accepts."""

    def check(value: Any) -> str | None:
        found = [wrong for one in checks if (wrong := one(value))]
        return "; or ".join(found) if len(found) == len(checks) else None

    return check


def record(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """Accept an object with these fields and no other."""
    known = {**required, **(optional or {})}

    def check(value: Any) -> str | None:
        if not isinstance(value, dict):
            return "expected an object"
        if missing := required.keys() - value.keys():
            return f"misses {', '.join(sorted(missing))}"
        if unknown := value.keys() - known.keys():
            return f"has unknown {', '.join(sorted(unknown))}"
        return next((f"{name}: {w}" for name, v in value.items() if (w := known[name](v))), None)

    return check


def by_type(shapes: Mapping[str, Check]) -> Check:
    """Accept an object whose `type` names its shape."""

    def check(value: Any) -> str | None:
        if not isinstance(value, dict) or value.get("type") not in shapes:
            return f"expected an object whose type is one of {', '.join(shapes)}"
        return shapes[value["type"]](value)

    return check


USER: Final = record(
    {"id": integer, "is_bot": boolean, "first_name": text},
    {"last_name": text, "username": text, "language_code": text, "is_premium": boolean},
)
_ENTITY_TYPES: Final = (
    *("mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number", "bold"),
    *("italic", "underline", "strikethrough", "spoiler", "blockquote", "expandable_blockquote"),
    *("code", "pre", "text_link", "text_mention", "custom_emoji"),
)
ENTITIES: Final = array(
    record(
        {"type": chosen(*_ENTITY_TYPES), "offset": integer, "length": integer},
        {"url": text, "user": USER, "language": text, "custom_emoji_id": text},
    ),
    most=100,
)
REPLY_PARAMETERS: Final = record(
    {"message_id": integer},
    {
        "chat_id": either(integer, text),
        "allow_sending_without_reply": boolean,
        "quote": sized(0, 1024),
        "quote_parse_mode": text,
        "quote_entities": ENTITIES,
        "quote_position": integer,
        "checklist_task_id": integer,
        "poll_option_id": text,
    },
)
LINK_PREVIEW: Final = record(
    {},
    {
        "is_disabled": boolean,
        "url": text,
        "prefer_small_media": boolean,
        "prefer_large_media": boolean,
        "show_above_text": boolean,
    },
)
_BUTTON: Final = record(
    {"text": text},
    {
        "callback_data": text,
        "url": text,
        "copy_text": record({"text": sized(1, 256)}),
        "switch_inline_query": text,
        "switch_inline_query_current_chat": text,
        "style": chosen("danger", "success", "primary"),
        "icon_custom_emoji_id": text,
    },
)
KEYBOARD: Final = record({"inline_keyboard": array(array(_BUTTON))})
_FORCE_REPLY: Final = record(
    {"force_reply": chosen(True)},
    {"input_field_placeholder": sized(1, 64), "selective": boolean},
)
_KEYBOARD_REMOVE: Final = record({"remove_keyboard": chosen(True)}, {"selective": boolean})


def markup(value: Any) -> str | None:
    """Accept an inline keyboard, a forced reply, or the removal of a keyboard."""
    if isinstance(value, dict) and "force_reply" in value:
        return _FORCE_REPLY(value)
    if isinstance(value, dict) and "remove_keyboard" in value:
        return _KEYBOARD_REMOVE(value)
    return KEYBOARD(value)


_MEDIA_OPTIONS: Final[dict[str, Check]] = {
    "caption": text,
    "parse_mode": text,
    "caption_entities": ENTITIES,
}
ONE_MEDIA: Final = by_type(
    {
        "photo": record(
            {"type": text, "media": text},
            {**_MEDIA_OPTIONS, "show_caption_above_media": boolean, "has_spoiler": boolean},
        ),
        "document": record(
            {"type": text, "media": text},
            {**_MEDIA_OPTIONS, "thumbnail": text, "disable_content_type_detection": boolean},
        ),
    }
)
MEDIA: Final = array(ONE_MEDIA)
COMMANDS: Final = array(record({"command": text, "description": text}))
COMMAND_NAME: Final = re.compile(r"[a-z0-9_]{1,32}")
_PLAIN: Final = record({"type": text})
_OF_CHAT: Final = record({"type": text, "chat_id": either(integer, text)})
SCOPE: Final = by_type(
    {
        "default": _PLAIN,
        "all_private_chats": _PLAIN,
        "all_group_chats": _PLAIN,
        "all_chat_administrators": _PLAIN,
        "chat": _OF_CHAT,
        "chat_administrators": _OF_CHAT,
        "chat_member": record({"type": text, "chat_id": either(integer, text), "user_id": integer}),
    }
)
SUGGESTED_POST: Final = record({}, {"price": lambda _: None, "send_date": integer})
REACTIONS: Final = array(record({"type": chosen("emoji"), "emoji": text}))
TEXTS: Final = array(text)
INTEGERS: Final = array(integer)
