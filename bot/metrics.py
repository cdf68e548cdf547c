"""What is counted and timed as it happens, for `/metrics`; what can be read is read at the scrape (`readings`).

Whoever counts says what by a member of an enum (`labels`): so no id, word or address can ever become a label.
"""

import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from functools import wraps
from itertools import product
from typing import Any, Final, ParamSpec, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

from bot.labels import (
    Callback,
    Delivered,
    Fell,
    Handled,
    HiDreamCall,
    HiDreamOutcome,
    LoopName,
    Step,
    Submitted,
    TelegramMethod,
    TelegramOutcome,
    Waiting,
)

P = ParamSpec("P")
T = TypeVar("T")
Call = Callable[P, Coroutine[Any, Any, T]]

PREFIX: Final = "hidream_bot_"
REGISTRY: Final = CollectorRegistry()
"""A private one: what libraries count for themselves is not shown."""
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
# Each would double all series by the time at which it began, which is that of the process.
disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no types

VALUES: Final[dict[str, dict[str, frozenset[str]]]] = {}
"""What each label of each metric may say."""

_WELL: Final = "ok"
_STEP_BUCKETS: Final = (0.25, 0.5, 1, 2, 5, 10, 15, 20, 30, 45, 60, 120, 300, 600, 1200, 3600)
"""Seconds: a picture takes ten to thirty; a deadline is ten minutes, unless it is set otherwise."""
_CALL_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 240)
_WAIT_BUCKETS: Final = (0.005, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


# --- the instruments ------------------------------------------------------------------------------


def _counter(
    name: str, meaning: str, *, from_none: bool = True, **labels: type[StrEnum]
) -> Counter:
    """Make a counter. `from_none`: each of its kinds is there from the start, so that its first is a rise."""
    counter = Counter(PREFIX + name, meaning, tuple(labels), registry=REGISTRY)
    VALUES[PREFIX + name] = {label: frozenset(kinds) for label, kinds in labels.items()}
    if labels and from_none:
        for kinds in product(*labels.values()):
            counter.labels(*kinds)
    return counter


def _histogram(
    name: str, meaning: str, buckets: Iterable[float], **labels: type[StrEnum]
) -> Histogram:
    VALUES[PREFIX + name] = {label: frozenset(kinds) for label, kinds in labels.items()}
    return Histogram(
        PREFIX + name, meaning, tuple(labels), buckets=tuple(buckets), registry=REGISTRY
    )


updates_received: Final = _counter(
    "updates_received", "Updates of Telegram that were new, and kept."
)
updates_handled: Final = _counter(
    "updates_handled", "Tries to handle an update, by what became of it.", outcome=Handled
)
step_seconds: Final = _histogram(
    "step_duration_seconds", "How long each step of a task took.", _STEP_BUCKETS, step=Step
)
submissions: Final = _counter(
    "submissions", "Tasks handed in to HiDream, by its answer.", outcome=Submitted
)
callbacks: Final = _counter("callbacks", "Calls to HiDream's way back, by kind.", kind=Callback)
hidream_calls: Final = _counter(
    "hidream_calls", "Calls to HiDream.", from_none=False, call=HiDreamCall, outcome=HiDreamOutcome
)
hidream_seconds: Final = _histogram(
    "hidream_call_duration_seconds", "How long calls to HiDream took.", _CALL_BUCKETS,
    call=HiDreamCall,
)  # fmt: skip
telegram_calls: Final = _counter(
    "telegram_calls",
    "Calls to Telegram.",
    from_none=False,
    method=TelegramMethod,
    outcome=TelegramOutcome,
)
telegram_seconds: Final = _histogram(
    "telegram_call_duration_seconds", "How long calls to Telegram took, without their wait for its limits.",
    _CALL_BUCKETS, method=TelegramMethod,
)  # fmt: skip
telegram_waits: Final = _histogram(
    "telegram_limiter_wait_seconds", "How long calls waited here for Telegram's limits.",
    _WAIT_BUCKETS, urgency=Waiting,
)  # fmt: skip
telegram_pauses: Final = _counter(
    "telegram_retry_after_seconds", "Seconds that Telegram asked to wait for (429)."
)
deliveries: Final = _counter(
    "deliveries", "Tries to bring a result to its chat, by outcome.", outcome=Delivered
)
loop_restarts: Final = _counter("loop_restarts", "Loops that began anew.", loop=LoopName, why=Fell)


# --- how it is counted ----------------------------------------------------------------------------


@contextmanager
def counted(
    calls: Counter,
    seconds: Histogram,
    call: StrEnum,
    outcome_of: Callable[[BaseException], str],
) -> Iterator[None]:
    """Count and time what is done in here; an error says by `outcome_of` how it ended."""
    began = time.perf_counter()
    outcome = _WELL
    try:
        yield
    except BaseException as exc:
        outcome = outcome_of(exc)
        raise
    finally:
        seconds.labels(call).observe(time.perf_counter() - began)
        calls.labels(call, outcome).inc()


def of_hidream(call: HiDreamCall) -> Callable[[Call[P, T]], Call[P, T]]:
    """Count and time a call to HiDream."""

    def around(function: Call[P, T]) -> Call[P, T]:
        @wraps(function)
        async def counting(*args: P.args, **named: P.kwargs) -> T:
            with counted(hidream_calls, hidream_seconds, call, HiDreamOutcome.of):
                return await function(*args, **named)

        return counting

    return around


def took(step: Step, begun: datetime | None, ended: datetime | None) -> None:
    """Note how long a step took, where both its ends are known."""
    if begun is not None and ended is not None:
        step_seconds.labels(step).observe(max(0.0, (ended - begun).total_seconds()))
