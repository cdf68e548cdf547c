"""What comes in and is no task: updates, albums, drafts, and what lists are about."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

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


DraftKind = Literal["words", "prompt", "offer"]
"""What a draft waits for: "words" for its photos, a photo for its words ("prompt"), or, complete, a
tap ("offer")."""
INBOX_KEPT: Final = timedelta(days=3)
"""Telegram repeats an update for a day at most; then its key is no longer needed."""
DRAFTS_KEPT: Final = timedelta(days=30)
"""What has waited for so long for its words or its photo is forgotten; an offer's button never dies."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NewDraft:
    """Something that is not a task yet: photos without words, words without a photo, or an offer."""

    origin: Origin
    user_id: int
    place: Place
    photos: tuple[Photo, ...]
    caption: str = ""
    """The words so far: options that came with the photo, words that wait for one, or all of it."""
    language: str | None = None
    parent_id: int | None = None
    draft_id: int | None = None
    """The draft that it takes the place of."""
    kind: DraftKind = "words"


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """Something that is not a task yet, and the question that was asked about it."""

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
    kind: DraftKind = "words"


@dataclass(frozen=True, kw_only=True, slots=True)
class AlbumPart:
    """One message of an album."""

    origin: Origin
    chat_id: int
    media_group_id: str
    message_id: int
    data: str
    """What the conversation needs of it, as JSON; the store does not read it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Album:
    """An album that has been quiet for long enough, its parts by message id."""

    chat_id: int
    media_group_id: str
    parts: tuple[AlbumPart, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class NewView:
    """A list, a history or a question that is to be shown."""

    origin: Origin
    kind: str
    user_id: int
    chat_id: int
    words: str = ""
    """What was searched for, or what else it is about."""
    shared: bool = False
    """Whether an earlier one that is the same in all of this will do: nothing hangs on when it was asked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """A list, a history or a question that is shown in a chat; its buttons name its id."""

    id: int
    kind: str
    user_id: int
    chat_id: int
    words: str
    created_at: datetime
