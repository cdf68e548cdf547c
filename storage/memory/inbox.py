"""Updates as they came."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from storage.memory.tables import Memory, Update
from storage.tasks import InboxRow, NewUpdate


class Inbox(Memory):
    """The store's methods for what comes in."""

    async def receive(self, bot_id: int, updates: Sequence[NewUpdate], now: datetime) -> int:
        """Keep updates; those already known are dropped. Returns how many were new."""
        before = len(self._tables.inbox)
        for one in updates:
            row = InboxRow(
                bot_id=bot_id,
                update_id=one.update_id,
                chat_id=one.chat_id,
                raw=one.raw,
                tries=0,
                received_at=now,
            )
            self._tables.inbox.setdefault((bot_id, one.update_id), Update(row=row))
        new = len(self._tables.inbox) - before
        if new:
            self._bells.changed("receive")
        return new

    async def inbox_heads(self, now: datetime, limit: int) -> list[InboxRow]:
        """Give the first unhandled update of each chat, oldest first, leaving out chats whose first one is not due yet."""
        due = (one for one in self._heads() if one.due_at is None or one.due_at <= now)
        return [one.row for one in due][:limit]

    def _heads(self) -> list[Update]:
        heads: dict[object, Update] = {}
        for key, update in self._tables.inbox.items():
            chat_id = update.row.chat_id
            chat = key if chat_id is None else (update.row.bot_id, chat_id, "chat")
            if update.state == "new":
                heads.setdefault(chat, update)
        return list(heads.values())

    async def next_inbox_due(
        self, *, busy: Collection[tuple[int, int | None]] = ()
    ) -> datetime | None:
        """Say when the first update that was put off is due; None if none was put off."""
        free = (one for one in self._heads() if (one.row.bot_id, one.row.chat_id) not in busy)
        return min((one.due_at for one in free if one.due_at is not None), default=None)

    def _unhandled(self, row: InboxRow) -> Update | None:
        update = self._tables.inbox.get((row.bot_id, row.update_id))
        return update if update is not None and update.state == "new" else None

    async def inbox_done(self, row: InboxRow, now: datetime) -> None:
        """The update has been handled: its text is emptied, its key stays to know repeats."""
        if (update := self._unhandled(row)) is not None:
            update.row = replace(update.row, chat_id=None, raw="")
            update.state, update.handled_at, update.due_at, update.error = "done", now, None, None
            self._bells.changed("inbox_done")

    async def inbox_defer(
        self, row: InboxRow, *, due_at: datetime, error: str, failed: bool
    ) -> None:
        """Try the update again at `due_at`; `failed`: it counts as a failed attempt."""
        if (update := self._unhandled(row)) is not None:
            update.row = replace(update.row, tries=update.row.tries + int(failed))
            update.due_at, update.error = due_at, error
            self._bells.changed("inbox_defer")

    async def inbox_set_aside(self, row: InboxRow, *, error: str, now: datetime) -> None:
        """Give up on an update: it is kept, with the error, and no longer in anybody's way."""
        if (update := self._unhandled(row)) is not None:
            update.state, update.handled_at, update.due_at, update.error = "aside", now, None, error
            self._bells.changed("inbox_set_aside")
