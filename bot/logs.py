"""Structured logs, on the console or as JSON; what is secret is taken out on the way to the handler.

Every record of every library passes the one handler made here, so that a URL with the bot's token
that httpx or python-telegram-bot logs is redacted as well, in tracebacks too.
"""

import contextlib
import io
import json
import logging
import re
import sys
import textwrap
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, TextIO
from urllib.parse import quote

import stamina.instrumentation
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

REDACTED: Final = "[redacted]"
_SHORTEST_HALF: Final = 8
"""Letters; what follows a colon is only a secret of its own if it has as many."""

# What is secret by its form, wherever it stands. No pattern takes a quote or a backslash: cutting
# there would break a line of JSON. Each goes over the text once, without going back.
_BOT_TOKEN: Final = re.compile(
    r"(?<!\d)\d{3,}(?::|%(?:25)?3A)[\w%-]{20,}", re.ASCII | re.IGNORECASE
)
_BEARER: Final = re.compile(r"(?<=bearer )[^\s'\"\\,]+", re.IGNORECASE)
_SAID_ADDRESS: Final = re.compile(r"(?<='url': ')(https?://[^/'\"\\]*)/[^'\"\\]+")
"""An address in an answer of Telegram's: that of a webhook, an earlier start's or somebody else's, is a secret."""
_HEADER: Final = re.compile(
    # `Proxy-Authorization: Basic …`, `X-Telegram-Bot-Api-Secret-Token: …`, `'secret_token': '…'`: as
    # a header, in a mapping, as a pair of bytes, escaped or not
    r"((?:authorization|secret[-_]token)\\*['\"]?\s*[:=,]\s*(?:b?\\*['\"])?(?:(?:basic|digest) +)?)"
    r"(?!bearer )[\w+/=.~-]{4,}",
    re.IGNORECASE,
)
_USER: Final = re.compile(r"://[^\s/?#<>\"\\@]*@")
_ADDRESS: Final = re.compile(r"://[^\s'\"<>\\]+")


def _without_query(found: re.Match[str]) -> str:
    """Cut an address short before its query, where signatures are."""
    place, mark, _ = found[0].partition("?")
    return f"{place}{mark}{REDACTED if mark else ''}"


def _escaped_or_not(secret: str) -> str:
    """Give a pattern for a secret, of which JSON or repr, or both, may have escaped letters."""
    return "".join(map(_letter, secret))


def _letter(letter: str) -> str:
    if letter in "\\\"'":
        return r"(?:\\){0,16}" + re.escape(letter)
    if letter.isascii():
        return re.escape(letter)
    code, backslashes = ord(letter), r"\\{1,16}"
    units = letter.encode("utf-16-be", "surrogatepass").hex()
    forms = (
        re.escape(letter),
        "".join(f"{backslashes}u{units[n : n + 4]}" for n in range(0, len(units), 4)),
        "".join(f"{backslashes}x{byte:02x}" for byte in letter.encode("utf-8", "surrogatepass")),
        f"{backslashes}(?:x{code:02x}|u{code:04x}|U{code:08x})",
    )
    return f"(?:{'|'.join(forms)})"


class Redactor(logging.Formatter):
    """Formats a record with another formatter, then takes out what is secret."""

    def __init__(self, inner: logging.Formatter, secrets: Iterable[str]) -> None:
        super().__init__()
        self._inner = inner
        self._secrets: set[str] = set()
        self._known = re.compile("(?!)")
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Take out one more secret from now on, such as a token that was read anew."""
        _, colon, half = secret.partition(":")
        for known in (secret, half) if colon and len(half) >= _SHORTEST_HALF else (secret,):
            once = quote(known, safe="")
            # as it is, in an address, and in an address within one
            self._secrets |= {known, quote(known), once, once.lower(), quote(once, safe="")}
        longest_first = sorted(self._secrets - {""}, key=len, reverse=True)
        self._known = re.compile("|".join(map(_escaped_or_not, longest_first)) or "(?!)")

    def format(self, record: logging.LogRecord) -> str:
        """Give the record's text without secrets."""
        text = self._inner.format(record)
        shown = self.redact(text)
        if shown != text and _is_json(text) and not _is_json(shown):
            # a password of digits was taken out of a number: as words it leaves the line whole
            words = json.loads(text, parse_int=str, parse_float=str)
            shown = self.redact(json.dumps(words))
        return shown

    def redact(self, text: str) -> str:
        """Give the text without secrets."""
        text = self._known.sub(REDACTED, text)
        text = _BOT_TOKEN.sub(REDACTED, text)
        text = _BEARER.sub(REDACTED, text)
        text = _SAID_ADDRESS.sub(rf"\1/{REDACTED}", text)
        text = _HEADER.sub(rf"\1{REDACTED}", text)
        text = _USER.sub(f"://{REDACTED}@", text)
        return _ADDRESS.sub(_without_query, text)


