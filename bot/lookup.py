"""Finds out whether HiDream has a task whose submission got no answer, before it is sent again.

HiDream is asked by our own request id and, where a callback named a task, by that id. If it knows
the task, it is adopted. If not, and callbacks are on, one is waited for as long as such tasks take;
then it is submitted again, once; a second lost answer ends in an honest reason.
"""

from datetime import datetime, timedelta
from typing import Final

import structlog

from bot.account import Allowance
from bot.hidream.client import HiDreamClient
from bot.hidream.errors import HiDreamError, Refused, TokenRefused, TooFast
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
CALLBACK_WAIT: Final = 60.0
"""Seconds to wait for a callback where it is not known yet how long tasks take."""
_PAUSE: Final = 3.0
_FORBIDDEN: Final = 403


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
        self._errors: dict[int, int] = {}

    async def find_out(self, task: Task) -> None:
        """Ask about one, and move its row by what is known then."""
        with structlog.contextvars.bound_contextvars(task=task.id):
            try:
                found = await self._hinted(task) or await self._hidream.result_by_request(
                    task.request_id or "", user_id=str(task.user_id)
                )
            except HiDreamError as exc:
                log.info("not_found_out", error=type(exc).__name__, http=exc.http_status)
                if not self._answers_nothing(task, exc):
                    await self._store.ask_again(task, due_at=self._in(_PAUSE))
                    return
                found = None
            self._errors.pop(task.id, None)
            if found is None or not await self._adopt(task, found):
                await self._not_known(task)

    async def _hinted(self, task: Task) -> TaskResult | None:
        """Give the task that a callback named, if our own question confirms that it is ours to know.

        Raises:
            HiDreamError: it could not be asked.
        """
        for hidream_task_id in await self._store.hints(task.id):
            try:
                return await self._hidream.result(hidream_task_id, user_id=str(task.user_id))
            except Refused as exc:
                # whoever knows the path may name anything
                log.warning("hint_not_confirmed", code=exc.code)
        return None

    def _answers_nothing(self, task: Task, error: HiDreamError) -> bool:
        """Say whether HiDream has answered the question by something else often enough.

        It is not known whether it answers this question at all. Silence does not count, nor what
        only says that it should be asked later.
        """
        later = isinstance(error, TooFast) or (
            isinstance(error, TokenRefused) and error.http_status != _FORBIDDEN
        )
        if error.http_status is None or later:
            return False
        self._errors[task.id] = self._errors.get(task.id, 0) + 1
        return self._errors[task.id] >= LOOKUPS

    async def _adopt(self, task: Task, result: TaskResult) -> bool:
        """Go on with the task that HiDream has for our request id, unless it is another row's."""
        if result.task_id is None:
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

    async def _not_known(self, task: Task) -> None:
        now = self._clock.now()
        wait_until = self._callback_until(task)
        if wait_until is not None and now < wait_until:
            log.info("waiting_for_a_callback")
            await self._store.ask_again(task, due_at=wait_until)
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

    def _in(self, seconds: float) -> datetime:
        return self._clock.now() + timedelta(seconds=seconds)
