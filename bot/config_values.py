"""The kinds of values that settings have, each with what it allows.

A bare ValueError means: not what the key's description allows. Strings are taken for numbers and
lists, since the environment has nothing else.
"""

import json
import re
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

SQLITE: Final = "sqlite:///"
"""How the address of a database begins; its path follows."""


def _number(value: Any) -> Any:
    # TOML's true is a number to Python
    if isinstance(value, bool):
        raise ValueError  # noqa: TRY004 - the one that pydantic collects
    return value


def whole(value: Any) -> Any:
    """Let the environment give a number as text where pydantic would not read it."""
    return int(value) if isinstance(value, str) else _number(value)


def _http_url(value: str) -> str:
    url = urlsplit(value)
    fine = url.scheme in {"http", "https"} and url.hostname and (url.port or 1) > 0
    if not fine or url.username is not None or re.search(r"[\s?#\\]", value):
        raise ValueError
    return value.rstrip("/")


def _host_url(value: str) -> str:
    if urlsplit(value).path:
        raise ValueError
    return value


def _sqlite_url(value: str) -> str:
    path = value.removeprefix(SQLITE)
    if path in {"", ":memory:"} or path == value or path.endswith("/") or re.search(r"[?\0]", path):
        raise ValueError
    return value


def _listen(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not re.fullmatch(r"[^\s:/\[\]]+|\[[0-9A-Fa-f:.]+\]", host):
        raise ValueError
    if not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535:
        raise ValueError
    return value


def _ids(value: Any) -> Any:
    """Let the environment give a list of ids as `1, 2` or as JSON."""
    if isinstance(value, str):
        text = value.strip()
        value = json.loads(text) if text.startswith("[") else re.split(r"[,\s]+", text.strip(","))
        value = [part for part in value if part != ""]
    elif isinstance(value, int):
        value = [value]
    if isinstance(value, list):
        return [whole(part) for part in value]
    return value


Whole = Annotated[int, BeforeValidator(whole)]
Number = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(_number)]
HttpUrl = Annotated[
    str,
    AfterValidator(_http_url),
    Field(description="an http or https address, without user, password, query and fragment"),
]
HostUrl = Annotated[
    str,
    AfterValidator(_http_url),
    AfterValidator(_host_url),
    Field(description="an http or https address of a host, without a path, user or password"),
]
Ids = Annotated[
    frozenset[int],
    BeforeValidator(_ids),
    Field(description="a list of whole numbers, such as [123456789, -1001234567890]"),
]


SqliteUrl = Annotated[
    str,
    AfterValidator(_sqlite_url),
    Field(description="sqlite:/// and the path of a file, such as sqlite:///data/bot.db"),
]
HostPort = Annotated[
    str,
    AfterValidator(_listen),
    Field(description="host:port, such as 127.0.0.1:8080 or [::1]:8080"),
]
