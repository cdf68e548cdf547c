"""What this Telegram keeps of each user, chat, message, file and press."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

JSON = dict[str, Any]

_FOLDERS: Final = {
    "photo": "photos",
    "sticker": "stickers",
    "video": "videos",
    "animation": "animations",
    "voice": "voice",
    "audio": "music",
    "video_note": "video_notes",
}
_NAMED: Final = frozenset({"document", "video", "animation", "audio"})
"""Kinds whose messages say the file's name."""


@dataclass(kw_only=True, slots=True)
class User:
    """Somebody, or the bot."""

    id: int
    first_name: str
    is_bot: bool = False
    username: str | None = None
    language_code: str | None = None
    started: bool = False
    blocked: bool = False

    def to_json(self) -> JSON:
        """Write it as the Bot API's User."""
        shown = {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name}
        named = {"username": self.username, "language_code": self.language_code}
        return shown | {name: value for name, value in named.items() if value}


TELEGRAM: Final = User(id=777000, first_name="Telegram")
"""Whose name stands on what a channel's linked group gets by itself."""
GROUP_ANONYMOUS: Final = User(
    id=1087968824, first_name="Group", is_bot=True, username="GroupAnonymousBot"
)
"""Whose name stands on what an administrator writes as the group."""
CHANNEL_BOT: Final = User(id=136817688, first_name="Channel", is_bot=True, username="Channel_Bot")
"""Whose name stands on what somebody writes into a group as a channel."""


@dataclass(kw_only=True, slots=True)
class Message:
    """One message; `data` is the Bot API's Message without what depends on others."""

    id: int
    data: JSON
    author: int
    """Who really wrote it, whatever name it shows."""
    reply_to: int | None = None
    edits: int = 0
    force_reply: bool = False
    placeholder: str = ""
    """What the input field shows that a forced reply opens."""
    silent: bool = False
    reactions: tuple[str, ...] = ()
    """The emoji with which the bot has reacted."""


@dataclass(kw_only=True, slots=True)
class Chat:
    """A private chat, a group, a supergroup, or a channel."""

    id: int
    type: str
    title: str = ""
    members: set[int] = field(default_factory=set)
    creator: int = 0
    admins: set[int] = field(default_factory=set)
    """Who administers it, beside its creator; the bot, too, if it was made one."""
    anonymous: set[int] = field(default_factory=set)
    """Administrators who have written as the group."""
    banned: set[int] = field(default_factory=set)
    topics: dict[int, str] = field(default_factory=dict)
    is_forum: bool = False
    privacy: bool = True
    captions_reach: bool = True
    """Whether privacy mode lets a command through that is a picture's caption."""
    linked: int | None = None
    """The group that gets a copy of each post of this channel."""
    copies: dict[int, int] = field(default_factory=dict)
    """By this channel's message ids, those of their copies in the linked group."""
    migrated_to: int | None = None
    messages: dict[int, Message] = field(default_factory=dict)
    events: list[JSON] = field(default_factory=list)
    last_message_id: int = 0
    action: tuple[str, float] | None = None

    def next_id(self) -> int:
        """Give the id of the next message."""
        self.last_message_id += 1
        return self.last_message_id

    def status(self, user_id: int) -> str:
        """Say what a user is here, as the Bot API's ChatMember does."""
        if user_id not in self.members:
            return "kicked" if user_id in self.banned else "left"
        if user_id == self.creator:
            return "creator"
        return "administrator" if user_id in self.admins else "member"

    def runs(self, user_id: int) -> bool:
        """Say whether a user is the creator or an administrator."""
        return self.status(user_id) in {"creator", "administrator"}


@dataclass(kw_only=True, slots=True)
class File:
    """A file that was sent by somebody."""

    file_id: str
    unique_id: str
    kind: str
    content: bytes
    content_type: str
    number: int
    name: str = ""
    width: int = 0
    height: int = 0
    more: JSON = field(default_factory=dict)
    """Further fields that messages show of it."""
    group: tuple[str, ...] = ()
    """All sizes of the photo that this is one of."""
    vanished: bool = False
    linked_at: float | None = None

    @property
    def path(self) -> str:
        """The path under which getFile gives it out."""
        ending = self.name.rpartition(".")[2] if "." in self.name else ""
        if self.kind == "photo":
            ending = "jpg"
        clean = ending if ending.isalnum() else "bin"
        return f"{_FOLDERS.get(self.kind, 'documents')}/file_{self.number}.{clean}"

    def to_json(self) -> JSON:
        """Write it as the Bot API's PhotoSize, Document, Sticker, and so on."""
        shown: JSON = {
            "file_id": self.file_id,
            "file_unique_id": self.unique_id,
            "file_size": len(self.content),
        }
        if self.width:
            shown |= {"width": self.width, "height": self.height}
        if self.kind in _NAMED:
            shown["file_name"] = self.name
        if self.kind not in {"photo", "sticker", "video_note"}:
            shown["mime_type"] = self.content_type
        return shown | self.more


@dataclass(kw_only=True, slots=True)
class Callback:
    """One press of a button."""

    id: str
    pressed_at: float
    answered: bool = False
    text: str = ""
    show_alert: bool = False
