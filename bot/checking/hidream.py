"""HiDream: does it answer, does it take the token, and does it answer as docs/hidream-api.md has it.

Each question is about results; nothing is submitted, and nothing is paid.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bot.alerts import expires_at
from bot.checking.lines import Line, Lines, note, ok, one_line, warning, wrong
from bot.checking.subject import Subject
from bot.hidream.client import new_client
from bot.hidream.errors import (
    ContentRefused,
    GatewayIll,
    HiDreamError,
    Refused,
    TokenRefused,
    TooFast,
    UnknownTask,
)
from bot.hidream.probing import NO_TASK, Prober, Told
from storage.store import DatabaseRefused

_SOON: Final = timedelta(days=7)
_TELL: Final = "Nothing to mend here; the project would like to know: docs/hidream-api.md."
_BROKEN: Final = "a-token-that-nobody-has"
_DATABASE_SECONDS: Final = 6.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """What HiDream said to each question; None: it was not asked."""

    unknown: Told
    broken: Told
    batch: Told
    request: Told
    ours: Told | None = None
    ours_in_batch: Told | None = None


async def hidream(subject: Subject) -> Lines:
    """Ask for the results of a task that cannot exist: with the token, with a broken one, in each way."""
    config = subject.config.hidream
    try:
        token = config.read_token()
    except ValueError as exc:
        return [wrong(f"hidream.token_file {one_line(str(exc))}", "Mend the settings first.")]
    async with new_client(proxy=subject.config.hidream.proxy_url) as http:
        http.event_hooks["response"].append(subject.heard_from("HiDream"))
        prober = Prober(http, base_url=config.base_url, version=config.api_version)
        unknown, broken, batch, request, ours = await asyncio.gather(
            prober.task(NO_TASK, token=token),
            prober.task(NO_TASK, token=_BROKEN),
            prober.batch(NO_TASK, token=token),
            prober.request(NO_TASK, token=token),
            _ours(subject, prober, token),
        )
    answers = Answers(
        unknown=unknown,
        broken=broken,
        batch=batch,
        request=request,
        ours=ours[0] if ours else None,
        ours_in_batch=ours[1] if ours else None,
    )
    lines = [verdict(answers, config.base_url), *expiry(subject, token)]
    if tells(answers):
        lines += notes(answers)
    return lines


def tells(answers: Answers) -> bool:
    """Say whether the answers are HiDream's own, and to the questions: not to a token that it refuses."""
    return answers.unknown.code is not None and not isinstance(answers.unknown.error, TokenRefused)


async def _ours(subject: Subject, prober: Prober, token: str) -> tuple[Told, Told] | None:
    """Ask about the last task that the database has at HiDream, where there is one."""
    try:
        async with asyncio.timeout(_DATABASE_SECONDS):
            latest = (await subject.database()).latest
    except (DatabaseRefused, TimeoutError):
        return None
    if latest is None:
        return None
    task_id, user_id = latest
    return (
        await prober.task(task_id, token=token, user_id=str(user_id)),
        await prober.batch(task_id, token=token, user_id=str(user_id)),
    )


# --- is it well -----------------------------------------------------------------------------------

_FAILURES: Final[Sequence[tuple[type[HiDreamError], Callable[[str, str], Line], str, str]]] = (
    (
        TokenRefused,
        wrong,
        "HiDream refuses the token",
        "Get a new one from HiDream, and put it into hidream.token; a running bot rereads a file.",
    ),
    (
        TooFast,
        warning,
        "HiDream asks for a pause",
        "Check again in a minute: the account's limits are used up, or HiDream is overloaded.",
    ),
    (
        GatewayIll,
        wrong,
        "HiDream does not answer as it should",
        "Check hidream.base_url and hidream.api_version; if they are right, wait: HiDream is ill.",
    ),
    (
        HiDreamError,
        wrong,
        "HiDream cannot be reached",
        "Check the network, the firewall, and hidream.base_url: curl -sS {url}",
    ),
)
"""What each error means to an operator; the first that fits counts."""


def verdict(answers: Answers, url: str) -> Line:
    """Say whether HiDream answers, and takes the token."""
    error = answers.unknown.error
    if isinstance(error, Refused) and error.code is None:
        return wrong(
            f"what answers at {url} is not HiDream's API (HTTP {answers.unknown.http_status})",
            "Mend hidream.base_url, or hidream.api_version; a proxy may also answer in its place.",
        )
    if error is None or isinstance(error, Refused | ContentRefused):
        if _alike(answers.unknown, answers.broken):
            return warning(
                "HiDream answers, but the same to a token that nobody has: "
                "whether ours is taken cannot be seen",
                "Send the bot a photo: only a submission will tell.",
            )
        return ok(f"HiDream answers and takes the token ({url})")
    say, what, mend = next(row[1:] for row in _FAILURES if isinstance(error, row[0]))
    return say(f"{what} ({one_line(str(error))})", mend.format(url=url))


