"""The tables of `hidream-bot check`: what each thing that can be found is said to be, and to need."""

import asyncio
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import jwt
import pytest
from telegram import User, WebhookInfo
from telegram.error import InvalidToken, RetryAfter, TimedOut

from bot.checking import CHECKS, Check, check, clock, database, hidream, monitor, settings, telegram
from bot.checking.lines import Level, Line, Lines, note, ok, one_line, warning, wrong
from bot.checking.subject import Subject
from bot.cli.checking import Shown
from bot.config import Config
from bot.hidream.errors import GatewayIll, NotSent, Refused, TokenRefused, TooFast, UnknownTask
from bot.hidream.probing import Told
from bot.hidream.wire import SubTask, SubTaskStatus, TaskResult
from storage.examining import Examined

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TELEGRAM = "123456789:AAE5-secret_half_of_the_token-9876"
HIDREAM = "hidream-token-of-some-length"


def subject(**sections: Any) -> Subject:
    """Give a bot to look at, with these settings over the usual ones."""
    usual: dict[str, Any] = {"telegram": {"token": TELEGRAM}, "hidream": {"token": HIDREAM}}
    return Subject(config=Config.model_validate(usual | sections), now=lambda: NOW)


def levels(lines: Lines) -> list[str]:
    """Give how each line is."""
    return [line.level.value for line in lines]


def the(lines: Lines, words: str) -> Line:
    """Give the one line that has these words; what is wrong or a warning says what to do."""
    [found] = [line for line in lines if words in line.what]
    assert found.mend or found.level in {Level.OK, Level.NOTE}
    return found


# --- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("token", "level", "words"),
    [
        (HIDREAM, "ok", "looks like a token"),
        ("Bearer-eyJhbGciOiJIUzI1NiJ9", "warning", "begins with"),
        ('"eyJhbGciOiJIUzI1NiJ9"', "warning", "a quote"),
        ("<put-your-token-here-please>", "warning", "a bracket"),
        ("your-hidream-token-goes-here", "warning", "reads like a hint"),
        ("eyJhbGciOi...UzI1NiJ9-abcdef", "warning", "dots"),
        ("hd-12", "warning", "shorter than tokens"),
    ],
)
async def test_tokens_that_were_pasted_badly(token: str, level: str, words: str) -> None:
    """A token's form tells of most slips, before anything is asked; the token is not shown."""
    lines = await settings.tokens(subject(hidream={"token": token}))
    assert the(lines, words).level == level
    assert the(lines, "telegram.token").level == "ok"
    assert token not in str(lines)


async def test_half_a_telegram_token(tmp_path: Path) -> None:
    """A bot's token that was cut short is named; a token file that has gone is wrong."""
    lines = await settings.tokens(subject(telegram={"token": "12345678:AAE5"}))
    assert the(lines, "telegram.token is shorter").level == "warning"
    file = tmp_path / "token"
    file.write_text(HIDREAM)
    gone = subject(hidream={"token_file": file})
    file.unlink()
    for look in (settings.tokens, hidream.hidream):
        assert levels(await look(gone)) == ["wrong"]
    file.write_text(TELEGRAM)
    gone = subject(telegram={"token_file": file})
    file.unlink()
    assert levels(await telegram.telegram(gone)) == ["wrong"]


async def test_files_that_everybody_can_read(tmp_path: Path) -> None:
    """The settings and token files are looked at, where there is a token in them."""
    file, config = tmp_path / "token", tmp_path / "config.toml"
    file.write_text(HIDREAM)
    config.touch()
    file.chmod(0o640)
    config.chmod(0o644)
    found = replace(subject(hidream={"token_file": file}), file=config)
    lines = await settings.secrecy(found)
    assert the(lines, "token cannot be read by everybody").level == "ok"
    assert the(lines, "config.toml (the settings").level == "warning"
    lines = await settings.secrecy(replace(found, from_environment=frozenset({"telegram"})))
    assert levels(lines) == ["ok"]
    assert levels(await settings.secrecy(subject())) == ["ok"]


