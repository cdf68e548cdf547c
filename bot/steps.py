"""The steps of a delivery: each message is noted before it is sent, and again when it arrived."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog

from bot.insisting import keep
from bot.messages import Chat, Dropped, Outcome, Sent, Unknown
from storage.clock import Clock
from storage.store import TaskStore
from storage.tasks import SentImage, Task, TaskState

log = structlog.get_logger(__name__)

MOST_REPEATS: Final = 3
"""So often a message is sent again whose arrival is not known."""


class Steps:
    """Takes the steps of deliveries."""

    def __init__(self, *, store: TaskStore, chat: Chat, clock: Clock) -> None:
        self._store = store
        self._chat = chat
        self._clock = clock

    async def take(
        self,
        task: Task,
        name: str,
        send: Callable[[], Awaitable[Outcome]],
        *,
        kept_as: Callable[[Sequence[str]], list[SentImage]] = lambda _: [],
    ) -> tuple[Outcome, tuple[int, ...]]:
        """Send one message of a delivery, unless an earlier try has; returns also its id, or ids.

        Raises:
            StoreError: it could not be noted that it is about to be sent.
        """
        step = await self._store.step_started(task, name, self._clock.now())
        if step is None:
            # withdrawn, or forgotten with its person; or another run has taken it over
            return Dropped(), ()
        if step.state == "sent":
            return Sent(), step.message_ids
        if step.repeats:
            log.warning("maybe_shown_twice", step=name, repeats=step.repeats)
        outcome = await send()
        if isinstance(outcome, Unknown) and step.repeats >= MOST_REPEATS:
            # a way on which answers are always lost: it has most likely arrived each time
            log.error("arrival_never_known", step=name)
            outcome = Sent()
        match outcome:
            case Sent(message_ids=ids, file_ids=file_ids):
                now, images = self._clock.now(), kept_as(file_ids)
                kept = await keep(lambda: self._store.step_sent(task, name, ids, images, now))
                if not kept:
                    await self._take_back(task, ids)
                return outcome, ids
            case Unknown():
                pass
            case _:
                await self._store.step_not_sent(task, name)
        return outcome, ()

    async def _take_back(self, task: Task, message_ids: Sequence[int]) -> None:
        """Delete what arrived when its task had just been forgotten."""
        current = await self._store.get(task.id)
        if current is not None and current.state is TaskState.CANCELLED:
            for message_id in message_ids:
                await self._chat.delete(task.place.chat_id, message_id)
