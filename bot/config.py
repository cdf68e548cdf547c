"""Typed settings: a TOML file, then the environment; all errors at once, before anything starts.

Every key can also be given as an environment variable, `BOT_` + section + `__` + key in capitals
(`BOT_TELEGRAM__MAX_MEGAPIXELS=20`); the environment wins. Tokens can also come from a file of their
own (`telegram.token_file`, `BOT_HIDREAM__TOKEN_FILE`), which is read anew when HiDream refuses one.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.errors import ConfigurationError
from bot.pictures import AspectRatio

ENV_PREFIX: Final = "BOT_"
_SQLITE: Final = "sqlite:///"


def _http_url(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/?#]+[^\s?#]*", value):
        raise ValueError("it must be an address such as https://example.org")
    return value.rstrip("/")


def _sqlite_url(value: str) -> str:
    if not value.startswith(_SQLITE) or value == _SQLITE:
        raise ValueError("it must be sqlite:/// and a path, such as sqlite:///data/bot.db")
    return value


def _listen(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or not 0 <= int(port) <= 65535:
        raise ValueError("it must be host:port, such as 127.0.0.1:8080")
    return value


def _ratio(value: str) -> str:
    allowed = ["auto", *(ratio.value for ratio in AspectRatio)]
    if value not in allowed:
        raise ValueError(f"it must be one of {', '.join(allowed)}")
    return value


def _only_polling(value: str) -> str:
    if value != "polling":
        raise ValueError("this version only has polling")
    return value


def _ids(value: Any) -> Any:
    """Let the environment give a list of ids as `1, 2`."""
    if isinstance(value, str):
        return [part for part in re.split(r"[,\s]+", value.strip("[] ")) if part]
    if isinstance(value, int) and not isinstance(value, bool):
        return [value]
    return value


HttpUrl = Annotated[str, AfterValidator(_http_url)]
Ids = Annotated[frozenset[int], BeforeValidator(_ids)]


class Section(BaseModel):
    """A table of the file: unknown keys are errors, and nothing changes after the start."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class WithToken(Section):
    """A section with a token, given as such or as a file that holds it."""

    token: SecretStr | None = None
    token_file: Path | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "WithToken":
        if self.token is not None and self.token_file is not None:
            raise ValueError("token and token_file are both given: keep one of them")
        if self.token is None and self.token_file is None:
            raise ValueError("token is missing: give it, or token_file")
        self.read_token()
        return self

    def read_token(self) -> str:
        """Give the token; a token file is read anew.

        Raises:
            ValueError: there is none, or it cannot be a token.
        """
        if self.token_file is not None:
            try:
                token = self.token_file.read_text().strip()
            except (OSError, UnicodeDecodeError) as exc:
                why = exc.strerror if isinstance(exc, OSError) else "it is not text"
                raise ValueError(
                    f"token_file = {str(self.token_file)!r} cannot be read: {why}"
                ) from exc
        else:
            token = self.token.get_secret_value().strip() if self.token else ""
        if not token or not token.isascii() or any(c.isspace() for c in token):
            raise ValueError("token is empty, or has white space or letters that no token has")
        return token


class Telegram(WithToken):
    """How to reach Telegram."""

    api_url: HttpUrl = "https://api.telegram.org"
    mode: Annotated[Literal["polling", "webhook"], AfterValidator(_only_polling)] = "polling"
    max_megapixels: Annotated[float, Field(gt=0, le=170)] = 40

    @model_validator(mode="after")
    def _token_has_telegrams_form(self) -> "Telegram":
        if not re.fullmatch(r"[0-9]+:[A-Za-z0-9_-]+", self.read_token()):
            raise ValueError(
                "token is not a bot's token: @BotFather gives one like 123456789:AAE5…"
            )
        return self


class HiDream(WithToken):
    """How to reach HiDream, and what the account allows."""

    base_url: HttpUrl = "https://www.hidreamai.com"
    api_version: Literal[2, 3] = 2
    parallel_requests: Annotated[int, Field(ge=1, le=1000)] = 1
    images_per_minute: Annotated[int, Field(ge=4, le=100_000)] = 100
    task_deadline_seconds: Annotated[float, Field(gt=0, le=86_400)] = 600
    allow_local_results: bool = False