async def test_who_may_use_it() -> None:
    """A bot for everybody, and one without admins, are warned of."""
    assert levels(await settings.access(subject())) == ["warning", "warning"]
    access = {"allowed_users": [1, 2], "admins": [1]}
    assert levels(await settings.access(subject(access=access))) == ["ok", "ok"]


# --- Telegram -------------------------------------------------------------------------------------


def test_who_the_bot_is() -> None:
    """Groups and privacy mode are said in words."""
    me = User(id=1, first_name="Bot", is_bot=True, username="a_bot")
    lines = telegram.who(me)
    the(lines, "@a_bot")
    the(lines, "cannot be added to groups")
    the(lines, "privacy mode is on")
    me = User(
        id=1,
        first_name="Bot",
        is_bot=True,
        username="a_bot",
        can_join_groups=True,
        can_read_all_group_messages=True,
    )
    lines = telegram.who(me)
    the(lines, "can be added to groups")
    the(lines, "privacy mode is off")


def info(**more: Any) -> WebhookInfo:
    """Give what Telegram says of a webhook."""
    usual: dict[str, Any] = {"url": "", "has_custom_certificate": False, "pending_update_count": 0}
    return WebhookInfo(**(usual | more))


OURS = "https://bot.example/x"
THERE = f"{OURS}/telegram/secret-path"
FAILED = {"last_error_date": NOW - timedelta(minutes=5), "last_error_message": "Wrong\x1b[31m 502"}


@pytest.mark.parametrize(
    ("judge", "said", "expected", "words"),
    [
        (telegram.judge_polling, info(), ["ok", "ok"], "no webhook is set"),
        (telegram.judge_polling, info(url=THERE), ["wrong"], "at bot.example, and telegram.mode"),
        (telegram.judge_polling, info(pending_update_count=100), ["ok", "warning"], "wait at"),
        (telegram.judge_webhook, info(), ["wrong"], "no webhook is set"),
        (telegram.judge_webhook, info(url=THERE), ["ok", "ok", "ok"], "is set, at bot.example"),
        (telegram.judge_webhook, info(url="https://o.example/"), ["wrong"], "not web.public_url"),
        (telegram.judge_webhook, info(url=OURS + "y/"), ["wrong"], "not web.public_url"),
        (
            telegram.judge_webhook,
            info(url=THERE, **FAILED),
            ["ok", "ok", "warning"],
            "11:55 UTC: Wrong [31m 502",
        ),
        (
            telegram.judge_webhook,
            info(url=THERE, pending_update_count=3, **FAILED),
            ["ok", "ok", "wrong"],
            "could not bring",
        ),
        (
            telegram.judge_webhook,
            info(url=THERE, last_error_date=NOW - timedelta(days=1)),
            ["ok", "ok", "note"],
            "it does not say why",
        ),
    ],
)
def test_where_updates_go(
    judge: Callable[..., Lines], said: WebhookInfo, expected: list[str], words: str
) -> None:
    """What Telegram says of the webhook is held against telegram.mode; its secret path is not shown."""
    lines = judge(said, OURS, NOW)
    assert levels(lines) == expected
    the(lines, words)
    assert "secret-path" not in str(lines)


def test_each_failure_of_telegram_has_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that is not known, a pause and a silence are told apart."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")  # as the command does
    url = "https://telegram.example"
    assert "@BotFather" in str(telegram.failed(InvalidToken(), url).mend)
    assert "another program" in str(telegram.failed(RetryAfter(5), url).mend)
    assert url in str(telegram.failed(TimedOut(), url).mend)


# --- HiDream --------------------------------------------------------------------------------------


def told(error: Any = None, *, code: int | None = 0, status: int | None = 200, **more: Any) -> Told:
    """Give an answer of HiDream's."""
    return Told(http_status=status, code=code, message="so it is", error=error, **more)


