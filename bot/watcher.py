"""Asks HiDream about all running tasks at once, as often as an answer is likely, and no oftener.

When to ask about a task is decided by what this installation has measured (`pace`); a callback only
says "ask now". All calls together stay below a ceiling. What the answers change: `results`.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from bot.account import Account, Trouble
from bot.delays import backoff
from bot.fetcher import Fetcher
from bot.hidream.client import BATCH_SIZE, Asked, HiDreamClient
from bot.hidream.errors import HiDreamError, Refused, TokenRefused, UnknownTask
from bot.hidream.wire import SubTaskStatus, TaskResult
from bot.lookup import Lookup
from bot.pace import Durations, next_late_look, next_look
from bot.results import OPEN, Results
from bot.subtasks import completion_of, match
from storage.clock import Clock
from storage.store import StoreError, TaskStore
from storage.tasks import ImageState, Measured, Running, TaskState, Topic

log = structlog.get_logger(__name__)

CALLS_PER_SECOND: Final = 2.0
"""Questions for results, all together, over any longer time."""
CALLS_AT_ONCE: Final = 3
"""So many may follow each other at once; a callback need not wait then."""
LATE_FOR: Final = timedelta(days=1)
"""So long after it was given up, a task is still asked about."""
_FAR: Final = timedelta(hours=1)
_TOKEN_PAUSE: Final = 5.0
"""Seconds between two questions while the token is refused."""
_SHOWN_EVERY: Final = 1.5
"""Seconds between two notes of a task's progress: it is not shown more often."""
_CALLBACK_LOOKS: Final = 4
"""So often it is asked at once after a callback, where the results do not yet say so."""
_TRUST: Final = 2
"""So many callbacks more than ends found without one, and asking becomes the floor under them."""
_MOST_TRUST: Final = 5
_RECENT: Final = 200
_UNSURE: Final = 0.1
"""A duration is a measure where it is known to this share, or to a second."""


@dataclass(slots=True)
class _Look:
    """When a task is asked about next, and what was seen last; by the monotonic clock."""

    due: float
    unfinished: float | None = None
    """When it was last known to be unfinished."""
    shown: float = float("-inf")
    hints: int = 0
    """How many looks a callback is still good for."""
    called: float | None = None
    """When HiDream called back."""


