"""Blocking work aside from the event loop, one piece at a time, given up where it takes too long.

Python cannot end a thread. So work that takes too long is abandoned: its thread goes on unheeded, and
the next piece gets a new one. All are daemon threads: none keeps the process alive, as those of
`asyncio.to_thread` do. Only so many may be abandoned at once; until one of them ends, no new work is
begun, since each takes memory and a part of the processor.
"""

import asyncio
import contextlib
import contextvars
import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

import structlog

log = structlog.get_logger(__name__)

T = TypeVar("T")

SECONDS: Final = 30.0
"""So long a piece of work may take."""
MOST_ABANDONED: Final = 3


class TookTooLong(Exception):
    """The work was given up; doing it again would take as long."""


class Busy(Exception):
    """Too much abandoned work goes on: nothing was begun, and it may be tried again later."""


class _Thread(threading.Thread):
    """Does what it is given, one after the other, until it is told to end."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()

    def give(self, work: Callable[[], None] | None) -> None:
        """Give it something to do; None: nothing more."""
        self._work.put(work)

    def run(self) -> None:
        """Work."""
        while (work := self._work.get()) is not None:
            work()
            del work  # and with it the image that it was done to


class Worker:
    """Does one piece of blocking work at a time.

    Args:
        name: the name of the threads.
        seconds: how long a piece may take, from when it begins.
        most_abandoned: how many threads may be abandoned and still at work.
    """

    def __init__(
        self, name: str, *, seconds: float = SECONDS, most_abandoned: int = MOST_ABANDONED
    ) -> None:
        self._name = name
        self._seconds = seconds
        self._most_abandoned = most_abandoned
        self._turn = asyncio.Lock()
        self._thread: _Thread | None = None
        self._abandoned: list[threading.Thread] = []
        self._closed = False

    async def do(self, work: Callable[[], T]) -> T:
        """Do it in a thread, after what came before, and give what it returns or raises.

        Whoever is cancelled while waiting for its end leaves it at work: the next piece waits.

        Raises:
            TookTooLong: it did not end in time.
            Busy: too much is abandoned already.
            RuntimeError: the worker is closed.
        """
        if self._closed:
            raise RuntimeError("the worker is closed")
        await self._turn.acquire()
        doing = asyncio.ensure_future(self._do(work))
        doing.add_done_callback(lambda _: self._turn.release())
        try:
            return await asyncio.shield(doing)
        finally:
            # an error knows this frame, and would be kept by it: until the garbage is collected
            del doing

    def close(self) -> None:
        """Take no more work; what is being done ends by itself, or with the process."""
        self._closed = True
        self._end_thread()

    def _end_thread(self) -> None:
        """Let the thread end when it has done what it is at."""
        if self._thread is not None:
            self._thread.give(None)
            self._thread = None

    async def _do(self, work: Callable[[], T]) -> T:
        self._abandoned = [thread for thread in self._abandoned if thread.is_alive()]
        if len(self._abandoned) >= self._most_abandoned:
            raise Busy(f"{len(self._abandoned)} threads are stuck")
        loop = asyncio.get_running_loop()
        end: asyncio.Future[T] = loop.create_future()
        if self._thread is None:
            self._thread = _Thread(self._name)
            self._thread.start()
        thread = self._thread
        # with what is bound here, so that a library's log lines in the thread say whose work it is
        thread.give(partial(contextvars.copy_context().run, _run, work, loop, end))
        try:
            await asyncio.wait({end}, timeout=self._seconds)
        finally:
            in_time = end.done()
            end.cancel()
        if not in_time:
            self._end_thread()
            self._abandoned.append(thread)
            log.error("work_abandoned", worker=self._name, stuck=len(self._abandoned))
            raise TookTooLong(f"more than {self._seconds:g} s")
        try:
            return end.result()
        finally:
            del end  # as above


def _run(work: Callable[[], T], loop: asyncio.AbstractEventLoop, end: asyncio.Future[T]) -> None:
    try:
        # abandoned: nobody wants to know, and by now the loop may be closed
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_tell, end, _outcome(work))
    finally:
        del end  # an error knows this frame too


def _outcome(work: Callable[[], T]) -> Callable[[asyncio.Future[T]], None]:
    """Do it, and give what tells how that went."""
    try:
        return partial(_succeed, work())
    except BaseException as exc:
        return partial(_fail, exc)


def _succeed(result: T, end: asyncio.Future[T]) -> None:
    end.set_result(result)


def _fail(error: BaseException, end: asyncio.Future[T]) -> None:
    end.set_exception(error)


def _tell(end: asyncio.Future[T], how: Callable[[asyncio.Future[T]], None]) -> None:
    if not end.done():
        how(end)
