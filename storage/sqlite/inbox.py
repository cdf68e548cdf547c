"""Updates as they came."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime

from storage.sqlite.connection import Connections
from storage.sqlite.rows import inbox_row_of, moment, stamp
from storage.tasks import InboxRow, NewUpdate


class Inbox(Connections):
    """The store's methods for what comes in."""

    async def receive(self, bot_id: int, updates: Sequence[NewUpdate], now: datetime) -> int:
        """Keep updates; those already known are dropped. Returns how many were new."""
        received_at = stamp(now)
        values = [(bot_id, one.update_id, one.chat_id, one.raw, received_at) for one in updates]

        def work() -> int:
            return self._run_many(
                "INSERT INTO inbox (bot_id, update_id, chat_id, raw, received_at)"
                " VALUES (?, ?, ?, ?, ?) ON CONFLICT (bot_id, update_id) DO NOTHING",
                values,
            )

        return await self._write("receive", work) if values else 0

    async def inbox_heads(self, now: datetime, limit: int) -> list[InboxRow]:
        """Give the first unhandled update of each chat, oldest first, leaving out chats whose first one is not due yet."""
        # From the index alone: ten thousand updates of one chat hold up no other. `due_at` is that
        # of the row with the least id; see "Bare columns in an aggregate query" in SQLite's manual.
        # The plus keeps SQLite from the index of all updates, the handled ones too.
        rows = await self._rows(
            "SELECT * FROM inbox WHERE id IN (SELECT first FROM ("
            "SELECT min(id) AS first, due_at FROM inbox WHERE state = 'new'"
            " AND chat_id IS NOT NULL GROUP BY bot_id, chat_id"
            " UNION ALL SELECT id, due_at FROM inbox WHERE state = 'new' AND +chat_id IS NULL)"
            " WHERE due_at IS NULL OR due_at <= ? ORDER BY first LIMIT ?) ORDER BY id",
            (stamp(now), limit),
        )
        return [inbox_row_of(row) for row in rows]

    async def next_inbox_due(
        self, *, busy: Collection[tuple[int, int | None]] = ()
    ) -> datetime | None:
        """Say when the first update that was put off is due; None if none was put off."""
        row = await self._row(
            "SELECT due_at FROM inbox AS head WHERE state = 'new' AND due_at IS NOT NULL"
            " AND NOT EXISTS (SELECT 1 FROM json_each(?)"
            " WHERE head.bot_id = json_extract(value, '$[0]')"
            " AND head.chat_id IS json_extract(value, '$[1]'))"
            " AND NOT EXISTS (SELECT 1 FROM inbox AS earlier WHERE earlier.state = 'new'"
            " AND earlier.bot_id = head.bot_id AND earlier.chat_id = head.chat_id"
            " AND earlier.id < head.id) ORDER BY due_at LIMIT 1",
            (json.dumps(list(busy)),),
        )
        return None if row is None else moment(row["due_at"])

    async def inbox_done(self, row: InboxRow, now: datetime) -> None:
        """The update has been handled: its text is emptied, its key stays to know repeats."""
        await self._change(
            "inbox_done",
            "UPDATE inbox SET state = 'done', chat_id = NULL, raw = '', error = NULL, due_at = NULL,"
            " handled_at = ? WHERE bot_id = ? AND update_id = ? AND state = 'new' RETURNING id",
            (stamp(now), row.bot_id, row.update_id),
        )

    async def inbox_defer(
        self, row: InboxRow, *, due_at: datetime, error: str, failed: bool
    ) -> None:
        """Try the update again at `due_at`; `failed`: it counts as a failed attempt."""
        await self._change(
            "inbox_defer",
            "UPDATE inbox SET due_at = ?, error = ?, tries = tries + ?"
            " WHERE bot_id = ? AND update_id = ? AND state = 'new' RETURNING id",
            (stamp(due_at), error, int(failed), row.bot_id, row.update_id),
        )

    async def inbox_set_aside(self, row: InboxRow, *, error: str, now: datetime) -> None:
        """Give up on an update: it is kept, with the error, and no longer in anybody's way."""
        await self._change(
            "inbox_set_aside",
            "UPDATE inbox SET state = 'aside', error = ?, due_at = NULL, handled_at = ?"
            " WHERE bot_id = ? AND update_id = ? AND state = 'new' RETURNING id",
            (error, stamp(now), row.bot_id, row.update_id),
        )
