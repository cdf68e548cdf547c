"""Structured logs, on the console or as JSON; what is secret is taken out on the way to the handler.

Every record of every library passes the one handler made here, so that a URL with the bot's token
that httpx or python-telegram-bot logs is redacted as well, in tracebacks too.
"""

import logging
import re
import sys
from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import quote

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

REDACTED: Final = "[redacted]"

# A bot token wherever it stands, as in https://api.telegram.org/bot123:ABC/getMe; a bearer token;
# the signature of a result's URL.
_PATTERNS: Final = (
    re.compile(r"(?<!\d)\d{3,}(?::|%3[Aa])[A-Za-z0-9_-]{20,}"),
    re.compile(r"(?i)(?<=bearer )[^\s'\"\\,]+"),
    re.compile(r"(?i)(?<=authorization: )[^\r\n]+"),
    re.compile(r"(?<=://)([^\s'\"<>?]+)\?[^\s'\"<>]+"),
)


class Redactor(logging.Formatter):
    """Formats a record with another formatter, then takes out what is secret."""

    def __init__(self, inner: logging.Formatter, secrets: Iterable[str]) -> None:
        super().__init__()
        self._inner = inner
        self._secrets: set[str] = set()
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Take out one more secret from now on, such as a token that was read anew."""
        if secret:
            # as it is, and as it stands in a URL's path or query
            self._secrets |= {secret, quote(secret, safe=""), quote(secret)}

    def format(self, record: logging.LogRecord) -> str:
        """Give the record's text without secrets."""
        return self.redact(self._inner.format(record))

    def redact(self, text: str) -> str:
        """Give the text without secrets."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, REDACTED)
        first, bearer, header, query = _PATTERNS
        text = first.sub(REDACTED, text)
        text = bearer.sub(REDACTED, text)
        text = header.sub(REDACTED, text)
        return query.sub(rf"\1?{REDACTED}", text)


def set_up(*, level: str, log_format: str, secrets: Iterable[str]) -> Callable[[str], None]:
    """Set up logging for the process; returns a function that adds a secret to take out."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        _without_telegrams_objects,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if log_format == "json":
        render: list[Processor] = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
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
    handler = logging.StreamHandler(sys.stderr)
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
