"""The fault matrix: what comes of each fault at each step. `test_fault_matrix` plays it for real.

`python -m tests.e2e.fault_matrix --write` writes it to docs/faults.md for people to read.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from bot.texts import Say, plain

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "faults.md"
PICTURE: Final = "picture"
PROGRESS: Final = "progress"
"""Its progress message, which still says how it goes."""
NOTHING: Final = "nothing"

_STATUSES: Final = (400, 401, 403, 404, 408, 409, 410, 413, 422, 425, 500, 502, 503, 504)
_PAGE: Final = "<html><head><title>Maintenance</title></head><body>Back soon.</body></html>"

FAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    **{f"HTTP {status}": {"action": "status", "status": status} for status in _STATUSES},
    "HTTP 429 (1 s)": {"action": "status", "status": 429, "retry_after": 1},
    "HTTP 429 (30 s)": {"action": "status", "status": 429, "retry_after": 30},
    "HTML": {"action": "status", "status": 200, "body": _PAGE, "content_type": "text/html"},
    "redirect": {"action": "redirect", "location": "http://10.0.0.1/"},
    "reset before": {"action": "reset_before"},
    "reset after": {"action": "reset_after"},
    "cut JSON": {"action": "truncate"},
    "broken off": {"action": "break_off"},
    "silence": {"action": "stall", "seconds": 1.0},
    "late": {"action": "delay", "seconds": 0.5},
    "slow": {"action": "slow", "seconds": 0.5},
    # of a picture's address alone
    "cut picture": {"action": "truncate"},
    "huge": {"action": "huge", "bytes": 51 * 2**20},
    "moved": {"action": "redirect"},
    "in circles": {"action": "redirect"},
    "led inside": {"action": "redirect", "location": "https://169.254.169.254/latest/meta-data/"},
}
"""Each fault by its name, as the sandbox takes it."""

ABOUT: Final[Mapping[str, str]] = {
    "HTTP 429 (30 s)": "HTTP 429 that asks for 30 seconds of quiet",
    "HTML": "a page, with HTTP 200, in place of JSON",
    "redirect": "HTTP 302, to an address inside a private network",
    "reset before": "the connection is reset before the call has any effect",
    "reset after": "the connection is reset after the call took effect, before its answer",
    "cut JSON": "the call takes effect; its answer ends in the middle, as if that were all",
    "broken off": "the call takes effect; its answer announces more than it sends",
    "silence": "the call takes effect; its answer begins, stops, and is reset",
    "late": "the whole call comes late",
    "slow": "the answer comes piece by piece",
    "cut picture": "half a picture, as if that were all",
    "huge": "a picture of more than 50 MiB",
    "moved": "a redirect to where the picture is",
    "in circles": "a redirect to itself, without end",
    "led inside": "a redirect to an address that only the machine itself can reach",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One fault at one step, and what is to come of it."""

    step: str
    fault: str
    times: int | None = 1
    """How often it strikes; None: for ever."""
    end: str = "delivered"
    """The state of the task's row; where there is no task, of the inbox's."""
    last: str = PICTURE
    """What the person reads last: a sentence's id, PICTURE, PROGRESS or NOTHING."""
    calls: int | None = None
    """How often this step's call is made; None: as often as time makes it."""
    made: int = 1
    """How many tasks HiDream accepted, and was perhaps paid for."""
    pictures: int = 1
    """How many pictures the person sees."""
    waits: int = 0
    """In how many seconds, at least, a row that is not over is due again."""
    left: int = 0
    """How many other messages of the bot stay in the chat."""
    repeats: int = 0
    """How many messages the bot itself counts as perhaps shown twice."""

    @property
    def id(self) -> str:
        """The row's name."""
        often = {1: "", None: ", for ever"}.get(self.times, f", {self.times} times")
        return f"{self.step}: {self.fault}{often}"


