"""HiDream's callbacks: a secret path for each submission, and what a call to it is good for.

Whoever knows a path may call it: so a call only says "ask now", and the one thing that is read of it,
a task id, is no more than a hint where a submission got no answer. Only the hash of a path is kept.
Source: docs/hidream-api.md section 3.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from bot.labels import Callback
from storage.clock import Clock
from storage.store import TaskStore
from storage.tasks import AT_HIDREAM

log = structlog.get_logger(__name__)

PATH: Final = "/hidream"
_TOKEN_BYTES: Final = 16
"""128 bits: nobody guesses one."""
KEPT: Final = 10_000
"""So many paths are known at once, the latest: a call to any other costs a look-up in memory."""
_SINCE: Final = timedelta(days=2)
"""Paths of older submissions are not known again after a restart: nobody calls them any more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Where HiDream is to call for one submission."""

    url: str
    hash: str


class Callbacks:
    """The paths that are known, and who is told of a call.

    Args:
        public_url: how HiDream reaches this machine.
        on_call: hears of the task that a call was about.
    """

    def __init__(
        self, *, store: TaskStore, clock: Clock, public_url: str, on_call: Callable[[int], None]
    ) -> None:
        self._store = store
        self._clock = clock
        self._url = public_url.rstrip("/") + PATH
        self._on_call = on_call
        self._known: dict[str, bool] = {}
        """The hashes of the paths, and whether this process was called there before."""

    async def recall(self) -> None:
        """Know the paths again that an earlier run gave out."""
        since = self._clock.now() - _SINCE
        for one in await self._store.callback_hashes(since):
            self._know(one)

    def new(self) -> Address:
        """Make a path that nobody knows yet."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        address = Address(url=f"{self._url}/{token}", hash=_hash(token))
        self._know(address.hash)
        return address

    def knows(self, token: str) -> bool:
        """Say whether a path was given out. Compared by hash, which tells nothing by its time."""
        return _hash(token) in self._known

    async def called(self, token: str, hidream_task_id: str | None) -> Callback:
        """Take a call; returns what it was: UNKNOWN, where it was about no task of ours.

        Raises:
            StoreError: it could not be noted; HiDream may call again.
        """
        one = _hash(token)
        task = await self._store.called_back(one, hidream_task_id)
        if task is None:
            return Callback.UNKNOWN
        log.info("called_back", task=task.id, state=task.state.value)
        self._on_call(task.id)
        repeated, self._known[one] = self._known.get(one, False), True
        if task.state not in AT_HIDREAM:
            return Callback.LATE
        return Callback.REPEATED if repeated else Callback.KNOWN

    def _know(self, one: str) -> None:
        self._known[one] = False
        if len(self._known) > KEPT:
            del self._known[next(iter(self._known))]


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