class _Handler(logging.StreamHandler[TextIO]):
    """Writes to standard error; where a record cannot be formatted, says so without its content."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        error = sys.exc_info()[0]
        why = error.__name__ if error else "?"
        line = {
            "event": "log_line_lost",
            "level": "error",
            "logger": record.name,
            "timestamp": datetime.now(UTC).isoformat(),
            "why": why,
        }
        with contextlib.suppress(OSError, ValueError):
            self.stream.write(json.dumps(line) + "\n")


def set_up(*, level: str, log_format: str, secrets: Iterable[str]) -> Callable[[str], None]:
    """Set up logging for the process; returns a function that adds a secret to take out."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        _without_telegrams_objects,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    if log_format == "json":
        render: list[Processor] = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ]
    else:
        render = [
            _in_one_line,
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                exception_formatter=_indented_traceback,
            ),
        ]
    formatter = Redactor(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        ),
        secrets,
    )
    handler = _Handler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    set_level(level)
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    # whoever tries again says so, by an event that means something to who reads it
    stamina.instrumentation.set_on_retry_hooks([])
    _catch_what_nobody_catches()
    return formatter.add


def set_level(level: str) -> None:
    """Say from which level on is logged, from now on."""
    logging.getLogger().setLevel(level)
    # One line a request at INFO says nothing that our own lines don't say better.
    for name in ("httpx", "httpcore", "aiosqlite", "PIL", "asyncio", "uvicorn"):
        logging.getLogger(name).setLevel(max(logging.getLevelName(level), logging.WARNING))
    if level == "DEBUG":
        logging.getLogger("httpx").setLevel(logging.DEBUG)
        logging.getLogger("httpcore").setLevel(logging.INFO)


def _catch_what_nobody_catches() -> None:
    """Let the log have what Python would write to standard error by itself, with all that is secret."""
    log = structlog.get_logger(__name__)

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_type is not SystemExit:
            log.critical("thread_failed", exc_info=args.exc_value)

    def unraisable(args: "sys.UnraisableHookArgs") -> None:
        log.error("failed_unheard", exc_info=args.exc_value)

    def uncaught(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
        else:
            log.critical("ended_unexpectedly", exc_info=error)

    threading.excepthook, sys.unraisablehook, sys.excepthook = in_thread, unraisable, uncaught


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _in_one_line(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """Let nothing that came from outside begin a line of its own, or move a terminal's cursor.

    Values with white space are quoted, and so escaped, by whoever shows them.
    """
    del logger, name
    shown = {
        key: _printable(value, keep="\t\r\n") if isinstance(value, str) else value
        for key, value in event.items()
    }
    if isinstance(event.get("event"), str):
        shown["event"] = _printable(event["event"])
    return shown


def _indented_traceback(out: TextIO, exc_info: Any) -> None:
    """Write a traceback, in which errors quote what came from outside: no line of it begins a record."""
    text = io.StringIO()
    structlog.dev.plain_traceback(text, exc_info)
    out.write("\n" + textwrap.indent(_printable(text.getvalue().lstrip("\n"), keep="\n"), "    "))


def _printable(text: str, keep: str = "") -> str:
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() or one in keep else one.encode("unicode_escape").decode()
        for one in text
    )


def _without_telegrams_objects(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """Keep the whole of an update or a bot out of the logs: their repr has people's words in it."""
    del logger, name
    return {
        key: f"<{type(value).__name__}>" if type(value).__module__.startswith("telegram") else value
        for key, value in event.items()
    }