UNKNOWN = told(UnknownTask("unknown", code=4), code=4)
BROKEN = told(TokenRefused("no", code=1401), code=1401, status=401)
EMPTY = told()


def task(*completions: float, task_id: str | None = "t", status: int = 1) -> Told:
    """Give an answer about a task with images that are so far."""
    sub_tasks = tuple(
        SubTask(
            sub_task_id="s",
            status=SubTaskStatus.DONE,
            raw_status=status,
            completion=1.0,
            image="https://cdn.example/a.jpg",
            description=None,
        )
        for _ in completions
    )
    result = TaskResult(task_id=task_id, request_id=None, sub_tasks=sub_tasks)
    return told(results=(result,), completions=completions)


AS_NOTED = hidream.Answers(
    unknown=UNKNOWN,
    broken=BROKEN,
    batch=EMPTY,
    request=told(Refused("no", code=5), code=5),
    ours=task(0.5, 1.0),
    ours_in_batch=task(1.0),
)


@pytest.mark.parametrize(
    ("answer", "level", "words"),
    [
        (UNKNOWN, "ok", "takes the token"),
        (EMPTY, "ok", "takes the token"),
        (BROKEN, "wrong", "refuses the token"),
        (told(TooFast("slow down", code=2)), "warning", "asks for a pause"),
        (told(GatewayIll("HTTP 502"), code=None), "wrong", "does not answer as it should"),
        (told(NotSent("no route"), code=None, status=None), "wrong", "cannot be reached"),
        (told(Refused("404"), code=None, status=404), "wrong", "not HiDream's API"),
    ],
)
def test_each_answer_of_hidream_has_its_verdict(answer: Told, level: str, words: str) -> None:
    """Whether HiDream answers and takes the token is told apart from what else may be."""
    line = hidream.verdict(replace(AS_NOTED, unknown=answer), "https://hidream.example")
    assert the([line], words).level == level


def test_a_token_that_makes_no_difference() -> None:
    """Where a broken token is answered like ours, it is not said that ours is taken."""
    line = hidream.verdict(replace(AS_NOTED, broken=UNKNOWN), "https://hidream.example")
    assert line.level is Level.WARNING


@pytest.mark.parametrize(
    ("left", "level", "words"),
    [
        (timedelta(days=30), "ok", "in 30 days"),
        (timedelta(days=3), "warning", "in 3 days"),
        (timedelta(hours=30), "warning", "in 30 hours"),
        (timedelta(hours=-1), "wrong", "has expired"),
    ],
)
def test_when_the_token_expires(left: timedelta, level: str, words: str) -> None:
    """The end of a token that tells it is shown in time."""
    token = jwt.encode({"exp": (NOW + left).timestamp()}, "k" * 32)
    assert the(hidream.expiry(subject(), token), words).level == level


def test_a_token_that_tells_no_end() -> None:
    """An opaque token is no fault."""
    assert levels(hidream.expiry(subject(), HIDREAM)) == ["note"]


OTHERWISE = {
    "a task that does not exist": {"unknown": EMPTY},
    "a token that nobody has": {"broken": told(Refused("no", code=9), code=9)},
    "the question about many tasks": {"batch": told(Refused("404"), code=None, status=404)},
    "a question by request id alone": {"request": EMPTY},
    "our last task's completion": {"ours": task(40.0, 100.0)},
    "our last task's statuses": {"ours": task(1.0, status=77)},
    "our last task, asked about with many": {"ours_in_batch": task(1.0, task_id=None)},
}


def test_every_open_point_is_played() -> None:
    """Each point of the notes that can be asked about is told otherwise in a test."""
    assert [point.about for point in hidream.POINTS] == list(OTHERWISE)


