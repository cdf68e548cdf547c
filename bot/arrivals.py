"""Keeps updates as they come in, by whichever way: what is wrong with one is no matter of the others."""

from collections.abc import Sequence

import structlog

from bot import metrics, updates
from storage.clock import Clock
from storage.store import StoreError, TaskStore
from storage.tasks import NewUpdate

log = structlog.get_logger(__name__)


class Arrivals:
    """The way of a bot's updates into the inbox. Once `keep` has returned, they are on disk."""

    def __init__(self, *, store: TaskStore, bot_id: int, clock: Clock) -> None:
        self._store = store
        self._bot_id = bot_id
        self._clock = clock

    async def keep(self, batch: Sequence[NewUpdate]) -> int:
        """Keep a batch; returns how many of it were not known yet.

        Raises:
            StoreError: the store keeps nothing now; Telegram still has the batch.
        """
        try:
            return await self._receive(*batch)
        except StoreError:
            raise
        except Exception:
            log.exception("batch_not_kept")
        return sum([await self._keep_one(update) for update in batch])

    async def _keep_one(self, update: NewUpdate) -> int:
        try:
            return await self._receive(update)
        except StoreError:
            raise
        except Exception:
            # handling what is kept in its place sets it aside, where an operator finds it
            log.exception("update_not_kept", update=update.update_id)
            return await self._receive(updates.unread(update.update_id))

    async def _receive(self, *new: NewUpdate) -> int:
        kept = await self._store.receive(self._bot_id, new, self._clock.now())
        metrics.updates_received.inc(kept)
        return kept
