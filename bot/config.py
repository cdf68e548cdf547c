"""Typed settings: every section and key, its default, and what is allowed.

What is allowed stands once, in words, as a key's description: error messages and config.example.toml
say the same. A token can also come from a file of its own (`telegram.token_file`); HiDream's is read
anew before each request, so that a fresh one needs no restart.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
)

from bot.config_sections import Section, Side
from bot.config_values import (
    SQLITE,
    HostPort,
    HostUrl,
    HttpUrl,
    Ids,
    Number,
    SqliteUrl,
    Whole,
    absolute,
    whole,
)
from bot.pictures import AspectRatio

ENV_PREFIX: Final = "BOT_"
_RATIOS: Final = ("auto", *(ratio.value for ratio in AspectRatio))
_LONGEST_DAYS: Final = 36_500
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 - what is never asked
"""Where one that listens on all addresses is asked."""


class Telegram(Side):
    """How to reach Telegram."""

    _form = re.compile(r"[0-9]+:[A-Za-z0-9_-]+")
    _form_in_words = "what @BotFather gives, such as 123456789:AAE5…"

    api_url: HttpUrl = "https://api.telegram.org"
    mode: Annotated[
        Literal["polling", "webhook"],
        Field(description='"polling" or "webhook"'),
    ] = "polling"
    local_mode: Annotated[bool, Field(description="true or false")] = False
    local_folder: Annotated[
        Path | None,
        AfterValidator(absolute),
        Field(description="the absolute path of a folder"),
    ] = None
    max_file_megabytes: Annotated[
        Whole,
        Field(
            ge=1,
            le=2000,
            description="a whole number from 1 to 20, or up to 2000 with local_mode",
        ),
    ] = 20
    webhook_connections: Annotated[
        Whole, Field(ge=1, le=100, description="a whole number from 1 to 100")
    ] = 40
    max_megapixels: Annotated[
        Number, Field(gt=0, le=170, description="a number above 0, up to 170")
    ] = 40

    @property
    def files_on_disk(self) -> Path | None:
        """Where a Bot API server in local mode keeps its files; None: it is in no such mode."""
        return self.local_folder if self.local_mode else None

    @property
    def max_file_bytes(self) -> int:
        """The largest file that is taken."""
        return self.max_file_megabytes * 1_000_000


class HiDream(Side):
    """How to reach HiDream, and what the account allows."""

    base_url: HostUrl = "https://www.hidreamai.com"
    api_version: Annotated[Literal[2, 3], BeforeValidator(whole), Field(description="2 or 3")] = 2
    parallel_requests: Annotated[
        Whole, Field(ge=1, le=1000, description="a whole number from 1 to 1000")
    ] = 1
    images_per_minute: Annotated[
        Whole, Field(ge=4, le=100_000, description="a whole number from 4 to 100000")
    ] = 100
    task_deadline_seconds: Annotated[
        Number, Field(gt=0, le=86_400, description="a number above 0, up to 86400")
    ] = 600
    allow_local_results: Annotated[bool, Field(description="true or false")] = False


class Defaults(Section):
    """What a caption leaves open."""

    ratio: Annotated[
        Literal[_RATIOS], Field(description=f"one of {', '.join(_RATIOS)}")  # type: ignore[valid-type]
    ] = "auto"
    count: Annotated[Whole, Field(ge=1, le=4, description="a whole number from 1 to 4")] = 1
    negative: Annotated[str, Field(description="text")] = ""


class Storage(Section):
    """Where things last, and for how long."""

    url: SqliteUrl = "sqlite:///data/bot.db"
    keep_originals_days: Annotated[
        Number, Field(ge=0, le=_LONGEST_DAYS, description="a number from 0 to 36500")
    ] = 7
    retention_days: Annotated[
        Number, Field(ge=0, le=_LONGEST_DAYS, description="a number from 0 to 36500")
    ] = 0

    @property
    def path(self) -> Path:
        """The database file; relative to the working directory, absolute with a fourth slash."""
        path = Path(self.url.removeprefix(SQLITE))
        # SQLite keeps its log beside the file itself, not beside a link to it; so do we
        # (a folder that may not be looked into is no error here: whoever opens the file says it)
        return path.resolve() if os.path.islink(path) else path  # noqa: PTH114 - Path's raises there


class Web(Section):
    """The HTTP side: what HiDream and Telegram call from outside, and what looks after the bot from within."""

    listen: HostPort = "127.0.0.1:8080"
    public_url: Annotated[
        HttpUrl | None,
        Field(
            description="an http or https address, without user, password, query and fragment",
        ),
    ] = None
    certificate: Annotated[
        Path | None, Field(description="the path of a PEM file with the certificate, and its chain")
    ] = None
    key: Annotated[
        Path | None, Field(description="the path of a PEM file with the key, without a password")
    ] = None
    self_signed: Annotated[bool, Field(description="true or false")] = False
    monitor: Annotated[
        HostPort | None,
        Field(description="host:port, such as 127.0.0.1:9464 or [::1]:9464"),
    ] = None

    @property
    def monitor_url(self) -> str | None:
        """Where this machine asks the bot how it is; None: nothing can."""
        if self.monitor is None:
            return None
        host, _, port = self.monitor.rpartition(":")
        return f"http://{_EVERYWHERE.get(host, host)}:{port}"


class Access(Section):
    """Who may use the bot."""

    admins: Ids = frozenset()
    allowed_users: Ids = frozenset()
    allowed_chats: Ids = frozenset()
    max_unfinished: Annotated[
        Whole, Field(ge=1, le=10_000, description="a whole number from 1 to 10000")
    ] = 20
    album_max: Annotated[Whole, Field(ge=1, le=10, description="a whole number from 1 to 10")] = 4

    @property
    def everyone(self) -> bool:
        """Whether anybody may use the bot."""
        return not self.allowed_users and not self.allowed_chats

    def allows(self, user_id: int, chat_id: int) -> bool:
        """Say whether this person may use the bot in this chat."""
        return (
            self.everyone
            or user_id in self.allowed_users
            or user_id in self.admins
            or chat_id in self.allowed_chats
        )


class Run(Section):
    """How the process behaves."""

    stop_seconds: Annotated[Number, Field(ge=0, le=300, description="a number from 0 to 300")] = 4
    log_format: Annotated[Literal["console", "json"], Field(description='"console" or "json"')] = (
        "console"
    )
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"],
        Field(description='"DEBUG", "INFO", "WARNING" or "ERROR"'),
    ] = "INFO"


class Config(Section):
    """All settings."""

    telegram: Telegram
    hidream: HiDream
    defaults: Defaults = Defaults()
    storage: Storage = Storage()
    web: Web = Web()
    access: Access = Access()
    run: Run = Run()

    def secrets(self) -> Iterator[str]:
        """Give all that must never be seen."""
        yield from self.telegram.secrets()
        yield from self.hidream.secrets()


def sections() -> dict[str, type[Section]]:
    """Give every section by its name, in order."""
    return {
        name: entry.annotation
        for name, entry in Config.model_fields.items()
        if isinstance(entry.annotation, type) and issubclass(entry.annotation, Section)
    }


def every_key() -> Iterator[tuple[str, str]]:
    """Give every section and key that there is, in order."""
    for name, section in sections().items():
        for key in section.model_fields:
            yield name, key


def variable_of(section: str, key: str) -> str:
    """Give the environment variable of a key."""
    return f"{ENV_PREFIX}{section}__{key}".upper()