def _alike(one: Told, other: Told) -> bool:
    return (one.http_status, one.code, type(one.error)) == (
        other.http_status,
        other.code,
        type(other.error),
    )


def expiry(subject: Subject, token: str) -> Lines:
    """Say when the token expires, where it says so."""
    end = expires_at(token)
    if end is None:
        return [note("when HiDream's token expires, it does not say (it is no JWT)")]
    when, left = f"{end:%Y-%m-%d %H:%M} UTC", end - subject.now()
    mend = "Get a new token from HiDream, and put it into hidream.token or its file."
    if left <= timedelta():
        return [wrong(f"HiDream's token has expired, at {when}", mend)]
    if left <= _SOON:
        return [warning(f"HiDream's token expires at {when}, in {_lasting(left)}", mend)]
    return [ok(f"HiDream's token expires at {when}, in {_lasting(left)}")]


def _lasting(left: timedelta) -> str:
    return f"{left.days} days" if left.days > 1 else f"{left // timedelta(hours=1)} hours"


# --- does it answer as noted ----------------------------------------------------------------------


def said(told: Told) -> str:
    """Say what came: status, code and HiDream's words, which are nobody's secret here."""
    if told.http_status is None:
        return f"nothing ({one_line(str(told.error))})"
    code = "no code" if told.code is None else f"code {told.code}"
    words = "" if told.message is None else f" “{one_line(told.message, 80)}”"
    success = f", {_tasks(told)}" if told.error is None else ""
    return f"HTTP {told.http_status}, {code}{words}{success}"


def _tasks(told: Told) -> str:
    if not told.readable:
        return "in a form that is not documented"
    images = sum(len(one.sub_tasks) for one in told.results)
    return f"{len(told.results)} tasks with {images} images"


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """Something that the notes say or leave open, and how it is seen in the answers."""

    about: str
    noted: str
    told: Callable[[Answers], Told | None]
    as_noted: Callable[[Told], bool]
    seen: Callable[[Told], str] = said


def _scale(told: Told) -> str:
    if not told.completions:
        return "no completion at all"
    return f"at most {max(told.completions):g}"


def _oddities(told: Told) -> str:
    found = {one.oddity for task in told.results for one in task.sub_tasks} - {None}
    return ", ".join(sorted(str(one) for one in found)) or "nothing odd"


POINTS: Final[Sequence[Point]] = (
    Point(
        about="a task that does not exist",
        noted="refused as unknown",
        told=lambda answers: answers.unknown,
        as_noted=lambda told: isinstance(told.error, UnknownTask),
    ),
    Point(
        about="a token that nobody has",
        noted="refused as a token",
        told=lambda answers: answers.broken,
        as_noted=lambda told: isinstance(told.error, TokenRefused),
    ),
    Point(
        about="the question about many tasks",
        noted="answered, without those that do not exist",
        told=lambda answers: answers.batch,
        as_noted=lambda told: told.error is None and told.readable and not told.results,
    ),
    Point(
        about="a question by request id alone",
        noted="open; a refusal means not known",
        told=lambda answers: answers.request,
        as_noted=lambda told: isinstance(told.error, Refused),
    ),
    Point(
        about="our last task's completion",
        noted="from 0 to 1",
        told=lambda answers: _with_images(answers.ours),
        as_noted=lambda told: bool(told.completions) and max(told.completions) <= 1,
        seen=_scale,
    ),
    Point(
        about="our last task's statuses",
        noted="as documented",
        told=lambda answers: _with_images(answers.ours),
        as_noted=lambda told: _oddities(told) == "nothing odd",
        seen=_oddities,
    ),
    Point(
        about="our last task, asked about with many",
        noted="its entry repeats the task's id",
        told=lambda answers: answers.ours_in_batch,
        as_noted=lambda told: bool(told.results) and told.results[0].task_id is not None,
    ),
)
"""The points of docs/hidream-api.md that a harmless question can settle."""


def _with_images(told: Told | None) -> Told | None:
    return told if told is not None and any(one.sub_tasks for one in told.results) else None


def notes(answers: Answers) -> Lines:
    """Say how HiDream answers where its documentation does not say, and what our notes say of it."""
    lines: Lines = []
    for point in POINTS:
        told = point.told(answers)
        if told is None:
            continue
        fits = point.as_noted(told)
        how = "answered" if fits else "answered otherwise"
        what = f"{point.about}: notes: {point.noted}; {how}: {point.seen(told)}"
        lines.append(note(what, None if fits else _TELL))
    return lines