@pytest.mark.parametrize("about", OTHERWISE)
def test_where_hidream_answers_otherwise_than_noted(about: str) -> None:
    """Each point says what the notes say and what came; where they differ, it says so, and that alone."""
    lines = hidream.notes(AS_NOTED)
    assert set(levels(lines)) == {"note"}
    assert not any("otherwise" in line.what for line in lines)
    differs = the(hidream.notes(replace(AS_NOTED, **OTHERWISE[about])), "otherwise")
    assert differs.what.startswith(f"{about}: notes: ")
    assert differs.mend


def test_a_refused_token_says_nothing_of_the_notes() -> None:
    """Whose token is refused is not asked to tell the project what a refused token was answered."""
    assert hidream.tells(AS_NOTED)
    assert not hidream.tells(replace(AS_NOTED, unknown=told(TokenRefused("401"), code=1401)))
    assert not hidream.tells(replace(AS_NOTED, unknown=told(NotSent("no"), code=None)))


def test_what_was_not_answered_is_said() -> None:
    """No answer, an answer of another form, and one without completion are put into words."""
    silent = told(NotSent("no route"), code=None, status=None)
    assert "nothing (no route)" in hidream.said(silent)
    assert "not documented" in hidream.said(told(readable=False))
    odd = hidream.notes(replace(AS_NOTED, ours=replace(task(1.0), completions=())))
    the(odd, "no completion at all")
    bare = replace(AS_NOTED, ours=None, ours_in_batch=None)
    assert len(hidream.notes(bare)) == len(hidream.POINTS) - 3


# --- database, clock, the running bot -------------------------------------------------------------

SOUND = Examined(
    exists=True, in_use=True, free=10**11, size=10**6, layout=3, newest=3, read_through=True
)


@pytest.mark.parametrize(
    ("changed", "level", "words"),
    [
        ({}, "ok", "the bot runs on it"),
        ({}, "ok", "1.0 MB, and can be written"),
        ({"in_use": False}, "note", "no bot runs"),
        ({"in_use": None}, "warning", "cannot be seen"),
        ({"exists": False}, "note", "no database yet"),
        ({"layout": 2}, "note", "its layout is 2"),
        ({"read_through": False}, "note", "too large"),
        ({"free": 900 * 10**6}, "warning", "free on its disk: 900.0 MB"),
        ({"free": 10**6}, "wrong", "free on its disk: 1.0 MB"),
        ({"free": 2 * 10**9}, "ok", "2.0 GB"),
    ],
)
def test_what_is_found_of_the_database(changed: dict[str, Any], level: str, words: str) -> None:
    """Each finding has its level and, where there is something to do, what."""
    lines = database.judge(replace(SOUND, **changed), "/data/bot.db", thorough=False)
    assert the(lines, words).level == level


def test_a_thorough_look_is_said_to_be_one() -> None:
    """What was read and compared as a whole is called so."""
    the(database.judge(SOUND, "/data/bot.db", thorough=True), "all of it was read")


@pytest.mark.parametrize(
    ("offset", "level", "words"),
    [
        (0.4, "ok", "within 1 s"),
        (-29.0, "ok", "within 29 s"),
        (31.0, "warning", "31 s ahead of"),
        (-600.0, "warning", "600 s behind"),
    ],
)
async def test_a_clock_that_is_wrong(offset: float, level: str, words: str) -> None:
    """More than 30 seconds off is warned of, with the direction."""
    found = replace(subject(), offsets={"Telegram": offset})
    assert the(await clock.clock(found), words).level == level


@pytest.mark.parametrize(
    "date", ["Sun, 01 Mar 2026 11:59:00 GMT", "never", "Sun, 01 Mar 2026", None]
)
async def test_the_time_that_a_service_tells(date: str | None) -> None:
    """A date that can be read is compared with ours; any other is as if there was none."""
    found = subject()
    headers = {} if date is None else {"date": date}
    await found.heard_from("HiDream")(SimpleNamespace(headers=headers))
    assert found.offsets == ({"HiDream": 60.0} if date and date.endswith("GMT") else {})
    assert levels(await clock.clock(subject())) == ["note"]


