"""Albums as they come in, part by part."""

import json
from collections.abc import Collection
from datetime import datetime
from itertools import groupby
from sqlite3 import Row
from typing import Final

from storage.sqlite.connection import Connections
from storage.sqlite.rows import album_part_of, moment, stamp
from storage.tasks import Album, AlbumPart, Origin

_DUE: Final = (
    "SELECT due.chat_id AS of_chat, due.media_group_id AS of_group, part.*"
    " FROM (SELECT chat_id, media_group_id, due_at FROM albums"
    " WHERE chat_id NOT IN (SELECT value FROM json_each(?)) AND closed = 0 AND due_at <= ?"
    # more of its parts may be among what had come by then and has not been read yet
    " AND NOT EXISTS (SELECT 1 FROM inbox WHERE inbox.chat_id = albums.chat_id"
    " AND state = 'new' AND received_at <= albums.due_at)"
    " ORDER BY due_at, chat_id, media_group_id LIMIT ?) AS due"
    " LEFT JOIN album_parts AS part ON part.chat_id = due.chat_id"
    " AND part.media_group_id = due.media_group_id AND part.data <> ''"
    " ORDER BY due.due_at, of_chat, of_group, part.message_id, part.bot_id, part.update_id"
)


def _key(part: AlbumPart) -> tuple[int, int]:
    return part.origin.bot_id, part.origin.update_id


class Albums(Connections):
    """The store's methods for albums, which have no end mark."""

    async def album_part(self, part: AlbumPart, *, now: datetime, due_at: datetime) -> bool:
        """Keep a part of an album, which is then due at `due_at`; a repeat changes nothing but that."""
        bot_id, update_id = _key(part)
        place = (part.chat_id, part.media_group_id)

        def work() -> tuple[bool, bool]:
            if (known := self._place_of(part)) is not None:
                later = self._run(
                    "UPDATE albums SET due_at = ? WHERE chat_id = ? AND media_group_id = ?"
                    " AND closed = 0 RETURNING update_id",
                    (stamp(due_at), *known),
                )
                return True, bool(later)
            if not self._run(
                "INSERT INTO albums (chat_id, media_group_id, bot_id, update_id, n, created_at,"
                " due_at, closed) VALUES (?, ?, ?, ?, ?, ?, ?, 0)"
                " ON CONFLICT (chat_id, media_group_id) DO UPDATE SET due_at = excluded.due_at"
                " WHERE closed = 0 RETURNING update_id",
                (*place, bot_id, update_id, part.origin.n, stamp(now), stamp(due_at)),
            ):
                return False, False
            self._run(
                "INSERT INTO album_parts (bot_id, update_id, chat_id, media_group_id, message_id,"
                " data) VALUES (?, ?, ?, ?, ?, ?)",
                (bot_id, update_id, *place, part.message_id, part.data),
            )
            return True, True

        in_time, _ = await self._write("album_part", work, changed=lambda result: result[1])
        return in_time

    def _place_of(self, part: AlbumPart) -> tuple[int, str] | None:
        """Give the album that has this part, wherever its chat has gone: only within `_write`."""
        for row in self._run(
            "SELECT chat_id, media_group_id FROM album_parts WHERE bot_id = ? AND update_id = ?",
            _key(part),
        ):
            return row["chat_id"], row["media_group_id"]
        return None

    async def albums_due(
        self, now: datetime, limit: int, *, busy_chats: Collection[int] = ()
    ) -> list[Album]:
        """Give the albums that have been quiet for long enough, longest first, but for those of busy chats."""
        # One statement, so that no album is seen open with parts that are worked off by then.
        rows = await self._rows(_DUE, (json.dumps(list(busy_chats)), stamp(now), limit))
        return [
            Album(
                chat_id=chat_id,
                media_group_id=group,
                parts=tuple(album_part_of(row) for row in parts if row["update_id"] is not None),
            )
            for (chat_id, group), parts in groupby(rows, key=_album_of)
        ]

    async def next_album_due(self) -> datetime | None:
        """Say when the next open album is due."""
        row = await self._row("SELECT due_at FROM albums WHERE closed = 0 ORDER BY due_at LIMIT 1")
        return None if row is None else moment(row["due_at"])

    def _place(self, album: Album) -> tuple[int, str]:
        """Say where the album is now that somebody has in hand: only within `_write`."""
        found = self._place_of(album.parts[0]) if album.parts else None
        return found or (album.chat_id, album.media_group_id)

    async def album_later(self, album: Album, *, due_at: datetime) -> None:
        """Work an album off later: it could not be answered now. Wakes nobody."""

        def work() -> None:
            self._run(
                "UPDATE albums SET due_at = ? WHERE chat_id = ? AND media_group_id = ?"
                " AND closed = 0",
                (stamp(due_at), *self._place(album)),
            )

        await self._write(None, work)

    async def close_album(self, album: Album) -> None:
        """The album has been worked off: its parts' data go, its key stays to know late ones.

        A part that came since it was read has not been: with that, the album stays open.
        """

        def work() -> None:
            self._run_many(
                "UPDATE album_parts SET data = '' WHERE bot_id = ? AND update_id = ?",
                [_key(part) for part in album.parts],
            )
            self._run(
                "UPDATE albums SET closed = 1, due_at = NULL"
                " WHERE chat_id = ? AND media_group_id = ? AND closed = 0"
                " AND NOT EXISTS (SELECT 1 FROM album_parts WHERE chat_id = albums.chat_id"
                " AND media_group_id = albums.media_group_id AND data <> '')",
                self._place(album),
            )

        await self._write(None, work)

    async def album_origin(self, chat_id: int, media_group_id: str) -> Origin | None:
        """Say which update was the first of an album: the task that this has made is the album's."""
        row = await self._row(
            "SELECT bot_id, update_id, n FROM albums WHERE chat_id = ? AND media_group_id = ?",
            (chat_id, media_group_id),
        )
        if row is None:
            return None
        return Origin(bot_id=row["bot_id"], update_id=row["update_id"], n=row["n"])


def _album_of(row: Row) -> tuple[int, str]:
    return row["of_chat"], row["of_group"]
