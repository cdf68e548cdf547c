"""Updates as they came, albums, and photos that wait for words."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from sqlite3 import Row

from storage.sqlite.connection import Connections
from storage.sqlite.rows import draft_of, inbox_row_of, moment, stamp, written_photos
from storage.tasks import Draft, InboxRow, NewDraft, NewUpdate, Origin


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
            "UPDATE inbox SET state = 'done', raw = '', error = NULL, due_at = NULL,"
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

    async def first_of_album(self, origin: Origin, chat_id: int, media_group_id: str) -> bool:
        """Say whether this update is the one that answers for its album; the first to ask is (also when it asks again)."""
        key = (origin.bot_id, origin.update_id, origin.n)
        now = stamp(self._clock.now())

        def work() -> bool:
            self._run(
                "INSERT INTO albums (chat_id, media_group_id, bot_id, update_id, n, created_at)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (chat_id, media_group_id) DO NOTHING",
                (chat_id, media_group_id, *key, now),
            )
            (row,) = self._run(
                "SELECT bot_id, update_id, n FROM albums WHERE chat_id = ? AND media_group_id = ?",
                (chat_id, media_group_id),
            )
            return tuple(row) == key

        return await self._write(None, work)

    # --- drafts

    async def add_draft(self, new: NewDraft, now: datetime) -> Draft:
        """Keep photos that wait for words; the person's older open drafts in that chat are closed. A repeated origin gives the draft it made."""
        key = (new.origin.bot_id, new.origin.update_id, new.origin.n)

        def work() -> Row:
            known = self._run(
                "SELECT * FROM drafts WHERE bot_id = ? AND update_id = ? AND n = ?", key
            )
            if known:
                return known[0]
            self._run(
                "UPDATE drafts SET closed = 1"
                " WHERE user_id = ? AND chat_id = ? AND used = 0 AND closed = 0",
                (new.user_id, new.place.chat_id),
            )
            (row,) = self._run(
                "INSERT INTO drafts (bot_id, update_id, n, user_id, chat_id, chat_type,"
                " message_id, thread_id, photos, caption, language, parent_id, created_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *",
                (
                    *key,
                    new.user_id,
                    new.place.chat_id,
                    new.place.chat_type,
                    new.place.message_id,
                    new.place.thread_id,
                    written_photos(new.photos),
                    new.caption,
                    new.language,
                    new.parent_id,
                    stamp(now),
                ),
            )
            return row

        return draft_of(await self._write(None, work))

    async def asked(self, draft_id: int, question_id: int) -> None:
        """Note which message asks for the words."""
        await self._change(
            None, "UPDATE drafts SET question_id = ? WHERE id = ?", (question_id, draft_id)
        )

    async def open_draft(self, user_id: int, chat_id: int, since: datetime) -> Draft | None:
        """Give the person's open draft in a chat, if it was made after `since`."""
        row = await self._row(
            "SELECT * FROM drafts WHERE user_id = ? AND chat_id = ? AND used = 0 AND closed = 0"
            " AND created_at > ? ORDER BY id DESC LIMIT 1",
            (user_id, chat_id, stamp(since)),
        )
        return None if row is None else draft_of(row)

    async def draft_asked_by(self, user_id: int, chat_id: int, question_id: int) -> Draft | None:
        """Give the person's draft, used or not, that this message of ours asked about."""
        row = await self._row(
            "SELECT * FROM drafts WHERE user_id = ? AND chat_id = ? AND question_id = ?"
            " ORDER BY id DESC LIMIT 1",
            (user_id, chat_id, question_id),
        )
        return None if row is None else draft_of(row)
