"""Starts queued tasks as the account's limits allow, strictly in the order of the line.

The photos of the next tasks are fetched and made ready before a slot is free. A task is claimed, with
its request id, before the request leaves; whatever happens then, the row tells what is known.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import uuid4

import structlog

from bot.account import Account, Allowance, Minute, Trouble, since
from bot.callbacks import Address, Callbacks
from bot.delays import backoff
from bot.hidream.client import HiDreamClient
from bot.hidream.errors import (
    ContentRefused,
    GatewayIll,
    HiDreamError,
    NotSent,
    TokenRefused,
    TooFast,
    TooManyParallel,
    Uncertain,
)
from bot.hidream.wire import Accepted, Submission
from bot.keeping import keep
from bot.preparer import GIVE_UP, Prepared, Preparer
from bot.slots import Slots
from bot.subtasks import expected
from storage.clock import Clock
from storage.store import StoreError, TaskStore
from storage.tasks import Failure, Task, TaskState, Topic

log = structlog.get_logger(__name__)

MOST_AHEAD: Final = 10
"""At most so many photos are held ready: as many as the account has slots, which may all end at once."""
REFUSAL_TRIES: Final = 3
"""An unexplained refusal costs nothing, so it is tried so often before it is final."""
_STORE_PAUSE: Final = 1.0
"""Seconds after which to look again when the store could not be read or written."""
_LEASE: Final = timedelta(minutes=5)
"""Longer than the longest submission can take."""


@dataclass(slots=True)
class _Suspicion:
    """A task whose submission was refused for the token's sake: is it the token, or the task?"""

    others: int
    """How many submissions had gone well when it was first refused."""
    refusals: int = 0


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
        self._hidream = hidream
        self._account = account
        self._slots = slots
        self._callbacks = callbacks
        self._minute = minute
        self._allowance = allowance
        self._clock = clock
        self._owner = ""
        self._under_way = 0
        self._suspicions: dict[int, _Suspicion] = {}

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
        # a request of an earlier run that was cut off before its first step never counted itself out
        self._under_way = 0
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
        if self._account.trouble is not None and self._under_way:
            return float("inf")  # one request at a time finds out whether the trouble is over
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
        self._under_way += 1
        requests.create_task(self._submit(claimed, prepared, address), name=f"submit {task.id}")
        return 0

    async def _until_free(self, now: datetime) -> float:
        """Give the seconds until a slot is free by itself; a release wakes us before."""
        ends = await self._store.next_hold_end()
        seconds = (ends - now).total_seconds() if ends else 0.5
        return max(0.5, min(seconds, self._slots.probes_in()))

    # --- handing in

    async def _submit(self, task: Task, prepared: Prepared, address: Address | None) -> None:
        with structlog.contextvars.bound_contextvars(task=task.id):
            try:
                accepted = await self._hidream.submit(
                    _submission(task, prepared, address), user_id=str(task.user_id)
                )
            except HiDreamError as exc:
                await self._not_accepted(task, exc)
            except Exception:
                # whatever it was, the request may have left
                log.exception("submission_broke")
                await self._unanswered(task)
            else:
                await self._accepted(task, accepted)
            finally:
                self._minute.answered(task.settings.count)
                self._under_way -= 1
                self._store.wake(Topic.QUEUE)

    async def _accepted(self, task: Task, accepted: Accepted) -> None:
        self._account.submitted()
        self._suspicions.pop(task.id, None)
        self._slots.accepted(await self._sure_slots() + 1)
        now = self._clock.now()
        running = await keep(
            lambda: self._store.accepted(
                task,
                hidream_task_id=accepted.task_id,
                sub_task_ids=expected(accepted.task_id, accepted.sub_task_ids, task.settings.count),
                now=now,
                deadline_at=self._allowance.deadline_at(now),
                held_until=self._allowance.held_until(now),
            )
        )
        if running is None:
            log.error("accepted_task_id_not_new", hidream_task=accepted.task_id)
            await self._unanswered(task)
        else:
            log.info("accepted", hidream_task=accepted.task_id)

    async def _not_accepted(self, task: Task, error: HiDreamError) -> None:
        """Move the row by what the error says for sure."""
        log.info(
            "not_accepted", error=type(error).__name__, code=error.code, http=error.http_status
        )
        match error:
            case Uncertain():
                await self._unanswered(task)
            case TokenRefused():
                self._account.in_trouble(Trouble.TOKEN)
                await self._suspect(task, error)
            case TooFast():
                says_so = isinstance(error, TooManyParallel)
                if not self._slots.refused(await self._sure_slots(), says_so=says_so):
                    self._account.in_trouble(Trouble.BUSY, at_least=error.retry_after)
                await self._hand_back(task, error, count=None)
            case NotSent() | GatewayIll():
                self._account.in_trouble(Trouble.UNREACHABLE, at_least=error.retry_after)
                since = task.trouble_since
                if since is not None and self._clock.now() - since > GIVE_UP:
                    await self._fail(task, "hidream-unreachable", error)
                else:
                    await self._hand_back(task, error, count="try", delay=backoff(task.tries))
            case ContentRefused():
                self._account.well()
                await self._fail(task, "content-refused", error)
            case _:
                self._account.well()
                if task.refusals + 1 < REFUSAL_TRIES:
                    delay = backoff(task.refusals)
                    await self._hand_back(task, error, count="refusal", delay=delay)
                else:
                    await self._fail(task, "hidream-refused", error)

    async def _sure_slots(self) -> int:
        """Count the slots that are held for sure: of those still asked for, any may be refused."""
        held = await self._store.slots_held(self._clock.now())
        return held - self._under_way

    async def _suspect(self, task: Task, error: HiDreamError) -> None:
        """Put a task back whose token was refused, so that it is found out whether that is its own doing.

        A gateway may answer 403 to one person's words. So the second time the next in line is tried
        before it; and if that one is accepted while this one is refused again, it is the task.
        """
        suspicion = self._suspicions.setdefault(task.id, _Suspicion(others=self._account.successes))
        suspicion.refusals += 1
        if suspicion.refusals == 1:
            await self._hand_back(task, error, count=None)
        elif suspicion.refusals < REFUSAL_TRIES or self._account.successes == suspicion.others:
            await self._hand_back(task, error, count=None, delay=self._account.pause() + 1)
        else:
            del self._suspicions[task.id]
            await self._fail(task, "hidream-refused", error)

    async def _hand_back(
        self,
        task: Task,
        error: HiDreamError,
        *,
        count: Literal["try", "refusal"] | None,
        delay: float | None = None,
    ) -> None:
        """Put a task back: to its place in line at once, or after a delay in seconds."""
        now = self._clock.now()
        await keep(
            lambda: self._store.hand_back(
                task,
                to=TaskState.QUEUED if delay is None else TaskState.WAITING,
                now=now,
                due_at=None if delay is None else now + timedelta(seconds=delay),
                count=count,
                vendor_code=error.code,
                vendor_message=error.vendor_message,
            )
        )

    async def _unanswered(self, task: Task) -> None:
        now = self._clock.now()
        log.warning("submission_unanswered", before=task.uncertain)
        await keep(lambda: self._store.unanswered(task, now=now, due_at=now))

    async def _fail(self, task: Task, reason: str, error: HiDreamError) -> None:
        now = self._clock.now()
        await keep(
            lambda: self._store.ready(
                task,
                now=now,
                failure=Failure(id=reason),
                vendor_code=error.code,
                vendor_message=error.vendor_message,
            )
        )


def _submission(task: Task, prepared: Prepared, address: Address | None) -> Submission:
    if task.request_id is None:
        raise ValueError("a claimed task has a request id")
    return Submission(
        images=prepared.images,
        prompt=task.settings.prompt,
        negative_prompt=task.settings.negative,
        aspect_ratio=prepared.ratio,
        count=task.settings.count,
        request_id=task.request_id,
        notify_url=address.url if address else None,
    )
