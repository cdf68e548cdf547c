"""What comes in before it is a task: updates, and photos that wait for words."""

from dataclasses import dataclass
from datetime import datetime

from storage.tasks.task import Origin, Photo, Place


@dataclass(frozen=True, kw_only=True, slots=True)
class NewUpdate:
    """An update as Telegram sent it."""

    update_id: int
    chat_id: int | None
    """Its chat (or the person, where there is no chat): updates of one chat are handled in order."""
    raw: str
    """The update's JSON."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InboxRow:
    """An update that has been received and not yet been handled."""

    bot_id: int
    update_id: int
    chat_id: int | None
    raw: str
    tries: int
    """Failed attempts to handle it."""
    received_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class NewDraft:
    """Photos that wait for words."""

    origin: Origin
    user_id: int
    place: Place
    photos: tuple[Photo, ...]
    caption: str = ""
    """Options that came with the photo, to be read together with the words."""
    language: str | None = None
    parent_id: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """Photos that wait for words, and the question that was asked."""

    id: int
    origin: Origin
    user_id: int
    place: Place
    photos: tuple[Photo, ...]
    caption: str
    language: str | None
    parent_id: int | None
    question_id: int | None
    """Our message that asks; None until it is known to be sent."""
    used: bool
    created_at: datetime
