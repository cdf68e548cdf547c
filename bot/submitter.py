"""Hands one claimed task to HiDream, and moves its row by what the answer says for sure.

Whatever is not sure leaves the row UNCERTAIN: it is found out before anything is sent again.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

import structlog

from bot import metrics
from bot.account import Account, Allowance, Minute, Trouble
from bot.callbacks import Address
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
from bot.insisting import keep
from bot.labels import Step, Submitted
from bot.preparer import GIVE_UP, Prepared
from bot.slots import Slots
from bot.subtasks import expected
from storage.clock import Clock
from storage.store import TaskStore
from storage.tasks import Failure, Task, TaskState, Topic

log = structlog.get_logger(__name__)

FAST_TRIES: Final = 3
"""So often a task that came too fast keeps its place at the head of the line."""
_LONGEST_ALONE: Final = 600.0
"""Seconds for which a task that alone is refused as too fast lets others pass, at most."""
REFUSAL_TRIES: Final = 3
"""An unexplained refusal costs nothing, so it is tried so often before it is final."""


@dataclass(slots=True)
class _Suspicion:
    """A task whose submission was refused for the account's sake: is it the account, or the task?"""

    others: int
    """How many submissions had gone well when it was first refused."""
    refusals: int = 0


class Submitter:
    """What is known of the requests under way, and what becomes of each.

    Attributes:
        under_way: how many requests have no answer yet.
        bytes_under_way: how much their photos are.
    """

    def __init__(
        self,
        *,
        store: TaskStore,
        hidream: HiDreamClient,
        account: Account,
        slots: Slots,
        minute: Minute,
        allowance: Allowance,
        clock: Clock,
    ) -> None:
        self._store = store
        self._hidream = hidream
        self._account = account
        self._slots = slots
        self._minute = minute
        self._allowance = allowance
        self._clock = clock
        self._suspicions: dict[int, _Suspicion] = {}
        self._too_fast_ones: dict[int, _Suspicion] = {}
        self.under_way = self.bytes_under_way = 0

    def begin(self, prepared: Prepared) -> None:
        """Count a request in: it is about to be submitted."""
        self.under_way += 1
        self.bytes_under_way += prepared.size

    def reset(self) -> None:
        """Begin anew: a request that was cut off before its first step never counted itself out."""
        self.under_way = self.bytes_under_way = 0

    async def submit(self, task: Task, prepared: Prepared, address: Address | None) -> None:
        """Send a claimed task that was counted in, and move its row by what is known then."""
        with structlog.contextvars.bound_contextvars(task=task.id):
            log.info("submitting", images=task.settings.count, tries=task.tries)
            try:
                accepted = await self._hidream.submit(
                    _submission(task, prepared, address), user_id=str(task.user_id)
                )
            except HiDreamError as exc:
                await self._not_accepted(task, exc)
            except Exception:
                # whatever it was, the request may have left
                log.exception("submission_broke")
                metrics.submissions.labels(Submitted.BROKEN).inc()
                await self._unanswered(task)
            else:
                await self._accepted(task, accepted)
            finally:
                self._minute.answered(task.settings.count)
                self.under_way -= 1
                self.bytes_under_way -= prepared.size
                self._store.wake(Topic.QUEUE)

    async def _accepted(self, task: Task, accepted: Accepted) -> None:
        metrics.submissions.labels(Submitted.ACCEPTED).inc()
        self._account.submitted()
        self._forget(task)
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
        metrics.took(Step.LINE, task.created_at, task.submitted_at)
        metrics.took(Step.HANDING_IN, task.submitted_at, now)
        if running is None:
            log.error("accepted_task_id_not_new", hidream_task=accepted.task_id)
            await self._unanswered(task)
        else:
            withdrawn = running.state is TaskState.CANCELLED
            log.info("accepted", hidream_task=accepted.task_id, withdrawn=withdrawn)

    async def _not_accepted(self, task: Task, error: HiDreamError) -> None:
        """Move the row by what the error says for sure."""
        log.info(
            "not_accepted", error=type(error).__name__, code=error.code, http=error.http_status
        )
        metrics.submissions.labels(Submitted.of(error)).inc()
        match error:
            case Uncertain():
                await self._unanswered(task)
            case TokenRefused():
                self._account.in_trouble(Trouble.TOKEN)
                await self._suspect(task, error)
            case TooFast():
                await self._too_fast(task, error)
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

    async def _too_fast(self, task: Task, error: TooFast) -> None:
        """Put a task back that came too fast: to the head of the line, unless it alone is refused so.

        HiDream may have limits of its own for a person, or words that are taken for load. A task that
        is refused again while others are accepted lets them pass, longer each time, and has an end.
        """
        known = self._too_fast_ones.setdefault(task.id, _Suspicion(others=self._account.successes))
        known.refusals += 1
        others_go = self._account.successes > known.others
        if known.refusals > FAST_TRIES and others_go:
            since = task.trouble_since
            if since is not None and self._clock.now() - since > GIVE_UP:
                del self._too_fast_ones[task.id]
                await self._fail(task, "hidream-refused", error)
            else:
                delay = backoff(known.refusals - FAST_TRIES, first=5, longest=_LONGEST_ALONE)
                await self._hand_back(task, error, count="try", delay=delay)
            return
        says_so = isinstance(error, TooManyParallel)
        if not self._slots.refused(await self._sure_slots(), says_so=says_so):
            self._account.in_trouble(Trouble.BUSY, at_least=error.retry_after)
        # from then on the next in line is tried before it: is it the task, or the account?
        later = self._account.pause() + 1 if known.refusals > FAST_TRIES else None
        await self._hand_back(task, error, count=None, delay=later)

    async def _sure_slots(self) -> int:
        """Count the slots that are held for sure: of those still asked for, any may be refused."""
        held = await keep(lambda: self._store.slots_held(self._clock.now()))
        return held - self.under_way

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
        back = await keep(
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
        if back is not None and back.state is TaskState.CANCELLED:
            log.info("withdrawn")
            self._forget(task)

    def _forget(self, task: Task) -> None:
        """Whatever this task was suspected of, it will not come again."""
        self._suspicions.pop(task.id, None)
        self._too_fast_ones.pop(task.id, None)

    async def _unanswered(self, task: Task) -> None:
        now = self._clock.now()
        log.warning("submission_unanswered", before=task.uncertain)
        await keep(lambda: self._store.unanswered(task, now=now, due_at=now))

    async def _fail(self, task: Task, reason: str, error: HiDreamError) -> None:
        log.info("given_up", why=reason)
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
