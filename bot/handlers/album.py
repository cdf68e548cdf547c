"""Albums: several messages that are one. They are gathered, and then read as one message."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from telegram import Update

from bot.handlers.desk import Desk
from bot.handlers.incoming import Incoming
from bot.handlers.photo import PhotoHandlers
from bot.texts import Say
from storage.tasks import IN_LINE, Album, AlbumPart, Origin, Photo

QUIET: Final = timedelta(seconds=1)
"""After so much silence an album is taken for complete: Telegram marks no end."""


class AlbumHandlers:
    """Gathers the parts of albums, and takes them once they are complete."""

    def __init__(self, desk: Desk, photos: PhotoHandlers) -> None:
        self._desk = desk
        self._photos = photos

    async def photo(self, update: Update, context: Any) -> None:
        """Take a photo; one of several is kept until the others are there."""
        del context
        message = await self._desk.read(update)
        if message is None:
            return
        if message.media_group_id is None:
            await self._photos.photo(message)
            return
        if not await self._keep(message, message.media_group_id):
            await self._late(message, await self.begun_by(message))

    async def edited(self, message: Incoming) -> bool:
        """Take a part as it is now, if its album is still gathered; says whether it is."""
        if message.media_group_id is None or await self.begun_by(message) is None:
            return False
        return await self._keep(message, message.media_group_id)

    async def begun_by(self, message: Incoming) -> Origin | None:
        """Say which update was the first of a message's album; None: it is of none that is known."""
        if message.media_group_id is None:
            return None
        return await self._desk.store.album_origin(message.place.chat_id, message.media_group_id)

    async def _keep(self, message: Incoming, media_group_id: str) -> bool:
        now = self._desk.clock.now()
        part = AlbumPart(
            origin=message.origin,
            chat_id=message.place.chat_id,
            media_group_id=media_group_id,
            message_id=message.place.message_id,
            data=message.to_json(),
        )
        return await self._desk.store.album_part(part, now=now, due_at=now + QUIET)

    async def close(self, album: Album) -> None:
        """Take an album that has been quiet for long enough.

        Raises:
            PutOff: it could not be answered now; it is to be closed again later.
        """
        parts = [Incoming.from_json(part.data) for part in album.parts]
        if not parts:
            return
        # a group may have moved meanwhile: the parts say where they were sent
        first = min((part.origin for part in parts), key=lambda origin: origin.update_id)
        begun_by = await self._desk.store.album_origin(album.chat_id, album.media_group_id)
        if begun_by not in {None, first}:
            for part in parts:
                await self._late(part, begun_by)
            return
        # of one that was changed meanwhile, the last counts
        latest = {part.place.message_id: part for part in parts}
        parts = list(latest.values())
        await self._together(_as_one(parts, first), parts)

    async def _together(self, message: Incoming, parts: Sequence[Incoming]) -> None:
        photos = tuple(part.photo for part in parts if isinstance(part.photo, Photo))
        if not await self._photos.is_meant(message, photos[0] if photos else None):
            return
        if not await self._desk.let_in(message):
            return
        wrong = [(n, part.photo) for n, part in enumerate(parts, 1) if isinstance(part.photo, Say)]
        if not photos:
            whys = {repr(why): why for _, why in wrong}
            await self._desk.answer(message, *(whys.values() or (Say("not-a-photo"),)))
            return
        notes = [Say("album-left-out", {"number": n, "why": why}) for n, why in wrong]
        if notes:
            notes.append(Say("album-rest", {"count": len(photos)}))
        await self._photos.photos(message, photos, *notes)

    async def _late(self, message: Incoming, album: Origin | None) -> None:
        """Take a part that came after its album was closed: into its task, while that is in line."""
        task = None if album is None else await self._desk.store.made_by(album)
        ours = task is not None and task.user_id == message.user_id
        if not (ours or await self._photos.is_meant(message, message.photo)):
            return
        if not await self._desk.let_in(message):
            return
        if not isinstance(message.photo, Photo):
            await self._desk.answer(message, message.photo or Say("not-a-photo"))
            return
        if task is not None and ours:
            if message.photo in task.photos:
                return  # it has been added, and this is a repeat
            has_room = len(task.photos) < self._desk.access.album_max
            if task.state in IN_LINE and has_room:
                photos = (*task.photos, message.photo)
                if await self._desk.store.change(task, photos=photos) is not None:
                    return
        await self._photos.photos(message, (message.photo,), Say("album-late"))


def _as_one(parts: Sequence[Incoming], origin: Origin) -> Incoming:
    """Give the message that an album is: its first part's place, everybody's words."""
    first = parts[0]
    return replace(
        first,
        origin=origin,
        text="\n".join(part.text for part in parts if part.text),
        photo=None,
        reply=next((part.reply for part in parts if part.reply is not None), None),
        addressed=any(part.addressed for part in parts),
        edit=any(part.edit for part in parts),
    )