class Defaults(Section):
    """What a caption leaves open."""

    ratio: Annotated[str, AfterValidator(_ratio)] = "auto"
    count: Annotated[int, Field(ge=1, le=4)] = 1
    negative: str = ""


class Storage(Section):
    """Where things last, and for how long."""

    url: Annotated[str, AfterValidator(_sqlite_url)] = "sqlite:///data/bot.db"
    keep_originals_days: Annotated[float, Field(ge=0)] = 7
    retention_days: Annotated[float, Field(ge=0)] = 0

    @property
    def path(self) -> Path:
        """The database file; relative to the working directory, absolute with a fourth slash."""
        return Path(self.url.removeprefix(_SQLITE))


class Web(Section):
    """The HTTP side, for HiDream's callbacks."""

    listen: Annotated[str, AfterValidator(_listen)] = "127.0.0.1:8080"
    public_url: HttpUrl | None = None


class Access(Section):
    """Who may use the bot."""

    admins: Ids = frozenset()
    allowed_users: Ids = frozenset()
    allowed_chats: Ids = frozenset()
    max_unfinished: Annotated[int, Field(ge=1)] = 20
    album_max: Annotated[int, Field(ge=1, le=10)] = 4

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

    stop_seconds: Annotated[float, Field(ge=0, le=300)] = 4
    log_format: Literal["console", "json"] = "console"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


class Config(BaseSettings):
    """All settings."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
    )

    telegram: Telegram
    hidream: HiDream
    defaults: Defaults = Defaults()
    storage: Storage = Storage()
    web: Web = Web()
    access: Access = Access()
    run: Run = Run()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the environment before the file (whose content is passed in at construction)."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings


def load(path: Path | None) -> Config:
    """Read the settings from a TOML file (None: from the environment alone).

    Raises:
        ConfigurationError: with every error at once: file, key, value, and what is allowed.
    """
    content = {} if path is None else _read_toml(path)
    for section in Config.model_fields:
        # a section that is not mentioned still takes part, so that all its missing keys are told
        if isinstance(content.get(section, {}), dict):
            content.setdefault(section, {})
    try:
        return Config(**content)
    except ValidationError as exc:
        problems = [_problem(error, content, path) for error in exc.errors()]
        raise ConfigurationError("\n".join(problems)) from exc


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigurationError(
            f"{path}: cannot be read: {exc.strerror}. "
            "Copy config.example.toml to it, or name another with --config."
        ) from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigurationError(f"{path}: is not valid TOML: {exc}") from exc


def _problem(error: ErrorDetails, content: Mapping[str, Any], path: Path | None) -> str:
    keys = [str(part) for part in error["loc"]]
    key = ".".join(keys)
    variable = ENV_PREFIX + "__".join(keys[:2]).upper()
    from_environment = variable in os.environ
    where = variable if from_environment else f"{path or 'settings'}: {key}"
    if error["type"] == "extra_forbidden":
        return f"{where}: there is no such setting.{_nearest(keys)}"
    if error["type"] == "missing":
        return f"{where}: is missing."
    message = error["msg"].removeprefix("Value error, ")
    value = _shown_value(keys, content, variable)
    return f"{where}{value}: {message[0].lower()}{message[1:]}."


def _shown_value(keys: list[str], content: Mapping[str, Any], variable: str) -> str:
    if len(keys) < 2 or keys[-1].startswith("token"):
        return ""  # a token is never shown
    value: Any = os.environ.get(variable)
    if value is None:
        value = content
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
    return "" if value is None or isinstance(value, dict) else f" = {value!r}"


def _nearest(keys: list[str]) -> str:
    sections = _sections()
    inside = len(keys) > 1 and keys[0] in sections
    known = list(sections[keys[0]].model_fields if inside else sections)
    prefix = f"{keys[0]}." if inside else ""
    close = difflib.get_close_matches(keys[-1], known, n=1, cutoff=0.5)
    if close:
        return f" Did you mean {prefix}{close[0]}?"
    return f" There are: {', '.join(prefix + name for name in known)}."


def _sections() -> dict[str, type[BaseModel]]:
    return {
        name: entry.annotation
        for name, entry in Config.model_fields.items()
        if isinstance(entry.annotation, type) and issubclass(entry.annotation, BaseModel)
    }


def every_key() -> Iterator[tuple[str, str]]:
    """Give every section and key that there is, in order."""
    for name, section in _sections().items():
        for key in section.model_fields:
            yield name, key
