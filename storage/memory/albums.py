"""Albums as they come in, part by part."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from storage.memory import tables
from storage.memory.tables import Memory
from storage.tasks import Album, AlbumPart, Origin


def _key(part: AlbumPart) -> tuple[int, int]:
    return part.origin.bot_id, part.origin.update_id


class Albums(Memory):
    """The store's methods for albums, which have no end mark."""

    async def album_part(self, part: AlbumPart, *, now: datetime, due_at: datetime) -> bool:
        """Keep a part of an album, which is then due at `due_at`; a repeat changes nothing but that."""
        album = self._album_with(part)
        if album is None:
            new = tables.Album(origin=part.origin, created_at=now, closed=False)
            album = self._tables.albums.setdefault((part.chat_id, part.media_group_id), new)
            if album.closed:
                return False
            album.parts[_key(part)] = part
        if not album.closed:
            album.due_at = due_at
            self._bells.changed("album_part")
        return True

    def _album_with(self, part: AlbumPart) -> tables.Album | None:
        """Give the album that has this part, wherever its chat has gone."""
        albums = self._tables.albums.values()
        return next((one for one in albums if _key(part) in one.parts), None)

    async def albums_due(
        self, now: datetime, limit: int, *, busy_chats: Collection[int] = ()
    ) -> list[Album]:
        """Give the albums that have been quiet for long enough, longest first, but for those of busy chats."""
        # more of its parts may be among what had come by then and has not been read yet
        unread = [one.row for one in self._tables.inbox.values() if one.state == "new"]
        due = sorted(
            (album.due_at, key)
            for key, album in self._tables.albums.items()
            if key[0] not in busy_chats and album.due_at is not None and album.due_at <= now
            if not any(row.chat_id == key[0] and row.received_at <= album.due_at for row in unread)
        )
        return [
            Album(
                chat_id=chat_id,
                media_group_id=group,
                parts=self._tables.albums[chat_id, group].open_parts(),
            )
            for _, (chat_id, group) in due[:limit]
        ]

    async def next_album_due(self) -> datetime | None:
        """Say when the next open album is due."""
        albums = self._tables.albums.values()
        return min((one.due_at for one in albums if one.due_at is not None), default=None)

    def _row_of(self, album: Album) -> tables.Album | None:
        """Give the row of an album that somebody has in hand, if it is open."""
        found = self._album_with(album.parts[0]) if album.parts else None
        row = found or self._tables.albums.get((album.chat_id, album.media_group_id))
        return None if row is None or row.closed else row

    async def album_later(self, album: Album, *, due_at: datetime) -> None:
        """Work an album off later: it could not be answered now. Wakes nobody."""
        if (row := self._row_of(album)) is not None:
            row.due_at = due_at

    async def close_album(self, album: Album) -> None:
        """The album has been worked off: its parts' data go, its key stays to know late ones.

        A part that came since it was read has not been: with that, the album stays open.
        """
        if (row := self._row_of(album)) is None:
            return
        worked_off = {_key(part) for part in album.parts}
        row.parts = {
            key: replace(part, data="") if key in worked_off else part
            for key, part in row.parts.items()
        }
        if not row.open_parts():
            row.closed, row.due_at = True, None

    async def album_origin(self, chat_id: int, media_group_id: str) -> Origin | None:
        """Say which update was the first of an album: the task that this has made is the album's."""
        album = self._tables.albums.get((chat_id, media_group_id))
        return None if album is None else album.origin
