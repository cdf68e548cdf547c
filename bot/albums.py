"""Closes albums: an album has no end mark, so it is taken once it has been quiet for a while."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

import structlog

from bot.errors import PutOff
from bot.lanes import Lanes
from bot.messages import Chat, Target
from bot.texts import Say
from storage.clock import Clock
from storage.store import StoreError, TaskStore
from storage.tasks import Album, Topic

log = structlog.get_logger(__name__)

AT_ONCE: Final = 50
"""So many chats are served side by side: most only wait for their answer's turn."""
_LOOKED_AT: Final = 200
_OVERDUE_LOOK: Final = 1.0
"""Seconds after which to look again where what is due finds no place."""
_BEGIN: Final = timedelta(seconds=1)
"""After a start no album is taken before that: its other parts may wait at Telegram, or unread."""
_RETRY: Final = timedelta(seconds=2)
_TRIES: Final = 3
"""So often an album is tried that fails; then it is let go, loudly."""


class Albums:
    """The loop that takes albums once they are complete.

    Args:
        take: what is done with one. Where it raises PutOff, it is done again later.
    """

    def __init__(
        self,
        *,
        store: TaskStore,
        take: Callable[[Album], Awaitable[None]],
        chat: Chat,
        clock: Clock,
    ) -> None:
        self._store = store
        self._chat = chat
        self._take = take
        self._clock = clock
        self._lanes: Lanes[int] = Lanes(AT_ONCE, ended=lambda: store.wake(Topic.ALBUMS))
        self._failed: dict[tuple[int, str], int] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop, then finish what is in hand."""
        begin = self._clock.now() + _BEGIN
        async with self._lanes:
            while not stop.is_set():
                self._lanes.check()
                mark = self._store.mark(Topic.ALBUMS)
                now = self._clock.now()
                busy = self._lanes.busy
                ready = now >= begin
                for album in (
                    await self._store.albums_due(now, _LOOKED_AT, busy_chats=busy) if ready else ()
                ):
                    # one a chat at a time, so that they are answered in their order
                    if self._lanes.free and album.chat_id not in self._lanes.busy:
                        self._lanes.start(album.chat_id, self._close(album))
                due = await self._store.next_album_due()
                seconds = None if due is None else (max(due, begin) - now).total_seconds()
                if seconds is not None and seconds <= 0:
                    seconds = _OVERDUE_LOOK
                await self._store.wait(Topic.ALBUMS, since=mark, seconds=seconds)

    async def _close(self, album: Album) -> None:
        key = (album.chat_id, album.media_group_id)
        try:
            await self._take(album)
        except PutOff as exc:
            if not (exc.failed and self._gives_up(key)):
                await self._later(album, timedelta(seconds=exc.seconds))
                return
        except StoreError:
            raise
        except Exception:
            log.exception("album_failed")
            if not self._gives_up(key):
                await self._later(album, _RETRY)
                return
            await self._set_aside(album)
        self._failed.pop(key, None)
        await self._store.close_album(album)

    async def _set_aside(self, album: Album) -> None:
        """Say that an album is given up; a group is not bothered with it."""
        first = min((part.origin.update_id for part in album.parts), default=0)
        log.error("album_set_aside", update=first)
        if album.chat_id > 0:
            # once, whatever becomes of it: an apology is not worth a loop of its own
            await self._chat.say(
                Target(chat_id=album.chat_id),
                Say("sorry", {"reference": f"U{first}"}),
                language=_language(album),
            )

    def _gives_up(self, key: tuple[int, str]) -> bool:
        """Count a failed try; says whether it was the last."""
        self._failed[key] = self._failed.get(key, 0) + 1
        return self._failed[key] >= _TRIES

    async def _later(self, album: Album, delay: timedelta) -> None:
        await self._store.album_later(album, due_at=self._clock.now() + delay)


def _language(album: Album) -> str | None:
    """Give the language of whoever sent it, as it was read with a part."""
    codes = (json.loads(part.data).get("language") for part in album.parts)
    return next((code for code in codes if isinstance(code, str)), None)
