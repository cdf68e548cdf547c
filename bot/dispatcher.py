"""Starts queued tasks as the account's limits allow, strictly in the order of the line.

The photos of the next tasks are fetched and made ready before a slot is free. A task is claimed, with
its request id, before the request leaves; whatever happens then, the row tells what is known.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import uuid4

import structlog

from bot.account import Account, Minute, Trouble, since
from bot.delays import backoff
from bot.hidream.client import HiDreamClient
from bot.hidream.errors import (
    ContentRefused,
    GatewayIll,
    HiDreamError,
    NotSent,
    Refused,
    TokenRefused,
    TooFast,
    Uncertain,
)
from bot.hidream.wire import Submission
from bot.preparer import GIVE_UP, Prepared, Preparer
from bot.subtasks import expected
from storage.clock import Clock
from storage.store import TaskStore
from storage.tasks import Failure, Task, TaskState, Topic

log = structlog.get_logger(__name__)

LOOK_AHEAD: Final = 2
"""So many photos beyond the head of the line are held ready."""
REFUSAL_TRIES: Final = 3
"""An unexplained refusal costs nothing, so it is tried so often before it is final."""
_LEASE: Final = timedelta(minutes=5)
"""Longer than the longest submission can take."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What the account allows."""

    parallel: int
    deadline: timedelta
    """How long HiDream may take for a task, from its acceptance."""


class Dispatcher:
    """The loop that hands tasks to HiDream."""

    def __init__(
        self,
        *,
        store: TaskStore,
        preparer: Preparer,
        hidream: HiDreamClient,
        account: Account,
        minute: Minute,
        limits: Limits,
        owner: str,
        clock: Clock,
    ) -> None:
        self._store = store
        self._preparer = preparer
        self._hidream = hidream
        self._account = account
        self._minute = minute
        self._limits = limits
        self._owner = owner
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop, then let the requests under way finish."""
        now = self._clock.now()
        self._minute.restore(await self._store.charges(since(now)), now)
        try:
            async with asyncio.TaskGroup() as requests:
                while not stop.is_set():
                    mark = self._store.mark(Topic.QUEUE)
                    seconds = await self._round(requests)
                    if seconds != 0:
                        await self._store.wait(Topic.QUEUE, since=mark, seconds=seconds)
        finally:
            self._preparer.close()

    async def _round(self, requests: asyncio.TaskGroup) -> float | None:
        """Start the head of the line if it fits; returns how long to wait then (None: for a wake-up)."""
        now = self._clock.now()
        due = await self._store.requeue_due(now)
        line = await self._store.next_queued(1 + LOOK_AHEAD)
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
        count = task.settings.count
        wait = max(self._account.pause_left(), self._minute.wait_for(count))
        if wait > 0:
            return wait
        now = self._clock.now()
        claimed = await self._store.claim(
            task,
            owner=self._owner,
            lease_until=now + _LEASE,
            request_id=str(uuid4()),
            ratio_used=prepared.ratio,
            parallel=self._limits.parallel,
            now=now,
            held_until=now + 2 * self._limits.deadline,
        )
        if claimed is None:
            # all slots are held (a release wakes us), or the task has just left the line
            ends = await self._store.next_hold_end()
            return max(0.5, (ends - now).total_seconds()) if ends else 0.5
        self._preparer.let_go(task.id)
        self._minute.sent(count)
        requests.create_task(self._submit(claimed, prepared), name=f"submit {task.id}")
        return 0

    # --- handing in

    async def _submit(self, task: Task, prepared: Prepared) -> None:
        with structlog.contextvars.bound_contextvars(task=task.id):
            try:
                await self._hand_in(task, prepared)
            except HiDreamError as exc:
                await self._not_accepted(task, exc)
            except Exception:
                # whatever it was, the request may have left
                log.exception("submission_broke")
                await self._unanswered(task)
            finally:
                self._minute.answered(task.settings.count)
                self._store.wake(Topic.QUEUE)

    async def _hand_in(self, task: Task, prepared: Prepared) -> None:
        if task.request_id is None:
            raise ValueError("a claimed task has a request id")
        accepted = await self._hidream.submit(
            Submission(
                images=prepared.images,
                prompt=task.settings.prompt,
                negative_prompt=task.settings.negative,
                aspect_ratio=prepared.ratio,
                count=task.settings.count,
                request_id=task.request_id,
            ),
            user_id=str(task.user_id),
        )
        if self._account.well():
            log.info("submitting_again")
        now = self._clock.now()
        running = await self._store.accepted(
            task,
            hidream_task_id=accepted.task_id,
            sub_task_ids=expected(accepted.task_id, accepted.sub_task_ids, task.settings.count),
            now=now,
            deadline_at=now + self._limits.deadline,
            held_until=now + 2 * self._limits.deadline,
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
                self._pause(Trouble.TOKEN)
                await self._back_in_line(task, error)
            case TooFast():
                self._pause(Trouble.BUSY, at_least=error.retry_after)
                await self._back_in_line(task, error)
            case NotSent() | GatewayIll():
                retry_after = error.retry_after if isinstance(error, GatewayIll) else None
                self._pause(Trouble.UNREACHABLE, at_least=retry_after)
                if self._clock.now() - task.created_at > GIVE_UP:
                    await self._fail(task, Failure(id="hidream-unreachable"), error)
                else:
                    await self._later(task, error)
            case ContentRefused():
                self._account.well()
                await self._fail(task, Failure(id="content-refused"), error)
            case Refused() if task.tries + 1 < REFUSAL_TRIES:
                await self._later(task, error)
            case _:
                await self._fail(task, Failure(id="hidream-refused"), error)

    def _pause(self, trouble: Trouble, *, at_least: float | None = None) -> None:
        if self._account.in_trouble(trouble, at_least=at_least):
            level = log.error if trouble is Trouble.TOKEN else log.warning
            level("submitting_paused", trouble=trouble.value)
        self._store.wake(Topic.PROGRESS)

    async def _back_in_line(self, task: Task, error: HiDreamError) -> None:
        await self._store.hand_back(
            task,
            to=TaskState.QUEUED,
            now=self._clock.now(),
            count_try=False,
            vendor_code=error.code,
            vendor_message=error.vendor_message,
        )

    async def _later(self, task: Task, error: HiDreamError) -> None:
        now = self._clock.now()
        await self._store.hand_back(
            task,
            to=TaskState.WAITING,
            now=now,
            due_at=now + timedelta(seconds=backoff(task.tries)),
            vendor_code=error.code,
            vendor_message=error.vendor_message,
        )

    async def _unanswered(self, task: Task) -> None:
        now = self._clock.now()
        log.warning("submission_unanswered", before=task.uncertain)
        await self._store.unanswered(task, now=now, due_at=now)

    async def _fail(self, task: Task, failure: Failure, error: HiDreamError) -> None:
        await self._store.ready(
            task,
            now=self._clock.now(),
            failure=failure,
            vendor_code=error.code,
            vendor_message=error.vendor_message,
        )
