"""What a store must do with what comes in."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from storage.tasks import Draft, DraftKind, InboxRow, NewDraft, NewUpdate, Origin


class Inbox(Protocol):
    """Updates as they came, albums, and photos that wait for words."""

    async def receive(self, bot_id: int, updates: Sequence[NewUpdate], now: datetime) -> int:
        """Keep updates; those already known are dropped. Returns how many were new."""
        ...

    async def inbox_heads(self, now: datetime, limit: int) -> list[InboxRow]:
        """Give the first unhandled update of each chat, oldest first, leaving out chats whose first one is not due yet."""
        ...

    async def next_inbox_due(
        self, *, busy: Collection[tuple[int, int | None]] = ()
    ) -> datetime | None:
        """Say when the first update that was put off is due; None if none was put off.

        Only the first update of a chat counts, and none of the chats in `busy`: (bot_id, chat_id).
        """
        ...

    async def inbox_done(self, row: InboxRow, now: datetime) -> None:
        """The update has been handled: its text is emptied, its key stays to know repeats."""
        ...

    async def inbox_defer(
        self, row: InboxRow, *, due_at: datetime, error: str, failed: bool
    ) -> None:
        """Try the update again at `due_at`; `failed`: it counts as a failed attempt."""
        ...

    async def inbox_set_aside(self, row: InboxRow, *, error: str, now: datetime) -> None:
        """Give up on an update: it is kept, with the error, and no longer in anybody's way."""
        ...

    async def first_of_album(self, origin: Origin, chat_id: int, media_group_id: str) -> bool:
        """Say whether this update is the one that answers for its album; the first to ask is (also when it asks again)."""
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

    async def open_draft(
        self, user_id: int, chat_id: int, since: datetime, *, kind: DraftKind = "words"
    ) -> Draft | None:
        """Give the person's open draft of this kind in a chat, if it was made after `since`."""
        ...

    async def draft_asked_by(self, user_id: int, chat_id: int, question_id: int) -> Draft | None:
        """Give the person's draft, used or not, that this message of ours asked about."""
        ...
