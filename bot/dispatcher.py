"""Starts queued tasks as the account's limits allow, strictly in the order of the line.

The photos of the next tasks are fetched and made ready before a slot is free. A task is claimed, with
its request id, before the request leaves; whatever happens then, the row tells what is known.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

import structlog

from bot.account import Account, Allowance, Minute, since
from bot.callbacks import Callbacks
from bot.hidream.client import HiDreamClient
from bot.preparer import Preparer
from bot.slots import Slots
from bot.submitter import Submitter
from storage.clock import Clock
from storage.store import StoreError, TaskStore
from storage.tasks import Task, TaskState, Topic

log = structlog.get_logger(__name__)

MOST_AHEAD: Final = 10
"""At most so many photos are held ready: as many as the account has slots, which may all end at once."""
MOST_UNDER_WAY: Final = 64 * 2**20
"""Bytes of photos in requests without an answer, unless it is one request alone: each is held several
times while it is written, and albums of large photos in all slots at once would fill the memory."""
_STORE_PAUSE: Final = 1.0
"""Seconds after which to look again when the store could not be read or written."""
_LEASE: Final = timedelta(minutes=5)
"""Longer than the longest submission can take."""


class Dispatcher:
    """The loop that hands tasks to HiDream.

    Args:
        callbacks: where HiDream is to call back; None: nowhere.
    """

    def __init__(
        self,
        *,
        store: TaskStore,
        preparer: Preparer,
        hidream: HiDreamClient,
        account: Account,
        slots: Slots,
        minute: Minute,
        allowance: Allowance,
        clock: Clock,
        callbacks: Callbacks | None = None,
    ) -> None:
        self._store = store
        self._preparer = preparer
        self._account = account
        self._slots = slots
        self._callbacks = callbacks
        self._minute = minute
        self._allowance = allowance
        self._clock = clock
        self._owner = ""
        self._submitter = Submitter(
            store=store,
            hidream=hidream,
            account=account,
            slots=slots,
            minute=minute,
            allowance=allowance,
            clock=clock,
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop, then let the requests under way finish."""
        now = self._clock.now()
        # a new owner at each run: what an earlier one left, also in this process, is taken back
        self._owner = uuid4().hex
        taken = await self._store.recover(
            owner=self._owner, now=now, sole=True, state=TaskState.SUBMITTING
        )
        if taken:
            log.info("submissions_taken_back", rows=taken)
        self._submitter.reset()
        self._minute.restore(await self._store.charges(since(now)), now)
        try:
            async with asyncio.TaskGroup() as requests:
                while not stop.is_set():
                    mark = self._store.mark(Topic.QUEUE)
                    try:
                        seconds = await self._round(requests)
                    except StoreError:
                        # requests are under way: they are not to be cut off for this
                        log.exception("line_not_read")
                        seconds = _STORE_PAUSE
                    if seconds != 0:
                        await self._store.wait(Topic.QUEUE, since=mark, seconds=seconds)
        finally:
            self._preparer.close()

    async def _round(self, requests: asyncio.TaskGroup) -> float | None:
        """Start the head of the line if it fits; returns how long to wait then (None: for a wake-up)."""
        now = self._clock.now()
        due = await self._store.requeue_due(now)
        line = await self._store.next_queued(min(self._slots.limit, MOST_AHEAD) + 1)
        self._preparer.look_ahead(line)
        reasons = [] if due is None else [(due - now).total_seconds()]
        if line:
            wait = await self._start(line[0], requests)
            if wait == 0:
                return 0
            reasons.append(wait)
        finite = [seconds for seconds in reasons if seconds != float("inf")]
        return max(0.02, min(finite)) if finite else None

    async def _start(self, task: Task, requests: asyncio.TaskGroup) -> float:
        """Claim and submit the head of the line; returns 0, or the seconds after which to look again."""
        if not self._preparer.is_done(task):
            return float("inf")  # its end wakes us
        prepared = self._preparer.result(task)
        if prepared is None:  # its row has been moved out of the line
            self._preparer.let_go(task.id)
            return 0
        if self._account.trouble is not None and self._submitter.under_way:
            return float("inf")  # one request at a time finds out whether the trouble is over
        sending = self._submitter.bytes_under_way
        if sending and sending + prepared.size > MOST_UNDER_WAY:
            return float("inf")  # the end of one of them wakes us
        count = task.settings.count
        wait = max(self._account.pause_left(), self._minute.wait_for(count))
        if wait > 0:
            return wait
        now = self._clock.now()
        if await self._store.slots_held(now) >= self._slots.limit:
            return await self._until_free(now)
        address = self._callbacks.new() if self._callbacks else None
        claimed = await self._store.claim(
            task,
            owner=self._owner,
            lease_until=now + _LEASE,
            request_id=str(uuid4()),
            ratio_used=prepared.ratio,
            parallel=self._slots.limit,
            now=now,
            held_until=self._allowance.held_until(now),
            callback_hash=address.hash if address else None,
        )
        if claimed is None:
            return 0.5  # the task has just left the line
        self._preparer.let_go(task.id)
        self._minute.sent(count)
        self._submitter.begin(prepared)
        requests.create_task(
            self._submitter.submit(claimed, prepared, address), name=f"submit {task.id}"
        )
        return 0

    async def _until_free(self, now: datetime) -> float:
        """Give the seconds until a slot is free by itself; a release wakes us before."""
        ends = await self._store.next_hold_end()
        seconds = (ends - now).total_seconds() if ends else 0.5
        return max(0.5, min(seconds, self._slots.probes_in()))
