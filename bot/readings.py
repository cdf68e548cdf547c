"""What `/metrics` reads at a scrape, instead of counting it aside: the store, the account, the disk.

Prometheus's library collects in one go and waits for nothing. So all that has to be waited for is read
first (`read`), and then shown as it was (`collect`). What cannot be read is left out; the rest is shown.
"""

import asyncio
import importlib.metadata
import shutil
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from math import inf
from pathlib import Path
from typing import Final, Generic, TypeVar

import structlog
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bot.account import Account, Minute, Trouble
from bot.conditions import Reason
from bot.health import Cause
from bot.metrics import PREFIX, REGISTRY
from bot.slots import Slots
from storage.clock import Clock
from storage.files import PictureFiles
from storage.store import TaskStore
from storage.tasks import FINAL, Overview, TaskState

log = structlog.get_logger(__name__)

T = TypeVar("T")

PATIENCE: Final = 3.0
"""Seconds in which store and disk have to answer: a scrape has ten, unless it is set otherwise."""
_GOOD: Final = 5.0
"""So many seconds what was read counts as read at this scrape."""
_RECOUNT: Final = 300.0
"""Seconds after which the pictures' files are looked through again."""
UNFINISHED: Final = tuple(state for state in TaskState if state not in FINAL)
_PARTS: Final = ("database", "log", "pictures")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Disk:
    """How much of the disk is taken by the database, and is free, in bytes."""

    database: int
    log: int
    free: int
    size: int


class _Reading(Generic[T]):
    """Something that has to be waited for; it is never waited for twice at once.

    Args:
        again: seconds after which it is read anew; 0: at each scrape.
        good: seconds for which it is shown, where nothing newer can be had.
    """

    def __init__(
        self,
        what: str,
        work: Callable[[], Awaitable[T]],
        clock: Clock,
        *,
        again: float = 0.0,
        good: float = _GOOD,
    ) -> None:
        self._what = what
        self._work = work
        self._clock = clock
        self._again = again
        self._good = good
        self._task: asyncio.Task[None] | None = None
        self._value: T | None = None
        self._at = -inf

    @property
    def value(self) -> T | None:
        """Give what was read; None: it could not be, or not in time."""
        return self._value if self._clock.monotonic() - self._at <= self._good else None

    def begin(self) -> asyncio.Task[None] | None:
        """Begin to read, unless that is under way, or was done a short while ago (None)."""
        if self._task is None or self._task.done():
            if self._clock.monotonic() < self._at + self._again:
                return None
            self._task = asyncio.create_task(self._read(), name=f"read {self._what}")
        return self._task

    async def _read(self) -> None:
        try:
            value = await self._work()
        except Exception as exc:
            # whatever it was: the rest of the scrape is worth having, now above all
            log.warning("not_read_for_metrics", what=self._what, why=type(exc).__name__)
            self._value, self._at = None, -inf
        else:
            self._value, self._at = value, self._clock.monotonic()


class Readings(Collector):
    """What is read at a scrape."""

    def __init__(
        self,
        *,
        store: TaskStore,
        account: Account,
        slots: Slots,
        minute: Minute,
        path: Path,
        files: PictureFiles,
        mode: str,
        clock: Clock,
        reasons: Callable[[], tuple[Reason, ...]] = tuple,
        closed: Callable[[], Collection[int]] = tuple,
    ) -> None:
        self._account = account
        self._slots = slots
        self._minute = minute
        self._mode = mode
        self._reasons = reasons
        self._clock = clock
        self._store = _Reading("store", lambda: store.overview(clock.now(), closed=closed()), clock)
        self._disk = _Reading("disk", lambda: asyncio.to_thread(_look_at_disk, path), clock)
        self._pictures = _Reading("pictures", files.size, clock, again=_RECOUNT, good=inf)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Be a part of what `/metrics` shows until the end of the block."""
        REGISTRY.register(self)
        try:
            yield
        finally:
            REGISTRY.unregister(self)

    async def read(self) -> None:
        """Read what has to be waited for; what is not there in time is left out of this scrape."""
        readings = (self._store, self._disk, self._pictures)
        under_way = {task for one in readings if (task := one.begin()) is not None}
        await asyncio.wait(under_way, timeout=PATIENCE)

    def describe(self) -> Iterable[Metric]:
        """Give no names: nothing is asked for by name here."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Give everything as it was when it was read."""
        yield from self._of_program()
        yield from self._of_account()
        overview = self._store.value
        readable = overview is not None
        yield _gauge("store_readable", "Whether the store answered (1) or not (0).", readable)
        if overview is not None:
            yield from _of_store(overview, self._clock.now())
            busy = overview.slots_held
            yield _gauge("slots_busy", "Slots that are held at HiDream.", busy)
            free = max(0, self._slots.limit - busy)
            yield _gauge("slots_free", "Slots in which a task may begin now.", free)
        if self._disk.value is not None:
            yield from _of_disk(self._disk.value, self._pictures.value)

    def _of_program(self) -> Iterator[Metric]:
        build = _gauge(
            "build_info", "Which version runs, and how it gets updates.", labels="version mode"
        )
        build.add_metric([version(), self._mode], 1)
        yield build
        causes = {reason.cause for reason in self._reasons()}
        yield _gauge("ready", "Whether the bot is ready (1) or not (0).", not causes)
        why = _gauge("not_ready", "Why the bot is not ready (1), by cause.", labels="cause")
        for cause in Cause:
            why.add_metric([cause.value], cause in causes)
        yield why

    def _of_account(self) -> Iterator[Metric]:
        found = self._slots.found
        yield _gauge(
            "slots_configured", "Slots that the account has by its tier.", self._slots.configured
        )
        yield _gauge("slots_found", "Slots that the account turned out to have.", found)
        yield _gauge(
            "minute_images_used", "Images that count against the minute now.", self._minute.used
        )
        yield _gauge(
            "minute_images_limit", "Images that the account takes a minute.", self._minute.limit
        )
        trouble = _gauge("account_trouble", "Why nothing is handed in (1), by kind.", labels="kind")
        for kind in Trouble:
            trouble.add_metric([kind.value], self._account.trouble is kind)
        yield trouble