@pytest.mark.parametrize(
    ("status", "text", "level"),
    [
        (200, "ok", "ok"),
        (404, "Not Found", "note"),
        (503, "updates\nwait", "wrong"),
        (503, '{"ready": false, "reasons": ["updates wait"]}', "wrong"),
    ],
)
def test_what_the_running_bot_says(status: int, text: str, level: str) -> None:
    """Green, red with its reasons, and not known by an older bot."""
    line = monitor.judge("/readyz", status, text)
    assert line.level == level
    assert level != "wrong" or "updates wait" in line.what


# --- all of them ----------------------------------------------------------------------------------


async def test_one_check_takes_no_other_with_it() -> None:
    """One that hangs or breaks is told in its place; the rest is there all the same."""

    async def hangs(_: Subject) -> Lines:
        await asyncio.Event().wait()
        return []

    async def breaks(_: Subject) -> Lines:
        raise RuntimeError("not so")

    async def fine(_: Subject) -> Lines:
        return [ok("fine")]

    checks = [
        Check(about="a", look=hangs, seconds=0.05),
        Check(about="b", look=breaks),
        Check(about="c", look=fine, at_last=True),
    ]
    found = [one async for one in check(subject(), checks)]
    assert [(about, *levels(lines)) for about, lines in found] == [
        ("a", "wrong"),
        ("b", "wrong"),
        ("c", "ok"),
    ]
    assert "no answer within 0.05 s" in found[0][1][0].what
    assert "RuntimeError: not so" in found[1][1][0].what


def test_all_of_them_end_in_time() -> None:
    """However little is answered, it takes no more than twenty seconds."""
    assert max(one.seconds for one in CHECKS) <= 18


LINES = [ok("fine"), note("so"), warning("hm", "do this"), wrong("no token-1 here", "do that")]


@pytest.mark.parametrize(("encoding", "sign"), [("utf-8", "✗"), ("ascii", "x")])
@pytest.mark.parametrize("colour", [False, True])
def test_what_is_shown(
    monkeypatch: pytest.MonkeyPatch, encoding: str, sign: str, colour: bool
) -> None:
    """Signs and words, what to do below; colour on a terminal alone, and secrets never."""
    written = io.BytesIO()
    out = io.TextIOWrapper(written, encoding=encoding)
    monkeypatch.setattr(out, "isatty", lambda: colour, raising=False)
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.delenv("NO_COLOR", raising=False)
    shown = Shown(as_json=False)
    shown.hide = lambda text: text.replace("token-1", "…")
    shown.show("all", LINES)
    assert shown.end(1) == 1
    text = written.getvalue().decode(encoding)
    assert ("\x1b[31m" in text) is colour
    plain = click.unstyle(text)
    assert f"{sign} wrong   all: no " in plain
    assert "do this" in plain
    assert "token-1" not in plain
    assert plain.splitlines()[-1] == f"{sign} wrong   all in all: something is wrong: see above"
    monkeypatch.setenv("NO_COLOR", "1")
    Shown(as_json=False).show("all", LINES)
    assert "\x1b" not in written.getvalue().decode(encoding)[len(text) :]


def test_what_is_shown_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """One object: the verdict, the exit code, and each line."""
    shown = Shown(as_json=True)
    shown.show("all", LINES)
    shown.end(1)
    said = json.loads(capsys.readouterr().out)
    assert (said["verdict"], said["exit_code"], len(said["lines"])) == ("wrong", 1, 4)
    assert said["lines"][2] == {
        "about": "all",
        "level": "warning",
        "what": "hm",
        "mend": "do this",
    }


def test_others_words_move_no_cursor() -> None:
    """What somebody else said is shown in one line, without control characters, and not for ever."""
    assert one_line("a\x1b[2J\nb\t c") == "a [2J b c"
    assert len(one_line("x" * 1000)) == 300
