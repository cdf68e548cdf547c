"""Brings finished tasks to their chats: in a chat in order, and no chat waits for another.

What is sent for a task, step by step, is `delivery`'s; here is what its outcome means for the row.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

import structlog

from bot import metrics
from bot.delays import LONGEST, backoff
from bot.delivery import Delivery, End, Standing, nothing_stands
from bot.labels import Delivered, Step
from bot.lanes import Lanes
from bot.messages import Chat, Dropped, Gone, Later, Moved, Sent, Unknown
from storage.clock import Clock
from storage.files import PictureFiles
from storage.store import StoreError, TaskStore
from storage.tasks import Task, TaskState, Topic

log = structlog.get_logger(__name__)

AT_ONCE: Final = 64
"""So many chats are served side by side: a lane costs little, as pictures are read while they are
sent, and each upload that crawls takes one for minutes."""
_LEASE: Final = timedelta(minutes=5)
_FEW: Final = 3
"""Telegram closes a chat that was written to too fast; where it closes more, it is a matter of the bot."""
_AFTER: Final = 600.0
"""Seconds in which a chat that is open again gets what has waited for that."""


class Courier:
    """The loop that delivers."""

    def __init__(
        self,
        *,
        store: TaskStore,
        chat: Chat,
        files: PictureFiles,
        clock: Clock,
        standing: Standing = nothing_stands,
    ) -> None:
        self._store = store
        self._clock = clock
        self._closed: dict[int, float] = {}
        self._delivery = Delivery(
            store=store, chat=chat, files=files, clock=clock, standing=standing
        )

    def closed(self) -> tuple[int, ...]:
        """Give the chats that wait by Telegram's own word, or just have; none where that is no matter of a chat."""
        now = self._clock.monotonic()
        self._closed = {chat: until for chat, until in self._closed.items() if until > now}
        return tuple(self._closed) if len(self._closed) <= _FEW else ()

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until told to stop, then finish the messages in hand.

        Raises:
            StoreError: a row could not be moved; the rows in hand are taken back by the next run.
        """
        # a new owner at each run: what an earlier one left, also in this process, is taken back
        owner = uuid4().hex
        taken = await self._store.recover(
            owner=owner, now=self._clock.now(), sole=True, state=TaskState.DELIVERING
        )
        if taken:
            log.info("deliveries_taken_back", rows=taken)
        chats: Lanes[int] = Lanes(AT_ONCE, ended=lambda: self._store.wake(Topic.READY))
        async with chats:
            while not stop.is_set():
                chats.check()
                mark = self._store.mark(Topic.READY)
                now = self._clock.now()
                busy = tuple(chats.busy)
                task = None
                if chats.free:
                    task = await self._store.claim_delivery(
                        owner=owner, lease_until=now + _LEASE, now=now, busy_chats=busy
                    )
                if task is not None:
                    chats.start(task.place.chat_id, self._work_off(task), task=task.id)
                    continue
                # with every lane taken, the end of one wakes us
                due = await self._store.next_delivery_due(busy_chats=busy) if chats.free else None
                seconds = None if due is None else max(0.05, (due - now).total_seconds())
                await self._store.wait(Topic.READY, since=mark, seconds=seconds)

    async def _work_off(self, task: Task) -> None:
        log.info("delivering", tries=task.tries)
        try:
            await self._deliver(task)
        except StoreError:
            raise
        except Exception:
            if not await self._is_ours(task):
                # its person has been forgotten meanwhile, and its files went under its hands
                log.info("delivery_no_longer_ours")
                return
            # this chat's next try may go better, and no other chat is to wait for it
            log.exception("delivery_broke")
            metrics.deliveries.labels(Delivered.BROKEN).inc()
            await self._later(task, 5.0)

    async def _is_ours(self, task: Task) -> bool:
        current = await self._store.get(task.id)
        return (
            current is not None
            and current.state is TaskState.DELIVERING
            and current.claim_no == task.claim_no
        )

    async def _deliver(self, task: Task) -> None:
        outcome, end = await self._delivery.bring(task)
        now = self._clock.now()
        metrics.deliveries.labels(Delivered.of(outcome, end)).inc()
        match outcome:
            case Sent():
                await self._finish(task, end, now)
            case Gone(reason=reason):
                log.info("chat_gone", why=reason)
                await self._finish(task, TaskState.GONE, now)
                dropped = await self._store.cancel_queued(None, task.place.chat_id, now)
                log.info("queued_tasks_dropped", count=dropped)
            case Moved(chat_id=chat_id):
                log.info("chat_moved")
                await self._later(task, 0.0)
                await self._store.move_chat(task.place.chat_id, chat_id)
            case Later(seconds=seconds):
                if seconds > LONGEST:  # nothing but Telegram asks for so much
                    until = self._clock.monotonic() + seconds + _AFTER
                    self._closed[task.place.chat_id] = until
                await self._later(task, max(seconds, backoff(task.tries)))
            case Unknown():
                await self._later(task, backoff(task.tries))
            case Dropped():
                log.info("delivery_no_longer_ours")

    async def _finish(self, task: Task, to: End, now: datetime) -> None:
        if await self._store.finish(task, to, now) is not None:
            metrics.took(Step.DELIVERING, task.ready_at, now)
            metrics.took(Step.WHOLE, task.created_at, now)
            log.info("finished", state=to.value, seconds=(now - task.created_at).total_seconds())

    async def _later(self, task: Task, seconds: float) -> None:
        log.info("delivery_put_off", seconds=round(seconds, 1))
        due_at = self._clock.now() + timedelta(seconds=seconds)
        await self._store.deliver_later(task, due_at=due_at)
