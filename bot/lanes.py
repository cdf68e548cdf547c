"""Work side by side: one piece at a time for each key (a chat), so many pieces in all.

What a piece of work is about is in each line that is logged in it, by whatever library, and in none of
the next one's. What it raises stays with it: it is logged, and its key rests a little, so that what
fails at once is not tried without end. Only a failing store is everybody's matter: the others
finish what they have in hand, and then the loop hears of it.
"""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar

import structlog

from storage.store import StoreError

log = structlog.get_logger(__name__)

K = TypeVar("K", bound=Hashable)

REST: Final = 1.0
"""Seconds for which a key stays busy after its work has failed."""


class Lanes(Generic[K]):
    """The keys in hand, and the work for them.

    Used as `async with lanes:` around a loop. At its end all work in hand is finished first, or
    cancelled if the loop is; afterwards no key is in hand.
    """

    def __init__(self, places: int, *, ended: Callable[[], None], rest: float = REST) -> None:
        """`ended` is called whenever a key is free again: it wakes the loop."""
        self._places = places
        self._ended = ended
        self._rest = rest
        self._working: dict[asyncio.Task[None], K] = {}
        self._about: dict[asyncio.Task[None], dict[str, int]] = {}
        self._resting: dict[K, asyncio.TimerHandle] = {}
        self._failure: StoreError | None = None

    @property
    def busy(self) -> frozenset[K]:
        """The keys for which nothing can be started now."""
        return frozenset(self._working.values()) | self._resting.keys()

    @property
    def free(self) -> int:
        """How many pieces of work can be started now."""
        return max(0, self._places - len(self._working))

    def start(self, key: K, work: Coroutine[Any, Any, None], **about: int) -> None:
        """Begin work for a key, which is busy until it ends; `about` is in each of its log lines.

        Raises:
            ValueError: the key is busy, or no place is free.
        """
        if key in self.busy or not self.free:
            work.close()
            raise ValueError("no lane is free for this")
        with structlog.contextvars.bound_contextvars(**about):
            # a task begins with what is bound now, and what it binds itself ends with it
            task = asyncio.create_task(work, name=f"work for {key}")
        self._working[task], self._about[task] = key, about
        task.add_done_callback(self._done)

    def check(self) -> None:
        """Tell the loop of a failing store: to be called at each turn of it.

        Raises:
            StoreError: what a piece of work met since the last call.
        """
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    async def __aenter__(self) -> Self:
        self._failure = None
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, asyncio.CancelledError):
            self._cancel()
        try:
            while self._working:
                await asyncio.wait(set(self._working))
        except asyncio.CancelledError:
            self._cancel()
            if self._working:
                await asyncio.wait(set(self._working))
            raise
        finally:
            for timer in self._resting.values():
                timer.cancel()
            self._resting.clear()
        if error is None:
            self.check()

    def _cancel(self) -> None:
        for task in self._working:
            task.cancel()

    def _done(self, task: asyncio.Task[None]) -> None:
        key, about = self._working.pop(task), self._about.pop(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("work_failed", exc_info=error, **about)
            timer = asyncio.get_running_loop().call_later(self._rest, self._rested, key)
            self._resting[key] = timer
            if isinstance(error, StoreError):
                self._failure = error
        self._ended()

    def _rested(self, key: K) -> None:
        self._resting.pop(key, None)
        self._ended()
