"""Asks HiDream about all running tasks at once, as often as an answer is likely, and no oftener.

When to ask about which is `schedule`'s to decide, what the answers change `results`'; a callback only
says "ask now".
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from bot import metrics
from bot.account import Account, Trouble
from bot.delays import backoff
from bot.fetcher import Fetcher
from bot.hidream.client import Asked, HiDreamClient
from bot.hidream.errors import HiDreamError, Refused, TokenRefused, TooFast, UnknownTask
from bot.hidream.wire import SubTaskStatus, TaskResult
from bot.labels import Step
from bot.lookup import Lookup
from bot.pace import Durations
from bot.results import OPEN, Results
from bot.schedule import Schedule
from bot.subtasks import completion_of, match
from storage.clock import Clock
from storage.store import StoreError, TaskStore
from storage.tasks import ImageState, Running, Task, TaskState, Topic

log = structlog.get_logger(__name__)

LATE_FOR: Final = timedelta(days=1)
"""So long after it was given up, a task is still asked about."""
_FAR: Final = timedelta(hours=1)
_LATE_LOOK: Final = 5.0
"""Seconds after which to look again whether a late picture can be brought."""
_WITH_THE_COURIER: Final = frozenset({TaskState.READY, TaskState.DELIVERING})
_TOKEN_PAUSE: Final = 5.0
"""Seconds between two questions while the token is refused."""
_STORE_PAUSE: Final = 1.0
"""Seconds after which to look again when the store could not be read or written."""


class Watcher:
    """The loop that asks HiDream for results.

    Args:
        durations: how long tasks take here; the loop adds what it measures.
    """

    def __init__(
        self,
        *,
        store: TaskStore,
        hidream: HiDreamClient,
        fetcher: Fetcher,
        account: Account,
        lookup: Lookup,
        durations: Durations,
        clock: Clock,
    ) -> None:
        self._store = store
        self._hidream = hidream
        self._fetcher = fetcher
        self._account = account
        self._lookup = lookup
        self._clock = clock
        self._results = Results(store)
        self._schedule = Schedule(durations, clock)
        self._failures = 0
        self._ask_after = 0.0
        self._counted = 0
        self._finding: set[int] = set()
        self._silent: dict[str, int] = {}
        self._token_refused = False

    def called_back(self, task_id: int) -> None:
        """HiDream called about a task: it is asked about at once, or once its submission is answered."""
        self._schedule.called_back(task_id)

    def look_again(self) -> None:
        """The operator may have mended what HiDream refused: it is asked now."""
        self._ask_after = 0.0
        self._store.wake(Topic.RUNNING)

    async def run(self, stop: asyncio.Event) -> None:
        """Ask until told to stop, then let the downloads under way finish."""
        self._fetcher.begin()
        self._finding.clear()
        async with asyncio.TaskGroup() as downloads:
            while not stop.is_set():
                mark = self._store.mark(Topic.RUNNING)
                try:
                    seconds = await self._round(downloads)
                except StoreError:
                    # downloads are under way: they are not to be cut off for this
                    log.exception("results_not_kept")
                    await self._clock.sleep(_STORE_PAUSE)
                    continue
                await self._store.wait(Topic.RUNNING, since=mark, seconds=seconds)

    async def _round(self, downloads: asyncio.TaskGroup) -> float | None:
        """Ask, fetch, end what has ended; returns how long to wait then (None: for a wake-up)."""
        now = self._clock.now()
        self._count()
        waits = await self._find_out_what_is_due(now, downloads)
        running = await self._store.running(late_since=now - LATE_FOR)
        for one in running:
            await self._go_on(one, downloads)
            if one.task.state in _WITH_THE_COURIER and _late_is_stored(one):
                waits.append(_LATE_LOOK)  # it can be reopened only when this delivery is over
        asked = self._schedule.keep(one for one in running if _has_more_to_say(one))
        pause = self._ask_after - self._clock.monotonic()
        if pause > 0:
            return min((pause, *waits))
        if asked:
            waits.append(await self._ask_what_is_due(asked, downloads))
        return min(waits, default=None)

    def _count(self) -> None:
        """Note what was asked since the last time, whoever asked and however many calls it took."""
        asked, self._counted = self._hidream.asked - self._counted, self._hidream.asked
        self._schedule.calls.made(asked)

    async def _find_out_what_is_due(self, now: datetime, group: asyncio.TaskGroup) -> list[float]:
        """Begin to find out about uncertain submissions; returns when to look at the others."""
        waits: list[float] = []
        left = self._schedule.calls.left()
        for task in await self._store.uncertain(now + _FAR):
            if task.id in self._finding or task.due_at is None:
                continue  # its end wakes us
            if task.due_at > now:
                waits.append(max(0.05, (task.due_at - now).total_seconds()))
            elif left <= 0:
                waits.append(max(0.05, self._schedule.calls.wait()))
            else:
                left -= 1
                self._finding.add(task.id)
                group.create_task(self._find_out(task), name=f"find out {task.id}")
        return waits

    async def _find_out(self, task: Task) -> None:
        """Find out about one: nobody waits for a question that HiDream does not answer."""
        try:
            with structlog.contextvars.bound_contextvars(task=task.id):
                await self._look_up(task)
        finally:
            self._finding.discard(task.id)
            self._store.wake(Topic.RUNNING)

    async def _look_up(self, task: Task) -> None:
        try:
            await self._lookup.find_out(task)
        except StoreError:
            log.exception("not_noted_what_was_found_out")
            await self._clock.sleep(_STORE_PAUSE)

    async def _go_on(self, one: Running, downloads: asyncio.TaskGroup) -> None:
        """Fetch what is made and not here yet, and end what has ended; as after a restart."""
        if one.task.state is TaskState.CANCELLED:
            return  # what is made of it is dropped; only its end is waited for
        for image in one.images:
            if image.state is ImageState.MADE:
                self._fetcher.start(
                    image,
                    downloads,
                    then=self._fetched,
                    hidream_is_well=self._failures == 0,
                )
        if one.task.state is TaskState.RUNNING:
            over = not any(image.state in OPEN for image in one.images)
        else:
            over = _late_is_stored(one)
        if over:
            await self._fetched(one.task.id)

    async def _fetched(self, task_id: int) -> None:
        await self._results.settle(task_id, self._clock.now())

    async def _ask_what_is_due(
        self, asked: Sequence[Running], downloads: asyncio.TaskGroup
    ) -> float:
        """Ask about the tasks that are due, as far as the ceiling allows; returns when to look again."""
        chosen, wait = self._schedule.choose(asked, in_batches=self._hidream.asks_in_batches)
        if not chosen:
            return wait
        pause = await self._ask_hidream(chosen, downloads)
        self._count()
        if pause is None:
            return self._schedule.next_due()
        self._ask_after = self._clock.monotonic() + pause
        return pause

    async def _ask_hidream(
        self, asked: Sequence[Running], downloads: asyncio.TaskGroup
    ) -> float | None:
        """Ask about these; returns how long to wait if HiDream could not be asked."""
        try:
            await self._ask(asked, downloads)
        except TokenRefused as exc:
            log.info("results_refused", code=exc.code, http=exc.http_status)
            self._token_refused = True
            self._account.in_trouble(Trouble.TOKEN)
            return _TOKEN_PAUSE
        except HiDreamError as exc:
            self._failures += 1
            log.info("results_not_read", error=type(exc).__name__, http=exc.http_status)
            return max(backoff(self._failures, first=0.5, longest=15), exc.retry_after or 0)
        self._failures = 0
        # only what was found here ends here: submitting may be refused for a reason of its own
        if self._token_refused and self._account.trouble is Trouble.TOKEN:
            self._account.well()
        self._token_refused = False
        return None

    async def _ask(self, running: Sequence[Running], downloads: asyncio.TaskGroup) -> None:
        answers = await self._hidream.results(
            [
                Asked(
                    task_id=one.hidream_task_id,
                    sub_task_ids=tuple(image.sub_task_id for image in one.images),
                    user_id=str(one.task.user_id),
                )
                for one in running
            ]
        )
        silent: list[HiDreamError] = []
        completions: dict[int, float] = {}
        for one in running:
            answer = answers.get(one.hidream_task_id)
            unfinished = False
            with structlog.contextvars.bound_contextvars(task=one.task.id):
                if isinstance(answer, TaskResult):
                    self._silent.pop(one.hidream_task_id, None)
                    unfinished = not answer.final
                    await self._take(one, answer, completions, downloads)
                elif isinstance(answer, Refused):
                    # an answer like any other: it is not finished, and after the deadline that ends it
                    log.warning(
                        "result_refused", unknown=isinstance(answer, UnknownTask), code=answer.code
                    )
                    await self._results.expire(one, self._clock.now())
                elif answer is not None:
                    silent.append(answer)
                    await self._no_answer(one)
            self._schedule.looked(one, unfinished=unfinished)
        await self._store.note_completions(completions)
        account = [one for one in silent if isinstance(one, TokenRefused | TooFast)]
        if account or len(silent) == len(running):
            # not one was answered, or it concerns all: how soon to ask again goes by that
            raise (account or silent)[0]

    async def _no_answer(self, one: Running) -> None:
        """End a task at last whose question alone is never answered, while HiDream answers others."""
        before = self._silent.setdefault(one.hidream_task_id, self._hidream.answers)
        deadline, now = one.task.deadline_at, self._clock.now()
        if deadline and now > deadline + LATE_FOR and self._hidream.answers > before:
            log.warning("result_never_answered")
            await self._results.expire(one, now)
            del self._silent[one.hidream_task_id]

    async def _take(
        self,
        one: Running,
        answer: TaskResult,
        completions: dict[int, float],
        downloads: asyncio.TaskGroup,
    ) -> None:
        made = await self._results.apply(one, answer, self._clock.now())
        if not made and answer.final:
            await self._fetched(one.task.id)
        for image in made:
            self._fetcher.start(image, downloads, then=self._fetched, hidream_is_well=True)
        if answer.final and not one.released:
            metrics.took(Step.MAKING, one.task.accepted_at, self._clock.now())
            all_made = all(each.status is SubTaskStatus.DONE for each in answer.sub_tasks)
            measured = self._schedule.ended(one, all_made=all_made)
            if measured is not None:
                await self._store.note_duration(measured)
        completion = completion_of(one.images, match(one.images, answer.sub_tasks))
        changed = completion is not None and completion != one.task.completion
        if changed and completion is not None and self._schedule.to_show(one):
            completions[one.task.id] = completion


def _late_is_stored(one: Running) -> bool:
    return any(image.late == "due" and image.state is ImageState.STORED for image in one.images)


def _has_more_to_say(one: Running) -> bool:
    """Whether HiDream has more to say: its end is not known, or an address may have changed."""
    if not one.released:
        return True
    under_way = one.task.state is TaskState.RUNNING or any(image.late for image in one.images)
    return under_way and any(image.state in OPEN for image in one.images)
