"""The kinds of values that settings have, each with what it allows.

A bare ValueError means: not what the key's description allows. Strings are taken for numbers and
lists, since the environment has nothing else.
"""

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

PROXIES: Final = ("http", "https", "socks5", "socks5h")
SQLITE: Final = "sqlite:///"
"""How the address of a database begins; its path follows."""
_PORTS: Final = 65_535
_SOCKS_MOST: Final = 255
"""Bytes of a user, and of a password (RFC 1929)."""
_SHORT_PASSWORD: Final = 3
"""Letters; so short a password alone would take its letters out of all that is logged."""


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


def absolute(path: Path | None) -> Path | None:
    """Take an absolute path alone."""
    if path is not None and not path.is_absolute():
        raise ValueError
    return path


def _proxy(secret: SecretStr) -> SecretStr:
    """Look at a proxy's address; what is said of it never holds any of it."""
    value = secret.get_secret_value()
    scheme, _, rest = value.partition("://")
    if scheme not in PROXIES:
        raise ValueError(f"must begin with {'://, '.join(PROXIES[:-1])}:// or {PROXIES[-1]}://")
    given, at, where = rest.removesuffix("/").rpartition("@")
    if (
        re.search(r"[\s/?#@\\]|%(?![0-9A-Fa-f]{2})", given)
        or given.count(":") > 1
        or (at and not given.partition(":")[0])
    ):
        raise ValueError(
            "must have user:password before the @, in which : / ? # @ % are written as "
            "%3A %2F %3F %23 %40 %25"
        )
    if any(len(unquote(part).encode()) > _SOCKS_MOST for part in given.split(":")):
        raise ValueError(f"must have a user and a password of at most {_SOCKS_MOST} bytes each")
    host, colon, port = where.rpartition(":")
    if colon and not where.endswith("]"):
        if not re.fullmatch("[0-9]{1,5}", port) or not 0 < int(port) <= _PORTS:
            raise ValueError(f"must have a number from 1 to {_PORTS} as its port")
    else:
        host = where
    if not re.fullmatch(r"[\w.-]+|\[[0-9A-Fa-f:.]+\]", host, re.ASCII):
        raise ValueError("must have a host after the user and password, and no path")
    return secret


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
ProxyUrl = Annotated[
    Annotated[SecretStr, AfterValidator(_proxy)] | None,
    Field(
        description="http://, https://, socks5:// or socks5h://, then user:password@ if the proxy "
        "wants them, a host and a port"
    ),
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


def secrets_of_proxy(proxy: str) -> Iterator[str]:
    """Give what is secret in a proxy's address, in each form in which it travels."""
    parts = urlsplit(proxy)
    if parts.username is None and parts.password is None:
        return
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    yield f"{user}:{password}"
    yield base64.b64encode(f"{user}:{password}".encode()).decode()
    yield parts.netloc.rpartition("@")[0]
    if len(password) > _SHORT_PASSWORD:
        yield password