@dataclass(frozen=True, slots=True)
class _FromStore:
    """A number that the store knows."""

    name: str
    meaning: str
    of: Callable[[Overview, datetime], float]


def _age(now: datetime, since: datetime | None) -> float:
    """Give how old the oldest is, in seconds; 0 where there is none."""
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())


_GAUGES: Final = (
    _FromStore(
        "queue_length", "Tasks in line, those put off among them.",
        lambda one, _: one.counts[TaskState.QUEUED] + one.counts[TaskState.WAITING],
    ),
    _FromStore(
        "queue_oldest_age_seconds", "How long the oldest task in line has been there.",
        lambda one, now: _age(now, one.line_since),
    ),
    _FromStore(
        "undelivered_oldest_age_seconds",
        "How long the oldest result waits that is not being brought, in chats that Telegram has not closed.",
        lambda one, now: _age(now, one.ready_since),
    ),
    _FromStore("inbox_updates", "Updates that are not handled yet.", lambda one, _: one.inbox),
    _FromStore(
        "inbox_oldest_age_seconds", "How long the oldest of them has been there.",
        lambda one, now: _age(now, one.inbox_since),
    ),
)  # fmt: skip
_COUNTERS: Final = (
    _FromStore(
        "submissions_unanswered", "Submissions that got no answer, ever.",
        lambda one, _: one.counts["unanswered"],
    ),
    _FromStore(
        "messages_repeated", "Messages of results that may have been shown twice, ever.",
        lambda one, _: one.counts["repeated"],
    ),
)  # fmt: skip


def _of_store(one: Overview, now: datetime) -> Iterator[Metric]:
    for row in _GAUGES:
        yield _gauge(row.name, row.meaning, row.of(one, now))
    for row in _COUNTERS:
        yield CounterMetricFamily(PREFIX + row.name, row.meaning, value=row.of(one, now))
    tasks = _gauge("tasks", "Unfinished tasks, by state.", labels="state")
    for state in UNFINISHED:
        tasks.add_metric([state.value], one.counts[state])
    yield tasks


def _of_disk(disk: _Disk, pictures: int | None) -> Iterator[Metric]:
    size = _gauge("store_size_bytes", "What is kept on disk, by part.", labels="part")
    taken = {"database": disk.database, "log": disk.log, "pictures": pictures}
    for part in _PARTS:
        if (bytes_taken := taken[part]) is not None:
            size.add_metric([part], bytes_taken)
    yield size
    yield _gauge("disk_free_bytes", "What is free on that disk.", disk.free)
    yield _gauge("disk_size_bytes", "How large that disk is.", disk.size)


def _gauge(
    name: str, meaning: str, value: float | None = None, *, labels: str = ""
) -> GaugeMetricFamily:
    return GaugeMetricFamily(PREFIX + name, meaning, value=value, labels=labels.split() or None)


def _look_at_disk(path: Path) -> _Disk:
    usage = shutil.disk_usage(path.parent)
    wal = path.with_name(f"{path.name}-wal")
    return _Disk(
        database=path.stat().st_size,
        log=wal.stat().st_size if wal.exists() else 0,
        free=usage.free,
        size=usage.total,
    )


def version() -> str:
    """Give the version that is installed; run from its source alone, it has none."""
    try:
        return importlib.metadata.version("hidream-bot")
    except importlib.metadata.PackageNotFoundError:
        return "source"