# What a call may meet, in groups that most steps treat alike.
_TOKEN: Final = ("HTTP 401", "HTTP 404")
"""Telegram says both of a token that it does not know."""
_ILL: Final = ("HTTP 408", "HTTP 425", "HTTP 500", "HTTP 502", "HTTP 503", "redirect")
"""Answers that say that nothing was done, and that it may go better soon."""
_ODD: Final = ("HTTP 409", "HTTP 410", "HTTP 422")
_LOST: Final = ("reset after", "cut JSON", "broken off", "silence")
"""The call takes effect, and its answer cannot be read."""
_FINE: Final = ("late", "slow")

_Group = tuple[tuple[str, ...], Mapping[str, Any]]


def _rows(step: str, *groups: _Group) -> Iterator[Row]:
    for faults, expected in groups:
        for fault in faults:
            yield Row(step=step, fault=fault, **expected)


_UNPAID: Final = {"made": 0, "pictures": 0}
_ANSWER: Final = {**_UNPAID, "end": "done", "last": "status-none"}
_WAITS: Final = {"end": "ready", "last": PROGRESS, "pictures": 0, "calls": 1, "waits": 10}
_ALBUM: Final = {"pictures": 2, "last": "result-next"}
_PRESSED: Final = {**_UNPAID, "end": "done", "last": "preference-ratio-about", "calls": 1}
_NOTICE: Final = {"end": "failed", "last": "hidream-failed", "pictures": 0}
_UNFETCHED: Final = {"end": "failed", "last": "result-unfetched", "pictures": 0, "calls": 1}
_PHOTO_GONE: Final = {**_UNPAID, "end": "failed", "last": "photo-gone", "calls": 1}
_PHOTO_LATER: Final = {
    **_UNPAID,
    "end": "waiting",
    "last": "progress-retry",
    "calls": 1,
    "waits": 10,
}
_PAUSED: Final = {**_UNPAID, "times": None, "end": "waiting", "last": "progress-paused"}

