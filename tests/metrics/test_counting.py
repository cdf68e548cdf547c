"""What is counted as it happens, where it is counted, and that no label can say anything of anybody."""

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, get_args

import httpx
import pytest
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TelegramError

from bot import metrics
from bot.hidream.errors import DownloadError, HiDreamError
from bot.labels import (
    Callback,
    Delivered,
    HiDreamCall,
    HiDreamOutcome,
    LoopName,
    Step,
    Submitted,
    TelegramMethod,
    TelegramOutcome,
    Waiting,
)
from bot.limits import TelegramLimits
from bot.messages import Outcome, Urgency
from bot.metrics import PREFIX, VALUES
from bot.supervisor import Loop, supervise
from bot.web.callback import BODY_LIMIT
from storage.memory import MemoryStore
from storage.store import StoreError
from storage.tasks import TaskState
from tests.engine import HiDream, accepted, engine, in_no_time, refusal
from tests.metrics.shown import READ, Since, ours, strange
from tests.metrics.test_readings import shown_readings
from tests.metrics.tools import ROOT
from tests.storage.making import START, HandClock, add, claim, there
from tests.test_web import Side, serving
from tests.time_machine import LoopClock, at_once

_UNITS: Final = ("seconds", "bytes")
_NO_UNITS: Final = re.compile(r"milli|micro|_ms|minutes|hours|kilo|mega|percent|_kb|_mb")
_DONE: Final = (TaskState.DELIVERED, TaskState.FAILED)


def _subclasses(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    for one in kind.__subclasses__():
        yield one
        yield from _subclasses(one)


# --- names and labels


def test_names_are_as_prometheus_wants_them() -> None:
    """A counter ends in _total, and nothing else; units are base units, at the end; each has a meaning."""
    with shown_readings():
        families = ours()
    assert len(families) > 30
    for one in families:
        samples = {sample.name for sample in one.samples}
        assert one.name.startswith(PREFIX)
        assert not _NO_UNITS.search(one.name), one.name
        assert len(one.documentation) > 10, one.name
        assert one.documentation.endswith("."), one.name
        assert all(name.endswith("_total") == (one.type == "counter") for name in samples), samples
        if one.type == "histogram" or "_age" in one.name or "_size" in one.name:
            assert one.name.endswith(_UNITS), one.name


def test_labels_are_of_closed_sets() -> None:
    """Whatever was counted, by this test or any before it: no label says anything but what it may."""
    for odd in ("sendPhoto?chat_id=17", "make it snow", "https://x/y", "17"):
        metrics.telegram_calls.labels(TelegramMethod(odd), TelegramOutcome(odd)).inc(0)
        metrics.hidream_calls.labels(HiDreamCall.ASK, HiDreamOutcome(odd)).inc(0)
        metrics.loop_restarts.labels(LoopName(odd), "failed").inc(0)
        metrics.deliveries.labels(Delivered(odd)).inc(0)
        metrics.submissions.labels(Submitted(odd)).inc(0)
    with shown_readings():
        families = ours()
    labelled = {one.name for one in families for s in one.samples if s.labels.keys() - {"le"}}
    assert {name for name, labels in {**VALUES, **READ}.items() if labels} >= labelled
    assert not [odd for one in families for odd in strange(iter(one.samples), one.name)]


def test_no_more_series_than_one_screenful_of_each() -> None:
    """All kinds of all labels together make a few thousand series at most, whoever talks to the bot."""
    most = 0
    for name, labels in VALUES.items():
        series = 20 if name.endswith("seconds") else 1
        for kinds in labels.values():
            series *= len(kinds)
        most += series
    assert most < 2000


def test_every_error_of_hidream_has_a_name() -> None:
    """Each class of errors is told apart; what is no error of HiDream's counts as broken."""
    kinds = set(_subclasses(HiDreamError)) - {DownloadError}
    assert len(kinds) > 8
    for kind in kinds:
        assert HiDreamOutcome.of(kind.__new__(kind)) is not HiDreamOutcome.BROKEN, kind
    assert HiDreamOutcome.of(asyncio.CancelledError()) is HiDreamOutcome.CANCELLED
    assert HiDreamOutcome.of(ValueError()) is HiDreamOutcome.BROKEN
    submitting = set(map(str, HiDreamOutcome)) - {"ok", "cancelled", "unknown_task"}
    submitting = {one for one in submitting if not one.startswith("download")}
    assert set(map(str, Submitted)) == submitting | {"accepted"}


def test_every_loop_has_a_name() -> None:
    """Each loop that the bot runs is told apart, and there is no name without one."""
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "bot").glob("*.py")]
    built = "".join(
        source.partition("loops: dict[str, Loop] = ")[2].partition("\n    return ")[0]
        for source in sources
    )
    found = re.findall(r'(?m)^        "(\w+)": |loops\["(\w+)"\] =', built)
    names = {name for names in found for name in names if name}
    assert set(map(str, LoopName)) == names | {"other"}


