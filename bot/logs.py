"""Structured logs, on the console or as JSON; what is secret is taken out on the way to the handler.

Every record of every library passes the one handler made here, so that a URL with the bot's token
that httpx or python-telegram-bot logs is redacted as well, in tracebacks too.
"""

import contextlib
import logging
import re
import sys
from collections.abc import Callable, Iterable
from typing import Final, TextIO
from urllib.parse import quote

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
_ADDRESS: Final = re.compile(r"://[^\s'\"<>\\]+")


def _without_query(found: re.Match[str]) -> str:
    """Cut an address short before its query, where signatures are, and hide a password."""
    place, mark, _ = found[0].partition("?")
    host, slash, path = place.removeprefix("://").partition("/")
    user, at, host_only = host.rpartition("@")
    shown = f"{REDACTED}@{host_only}" if at and user else host
    return f"://{shown}{slash}{path}{mark}{REDACTED if mark else ''}"


def _escaped_or_not(secret: str) -> str:
    """Give a pattern for a secret, whose quotes and backslashes JSON or repr may have escaped."""
    return re.sub(r"""(\\\\|"|')""", r"(?:\\\\){0,16}\1", re.escape(secret))


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
        return self.redact(self._inner.format(record))

    def redact(self, text: str) -> str:
        """Give the text without secrets."""
        text = self._known.sub(REDACTED, text)
        text = _BOT_TOKEN.sub(REDACTED, text)
        text = _BEARER.sub(REDACTED, text)
        text = _SAID_ADDRESS.sub(rf"\1/{REDACTED}", text)
        return _ADDRESS.sub(_without_query, text)


class _Handler(logging.StreamHandler[TextIO]):
    """Writes to standard error; where a record cannot be formatted, says so without its content."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        error = sys.exc_info()[0]
        why = error.__name__ if error else "?"
        with contextlib.suppress(OSError, ValueError):
            self.stream.write(
                f'{{"event": "log_line_lost", "logger": "{record.name}", "why": "{why}"}}\n'
            )


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
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                exception_formatter=structlog.dev.plain_traceback,
            )
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
    root.setLevel(level)
    logging.captureWarnings(capture=True)
    # One line a request at INFO says nothing that our own lines don't say better.
    for name in ("httpx", "httpcore", "aiosqlite", "PIL", "asyncio"):
        logging.getLogger(name).setLevel(max(logging.getLevelName(level), logging.WARNING))
    if level == "DEBUG":
        logging.getLogger("httpx").setLevel(logging.DEBUG)
        logging.getLogger("httpcore").setLevel(logging.INFO)
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
    return formatter.add


def _without_telegrams_objects(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """Keep the whole of an update or a bot out of the logs: their repr has people's words in it."""
    del logger, name
    return {
        key: f"<{type(value).__name__}>" if type(value).__module__.startswith("telegram") else value
        for key, value in event.items()
    }