ROWS: Final[tuple[Row, ...]] = (
    # --- updates in: whatever happens, the photo comes again until it is kept
    *_rows(
        "getUpdates",
        (("HTTP 400", "HTTP 401", "HTTP 403", "HTTP 404", "HTTP 413", "HTTP 504"), {}),
        ((*_ILL, *_ODD, "HTTP 429 (1 s)", "HTML", "reset before", *_LOST, *_FINE), {}),
    ),
    # --- the bot's answer to a command
    *_rows(
        "answer",
        (("HTTP 400", "HTTP 403", "HTTP 413"), {**_ANSWER, "last": NOTHING, "calls": 1}),
        (
            (*_TOKEN, "HTTP 429 (30 s)"),
            {**_ANSWER, "end": "new", "last": NOTHING, "calls": 1, "waits": 10},
        ),
        (
            (*_ILL, *_ODD, "HTTP 504", "HTTP 429 (1 s)", "HTML", "reset before"),
            {**_ANSWER, "calls": 2},
        ),
        (_LOST, {**_ANSWER, "calls": 2, "left": 1}),
        (_FINE, {**_ANSWER, "calls": 1}),
    ),
    # --- the progress message: nobody waits for it
    *_rows(
        "progress",
        (("HTTP 400", *_TOKEN, "HTTP 413", "HTTP 504", "HTTP 429 (30 s)"), {}),
        ((*_ILL, *_ODD, "HTTP 429 (1 s)", "HTML", "reset before", *_FINE), {}),
        (_LOST, {"left": 1}),
    ),
    *_rows(
        "editMessageText",
        (("HTTP 400", *_TOKEN, "HTTP 403", "HTTP 413", "HTTP 504", "HTTP 429 (30 s)"), {}),
        ((*_ILL, *_ODD, "HTTP 429 (1 s)", "HTML", "reset before", *_LOST, *_FINE), {}),
    ),
    *_rows(
        "deleteMessage",
        (("HTTP 400", "HTTP 403", "HTTP 413"), {"calls": 1, "left": 1}),
        ((*_TOKEN, "HTTP 429 (30 s)"), {"end": "ready", "calls": 1, "left": 1, "waits": 10}),
        (
            (*_ILL, *_ODD, "HTTP 504", "HTTP 429 (1 s)", "HTML", "reset before", *_LOST),
            {"calls": 2},
        ),
        (_FINE, {"calls": 1}),
    ),
    # --- the photo
    # how often it is fetched is no matter: what is made ready too early is let go of
    *_rows(
        "getFile",
        (("HTTP 400", "HTTP 403"), _PHOTO_GONE),
        (_TOKEN, _PHOTO_LATER),
        ((*_ILL, *_ODD, "HTTP 504", "HTTP 429 (1 s)", "HTML", "reset before", *_LOST, *_FINE), {}),
    ),
    *_rows(
        "file",
        (("HTML",), {**_PHOTO_GONE, "last": "image-unknown"}),
        (("cut picture",), {**_PHOTO_GONE, "last": "image-broken"}),
        (("HTTP 400", "HTTP 403", "HTTP 404"), _PHOTO_GONE),
        (("HTTP 401",), _PHOTO_LATER),
        ((*_ILL, *_ODD, "HTTP 504", "HTTP 429 (1 s)", "reset before", "broken off", *_FINE), {}),
    ),
    # --- handing in
    *_rows(
        "submit",
        (("HTTP 400", "HTTP 404", "HTTP 413", *_ODD), {"calls": 2}),
        (("HTTP 401", "HTTP 403"), {"calls": 2}),
        ((*_ILL, "HTTP 429 (1 s)", "HTML", "reset before"), {"calls": 2}),
        (("HTTP 504",), {"calls": 2}),
        (_LOST, {"calls": 1}),
        (_FINE, {"calls": 1}),
        (
            ("HTTP 400", "HTTP 422"),
            {**_PAUSED, "end": "failed", "last": "hidream-refused", "calls": 3},
        ),
        (
            ("reset before",),
            {**_PAUSED, "end": "failed", "last": "submission-uncertain", "calls": 2},
        ),
        (("HTTP 503",), _PAUSED),
        (("HTTP 429 (30 s)",), {**_PAUSED, "end": "queued"}),
    ),
    *_rows(
        "lookup",
        (("HTTP 400", "HTTP 404", "HTTP 413", *_ODD), {"made": 2}),
        (("HTTP 401", "HTTP 403", *_ILL, "HTTP 504", "HTTP 429 (1 s)", "HTML", "reset before"), {}),
        ((*_LOST, *_FINE), {}),
    ),
    # --- results
    *_rows(
        "batch",
        (("HTTP 401", "HTTP 403", *_ILL, "HTTP 504", "HTTP 429 (1 s)", "HTML", "reset before"), {}),
        ((*_LOST, *_FINE), {}),
    ),
    Row(step="batch", fault="HTTP 404", times=None),
    *_rows(
        "results",
        (("HTTP 400", "HTTP 401", "HTTP 403", "HTTP 404", "HTTP 413", *_ODD, "HTTP 504"), {}),
        ((*_ILL, "HTTP 429 (1 s)", "HTML", "reset before", *_LOST, *_FINE), {}),
    ),
    *_rows(
        "image",
        (("HTTP 400", "HTTP 413", *_ODD), _UNFETCHED),
        (("HTTP 401", "HTTP 403", "HTTP 404", "HTTP 408", "HTTP 425"), {"calls": 2}),
        (("HTTP 500", "HTTP 502", "HTTP 503", "HTTP 504", "HTTP 429 (1 s)"), {"calls": 2}),
        (("reset before", "reset after", "broken off", "silence", "moved"), {"calls": 2}),
        (_FINE, {"calls": 1}),
        (("HTML", "cut picture", "huge", "redirect", "led inside"), _UNFETCHED),
        (("in circles",), {**_UNFETCHED, "times": None, "calls": 4}),
    ),
    # --- the delivery
    *_rows(
        "sendPhoto",
        (("HTTP 400", "HTTP 413"), {"calls": 1}),  # it goes as a file
        (("HTTP 403",), {**_WAITS, "end": "gone", "waits": 0}),
        ((*_TOKEN, "HTTP 429 (30 s)"), _WAITS),
        ((*_ILL, *_ODD, "HTTP 429 (1 s)"), {"calls": 2}),
        (("HTTP 504", "HTML", "reset before"), {"calls": 2, "repeats": 1}),
        (_LOST, {"calls": 2, "pictures": 2, "repeats": 1}),
        (_FINE, {"calls": 1}),
    ),
    Row(step="sendPhoto", fault="reset after", times=None, calls=4, pictures=4, repeats=3),
    *_rows(
        "sendMediaGroup",
        (("HTTP 400", "HTTP 413"), {**_ALBUM, "calls": 2}),  # they go as files
        (("HTTP 403",), {**_WAITS, "end": "gone", "waits": 0}),
        ((*_TOKEN, "HTTP 429 (30 s)"), _WAITS),
        ((*_ILL, *_ODD, "HTTP 429 (1 s)"), {**_ALBUM, "calls": 2}),
        (("HTTP 504", "HTML", "reset before"), {**_ALBUM, "calls": 2, "repeats": 1}),
        (_LOST, {**_ALBUM, "pictures": 4, "calls": 2, "repeats": 1}),
        (_FINE, {**_ALBUM, "calls": 1}),
    ),
    # --- what stands under them, and what leads on
    *_rows(
        "buttons",
        (("HTTP 400", "HTTP 413"), {"pictures": 2, "calls": 1}),  # what was waited for is there
        (("HTTP 403",), {"end": "gone", "pictures": 2, "calls": 1, "left": 1}),
        ((*_TOKEN, "HTTP 429 (30 s)"), {**_WAITS, "last": PICTURE, "pictures": 2, "left": 1}),
        ((*_ILL, *_ODD, "HTTP 429 (1 s)"), {**_ALBUM, "calls": 2}),
        (("HTTP 504", "HTML", "reset before"), {**_ALBUM, "calls": 2, "repeats": 1}),
        (_LOST, {**_ALBUM, "calls": 2, "left": 1, "repeats": 1}),
        (_FINE, {**_ALBUM, "calls": 1}),
    ),
    *_rows(
        "press",
        (("HTTP 400", *_TOKEN, "HTTP 403", "HTTP 413", *_ILL, *_ODD, "HTTP 504"), _PRESSED),
        (("HTTP 429 (1 s)", "HTML", "reset before", *_LOST, *_FINE), _PRESSED),
        (("HTTP 429 (30 s)",), _PRESSED),
    ),
    *_rows(
        "menu",
        (("HTTP 400", "HTTP 403", "HTTP 413"), {**_PRESSED, "last": "preferences-own"}),
        (
            (*_ILL, *_ODD, "HTTP 504", "HTTP 429 (1 s)", "HTML", "reset before", *_LOST),
            {**_PRESSED, "calls": 2},
        ),
        (
            (*_TOKEN, "HTTP 429 (30 s)"),
            {**_PRESSED, "end": "new", "last": "preferences-own", "waits": 10},
        ),
        (_FINE, _PRESSED),
    ),
    *_rows(
        "reason",
        (("HTTP 400", "HTTP 413"), {**_NOTICE, "calls": 1}),  # its progress then says it
        (("HTTP 403",), {**_NOTICE, "last": PROGRESS, "end": "gone", "calls": 1}),
        ((*_TOKEN, "HTTP 429 (30 s)"), {**_NOTICE, **_WAITS}),
        ((*_ILL, *_ODD, "HTTP 429 (1 s)"), {**_NOTICE, "calls": 2}),
        (("HTTP 504", "HTML", "reset before"), {**_NOTICE, "calls": 2, "repeats": 1}),
        (_LOST, {**_NOTICE, "calls": 2, "left": 1, "repeats": 1}),
        (_FINE, {**_NOTICE, "calls": 1}),
    ),
)