def test_every_outcome_of_telegram_has_a_name() -> None:
    """Each outcome of a call is told apart, for calls and for deliveries; so is each urgency."""
    names = {kind.__name__.lower() for kind in get_args(Outcome)}
    # one that went well, and one that was not made at all
    assert names - {"sent", "dropped"} <= set(map(str, TelegramOutcome))
    assert names - {"sent"} <= set(map(str, Delivered))
    assert {one.name.lower() for one in Urgency} == set(map(str, Waiting))
    assert set(map(str, _DONE)) <= set(map(str, Delivered))


# --- Telegram


@pytest.mark.parametrize(
    ("make", "outcome"),
    [
        (lambda: None, "ok"),
        (lambda: RetryAfter(7), "too_fast"),  # made within the test, which has opted in to its form
        (lambda: Forbidden("blocked"), "gone"),
        (lambda: BadRequest("wrong"), "refused"),
        (lambda: NetworkError("down"), "later"),
        (lambda: ValueError("a mistake"), "broken"),
        (asyncio.CancelledError, "cancelled"),
    ],
)
@pytest.mark.parametrize("endpoint", ["sendMessage", "getFile"])
def test_calls_to_telegram_are_counted(
    endpoint: str,
    make: Callable[[], BaseException | None],
    outcome: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each call counts once, by method and outcome, whether limits hold it or not; a 429 with its pause."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")
    error = make()

    async def call() -> bool:
        if error is not None:
            raise error
        return True

    async def work() -> None:
        await TelegramLimits(LoopClock()).process_request(call, (), {}, endpoint, {}, Urgency.EDIT)

    since = Since()
    if error is None:
        at_once(work())
    else:
        with pytest.raises(type(error)):
            at_once(work())
    assert since.risen("telegram_calls_total", method=endpoint, outcome=outcome) == 1
    assert since.risen("telegram_call_duration_seconds_count", method=endpoint) == 1
    pause = 7 if isinstance(error, RetryAfter) else 0
    assert since.risen("telegram_retry_after_seconds_total") == pause
    held = endpoint == "sendMessage"
    assert since.risen("telegram_limiter_wait_seconds_count", urgency="edit") == held


def test_the_wait_for_the_limits_is_timed() -> None:
    """What waits for its turn is timed by urgency, in the time that it waits."""

    async def call() -> bool:
        return True

    async def work() -> None:
        limits = TelegramLimits(LoopClock())
        for _ in range(6):
            await limits.process_request(call, (), {}, "sendMessage", {"chat_id": 1}, None)

    since = Since()
    at_once(work())
    assert since.risen("telegram_limiter_wait_seconds_count", urgency="reply") == 6
    assert 1.9 < since.risen("telegram_limiter_wait_seconds_sum", urgency="reply") < 2.1


# --- HiDream, and the way of a task


@in_no_time
async def test_a_task_is_timed_step_by_step(tmp_path: Path) -> None:
    """Each step of the way counts once for a picture; a refusal counts as one, and its task has a whole way."""
    since = Since()

    def answer(body: dict[str, object]) -> httpx.Response:
        return refusal(2010, "敏感") if body["prompt"] == "bad" else accepted(body)

    async with engine(tmp_path, HiDream(submit=answer, seconds=2)) as one:
        good, bad = await one.photo("good"), await one.photo("bad")
        await one.reaches(good, *_DONE, within=60)
        await one.reaches(bad, *_DONE, within=600)
    for step in Step:
        times = 2 if step in {Step.WHOLE, Step.DELIVERING} else 1
        assert since.risen("step_duration_seconds_count", step=step) == times, step
    assert 1.9 < since.risen("step_duration_seconds_sum", step="handing_in") < 2.1
    assert since.risen("submissions_total", outcome="accepted") == 1
    refused = [kind for kind in Submitted if since.risen("submissions_total", outcome=kind)]
    assert len(refused) == 2
    assert since.risen("deliveries_total", outcome="delivered") == 1
    assert since.risen("deliveries_total", outcome="failed") == 1
    assert since.risen("hidream_calls_total", call="submit", outcome="ok") == 1
    assert since.risen("hidream_calls_total", call="ask", outcome="ok") >= 1
    assert since.risen("hidream_call_duration_seconds_count", call="ask_batch") >= 1


