"""What the program knows of an update's form before it is handled. Pure.

However updates come in, they are checked and written here; from then on one is a text with a number
and a chat. It stays raw: an update that cannot be parsed must not make the bot deaf.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from storage.tasks import NewUpdate

ALLOWED: Final = (
    "message",
    "edited_message",
    "channel_post",
    "callback_query",
    "my_chat_member",
)
"""What the bot wants to hear of. Always said: Telegram would keep whatever an earlier program asked for."""
_LARGEST: Final = 2**63 - 1
"""A database keeps no larger number."""
_NUMBER: Final = re.compile(rb'\s*\{\s*"update_id"\s*:\s*([0-9]{1,19})(?![0-9.])')
"""How Telegram begins an update."""


def read(update: object) -> NewUpdate | None:
    """Give an update as it is kept; None for what is no update, or has no number that can be kept."""
    if not isinstance(update, dict):
        return None
    update_id = _id(update.get("update_id"))
    if update_id is None:
        return None
    return NewUpdate(update_id=update_id, chat_id=chat_of(update), raw=written(update))


def parsed(body: bytes) -> NewUpdate | None:
    """Give the update that a request brings; one that cannot be read, but begins as such, by its number."""
    try:
        found = read(json.loads(body))
    except (ValueError, RecursionError):
        found = None
    if found is None and (number := _NUMBER.match(body)) and int(number[1]) <= _LARGEST:
        return unread(int(number[1]))
    return found


def unread(update_id: int) -> NewUpdate:
    """Give what is kept in place of an update that cannot be kept: its number alone."""
    return NewUpdate(update_id=update_id, chat_id=None, raw="")


def written(update: Mapping[str, Any]) -> str:
    """Write an update as JSON. Half a surrogate pair, which is in no text, becomes U+FFFD."""
    text = json.dumps(update, ensure_ascii=False)
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def chat_of(update: Mapping[str, Any]) -> int | None:
    """Find the chat that an update belongs to, or the person where it has no chat.

    A press is the person's own: Telegram waits for its answer, and in a group others may have much
    before it that waits for the group's limits.
    """
    for kind, content in update.items():
        if not isinstance(content, dict):
            continue
        if kind == "callback_query" and (presser := _person(content)) is not None:
            return presser
        message = content.get("message")
        for holder in (content, message if isinstance(message, dict) else {}):
            chat = holder.get("chat")
            if isinstance(chat, dict) and (found := _id(chat.get("id"))) is not None:
                return found
        if (found := _person(content)) is not None:
            return found
    return None


def language_in(raw: str) -> str | None:
    """Find the language code of whoever an update comes from, in its JSON, however odd that is."""
    try:
        update = json.loads(raw)
    except ValueError:
        return None
    for content in update.values() if isinstance(update, dict) else ():
        person = content.get("from") if isinstance(content, dict) else None
        code = person.get("language_code") if isinstance(person, dict) else None
        if isinstance(code, str):
            return code
    return None


def _person(content: Mapping[str, Any]) -> int | None:
    person = content.get("from")
    return _id(person.get("id")) if isinstance(person, dict) else None


def _id(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _LARGEST:
        return None
    return value