class Calls:
    """The ceiling: a bucket of calls that fills with time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calls = float(CALLS_AT_ONCE)
        self._at = clock.monotonic()

    def left(self) -> int:
        """Say how many calls may be made now."""
        now = self._clock.monotonic()
        self._calls = min(CALLS_AT_ONCE, self._calls + (now - self._at) * CALLS_PER_SECOND)
        self._at = now
        return int(self._calls + 1e-9)

    def made(self, calls: int) -> None:
        """Note that so many were made."""
        self._calls -= calls

    def wait(self) -> float:
        """Give the seconds until one may be made."""
        return max(0.0, (1 - self._calls) / CALLS_PER_SECOND)


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
        self._durations = durations
        self._clock = clock
        self._results = Results(store)
        self._calls = Calls(clock)
        self._looks: dict[str, _Look] = {}
        self._hints: dict[int, float] = {}
        self._trust = 0
        self._ends: dict[int, bool] = {}
        self._failures = 0
        self._ask_after = 0.0

    def called_back(self, task_id: int) -> None:
        """HiDream called about a task: it is asked about at once, or once its submission is answered."""
        if self._ends.get(task_id) is False:
            self._ends[task_id] = True
            self._trust = min(_MOST_TRUST, self._trust + 2)  # it had only been a little later
        if task_id not in self._ends:
            self._hints.setdefault(task_id, self._clock.monotonic())
            _shorten(self._hints)

    async def run(self, stop: asyncio.Event) -> None:
        """Ask until told to stop, then let the downloads under way finish."""
        self._fetcher.begin()
        async with asyncio.TaskGroup() as downloads:
            while not stop.is_set():
                mark = self._store.mark(Topic.RUNNING)
                try:
                    seconds = await self._round(downloads)
                except StoreError:
                    # downloads are under way: they are not to be cut off for this
                    log.exception("results_not_kept")
                    await self._clock.sleep(1.0)
                    continue
                await self._store.wait(Topic.RUNNING, since=mark, seconds=seconds)

    async def _round(self, downloads: asyncio.TaskGroup) -> float | None:
        """Ask, fetch, end what has ended; returns how long to wait then (None: for a wake-up)."""
        now = self._clock.now()
        uncertain = await self._store.uncertain(now + _FAR)
        due_at = [task.due_at for task in uncertain if task.due_at is not None]
        for task in uncertain:
            if task.due_at is not None and task.due_at <= now:
                await self._lookup.find_out(task)
        running = await self._store.running(late_since=now - LATE_FOR)
        self._take_hints(running)
        for one in running:
            await self._go_on(one, downloads)
        asked = self._to_ask(running)
        self._looks = {one.hidream_task_id: self._looks[one.hidream_task_id] for one in asked}
        waits = [max(0.05, (at - now).total_seconds()) for at in due_at]
        pause = self._ask_after - self._clock.monotonic()
        if pause > 0:
            return min((pause, *waits))
        if asked:
            waits.append(await self._ask_what_is_due(asked, downloads))
        return min(waits, default=None)

    async def _go_on(self, one: Running, downloads: asyncio.TaskGroup) -> None:
        """Fetch what is made and not here yet, and end what has ended; as after a restart."""
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
            over = any(
                image.late == "due" and image.state is ImageState.STORED for image in one.images
            )
        if over:
            await self._fetched(one.task.id)

    async def _fetched(self, task_id: int) -> None:
        await self._results.settle(task_id, self._clock.now())

    # --- when to ask

    def _take_hints(self, running: Sequence[Running]) -> None:
        for one in running:
            called = self._hints.pop(one.task.id, None)
            if called is not None:
                look = self._look(one)
                look.hints, look.called, look.due = _CALLBACK_LOOKS, called, 0.0

    def _to_ask(self, running: Sequence[Running]) -> list[Running]:
        asked = [one for one in running if _has_more_to_say(one)]
        return sorted(asked, key=lambda one: self._look(one).due)

    def _look(self, one: Running) -> _Look:
        """Give what is known of a task here; one that is new is due when its age says so."""
        if one.hidream_task_id not in self._looks:
            wait = self._wait_for(one)
            self._looks[one.hidream_task_id] = _Look(
                due=self._clock.monotonic() + wait,
                unfinished=self._clock.monotonic() if _age(one, self._clock) < 1 else None,
            )
        return self._looks[one.hidream_task_id]

    def _wait_for(self, one: Running) -> float:
        age = _age(one, self._clock)
        if one.task.state is not TaskState.RUNNING:
            return next_late_look(age)
        spread = self._durations.of(one.task.ratio_used, one.task.settings.count)
        return next_look(age, spread, called_back=self._trust >= _TRUST)

    async def _ask_what_is_due(
        self, asked: Sequence[Running], downloads: asyncio.TaskGroup
    ) -> float:
        """Ask about the tasks that are due, as far as the ceiling allows; returns when to look again."""
        now = self._clock.monotonic()
        first = self._looks[asked[0].hidream_task_id].due - now
        if first > 0:
            return first
        calls = self._calls.left()
        if not calls:
            return self._calls.wait()
        if self._hidream.asks_in_batches:
            # who is not due is asked along: it costs no call more
            due = sum(self._looks[one.hidream_task_id].due <= now for one in asked)
            chosen = asked[: min(calls, -(-due // BATCH_SIZE)) * BATCH_SIZE]
            self._calls.made(-(-len(chosen) // BATCH_SIZE))
        else:
            chosen = [one for one in asked if self._looks[one.hidream_task_id].due <= now][:calls]
            self._calls.made(len(chosen))
        pause = await self._ask_hidream(chosen, downloads)
        if pause is not None:
            self._ask_after = self._clock.monotonic() + pause
            return pause
        now = self._clock.monotonic()
        return max(0.01, min((look.due for look in self._looks.values()), default=now) - now)

    # --- asking

    async def _ask_hidream(
        self, asked: Sequence[Running], downloads: asyncio.TaskGroup
    ) -> float | None:
        """Ask about these; returns how long to wait if HiDream could not be asked."""
        try:
            await self._ask(asked, downloads)
        except TokenRefused as exc:
            log.info("results_refused", code=exc.code, http=exc.http_status)
            self._account.in_trouble(Trouble.TOKEN)
            return _TOKEN_PAUSE
        except HiDreamError as exc:
            self._failures += 1
            log.info("results_not_read", error=type(exc).__name__, http=exc.http_status)
            return max(backoff(self._failures, first=0.5, longest=15), exc.retry_after or 0)
        self._failures = 0
        if self._account.trouble is Trouble.TOKEN:
            self._account.well()
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
        silent: HiDreamError | None = None
        completions: dict[int, float] = {}
        for one in running:
            answer = answers.get(one.hidream_task_id)
            with structlog.contextvars.bound_contextvars(task=one.task.id):
                if isinstance(answer, TaskResult):
                    await self._take(one, answer, completions, downloads)
                elif isinstance(answer, Refused):
                    # an answer like any other: it is not finished, and after the deadline that ends it
                    log.warning(
                        "result_refused", unknown=isinstance(answer, UnknownTask), code=answer.code
                    )
                    await self._results.expire(one, self._clock.now())
                elif answer is not None:
                    silent = answer
            self._looked(one)
        await self._store.note_completions(completions)
        if silent is not None:
            raise silent  # some were answered; how soon to ask again goes by who was not

    async def _take(
        self,
        one: Running,
        answer: TaskResult,
        completions: dict[int, float],
        downloads: asyncio.TaskGroup,
    ) -> None:
        look, now = self._look(one), self._clock.monotonic()
        if answer.final and not one.released:
            self._learn(one, look)
            if all(each.status is SubTaskStatus.DONE for each in answer.sub_tasks):
                await self._measure(one, look)
        made = await self._results.apply(one, answer, self._clock.now())
        if not made and answer.final:
            await self._fetched(one.task.id)
        for image in made:
            self._fetcher.start(image, downloads, then=self._fetched, hidream_is_well=True)
        if not answer.final:
            look.unfinished = now
        completion = completion_of(one.images, match(one.images, answer.sub_tasks))
        changed = completion is not None and completion != one.task.completion
        if changed and completion is not None and now - look.shown >= _SHOWN_EVERY:
            look.shown = now
            completions[one.task.id] = completion

    def _looked(self, one: Running) -> None:
        """Say when to look at a task again that has just been looked at."""
        look = self._look(one)
        wait = self._wait_for(one)
        if look.hints:
            look.hints -= 1
            wait = min(wait, 0.5)
        look.due = self._clock.monotonic() + wait

    def _learn(self, one: Running, look: _Look) -> None:
        """Note whether a callback told of this end: do they come?"""
        called = look.called is not None
        self._trust = min(_MOST_TRUST, self._trust + 1) if called else max(0, self._trust - 1)
        self._ends[one.task.id] = called
        _shorten(self._ends)

    async def _measure(self, one: Running, look: _Look) -> None:
        """Note how long a task took, where that is known well enough."""
        now = self._clock.monotonic()
        age = _age(one, self._clock)
        if look.called is not None:
            seconds, unsure = age - (now - look.called), 0.0
        elif look.unfinished is not None:
            unsure = now - look.unfinished
            seconds = age - unsure / 2
        else:
            return
        if seconds > 0 and unsure <= max(1.0, _UNSURE * seconds):
            ratio = one.task.ratio_used or one.task.settings.ratio or ""
            measured = Measured(ratio=ratio, count=one.task.settings.count, seconds=seconds)
            self._durations.add(measured)
            await self._store.note_duration(measured)


def _has_more_to_say(one: Running) -> bool:
    """Whether HiDream has more to say: its end is not known, or an address may have changed."""
    if not one.released:
        return True
    under_way = one.task.state is TaskState.RUNNING or any(image.late for image in one.images)
    return under_way and any(image.state in OPEN for image in one.images)


def _age(one: Running, clock: Clock) -> float:
    """Give the seconds since a task was accepted."""
    since = one.task.accepted_at
    return 0.0 if since is None else (clock.now() - since).total_seconds()


def _shorten(known: dict[int, bool] | dict[int, float]) -> None:
    """Forget the oldest of what is remembered for a while only."""
    while len(known) > _RECENT:
        known.pop(next(iter(known)))