@in_no_time
async def test_a_submission_without_an_answer_counts_as_such(tmp_path: Path) -> None:
    """A lost answer is uncertain, both as a call and as a submission; the looking up counts, too."""
    since, lost = Since(), iter([True])

    def answer(body: dict[str, object]) -> httpx.Response:
        if next(lost, False):
            raise httpx.ReadError("gone")
        return accepted(body)

    async with engine(tmp_path, HiDream(submit=answer)) as one:
        await one.reaches(await one.photo("x"), TaskState.DELIVERED, within=600)
        assert (await one.store.overview(one.clock.now())).counts["unanswered"] == 1
    assert since.risen("submissions_total", outcome="uncertain") == 1
    assert since.risen("hidream_calls_total", call="submit", outcome="uncertain") == 1
    assert since.risen("hidream_calls_total", call="look_up", outcome="ok") >= 1


# --- callbacks


@pytest.mark.parametrize("kind", list(Callback))
async def test_callbacks_are_counted_by_kind(
    kind: Callback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call of HiDream's, or of whoever calls, is of one kind."""
    monkeypatch.setattr("bot.web.callback._BODY_SECONDS", 0.2)
    clock = HandClock()
    store = MemoryStore(clock)
    async with serving(store, clock) as (side, http):
        url, content = await _called(side, kind, monkeypatch)
        since = Since()
        if kind is Callback.TOO_SLOW:
            await _slowly(url)
        else:
            await http.post(url, content=content)
    risen = {one for one in Callback if since.risen("callbacks_total", kind=one)}
    assert risen == {kind}
    assert since.risen("callbacks_total", kind=kind) == 1


async def _called(side: Side, kind: Callback, monkeypatch: pytest.MonkeyPatch) -> tuple[str, bytes]:
    """Make ready what a call of this kind needs; gives where it goes, and what it says."""
    address = side.callbacks.new()
    task = there(await claim(side.store, await add(side.store), callback_hash=address.hash))
    if kind is Callback.LATE:
        await side.store.ready(task, now=START)
    elif kind is Callback.REPEATED:
        await side.callbacks.called(address.url.rpartition("/")[2], None)
    elif kind is Callback.UNKNOWN:
        return f"{side.url}/hidream/unknown", b"{}"
    elif kind is Callback.NOT_KEPT:

        async def full(*_: object) -> None:
            raise StoreError("disk full")

        monkeypatch.setattr(side.store, "called_back", full)
    return side.here(address.url), b"x" * (BODY_LIMIT + 1) if kind is Callback.TOO_LARGE else b"{}"


async def _slowly(url: str) -> None:
    """Begin a call, and never end it."""
    address = httpx.URL(url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(f"POST {address.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{{".encode())
    assert b" 408 " in await reader.readline()
    writer.close()


# --- loops


def test_loops_that_begin_anew_are_counted() -> None:
    """By loop, and by what made them: an error, their end, the store; a name that is not known is "other"."""
    stop = asyncio.Event()

    def falling(*errors: Exception | None) -> Loop:
        left = list(errors)

        async def run(stop: asyncio.Event) -> None:
            if not left:
                stop.set()
            elif (error := left.pop(0)) is not None:
                raise error

        return run

    loops = {
        "watcher": falling(RuntimeError(), None, StoreError("x"), StoreError("x")),
        "somebody's": falling(TelegramError("x"), *[None] * 9),
    }
    since = Since()
    at_once(
        supervise(loops, wake=lambda: None, stop=stop, clock=LoopClock(), stop_seconds=lambda: 4)
    )
    for why, times in (("failed", 1), ("ended", 1), ("store", 2)):
        assert since.risen("loop_restarts_total", loop="watcher", why=why) == times, why
    assert since.risen("loop_restarts_total", loop="other", why="failed") == 1
