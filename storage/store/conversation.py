"""What a store must keep of the conversation beside its tasks."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Literal, Protocol

from storage.tasks import (
    Album,
    AlbumPart,
    Draft,
    DraftKind,
    NewDraft,
    NewView,
    Origin,
    Role,
    Task,
    TaskMessage,
    View,
)


class Conversation(Protocol):
    """Albums as they come in, drafts, our messages, what people prefer and turn over."""

    # --- albums

    async def album_part(self, part: AlbumPart, *, now: datetime, due_at: datetime) -> bool:
        """Keep a part of an album, which is then due at `due_at`; a repeat changes nothing but that.

        Returns False, and keeps nothing, where the album has been closed: the part is late. (A part
        that it has had in time is not.) Wakes ALBUMS.
        """
        ...

    async def albums_due(
        self, now: datetime, limit: int, *, busy_chats: Collection[int] = ()
    ) -> list[Album]:
        """Give the albums that have been quiet for long enough, longest first, but for those of busy chats.

        Those of whose chats an update that had come by then waits to be handled are left out, too:
        it may be a part of theirs.
        """
        ...

    async def next_album_due(self) -> datetime | None:
        """Say when the next open album is due."""
        ...

    async def album_later(self, album: Album, *, due_at: datetime) -> None:
        """Work an album off later: it could not be answered now. Wakes nobody."""
        ...

    async def close_album(self, album: Album) -> None:
        """The album has been worked off: its parts' data go, its key stays to know late ones."""
        ...

    async def album_origin(self, chat_id: int, media_group_id: str) -> Origin | None:
        """Say which update was the first of an album: the task that this has made is the album's."""
        ...

    # --- drafts

    async def add_draft(self, new: NewDraft, now: datetime) -> Draft:
        """Keep a draft; the person's older open drafts of its kind in that chat are closed, offers aside.

        The one whose place it takes (`draft_id`) is used. A repeated origin gives the draft it made.
        """
        ...

    async def asked(self, draft_id: int, question_id: int) -> None:
        """Note which message asks for the words."""
        ...

    async def drop_draft(self, draft_id: int) -> None:
        """Nobody waits for the rest of a draft any more: it is used. What asks about it goes on being known."""
        ...

    async def open_draft(
        self, user_id: int, chat_id: int, since: datetime, *, kind: DraftKind = "words"
    ) -> Draft | None:
        """Give the person's open draft of this kind in a chat, if it was made after `since`."""
        ...

    async def draft_asked_by(self, user_id: int, chat_id: int, question_id: int) -> Draft | None:
        """Give the person's draft, used or not, that this message of ours asked about."""
        ...

    async def draft(self, draft_id: int) -> Draft | None:
        """Give one draft, used or not."""
        ...

    async def draft_at(self, user_id: int, chat_id: int, message_id: int) -> Draft | None:
        """Give the person's latest unused draft whose photo (or words) is this message of theirs."""
        ...

    async def draft_made_by(self, origin: Origin) -> Draft | None:
        """Give the draft that this origin has made, used or not: there is one if its update is a repeat."""
        ...

    # --- our messages

    async def note_message(
        self,
        task_id: int,
        chat_id: int,
        message_id: int,
        role: Role,
        now: datetime,
        *,
        n: int | None = None,
    ) -> None:
        """Note that a message of ours belongs to a task, where neither `step_sent` nor `note_progress_message` does so."""
        ...

    async def task_at(self, chat_id: int, message_id: int) -> TaskMessage | None:
        """Say which task (and which image of it) one of our messages belongs to."""
        ...

    async def task_from(self, user_id: int, chat_id: int, message_id: int) -> Task | None:
        """Give the person's latest task that was made from this message of theirs."""
        ...

    async def messages_of(self, task_id: int) -> list[TaskMessage]:
        """Give our messages that belong to a task, by message id."""
        ...

    async def message_gone(self, chat_id: int, message_id: int) -> None:
        """Note that one of our messages is no longer in its chat, or shows nothing of the task."""
        ...

    async def stale_progress(self, limit: int) -> list[Task]:
        """Give CANCELLED tasks whose progress message has not been put away."""
        ...

    async def progress_put_away(self, task_id: int) -> None:
        """Note that a task has no progress message any more."""
        ...

    # --- preferences and views

    async def preferences(self, scope: Literal["user", "chat"], owner_id: int) -> Mapping[str, str]:
        """Give what a person, or a chat, has chosen, by name."""
        ...

    async def set_preference(
        self, scope: Literal["user", "chat"], owner_id: int, name: str, value: str | None
    ) -> None:
        """Keep a choice; None takes it back."""
        ...

    async def add_view(self, new: NewView, now: datetime) -> View:
        """Keep what a list shows, so that its buttons work for ever.

        A repeated origin gives the view it made. One that is `shared` gives the earlier one of the
        same kind, person, chat and words, as if it were new.
        """
        ...

    async def view(self, view_id: int) -> View | None:
        """Give one view."""
        ...

    async def find_view(self, kind: str, chat_id: int, words: str) -> View | None:
        """Give the latest view of this kind in a chat that has these words."""
        ...
