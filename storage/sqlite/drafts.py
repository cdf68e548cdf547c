"""What is not a task yet: photos that wait for words, words that wait for a photo, offers."""

from datetime import datetime
from sqlite3 import Row
from typing import Final

from storage.sqlite.connection import Connections
from storage.sqlite.rows import draft_of, stamp, written_photos
from storage.tasks import Draft, DraftKind, NewDraft, Origin

_MADE_BY: Final = "SELECT * FROM drafts WHERE bot_id = ? AND update_id = ? AND n = ?"


class Drafts(Connections):
    """The store's methods for what waits for the rest of it, or for a tap."""

    async def add_draft(self, new: NewDraft, now: datetime) -> Draft:
        """Keep a draft; the person's older open drafts of its kind in that chat are closed, offers aside.

        The one whose place it takes (`draft_id`) is used. A repeated origin gives the draft it made.
        """
        key = (new.origin.bot_id, new.origin.update_id, new.origin.n)

        def work() -> Row:
            known = self._run(_MADE_BY, key)
            if known:
                return known[0]
            if new.kind != "offer":
                self._run(
                    "UPDATE drafts SET closed = 1"
                    " WHERE user_id = ? AND chat_id = ? AND kind = ? AND used = 0 AND closed = 0",
                    (new.user_id, new.place.chat_id, new.kind),
                )
            self._run("UPDATE drafts SET used = 1 WHERE id = ?", (new.draft_id,))
            (row,) = self._run(
                "INSERT INTO drafts (bot_id, update_id, n, user_id, chat_id, chat_type,"
                " message_id, thread_id, photos, caption, language, parent_id, created_at, kind)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *",
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
                    new.kind,
                ),
            )
            return row

        return draft_of(await self._write(None, work))

    async def asked(self, draft_id: int, question_id: int) -> None:
        """Note which message asks for the words."""
        await self._change(
            None, "UPDATE drafts SET question_id = ? WHERE id = ?", (question_id, draft_id)
        )

    async def drop_draft(self, draft_id: int) -> None:
        """Nobody waits for the rest of a draft any more: it is used. What asks about it goes on being known."""
        await self._change(None, "UPDATE drafts SET used = 1 WHERE id = ?", (draft_id,))

    async def open_draft(
        self, user_id: int, chat_id: int, since: datetime, *, kind: DraftKind = "words"
    ) -> Draft | None:
        """Give the person's open draft of this kind in a chat, if it was made after `since`."""
        row = await self._row(
            "SELECT * FROM drafts WHERE user_id = ? AND chat_id = ? AND kind = ?"
            " AND used = 0 AND closed = 0 AND created_at > ? ORDER BY id DESC LIMIT 1",
            (user_id, chat_id, kind, stamp(since)),
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

    async def draft(self, draft_id: int) -> Draft | None:
        """Give one draft, used or not."""
        row = await self._row("SELECT * FROM drafts WHERE id = ?", (draft_id,))
        return None if row is None else draft_of(row)

    async def draft_at(self, user_id: int, chat_id: int, message_id: int) -> Draft | None:
        """Give the person's latest unused draft whose photo (or words) is this message of theirs."""
        row = await self._row(
            "SELECT * FROM drafts WHERE chat_id = ? AND message_id = ? AND user_id = ?"
            " AND used = 0 ORDER BY id DESC LIMIT 1",
            (chat_id, message_id, user_id),
        )
        return None if row is None else draft_of(row)

    async def draft_made_by(self, origin: Origin) -> Draft | None:
        """Give the draft that this origin has made, used or not: there is one if its update is a repeat."""
        row = await self._row(_MADE_BY, (origin.bot_id, origin.update_id, origin.n))
        return None if row is None else draft_of(row)