def chosen(step: str, *, but: Iterable[str] = ()) -> list[Row]:
    """Give the rows of a step, but those with such a fault."""
    return [row for row in ROWS if row.step == step and row.fault not in set(but)]


def row_of(name: str) -> Row:
    """Give the row with this id."""
    return next(row for row in ROWS if row.id == name)


# --- for people to read

_INTRODUCTION: Final = """\
# What can go wrong, and what comes of it

Written from the table in `tests/e2e/fault_matrix.py` by `python -m tests.e2e.fault_matrix --write`. The
tests play every row for real: the bot as a process, and a Telegram and a HiDream that fail over HTTP.

A fault strikes once where nothing else is said. *Last*: what the person reads last; "its progress" is the
message that tells how it goes. *End*: the state of the task's row (of the update's, where there is no
task), and where it is not over, in how many seconds at least it goes on by itself. *Calls*: how often the
step's call is made, where that does not hang on time. *Made*: tasks that HiDream accepted. *Pictures*,
*left*: what the chat shows in the end, and how many other messages stay in it. *Counted*: messages that
the bot itself counts as perhaps shown twice.
"""

_EXAMPLES: Final[Mapping[str, str | int]] = {"allowed": "JPEG, PNG, …", "task": 17}

STEPS: Final[Mapping[str, str]] = {
    "getUpdates": "Updates come in (`getUpdates`)",
    "answer": "An answer to a command (`sendMessage`)",
    "progress": "The progress message (`sendMessage`)",
    "editMessageText": "The progress message goes on (`editMessageText`)",
    "deleteMessage": "The progress message goes away (`deleteMessage`)",
    "getFile": "The photo is asked for (`getFile`)",
    "file": "The photo is fetched",
    "submit": "The task is handed in",
    "lookup": "It is found out whether HiDream has a task, after an answer was lost",
    "batch": "All tasks are asked about",
    "results": "A task is asked about",
    "image": "A picture is fetched from HiDream",
    "sendPhoto": "A picture is brought (`sendPhoto`)",
    "sendMediaGroup": "Two pictures are brought (`sendMediaGroup`)",
    "buttons": "The buttons follow the two pictures (`sendMessage`)",
    "press": "A press of a button is answered (`answerCallbackQuery`)",
    "menu": "A message changes after a press (`editMessageText`)",
    "reason": "The reason why there is none is brought (`sendMessage`)",
}


