"""What people prefer and turn over, and small texts that last."""

from collections.abc import Mapping
from datetime import datetime
from sqlite3 import Row
from typing import Final, Literal

from storage.sqlite.connection import Connections
from storage.sqlite.rows import stamp, view_of
from storage.tasks import NewView, View

_SHOW_AGAIN: Final = (
    "UPDATE views SET created_at = ?"
    " WHERE kind = ? AND user_id = ? AND chat_id = ? AND words = ? RETURNING *"
)


class Preferences(Connections):
    """The store's methods for preferences, views and facts."""

    async def preferences(self, scope: Literal["user", "chat"], owner_id: int) -> Mapping[str, str]:
        """Give what a person, or a chat, has chosen, by name."""
        rows = await self._rows(
            "SELECT name, value FROM preferences WHERE scope = ? AND owner_id = ?",
            (scope, owner_id),
        )
        return {row["name"]: row["value"] for row in rows}

    async def set_preference(
        self, scope: Literal["user", "chat"], owner_id: int, name: str, value: str | None
    ) -> None:
        """Keep a choice; None takes it back."""
        if value is None:
            await self._change(
                None,
                "DELETE FROM preferences WHERE scope = ? AND owner_id = ? AND name = ?",
                (scope, owner_id, name),
            )
        else:
            await self._change(
                None,
                "INSERT OR REPLACE INTO preferences (scope, owner_id, name, value)"
                " VALUES (?, ?, ?, ?)",
                (scope, owner_id, name, value),
            )

    async def add_view(self, new: NewView, now: datetime) -> View:
        """Keep what a list shows, so that its buttons work for ever.

        A repeated origin gives the view it made. One that is `shared` gives the earlier one of the
        same kind, person, chat and words, as if it were new.
        """
        key = (new.origin.bot_id, new.origin.update_id)
        about = (new.kind, new.user_id, new.chat_id, new.words)

        def work() -> Row:
            known = self._run("SELECT * FROM views WHERE bot_id = ? AND update_id = ?", key)
            if known:
                return known[0]
            if new.shared and (shown := self._run(_SHOW_AGAIN, (stamp(now), *about))):
                return max(shown, key=lambda row: int(row["id"]))
            (row,) = self._run(
                "INSERT INTO views (bot_id, update_id, kind, user_id, chat_id, words, created_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING *",
                (*key, *about, stamp(now)),
            )
            return row

        return view_of(await self._write(None, work))

    async def view(self, view_id: int) -> View | None:
        """Give one view."""
        row = await self._row("SELECT * FROM views WHERE id = ?", (view_id,))
        return None if row is None else view_of(row)

    async def find_view(self, kind: str, chat_id: int, words: str) -> View | None:
        """Give the latest view of this kind in a chat that has these words."""
        row = await self._row(
            "SELECT * FROM views WHERE chat_id = ? AND kind = ? AND words = ?"
            " ORDER BY id DESC LIMIT 1",
            (chat_id, kind, words),
        )
        return None if row is None else view_of(row)

    async def fact(self, name: str) -> str | None:
        """Give a small text that was kept."""
        row = await self._row("SELECT value FROM facts WHERE name = ?", (name,))
        return None if row is None else str(row["value"])

    async def note_fact(self, name: str, value: str) -> None:
        """Keep a small text."""
        await self._change(
            None, "INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", (name, value)
        )
