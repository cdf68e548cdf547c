"""Logs: what is secret is in none of them, whoever writes it and in whatever form."""

import io
import json
import logging
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import quote

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from telegram.ext import Application, ExtBot

from bot import logs

TOKEN = "123456789:AAE5-secret_half-of-the-token-Zz"
HALF = TOKEN.partition(":")[2]
HIDREAM = 'hi"dream/to\\ken+'
SetUp = Callable[..., Callable[[str], None]]


@pytest.fixture
def err() -> io.StringIO:
    """What standard error gets."""
    return io.StringIO()


@pytest.fixture
def set_up(err: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> Iterator[SetUp]:
    """Set logging up as the process does; afterwards it is as it was."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    names = ("httpx", "httpcore", "aiosqlite", "PIL", "asyncio")
    levels = {name: logging.getLogger(name).level for name in names}

    def do(level: str = "DEBUG", log_format: str = "console") -> Callable[[str], None]:
        monkeypatch.setattr(sys, "stderr", err)
        return logs.set_up(level=level, log_format=log_format, secrets=(TOKEN, HIDREAM))

    hooks = threading.excepthook, sys.unraisablehook, sys.excepthook
    yield do
    threading.excepthook, sys.unraisablehook, sys.excepthook = hooks
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = before[0], before[1]
    for name, value in levels.items():
        logging.getLogger(name).setLevel(value)
    structlog.reset_defaults()


def clean(text: str) -> None:
    """Assert that no form of a secret is in a text."""
    for secret in (TOKEN, HALF, HIDREAM):
        forms = (secret, quote(secret), quote(secret, safe=""), quote(quote(secret, safe="")))
        for form in (*forms, json.dumps(secret)[1:-1], repr(secret)[1:-1]):
            assert form.lower() not in text.lower()


def fail() -> None:
    """Raise a chain of errors that all name the token."""
    try:
        raise ValueError(f"https://api.telegram.org/bot{TOKEN}/getMe")  # noqa: TRY301 - a chain is wanted
    except ValueError as exc:
        raise RuntimeError(f"Bearer {HIDREAM} was refused") from exc


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_no_form_of_a_secret_gets_out(set_up: SetUp, err: io.StringIO, log_format: str) -> None:
    """Whatever names a secret, by whatever library, the line has something else in its place."""
    set_up(log_format=log_format)
    ours, theirs = structlog.get_logger("ours"), logging.getLogger("theirs")
    bot: ExtBot[None] = ExtBot(TOKEN)
    application = Application.builder().token(TOKEN).build()
    for value in (
        TOKEN,
        HALF,
        HIDREAM,
        quote(TOKEN, safe=""),
        quote(HIDREAM, safe="").lower(),
        quote(quote(TOKEN, safe=""), safe=""),
        json.dumps({"token": [TOKEN, HIDREAM]}),
        repr((TOKEN, HIDREAM)),
        {"Authorization": f"Bearer {HIDREAM}"},
        [(b"Authorization", f"Bearer {HIDREAM}".encode())],
        bot,
        application,
        ValueError(TOKEN),
        TOKEN.encode(),
        HIDREAM.encode(),
        {HIDREAM.encode(): [{"deep": (TOKEN.encode(), bytearray(HIDREAM.encode()))}]},
        json.dumps(json.dumps([TOKEN, HIDREAM])),
        repr(repr(HIDREAM.encode())),
    ):
        ours.info("ours", value=value, nested={"deep": [value]})
        ours.info(f"in the text: {value!s}")
        theirs.debug("theirs: %s %r", value, value)
        logging.getLogger("httpx").info("HTTP Request: POST %s", f"https://a/bot{TOKEN}/{value!s}")
        logging.getLogger("httpcore").warning("request headers=%r", value)
        logging.getLogger("telegram.ext.ExtBot").debug("Entering %r", value)
    try:
        fail()
    except RuntimeError:
        ours.exception("chained", url=f"https://h/{HIDREAM}")
        theirs.exception("chained")
        theirs.error("with a stack", stack_info=True)
    text = err.getvalue()
    assert text.count("in the text") == 18
    assert text.count("Traceback") >= 4
    assert logs.REDACTED in text
    clean(text)


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_a_webhooks_address_is_its_owners(set_up: SetUp, err: io.StringIO, log_format: str) -> None:
    """Of the webhook that Telegram tells of, an earlier start's or somebody else's, the host alone is shown."""
    set_up(log_format=log_format)
    said = {"url": "https://elsewhere.example:8443/hook/their-secret", "pending_update_count": 1}
    logging.getLogger("telegram.ext.ExtBot").debug(
        "Call to Bot API endpoint `%s` finished with return value `%s`", "getWebhookInfo", said
    )
    assert "https://elsewhere.example:8443/[redacted]', 'pending_update_count': 1" in err.getvalue()
    assert "their-secret" not in err.getvalue()


def test_another_bots_token_is_known_by_its_form(set_up: SetUp, err: io.StringIO) -> None:
    """A token that nobody named as a secret is taken out too, and so is any bearer."""
    set_up()
    log = logging.getLogger("theirs")
    log.info("https://api.telegram.org/bot987654321%3AABCDEFGHIJKLMNOPQRSTUV_wx-yz0123456/getMe")
    log.info("987654321:ABCDEFGHIJKLMNOPQRSTUV_wx-yz0123456, authorization: bearer abc.def")
    assert "ABCDEF" not in err.getvalue()
    assert "abc.def" not in err.getvalue()


def test_a_token_that_was_read_anew_is_taken_out(set_up: SetUp, err: io.StringIO) -> None:
    """A secret that becomes known later is taken out from then on; an empty one changes nothing."""
    add = set_up()
    add("a-fresh-token")
    add("")
    logging.getLogger("theirs").info("now it is a-fresh-token indeed")
    assert "now it is [redacted] indeed" in err.getvalue()


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://cdn.example/a.jpg?sig=abc&e=1", "https://cdn.example/a.jpg?[redacted]"),
        ("(https://cdn.example/a.jpg)", "(https://cdn.example/a.jpg)"),
        ("https://me:hush@proxy:8080/x", "https://[redacted]@proxy:8080/x"),
        ("'https://a/b?c', 'd?e'", "'https://a/b?[redacted]', 'd?e'"),
    ],
)
def test_signed_addresses_lose_their_query(address: str, shown: str) -> None:
    """The query of an address, where signatures are, does not get into the log."""
    assert logs.Redactor(logging.Formatter(), ()).redact(address) == shown


def test_json_is_one_object_a_line(set_up: SetUp, err: io.StringIO) -> None:
    """Each line is one valid JSON object, tracebacks, warnings and odd characters included."""
    set_up(log_format="json")
    log = structlog.get_logger("ours")
    log.info("odd", value='a "quoted" \\ back\nslash ☃ \udc80', url='https://a/?x="y\\')
    log.warning("header", header='authorization: Bearer abc"def', address='https://a/b?c\\"d')
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"a warning of {TOKEN}", UserWarning, stacklevel=1)
    try:
        fail()
    except RuntimeError:
        log.exception("failed")
        logging.getLogger("theirs").exception("failed too")
    lines = [json.loads(line) for line in err.getvalue().splitlines()]
    assert [line["level"] for line in lines] == ["info", "warning", "warning", "error", "error"]
    assert all({"event", "logger", "timestamp"} <= set(line) for line in lines)
    assert "Traceback" in lines[3]["exception"]
    assert "Traceback" in lines[4]["exception"]
    clean(err.getvalue())


def test_a_secret_in_a_number_breaks_no_json(set_up: SetUp, err: io.StringIO) -> None:
    """A password of digits is taken out of numbers too, and the line is still one object."""
    set_up("INFO", "json")("12345678")
    structlog.get_logger("x").info("e", person=12345678, more=[1.12345678], one=1)
    line = json.loads(err.getvalue())
    assert (line["person"], line["more"]) == ("[redacted]", ["1.[redacted]"])
    assert "12345678" not in err.getvalue()


def test_nothing_from_outside_forges_a_line(set_up: SetUp, err: io.StringIO) -> None:
    """On the console no text begins a line of its own or moves the cursor, be it a library's or an error's."""
    forged = "a\n2026-01-01T00:00:00Z [error    ] forged\x1b[2J\r\u2028\u202e"
    set_up("DEBUG")
    log = structlog.get_logger("x")
    log.info(forged, why=forged, short="\x1b[2J\x0b")
    logging.getLogger("library").warning("it said %s", forged)
    log.error("failed", exc_info=ValueError(forged))
    text = err.getvalue()
    assert not set(text) & set("\x1b\x0b\r\u2028\u202e")
    heads = [line for line in text.split("\n") if line and not line.startswith("    ")]
    assert len(heads) == 3
    assert not any(line.startswith("2026-01-01") for line in heads)


def test_a_line_that_cannot_be_formatted_says_so(set_up: SetUp, err: io.StringIO) -> None:
    """A mistake in a log call costs the line, shows nothing of it, and is told."""
    set_up(log_format="json")
    logging.getLogger("theirs").info("%d of them", TOKEN)
    line = json.loads(err.getvalue())
    assert line["event"] == "log_line_lost"
    assert line["logger"] == "theirs"


def test_the_level_counts_for_everybody(set_up: SetUp, err: io.StringIO) -> None:
    """At INFO nothing below is written, and no library says a line a request."""
    set_up(level="INFO")
    structlog.get_logger("ours").debug("hidden")
    for name in ("theirs", "telegram.ext.ExtBot"):
        logging.getLogger(name).debug("hidden")
    logging.getLogger("httpx").info("hidden")
    logging.getLogger("aiosqlite").info("hidden")
    structlog.get_logger("ours").info("shown")
    assert "hidden" not in err.getvalue()
    assert "shown" in err.getvalue()


def test_updates_are_not_printed(set_up: SetUp, err: io.StringIO) -> None:
    """An object of Telegram's library is named by its kind: its text has people's words in it."""
    set_up()
    structlog.get_logger("ours").info("seen", bot=ExtBot(TOKEN))
    assert "<ExtBot>" in err.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        "://" * 300_000,
        "https://a?" * 100_000,
        "1" * 1_000_000,
        "bearer " * 150_000,
        "a" * 1_000_000,
    ],
)
def test_long_texts_take_no_long_time(text: str) -> None:
    """A megabyte, however it is made, is done in well under a second."""
    redactor = logs.Redactor(logging.Formatter(), (TOKEN, HIDREAM))
    start = time.perf_counter()
    redactor.redact(text)
    assert time.perf_counter() - start < 1.5


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://me:hu'sh@proxy:8080", "http://[redacted]@proxy:8080"),
        ("socks5://me@proxy", "socks5://[redacted]@proxy"),
        ("Proxy-Authorization: Basic bWU6aHVzaA==", "Proxy-Authorization: Basic [redacted]"),
        ("{'proxy-authorization': 'Basic bWU6'}", "{'proxy-authorization': 'Basic [redacted]'}"),
        ("[(b'Authorization', b'Digest abcd')]", "[(b'Authorization', b'Digest [redacted]')]"),
        (
            "X-Telegram-Bot-Api-Secret-Token: aB3_-xyz",
            "X-Telegram-Bot-Api-Secret-Token: [redacted]",
        ),
        ("{'url': 'x', 'secret_token': 'aB3_-xyz'}", "{'url': 'x', 'secret_token': '[redacted]'}"),
        ('"{\\"secret_token\\": \\"aB3_-xyz\\"}"', '"{\\"secret_token\\": \\"[redacted]\\"}"'),
        ("basic settings, authorization is needed", "basic settings, authorization is needed"),
        ("https://host:80/@name", "https://host:80/@name"),
    ],
)
def test_what_is_secret_by_where_it_stands(text: str, shown: str) -> None:
    """Passwords of proxies, and the secrets of headers, are taken out wherever they stand."""
    assert logs.Redactor(logging.Formatter(), ()).redact(text) == shown


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_groups_chains_and_notes_of_errors(
    set_up: SetUp, err: io.StringIO, log_format: str
) -> None:
    """An error within an error, however deep, with its notes and causes, is shown without secrets."""
    set_up(log_format=log_format)
    try:
        try:
            fail()
        except RuntimeError as exc:
            exc.add_note(f"seen with {TOKEN}")
            inner = ExceptionGroup(f"inner {HIDREAM}", [exc, KeyError(TOKEN.encode())])
            raise ExceptionGroup("outer", [inner, OSError(5, TOKEN, f"/tmp/{HALF}")]) from exc
    except ExceptionGroup:
        structlog.get_logger("ours").exception("failed", extra={"token": TOKEN})
        logging.getLogger("theirs").exception("failed %s", TOKEN, extra={"more": [HIDREAM]})
    text = err.getvalue()
    assert text.count("seen with") >= 2
    assert text.count("ExceptionGroup") >= 4
    clean(text)


def test_what_nobody_catches_goes_through_the_log(set_up: SetUp, err: io.StringIO) -> None:
    """An error that ends a thread, a finalizer or the program is logged, without secrets."""
    set_up(log_format="json")

    class Fails:
        def __del__(self) -> None:
            raise ValueError(TOKEN)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    Fails()
    try:
        fail()
    except RuntimeError as exc:
        sys.excepthook(type(exc), exc, exc.__traceback__)
    lines = [json.loads(line) for line in err.getvalue().splitlines()]
    assert [line["event"] for line in lines] == [
        "thread_failed",
        "failed_unheard",
        "ended_unexpectedly",
    ]
    assert all("Traceback" in line["exception"] for line in lines)
    clean(err.getvalue())


_SECRETS = st.text(
    st.characters(min_codepoint=33, exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]),
    min_size=6,
    max_size=20,
)
_INNER: tuple[Callable[[str], str], ...] = (
    str,
    lambda text: quote(text, safe=""),
    lambda text: f"https://host/{quote(text)}/x",
)
_OUTER: tuple[Callable[[str], object], ...] = (
    str,
    str.encode,
    repr,
    json.dumps,
    lambda text: [text],
    lambda text: {"deep": text},
    lambda text: (text.encode(), 1),
    ValueError,
)


@given(
    secret=_SECRETS,
    inner=st.sampled_from(_INNER),
    outer=st.lists(st.sampled_from(_OUTER), max_size=3),
    as_json=st.booleans(),
)
def test_any_secret_in_any_wrapping(
    secret: str,
    inner: Callable[[str], str],
    outer: Sequence[Callable[[str], object]],
    as_json: bool,
) -> None:
    """Whatever a secret is made of, and whatever it is wrapped in, it does not come out again."""
    value: object = inner(secret)
    for wrap in outer:
        value = wrap(value if isinstance(value, str) else repr(value))
    text = json.dumps({"value": repr(value)}) if as_json else f"value={value!r}"
    shown = logs.Redactor(logging.Formatter(), (secret,)).redact(text)
    assert logs.REDACTED in shown
    assert secret not in shown
    if as_json:
        assert secret not in json.loads(shown)["value"]