def document() -> str:
    """Write the table as Markdown."""
    lines = [_INTRODUCTION, "## The faults\n"]
    lines += [f"- **{fault}**: {about}" for fault, about in ABOUT.items()]
    for step, about in STEPS.items():
        lines += [
            f"\n## {about}\n",
            "| fault | last | end | calls | made | pictures | left | counted |",
            "|---|---|---|---|---|---|---|---|",
        ]
        kinds: dict[Row, list[Row]] = {}
        for row in chosen(step):
            kinds.setdefault(replace(row, fault="", times=1 if row.times else None), []).append(row)
        lines += [_line(rows) for rows in kinds.values()]
    return "\n".join(lines) + "\n"


def _line(rows: list[Row]) -> str:
    row = rows[0]
    order = list(FAULTS)
    names = sorted((each.fault for each in rows), key=order.index)
    faults = ", ".join(names).replace(", HTTP ", ", ") + (" for ever" if row.times is None else "")
    end = f"{row.end}, {row.waits} s" if row.waits else row.end
    shown = {PICTURE: "a picture", PROGRESS: "its progress", NOTHING: "nothing"}
    last = shown.get(row.last) or f"“{plain(Say(row.last, _EXAMPLES)).splitlines()[0]}”"
    calls = "" if row.calls is None else row.calls
    numbers = (calls, row.made, row.pictures, row.left, row.repeats)
    return f"| {faults} | {last} | {end} | {' | '.join(map(str, numbers))} |"


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python -m tests.e2e.fault_matrix --write")
    DOCUMENT.write_text(document())
