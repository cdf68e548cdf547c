"""What a store must do with what comes in."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from storage.tasks import InboxRow, NewUpdate


class Inbox(Protocol):
    """Updates as they came."""

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
