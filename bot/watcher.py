"""Asks HiDream about all running tasks at once, brings finished images to disk, and ends tasks.

Only HiDream's own answers move a row: a task expires on an answer, received after its deadline, that
still says unfinished. Outages of ours or of the service do not count.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from bot.account import Account, Allowance, Trouble
from bot.delays import backoff
from bot.fetcher import Fetcher
from bot.hidream.client import Asked, HiDreamClient
from bot.hidream.errors import HiDreamError, Refused, TokenRefused, TooFast, UnknownTask
from bot.hidream.wire import SubTaskStatus, TaskResult
from bot.subtasks import completion_of, expected, match
from storage.clock import Clock
from storage.store import StoreError, TaskStore
from storage.tasks import Failure, Image, ImageState, Running, Task, TaskState, Topic

log = structlog.get_logger(__name__)

MAX_UNCERTAIN: Final = 2
"""So many submissions of one task may stay without an answer; then it is given up, honestly."""

_ENDS: Final[Mapping[SubTaskStatus, ImageState]] = {
    SubTaskStatus.FAILED: ImageState.FAILED,
    SubTaskStatus.REFUSED: ImageState.REFUSED,
    SubTaskStatus.EMPTY: ImageState.EMPTY,
}
_FAR: Final = timedelta(hours=1)
LOOKUPS: Final = 5
"""So often the question for a request id may be answered by an error; then it is "not known"."""
_LOOKUP_PAUSE: Final = 3.0
_FORBIDDEN: Final = 403
_TOKEN_PAUSE: Final = 5.0
"""Seconds between two questions while the token is refused."""
_OPEN: Final = frozenset({ImageState.PENDING, ImageState.MADE})

# Why there is no picture at all: the first of these that any image ended in. What the person can
# change comes first.
_REASONS: Final[Sequence[tuple[ImageState, str]]] = (
    (ImageState.REFUSED, "review-refused"),
    (ImageState.EMPTY, "nothing-made"),
    (ImageState.EXPIRED, "took-too-long"),
    (ImageState.UNFETCHED, "result-unfetched"),
    (ImageState.FAILED, "hidream-failed"),
)


def pace(age: timedelta) -> float:
    """Give the seconds between two questions about a task of this age."""
    return min(5.0, max(1.0, age.total_seconds() / 20))


class Watcher:
    """The loop that asks HiDream for results."""

    def __init__(
        self,
        *,
        store: TaskStore,
        hidream: HiDreamClient,
        fetcher: Fetcher,
        account: Account,
        allowance: Allowance,
        clock: Clock,
    ) -> None:
        self._store = store
        self._hidream = hidream
        self._fetcher = fetcher
        self._account = account
        self._allowance = allowance
        self._clock = clock
        self._lookups: dict[int, int] = {}
        self._failures = 0
        self._ask_after = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Ask until told to stop, then let the downloads under way finish."""
        self._fetcher.begin()
        async with asyncio.TaskGroup() as downloads:
            while not stop.is_set():
                mark = self._store.mark(Topic.RUNNING)
                started = self._clock.monotonic()
                try:
                    seconds = await self._round(downloads)
                except StoreError:
                    # downloads are under way: they are not to be cut off for this
                    log.exception("results_not_kept")
                    seconds = 1.0
                # A wake-up says that there is more to ask about, not that it is time to ask again.
                await self._store.wait(Topic.RUNNING, since=mark, seconds=seconds)
                early = 0.2 - (self._clock.monotonic() - started)
                if early > 0 and not stop.is_set():
                    await self._clock.sleep(early)

    async def _round(self, downloads: asyncio.TaskGroup) -> float | None:
        """Ask, fetch, end what has ended; returns how long to wait then (None: for a wake-up)."""
        pause = await self._ask_unless_paused()
        now = self._clock.now()
        for task in await self._store.uncertain(now):
            await self._find_out(task)
        running = await self._store.running()
        for one in running:
            for image in one.images:
                if image.state is ImageState.MADE and one.task.state is TaskState.RUNNING:
                    self._fetcher.start(
                        image, downloads, then=self._settle, hidream_is_well=pause is None
                    )
            await self._settle(one.task.id)
        if pause is not None:
            return pause
        waits = [pace(now - (one.task.accepted_at or now)) for one in running if _to_ask(one)]
        waits += [
            max(0.2, (task.due_at - now).total_seconds())
            for task in await self._store.uncertain(now + _FAR)
            if task.due_at is not None
        ]
        return min(waits, default=None)

    async def _ask_unless_paused(self) -> float | None:
        """Ask, unless HiDream could not be asked a moment ago: a wake-up does not mend that."""
        left = self._ask_after - self._clock.monotonic()
        if left > 0:
            return left
        pause = await self._ask_hidream()
        if pause is not None:
            self._ask_after = self._clock.monotonic() + pause
        return pause

    async def _ask_hidream(self) -> float | None:
        """Ask about all that is open; returns how long to wait if HiDream could not be asked."""
        asked: list[Running] = []
        try:
            asked = [one for one in await self._store.running() if _to_ask(one)]
            if asked:
                await self._ask(asked)
        except TokenRefused as exc:
            log.info("results_refused", code=exc.code, http=exc.http_status)
            self._account.in_trouble(Trouble.TOKEN)
            return _TOKEN_PAUSE
        except HiDreamError as exc:
            self._failures += 1
            log.info("results_not_read", error=type(exc).__name__, http=exc.http_status)
            return max(backoff(self._failures, first=0.5, longest=15), exc.retry_after or 0)
        self._failures = 0
        if asked and self._account.trouble is Trouble.TOKEN:
            self._account.well()
        return None

    # --- results

    async def _ask(self, running: Sequence[Running]) -> None:
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
        now = self._clock.now()
        refused: HiDreamError | None = None
        for one in running:
            answer = answers.get(one.hidream_task_id)
            with structlog.contextvars.bound_contextvars(task=one.task.id):
                if isinstance(answer, TaskResult):
                    await self._apply(one, answer, now)
                elif isinstance(answer, Refused):
                    # an answer like any other: it is not finished, and after the deadline that ends it
                    log.warning(
                        "result_refused", unknown=isinstance(answer, UnknownTask), code=answer.code
                    )
                    await self._expire(one, now)
                elif answer is not None:
                    refused = answer
        if refused is not None:
            raise refused  # some were answered; how soon to ask again goes by what was refused

    async def _apply(self, one: Running, result: TaskResult, now: datetime) -> None:
        pairs = match(one.images, result.sub_tasks)
        for image, sub_task in pairs:
            if image.state not in _OPEN:
                continue
            if sub_task.status is SubTaskStatus.DONE and sub_task.image:
                if image.url != sub_task.image:
                    await self._store.image_made(image.task_id, image.n, sub_task.image)
            elif sub_task.status in _ENDS:
                await self._store.image_ended(
                    image.task_id, image.n, _ENDS[sub_task.status], sub_task.description
                )
        completion = completion_of(one.images, pairs)
        if completion is not None and completion != one.task.completion:
            await self._store.note_completion(one.task.id, completion)
        if result.final and len(result.sub_tasks) >= len(one.images):
            paired = {image.n for image, _ in pairs}
            for image in one.images:
                if image.state is ImageState.PENDING and image.n not in paired:
                    # it is all over, and nothing was said of this one
                    await self._store.image_ended(
                        image.task_id, image.n, ImageState.FAILED, "not in the result"
                    )
            if not one.released:
                await self._store.release(one.hidream_task_id, now)
        else:
            await self._expire(one, now)

    async def _expire(self, one: Running, now: datetime) -> None:
        """HiDream has just said that it is not done. After the deadline, that is an end for us."""
        task = one.task
        if (
            task.state is not TaskState.RUNNING
            or task.deadline_at is None
            or now < task.deadline_at
        ):
            return
        for image in await self._store.images(task.id):
            if image.state is ImageState.PENDING:
                await self._store.image_ended(task.id, image.n, ImageState.EXPIRED)

    async def _settle(self, task_id: int) -> None:
        """Make the task READY once nothing more of it is to come."""
        task = await self._store.get(task_id)
        images = await self._store.images(task_id)
        if task is None or task.state is not TaskState.RUNNING:
            return
        if any(image.state in _OPEN for image in images):
            return
        descriptions = [image.description for image in images if image.description]
        ready = await self._store.ready(
            task,
            now=self._clock.now(),
            failure=failure_of(images),
            vendor_message="; ".join(descriptions) or None,
        )
        if ready is not None:
            log.info("made", task=task_id, images=[image.state.value for image in images])

    # --- uncertain submissions

    async def _find_out(self, task: Task) -> None:
        """Ask HiDream, by our own request id, whether it has a task whose submission got no answer."""
        with structlog.contextvars.bound_contextvars(task=task.id):
            try:
                result = await self._hidream.result_by_request(
                    task.request_id or "", user_id=str(task.user_id)
                )
            except HiDreamError as exc:
                log.info("not_found_out", error=type(exc).__name__, http=exc.http_status)
                if not self._answers_nothing(task, exc):
                    due_at = self._clock.now() + timedelta(seconds=_LOOKUP_PAUSE)
                    await self._store.ask_again(task, due_at=due_at)
                    return
                result = None
            self._lookups.pop(task.id, None)
            if result is None or not await self._adopt(task, result):
                await self._not_known(task)

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
        self._lookups[task.id] = self._lookups.get(task.id, 0) + 1
        return self._lookups[task.id] >= LOOKUPS

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
        if task.uncertain < MAX_UNCERTAIN:
            log.info("uncertain_submitted_again")
            await self._store.submit_again(task)
        else:
            await self._store.ready(
                task, now=self._clock.now(), failure=Failure(id="submission-uncertain")
            )


def _to_ask(one: Running) -> bool:
    """Whether HiDream has more to say: its end is not known, or an address may have changed."""
    return not one.released or (
        one.task.state is TaskState.RUNNING and any(image.state in _OPEN for image in one.images)
    )


def failure_of(images: Sequence[Image]) -> Failure | None:
    """Say why there is no picture at all; None if there is one."""
    states = {image.state for image in images}
    if ImageState.STORED in states:
        return None
    return next(
        (Failure(id=reason) for state, reason in _REASONS if state in states),
        Failure(id="hidream-failed"),
    )
