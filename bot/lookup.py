"""Finds out whether HiDream has a task whose submission got no answer, before it is sent again.

HiDream is asked by our own request id and, where a callback named a task, by that id. If it knows
the task, it is adopted. If not, and callbacks are on, one is waited for as long as such tasks take;
then it is submitted again, once; a second lost answer ends in an honest reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog

from bot.account import Allowance
from bot.hidream.client import HiDreamClient
from bot.hidream.errors import ContentRefused, HiDreamError, Refused, TokenRefused, TooFast
from bot.hidream.wire import TaskResult
from bot.pace import Durations
from bot.subtasks import expected
from storage.clock import Clock
from storage.store import TaskStore
from storage.tasks import Failure, Task

log = structlog.get_logger(__name__)

MAX_UNCERTAIN: Final = 2
"""So many submissions of one task may stay without an answer; then it is given up, honestly."""
LOOKUPS: Final = 5
"""So often the question for a request id may be answered by an error; then it is "not known"."""
SILENCES: Final = 20
"""So often it may not be answered at all while HiDream answers others; then, too."""
CALLBACK_WAIT: Final = 60.0
"""Seconds to wait for a callback where it is not known yet how long tasks take."""
_PAUSE: Final = 3.0
_FORBIDDEN: Final = 403


@dataclass(slots=True)
class _Question:
    """How the questions about one submission went so far."""

    errors: int = 0
    silences: int = 0
    answers_seen: int = 0
    """How many answers of HiDream's there were when it was last asked."""
    denied: set[str] = field(default_factory=set)
    """What callbacks named that HiDream did not confirm: it is not asked about again."""


class Lookup:
    """What becomes of uncertain submissions.

    Args:
        durations: how long tasks take here, to know how long a callback may take.
        callbacks: whether HiDream was asked to call back.
    """

    def __init__(
        self,
        *,
        store: TaskStore,
        hidream: HiDreamClient,
        allowance: Allowance,
        durations: Durations,
        callbacks: bool,
        clock: Clock,
    ) -> None:
        self._store = store
        self._hidream = hidream
        self._allowance = allowance
        self._durations = durations
        self._callbacks = callbacks
        self._clock = clock
        self._questions: dict[int, _Question] = {}

    async def find_out(self, task: Task) -> None:
        """Ask about one, and move its row by what is known then."""
        hints = await self._store.hints(task.id)
        try:
            found = await self._adopted_by_hint(task, hints) or await self._adopt(
                task,
                await self._hidream.result_by_request(
                    task.request_id or "", user_id=str(task.user_id)
                ),
            )
        except HiDreamError as exc:
            log.info("not_found_out", error=type(exc).__name__, http=exc.http_status)
            found = False
            if not self._answers_nothing(task, exc):
                await self._again(task, hints, seconds=_PAUSE)
                return
        if not found:
            await self._not_known(task, hints)
        self._questions.pop(task.id, None)

    async def _adopted_by_hint(self, task: Task, hints: Sequence[str]) -> bool:
        """Adopt what a callback named, if HiDream itself says that it is this task's; else it says nothing.

        Raises:
            TokenRefused, TooFast: it cannot be asked now.
        """
        question = self._questions.setdefault(task.id, _Question())
        for hidream_task_id in hints:
            if hidream_task_id in question.denied:
                continue
            try:
                result = await self._hidream.result(hidream_task_id, user_id=str(task.user_id))
            except (TokenRefused, TooFast):
                raise
            except HiDreamError as exc:
                # whoever knows the path may name anything
                log.warning("hint_not_confirmed", error=type(exc).__name__, code=exc.code)
                if not isinstance(exc, Refused | ContentRefused):
                    continue  # it may be confirmed the next time
            else:
                ours = result.sub_tasks and result.request_id in {None, task.request_id}
                if ours and await self._adopt(task, result):
                    return True
            question.denied.add(hidream_task_id)
        return False

    def _answers_nothing(self, task: Task, error: HiDreamError) -> bool:
        """Say whether HiDream has not answered the question often enough to stop asking.

        It is not known whether it answers this question at all. What only says that it should be asked
        later does not count, and silence only where HiDream has answered something else meanwhile.
        """
        later = isinstance(error, TooFast) or (
            isinstance(error, TokenRefused) and error.http_status != _FORBIDDEN
        )
        question = self._questions.setdefault(task.id, _Question())
        if later:
            return False
        if error.http_status is not None:
            question.errors += 1
        elif self._hidream.answers > question.answers_seen:
            question.silences += 1
        question.answers_seen = self._hidream.answers
        return question.errors >= LOOKUPS or question.silences >= SILENCES

    async def _adopt(self, task: Task, result: TaskResult | None) -> bool:
        """Go on with the task that HiDream has for ours, unless it is another row's."""
        if result is None or result.task_id is None:
            return False
        now = self._clock.now()
        named = tuple(one.sub_task_id for one in result.sub_tasks if one.sub_task_id)
        adopted = await self._store.accepted(
            task,
            hidream_task_id=result.task_id,
            sub_task_ids=expected(result.task_id, named, task.settings.count),
            now=now,
            deadline_at=self._allowance.deadline_at(now),
            held_until=self._allowance.held_until(now),
        )
        if adopted is not None:
            log.info("uncertain_found", hidream_task=result.task_id)
        return adopted is not None

    async def _again(self, task: Task, hints: Sequence[str], *, seconds: float) -> None:
        """Look again later; at once, if HiDream has called meanwhile."""
        called = await self._store.hints(task.id) != list(hints)
        now = self._clock.now()
        asked = await self._store.ask_again(
            task, due_at=now if called else now + timedelta(seconds=seconds)
        )
        if asked is None:  # it was stopped meanwhile: nothing more is asked about it
            self._questions.pop(task.id, None)

    async def _not_known(self, task: Task, hints: Sequence[str]) -> None:
        now = self._clock.now()
        wait_until = self._callback_until(task)
        if await self._store.hints(task.id) != list(hints):
            await self._store.ask_again(task, due_at=now)  # HiDream has called meanwhile
        elif wait_until is not None and now < wait_until:
            log.info("waiting_for_a_callback")
            await self._again(task, hints, seconds=(wait_until - now).total_seconds())
        elif task.uncertain < MAX_UNCERTAIN:
            log.info("uncertain_submitted_again")
            await self._store.submit_again(task)
        else:
            await self._store.ready(task, now=now, failure=Failure(id="submission-uncertain"))

    def _callback_until(self, task: Task) -> datetime | None:
        """Say until when a callback may come that tells what became of it; None: none will."""
        if not self._callbacks or task.submitted_at is None:
            return None
        spread = self._durations.of(task.ratio_used, task.settings.count)
        return task.submitted_at + timedelta(seconds=spread.p90 if spread else CALLBACK_WAIT)
