"""Whose something is, and how a person is still counted once they are forgotten. Pure; used by every store."""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

KEY_FACT: Final = "forgotten-people-key"
"""Under this name the store keeps the key of the hashes: made once, and never shown."""
KEY_BYTES: Final = 32
BATCH: Final = 100
"""So many tasks, or updates, of a person are read at a time."""

_OWN: Final = frozenset(
    {
        *("message_id", "date", "edit_date", "from", "text", "caption", "photo", "document"),
        *("sticker", "media_group_id", "message_thread_id", "data", "id"),
    }
)
"""What of a message is its sender's: what they reply to, or forward, may be somebody else's."""


def hashed(key: str, user_id: int) -> str:
    """Give a person's hash, which tells nothing without the key: ids alone are few enough to be tried."""
    return hmac.new(bytes.fromhex(key), str(user_id).encode(), hashlib.sha256).hexdigest()


def has_a_chat(user_id: int) -> bool:
    """Say whether this is a person, whose private chat has the same id; else a chat stands for somebody."""
    return user_id > 0


def is_from(raw: str, user_id: int) -> bool:
    """Say whether an update is somebody's: from them, or sent in their (a chat's) name."""
    for part in _objects(_read(raw), depth=1):
        for who in (part.get("sender_chat"), part.get("from")):
            if isinstance(who, Mapping) and who.get("id") == user_id:
                return True
    return False


def concerns(raw: str, user_id: int) -> bool:
    """Say whether JSON names somebody's id anywhere, be it in a message that theirs is replied to with."""
    return any(
        name in {"id", "user_id", "chat_id"} and value == user_id and value is not True
        for part in _objects(_read(raw), depth=32)
        for name, value in part.items()
    )


def senders_own(raw: str) -> dict[str, dict[str, Any]]:
    """Give of an update, as Telegram calls its parts, what is its sender's."""
    parts = _read(raw)
    return {
        what: {name: value for name, value in part.items() if name in _OWN}
        for what, part in (parts.items() if isinstance(parts, Mapping) else ())
        if isinstance(part, Mapping)
    }


def is_by(data: str, user_id: int) -> bool:
    """Say whether a part of an album is somebody's."""
    part = _read(data)
    return isinstance(part, Mapping) and part.get("user_id") == user_id


def plain(row: Any) -> dict[str, Any]:
    """Give a row as JSON has it: times in ISO 8601."""
    written: dict[str, Any] = json.loads(json.dumps(asdict(row), default=datetime.isoformat))
    return written


def _read(text: str) -> object:
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        return None  # what is no JSON came from nobody
    return found


def _objects(value: object, depth: int) -> Iterator[Mapping[str, object]]:
    if isinstance(value, Mapping):
        yield value
        value = list(value.values())
    if isinstance(value, list) and depth:
        for one in value:
            yield from _objects(one, depth - 1)
