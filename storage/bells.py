"""Waking: how the loops hear that there is something for them. Shared by every store."""

import asyncio
from collections.abc import Mapping
from typing import Final

from storage.clock import Clock
from storage.tasks import Rest, Topic

_LINE: Final = (Topic.QUEUE, Topic.PROGRESS)

WAKES: Final[Mapping[str, tuple[Topic, ...]]] = {
    # The inbox: a new head, or another time at which the next one is due.
    "receive": (Topic.INBOX,),
    "inbox_done": (Topic.INBOX,),
    "inbox_defer": (Topic.INBOX,),
    "inbox_set_aside": (Topic.INBOX,),
    "album_part": (Topic.ALBUMS,),
    # The line: who is next, and what place everybody is shown.
    "add": _LINE,
    "add_all": _LINE,
    "requeue_due": _LINE,
    "put_off": _LINE,
    "cancel_queued": _LINE,
    "change": _LINE,
    "cancel": _LINE,
    "forget_person": (*_LINE, Topic.READY),
    # Whoever claims looks again by itself, also when its request is answered.
    "claim": (Topic.PROGRESS,),
    "hand_back": _LINE,
    "submit_again": _LINE,
    # HiDream says that there is something to ask about.
    "called_back": (Topic.RUNNING,),
    "accepted": (Topic.RUNNING, Topic.PROGRESS),
    "unanswered": (Topic.RUNNING, Topic.PROGRESS),
    # Nobody: whoever asks knows when to ask again, and a ring would make it ask at once.
    "ask_again": (),
    "release": (Topic.QUEUE,),
    "note_completions": (Topic.PROGRESS,),
    # A task that leaves the line so, or gives its slot back, is moved by who looks at the line itself.
    "ready": (Topic.READY, Topic.PROGRESS),
    # Nobody: whoever delivers looks again when it is done with a chat.
    "deliver_later": (),
    "finish": (),
    "reopen": (Topic.READY,),
    # What was due for a chat is due for another one.
    "move_chat": (Topic.INBOX, Topic.ALBUMS, Topic.READY, Topic.PROGRESS),
    # Every due time may be another one.
    "rebase": tuple(Topic),
    "recover": (Topic.QUEUE, Topic.RUNNING, Topic.READY, Topic.PROGRESS),
}
"""Which topics each method of a store wakes when it has changed something."""


class Bells:
    """Counts wake-ups by topic, and wakes who waits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rung = dict.fromkeys(Topic, 0)
        self._waiting: dict[Topic, set[asyncio.Future[None]]] = {topic: set() for topic in Topic}
        self._rests: dict[Topic, Rest] = {}

    def mark(self, topic: Topic) -> int:
        """Say how often `topic` has been woken."""
        return self._rung[topic]

    def wake(self, topic: Topic | None = None) -> None:
        """Wake whoever waits for `topic`, or (None) everybody."""
        for one in Topic if topic is None else (topic,):
            self._rung[one] += 1
            for waiter in self._waiting[one]:
                if not waiter.done():
                    waiter.set_result(None)

    def changed(self, method: str) -> None:
        """Wake everybody who has to hear that this method has changed something."""
        for topic in WAKES[method]:
            self.wake(topic)

    async def wait(self, topic: Topic, *, since: int, seconds: float | None = None) -> None:
        """Wait until `topic` is woken after the mark `since`, or so many seconds have passed.

        It always lets others run, so that a loop that is woken without end starves nobody.
        """
        began = self._clock.monotonic()
        until = None if seconds is None else began + max(0.0, seconds)
        self._rests[topic] = Rest(waiting=True, since=began, until=until)
        try:
            await self._wait(topic, since, seconds)
        finally:
            self._rests[topic] = Rest(waiting=False, since=self._clock.monotonic())

    def rest(self, topic: Topic) -> Rest | None:
        """Say how it is with whoever waits for `topic`, which is one loop; None: it has not waited yet.

        All loops come by here at each of their turns: so it is seen which of them stands still.
        """
        return self._rests.get(topic)

    async def _wait(self, topic: Topic, since: int, seconds: float | None) -> None:
        if self._rung[topic] != since or (seconds is not None and seconds <= 0):
            await asyncio.sleep(0)
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiting[topic].add(waiter)
        try:
            await self._first(waiter, seconds)
        finally:
            self._waiting[topic].discard(waiter)

    async def _first(self, waiter: asyncio.Future[None], seconds: float | None) -> None:
        if seconds is None:
            await waiter
            return
        timer = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait((waiter, timer), return_when=asyncio.FIRST_COMPLETED)
            if timer.done():
                timer.result()
        finally:
            timer.cancel()
            await asyncio.wait((timer,))
