"""The settings: what there is, where it comes from, and what is said when it is wrong."""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.config import Config, every_key, sections, variable_of
from bot.config_loading import load
from bot.errors import ConfigurationError
from bot.live import differing

TOKEN = "123456789:AAE5-secret_half_of_the_token"
MUST = f'[telegram]\ntoken = "{TOKEN}"\n[hidream]\ntoken = "hidream-token"\n'
EXAMPLE = Path(__file__).parent.parent / "config.example.toml"

DEFAULTS: dict[str, Any] = {
    "telegram.token": None,
    "telegram.token_file": None,
    "telegram.api_url": "https://api.telegram.org",
    "telegram.mode": "polling",
    "telegram.webhook_connections": 40,
    "telegram.proxy": None,
    "telegram.local_mode": False,
    "telegram.local_folder": None,
    "telegram.max_file_megabytes": 20,
    "telegram.max_megapixels": 40,
    "hidream.token": None,
    "hidream.token_file": None,
    "hidream.base_url": "https://www.hidreamai.com",
    "hidream.api_version": 2,
    "hidream.parallel_requests": 1,
    "hidream.images_per_minute": 100,
    "hidream.task_deadline_seconds": 600,
    "hidream.proxy": None,
    "hidream.allow_local_results": False,
    "defaults.ratio": "auto",
    "defaults.count": 1,
    "defaults.negative": "",
    "storage.url": "sqlite:///data/bot.db",
    "storage.keep_originals_days": 7,
    "storage.retention_days": 0,
    "web.listen": "127.0.0.1:8080",
    "web.public_url": None,
    "web.certificate": None,
    "web.key": None,
    "web.self_signed": False,
    "web.monitor": None,
    "access.admins": frozenset(),
    "access.allowed_users": frozenset(),
    "access.allowed_chats": frozenset(),
    "access.max_unfinished": 20,
    "access.album_max": 4,
    "run.stop_seconds": 4,
    "run.log_format": "console",
    "run.log_level": "INFO",
}


def read(tmp_path: Path, text: str | bytes = MUST, **environ: str) -> Config:
    """Load a file of this text, in an environment of these variables alone."""
    file = tmp_path / "config.toml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return load(file, environ)


def errors(tmp_path: Path, text: str | bytes = MUST, **environ: str) -> list[str]:
    """Give the errors of such a file, without the path that each begins with."""
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, text, **environ)
    return str(caught.value).replace(f"{tmp_path / 'config.toml'}: ", "").splitlines()


def with_key(key: str, value: str) -> str:
    """Write a file that has this key too, in TOML."""
    section, name = key.split(".")
    if f"[{section}]" not in MUST:
        return f"{MUST}[{section}]\n{name} = {value}\n"
    old = f'token = "{TOKEN if section == "telegram" else "hidream-token"}"\n'
    return MUST.replace(old, f"{'' if name == 'token' else old}{name} = {value}\n")


def value_of(config: Config, key: str) -> Any:
    """Look a key up."""
    section, name = key.split(".")
    return getattr(getattr(config, section), name)


# --- what there is --------------------------------------------------------------------------------


def test_there_are_these_keys_and_defaults() -> None:
    """Each key that is promised exists, with its default, and no other."""
    found = {
        f"{section}.{key}": sections()[section].model_fields[key].get_default()
        for section, key in every_key()
    }
    assert found == DEFAULTS


def test_two_tokens_are_enough(tmp_path: Path) -> None:
    """With both tokens given, all else has its default."""
    config = read(tmp_path)
    assert config.telegram.read_token() == TOKEN
    assert config.hidream.read_token() == "hidream-token"
    for key, default in DEFAULTS.items():
        if not key.endswith("token"):
            assert value_of(config, key) == default
    assert config.storage.path == Path("data/bot.db")


def test_a_link_to_the_database_is_followed(tmp_path: Path) -> None:
    """Where the database's name is a link, lock, log and pictures are beside the file itself, as SQLite has it."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "bot.db").symlink_to(tmp_path / "disk" / "bot.db")
    config = read(tmp_path, BOT_STORAGE__URL=f"sqlite:///{tmp_path / 'bot.db'}")
    assert config.storage.path == tmp_path / "disk" / "bot.db"


def test_both_tokens_are_missed_at_once(tmp_path: Path) -> None:
    """An empty file is told what it lacks."""
    assert errors(tmp_path, "") == [
        "telegram.token: is missing: give it, or token_file.",
        "hidream.token: is missing: give it, or token_file.",
    ]


@pytest.mark.parametrize(
    ("key", "toml", "value"),
    [
        ("telegram.api_url", '"http://10.0.0.7:8081/api/"', "http://10.0.0.7:8081/api"),
        ("telegram.webhook_connections", "100", 100),
        ("telegram.max_megapixels", "0.5", 0.5),
        ("hidream.base_url", '"https://vivago.ai/"', "https://vivago.ai"),
        ("hidream.api_version", "3", 3),
        ("hidream.allow_local_results", "true", True),
        ("hidream.task_deadline_seconds", "1.5", 1.5),
        ("defaults.ratio", '"16:9"', "16:9"),
        ("defaults.negative", '"text"', "text"),
        ("storage.url", '"sqlite:////var/lib/bot.db"', "sqlite:////var/lib/bot.db"),
        ("web.listen", '"[::1]:0"', "[::1]:0"),
        ("web.public_url", '"https://bot.example.org/in"', "https://bot.example.org/in"),
        ("web.monitor", '"127.0.0.1:9464"', "127.0.0.1:9464"),
        ("access.admins", "[1, -100]", frozenset({1, -100})),
        ("access.allowed_chats", "5", frozenset({5})),
        ("run.log_level", '"DEBUG"', "DEBUG"),
    ],
)
def test_allowed_values_are_taken(tmp_path: Path, key: str, toml: str, value: object) -> None:
    """A value that is allowed is what the key then has."""
    assert value_of(read(tmp_path, with_key(key, toml)), key) == value


_IDS = "a list of whole numbers, such as [123456789, -1001234567890]"
_URL = "an http or https address, without user, password, query and fragment"
_HOST = "an http or https address of a host, without a path, user or password"
_SQLITE = "sqlite:/// and the path of a file, such as sqlite:///data/bot.db"
_LISTEN = "host:port, such as 127.0.0.1:8080 or [::1]:8080"
BAD: list[tuple[str, str, str]] = [
    *[
        ("telegram.api_url", url, _URL)
        for url in ('"telegram.org"', '"ftp://a"', '"https://"', '"https://a b"', '"https://a/?b"')
    ],
    *[("telegram.api_url", url, _URL) for url in ('"https://a:99999"', '"https://a#b"', "3", '""')],
    ("telegram.local_mode", '"perhaps"', "true or false"),
    ("telegram.local_folder", '"files"', "the absolute path of a folder"),
    *[
        (
            "telegram.max_file_megabytes",
            number,
            "a whole number from 1 to 20, or up to 2000 with local_mode",
        )
        for number in ("0", "2001", "1.5")
    ],
    ("telegram.mode", '"push"', '"polling" or "webhook"'),
    ("telegram.webhook_connections", "0", "a whole number from 1 to 100"),
    ("telegram.webhook_connections", "101", "a whole number from 1 to 100"),
    *[
        ("telegram.max_megapixels", number, "a number above 0, up to 170")
        for number in ("0", "171", "nan", "inf", "-inf", '"many"', "true", "[]")
    ],
    ("hidream.base_url", '"https://a/path"', _HOST),
    ("hidream.api_version", "4", "2 or 3"),
    ("hidream.api_version", '"v2"', "2 or 3"),
    ("hidream.parallel_requests", "0", "a whole number from 1 to 1000"),
    ("hidream.parallel_requests", "1.5", "a whole number from 1 to 1000"),
    ("hidream.parallel_requests", "true", "a whole number from 1 to 1000"),
    ("hidream.images_per_minute", "3", "a whole number from 4 to 100000"),
    ("hidream.task_deadline_seconds", "0", "a number above 0, up to 86400"),
    ("hidream.allow_local_results", '"perhaps"', "true or false"),
    (
        "defaults.ratio",
        '"5:4"',
        "one of auto, 9:16, 2:3, 4:3, 1:1, 3:4, 3:2, 16:9",
    ),
    ("defaults.count", "5", "a whole number from 1 to 4"),
    ("defaults.negative", "3", "text"),
    *[
        ("storage.url", f'"{url}"', _SQLITE)
        for url in (
            "sqlite:///",
            "sqlite:///:memory:",
            "data/bot.db",
            "postgres://a",
            "sqlite:///a/",
        )
    ],
    ("storage.url", '"sqlite:///a.db?mode=ro"', _SQLITE),
    ("storage.keep_originals_days", "-1", "a number from 0 to 36500"),
    ("storage.retention_days", "1e300", "a number from 0 to 36500"),
    *[
        ("web.listen", f'"{place}"', _LISTEN)
        for place in ("8080", "localhost", "a:b", ":80", "a:65536", "::1:80", "a:-1", "a:٣")
    ],
    ("web.public_url", '"bot.example.org"', _URL),
    ("web.certificate", "3", "the path of a PEM file with the certificate, and its chain"),
    ("web.key", "true", "the path of a PEM file with the key, without a password"),
    ("web.self_signed", '"perhaps"', "true or false"),
    ("web.monitor", '"9464"', "host:port, such as 127.0.0.1:9464 or [::1]:9464"),
    *[("access.admins", ids, _IDS) for ids in ('["x"]', "[1.5]", "[true]", "true", '"1 x"', "1.5")],
    ("access.allowed_users", '"[1"', _IDS),
    ("access.allowed_chats", "{ a = 1 }", _IDS),
    ("access.max_unfinished", "0", "a whole number from 1 to 10000"),
    ("access.album_max", "11", "a whole number from 1 to 10"),
    ("run.stop_seconds", "301", "a number from 0 to 300"),
    ("run.log_format", '"text"', '"console" or "json"'),
    ("run.log_level", '"TRACE"', '"DEBUG", "INFO", "WARNING" or "ERROR"'),
]


@pytest.mark.parametrize(("key", "toml", "allowed"), BAD)
def test_bad_values_are_refused(tmp_path: Path, key: str, toml: str, allowed: str) -> None:
    """A value that is not allowed is named with its key, and with what is allowed."""
    (error,) = errors(tmp_path, with_key(key, toml))
    assert error.startswith(f"{key} = ")
    assert error.endswith(f": must be {allowed}.")


def test_every_key_with_limits_is_tried() -> None:
    """The table above leaves no key out but what is secret."""
    tried = {key for key, _, _ in BAD}
    assert tried == {key for key in DEFAULTS if not re.search("token|proxy", key)}


def test_the_value_is_shown(tmp_path: Path) -> None:
    """A wrong value is shown as it was written, shortened where it is long."""
    (error,) = errors(tmp_path, with_key("defaults.count", "9"))
    assert error == "defaults.count = 9: must be a whole number from 1 to 4."
    (error,) = errors(tmp_path, with_key("defaults.ratio", f'"{"x" * 500}"'))
    assert "x…: must be" in error
    assert len(error) < 250


def test_a_password_in_an_address_is_not_shown(tmp_path: Path) -> None:
    """An address with a password is refused without repeating the password."""
    for given, shown in (
        ("https://me:hush@host", "https://…@host"),
        ("https://me:hu/sh@host", "https://…@host"),
        ("https://me:hu@sh@host", "https://…@host"),
        ("me:hush@host", "…@host"),
    ):
        (error,) = errors(tmp_path, with_key("telegram.api_url", f'"{given}"'))
        assert error == f'telegram.api_url = "{shown}": must be {_URL}.'


@pytest.mark.parametrize(
    ("proxy", "why"),
    [
        ("hush:1080", "must begin with http://, https://, socks5:// or socks5h://"),
        ("ftp://hush", "must begin with http://, https://, socks5:// or socks5h://"),
        ("", "must begin with http://, https://, socks5:// or socks5h://"),
        ("http://ada:hu/sh@host:1", "must have user:password before the @, in which : / ? # @ %"),
        ("http://ada:hu@sh@host:1", "must have user:password before the @, in which : / ? # @ %"),
        ("http://ada:hush%@host:1", "must have user:password before the @, in which : / ? # @ %"),
        ("http://:hush@host:1", "must have user:password before the @, in which : / ? # @ %"),
        (f"socks5://ada:{'hush' * 64}@host:1", "must have a user and a password of at most 255"),
        ("http://ada:hush@host:0", "must have a number from 1 to 65535 as its port"),
        ("http://ada:hush@host:x", "must have a number from 1 to 65535 as its port"),
        ("http://ada:hush@", "must have a host after the user and password, and no path"),
        ("http://ada:hush@host/path", "must have a host after the user and password, and no path"),
        ("http://ada:hush@a b", "must have a host after the user and password, and no path"),
    ],
)
@pytest.mark.parametrize("section", ["telegram", "hidream"])
def test_a_bad_proxy_is_told_without_its_password(
    tmp_path: Path, section: str, proxy: str, why: str
) -> None:
    """What is wrong with a proxy's address is said in its own words, and nothing of the address is shown."""
    (error,) = errors(tmp_path, with_key(f"{section}.proxy", json.dumps(proxy)))
    assert error.startswith(f"{section}.proxy: {why}")
    assert "hush" not in error


@pytest.mark.parametrize("address", ["host", "[::1]:1080", "ada:hu%3Ash@proxy.example.org:3128/"])
@pytest.mark.parametrize("scheme", ["http", "https", "socks5", "socks5h"])
def test_a_proxy_is_a_secret(tmp_path: Path, scheme: str, address: str) -> None:
    """Its address is given to whoever connects, and hidden from whoever prints the settings."""
    config = read(tmp_path, with_key("hidream.proxy", f'"{scheme}://{address}"'))
    assert config.hidream.proxy_url == f"{scheme}://{address}"
    assert config.telegram.proxy_url is None
    assert "hu%3Ash" not in repr(config) + str(config) + config.model_dump_json()
    secrets = list(config.secrets())
    assert secrets[:2] == [TOKEN, "hidream-token"]
    assert ("hu:sh" in secrets) is ("ada" in address)


def test_local_mode_needs_its_folder_and_large_files_need_it(tmp_path: Path) -> None:
    """What goes together is told together."""
    (error,) = errors(tmp_path, with_key("telegram.local_mode", "true"))
    assert error.startswith(
        "telegram.local_folder: is missing: local_mode needs the folder in which"
    )
    (error,) = errors(tmp_path, with_key("telegram.max_file_megabytes", "21"))
    assert error.startswith(
        "telegram.max_file_megabytes = 21: must be at most 20: only a Bot API server"
    )
    whole = with_key(
        "telegram.local_mode", 'true\nlocal_folder = "/files"\nmax_file_megabytes = 2000'
    )
    config = read(tmp_path, whole)
    assert (config.telegram.files_on_disk, config.telegram.max_file_bytes) == (
        Path("/files"),
        2 * 10**9,
    )
    assert (
        read(tmp_path, with_key("telegram.local_folder", '"/files"')).telegram.files_on_disk is None
    )


def test_all_errors_come_at_once(tmp_path: Path) -> None:
    """Errors of every kind, of file and environment, are told together."""
    text = (
        'telegram = "123:abc"\nhidreem = 1\n'
        '[hidream]\ntoken = "a b"\napi_version = 9\napi_versoin = 2\n'
        "[defaults]\ncount = 0\n[[access]]\nadmins = []\n"
    )
    found = errors(tmp_path, text, BOT_RUN__STOP_SECONDS="soon", BOT_STORGE__URL="x")
    assert found == [
        "BOT_STORGE__URL: there is no such setting. Did you mean BOT_STORAGE__URL?",
        "telegram: must be a table: write [telegram] and its keys below.",
        "access: must be a table: write [access] and its keys below.",
        "hidream.token: must be text without white space.",
        "hidream.api_version = 9: must be 2 or 3.",
        "hidream.api_versoin: there is no such setting. Did you mean hidream.api_version?",
        "defaults.count = 0: must be a whole number from 1 to 4.",
        'BOT_RUN__STOP_SECONDS = "soon": must be a number from 0 to 300.',
        "hidreem: there is no such setting. Did you mean hidream?",
    ]


@pytest.mark.parametrize(
    ("text", "guess"),
    [
        ("[telegrm]\na = 1\n", " Did you mean telegram?"),
        ("[access]\nadmin = []\n", " Did you mean access.admins?"),
        ("[access]\nalbum = 3\n", " Did you mean access.album_max?"),
        ("[run]\nlisten = 3\n", " Did you mean web.listen?"),
        (
            "[web]\nxyz = 3\n",
            " There are: web.listen, web.public_url, web.certificate, web.key, web.self_signed, web.monitor.",
        ),
    ],
)
def test_unknown_keys_get_the_nearest(tmp_path: Path, text: str, guess: str) -> None:
    """An unknown key or section is answered with the nearest that exists."""
    (error,) = errors(tmp_path, MUST + text)
    assert error.endswith(f": there is no such setting.{guess}")


def test_a_key_without_a_section_is_told_its_section(tmp_path: Path) -> None:
    """A known key at the top of the file is told where it belongs."""
    (error,) = errors(tmp_path, "max_unfinished = 3\n" + MUST)
    assert error == (
        "max_unfinished: there is no such setting. Did you mean access.max_unfinished?"
    )


# --- tokens ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("section", ["telegram", "hidream"])
@pytest.mark.parametrize("toml", ['"hush hush"', '""', "77777", '"hüsh"', '["hush"]'])
def test_a_bad_token_is_not_shown(tmp_path: Path, section: str, toml: str) -> None:
    """A token that cannot be one is refused without repeating it."""
    (error,) = errors(tmp_path, with_key(f"{section}.token", toml))
    said = "is empty: it must be " if toml == '""' else "must be "
    assert error.startswith(f"{section}.token: {said}")
    for part in ("hush", "77777", "hüsh"):
        assert part not in error


def test_a_telegram_token_has_telegrams_form(tmp_path: Path) -> None:
    """What @BotFather never gives is refused, with what it looks like."""
    (error,) = errors(tmp_path, with_key("telegram.token", '"no-colon"'))
    assert error == "telegram.token: must be what @BotFather gives, such as 123456789:AAE5…."


@pytest.mark.parametrize(
    ("slip", "why"),
    [('"{}"', "has quotes round it"), ("Bearer {}", 'begins with "Bearer"')],
)
def test_what_was_pasted_round_a_token_is_named(tmp_path: Path, slip: str, why: str) -> None:
    """Quotes and "Bearer" in a token file are said to be what is wrong, and the token is not shown."""
    file = tmp_path / "token"
    for section, token in (("telegram", TOKEN), ("hidream", "hush hush")):
        file.write_text(slip.format(token))
        (error,) = errors(tmp_path, **{f"BOT_{section.upper()}__TOKEN_FILE": str(file)})
        assert f"; it {why}" in error
        assert token not in error


def test_without_a_file_it_is_said_that_none_was_named() -> None:
    """Who forgets --config hears of it, and not only that tokens are missing."""
    with pytest.raises(ConfigurationError, match=r"--config config\.toml names one"):
        load(None, {})


def test_a_token_never_shows_in_a_repr(tmp_path: Path) -> None:
    """The settings can be printed without giving a token away."""
    assert TOKEN not in repr(read(tmp_path))
    assert "hidream-token" not in str(read(tmp_path))


def test_a_token_file_is_read_anew(tmp_path: Path) -> None:
    """A token file's content counts, its white space does not, and a later content is seen."""
    file = tmp_path / "token"
    file.write_bytes(b"\xef\xbb\xbf first \n")
    text = MUST.replace('token = "hidream-token"', f'token_file = "{file}"')
    config = read(tmp_path, text)
    assert config.hidream.read_token() == "first"
    file.write_text("second\n")
    assert config.hidream.read_token() == "second"
    file.write_text("no token\n")
    with pytest.raises(ValueError, match="must hold text without white space"):
        config.hidream.read_token()


def test_a_token_file_that_cannot_be_used(tmp_path: Path) -> None:
    """A token file that is missing, a folder, empty, or no text is refused by its key."""
    (tmp_path / "empty").write_text("")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    cases = {
        "missing": "cannot be read: there is no such file. It must be the path of a file that holds the token.",
        ".": "cannot be read: Is a directory.",
        "empty": "is empty: it must hold text without white space.",
        "binary": "cannot be read: it is not a text file.",
        "null\0": "cannot be read: it is not a text file.",
    }
    for name, why in cases.items():
        (error,) = errors(tmp_path, BOT_HIDREAM__TOKEN_FILE=str(tmp_path / name))
        assert error == f"BOT_HIDREAM__TOKEN_FILE: {why}"
    (error,) = errors(tmp_path, BOT_HIDREAM__TOKEN_FILE="a-token-in-the-wrong-place")
    assert f"there is no such file in {Path.cwd()}. It must be the path" in error
    assert "a-token" not in error


def test_both_forms_of_a_token_are_one_too_many(tmp_path: Path) -> None:
    """Token and token file at once, in one place, are refused."""
    (tmp_path / "token").write_text(TOKEN)
    text = MUST.replace("[hidream]", f'token_file = "{tmp_path / "token"}"\n[hidream]')
    expected = "token is given as well: keep one of them."
    assert errors(tmp_path, text) == [f"telegram.token_file: {expected}"]
    both = {"BOT_HIDREAM__TOKEN": "a", "BOT_HIDREAM__TOKEN_FILE": str(tmp_path / "token")}
    assert errors(tmp_path, **both) == [f"BOT_HIDREAM__TOKEN_FILE: {expected}"]


def test_a_token_of_the_environment_replaces_either_form(tmp_path: Path) -> None:
    """A token file named by the environment wins over the file's token, and the other way round."""
    (tmp_path / "token").write_text("from-a-file")
    config = read(tmp_path, BOT_HIDREAM__TOKEN_FILE=str(tmp_path / "token"))
    assert config.hidream.read_token() == "from-a-file"
    text = MUST.replace('token = "hidream-token"', 'token_file = "nowhere"')
    assert read(tmp_path, text, BOT_HIDREAM__TOKEN="here").hidream.read_token() == "here"


# --- the environment ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "given", "value"),
    [
        ("hidream.api_version", "3", 3),
        ("hidream.parallel_requests", "7", 7),
        ("hidream.allow_local_results", "true", True),
        ("telegram.max_megapixels", "12.5", 12.5),
        ("access.admins", "1,2", frozenset({1, 2})),
        ("access.admins", " 1  -2, ", frozenset({1, -2})),
        ("access.admins", "[1, 2]", frozenset({1, 2})),
        ("access.admins", "", frozenset()),
        ("access.admins", "7", frozenset({7})),
        ("defaults.negative", "", ""),
        ("run.log_format", "json", "json"),
    ],
)
def test_the_environment_wins(tmp_path: Path, key: str, given: str, value: object) -> None:
    """A variable counts before the file, and is read as the key's kind."""
    text = MUST + '[run]\nlog_format = "console"\n[access]\nadmins = [99]\n'
    variable = variable_of(*key.split("."))
    assert value_of(read(tmp_path, text, **{variable: given}), key) == value


def test_the_environment_is_enough() -> None:
    """Without a file, all comes from the environment; the process's own is the default."""
    environ = {"BOT_TELEGRAM__TOKEN": TOKEN, "BOT_HIDREAM__TOKEN": "h", "HOME": "/", "BOTX": "1"}
    assert load(None, environ).telegram.read_token() == TOKEN
    with pytest.raises(ConfigurationError, match=r"settings: telegram\.token: is missing"):
        load(None, {})


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the process was started with is read where nothing else is given."""
    monkeypatch.setenv("BOT_TELEGRAM__TOKEN", TOKEN)
    monkeypatch.setenv("BOT_HIDREAM__TOKEN", "from-the-process")
    assert load(None).hidream.read_token() == "from-the-process"


@pytest.mark.parametrize(
    ("name", "guess"),
    [
        ("BOT_ACCESS__ADMIN", " Did you mean BOT_ACCESS__ADMINS?"),
        ("BOT_TELEGRAM_TOKEN", " Did you mean BOT_TELEGRAM__TOKEN?"),
        ("BOT_RUN__LOG_LEVEL__X", " Did you mean BOT_RUN__LOG_LEVEL?"),
        ("BOT_Q", ""),
    ],
)
def test_unknown_variables_are_errors(tmp_path: Path, name: str, guess: str) -> None:
    """A variable that means no key is an error, with the nearest; its value is not shown."""
    (error,) = errors(tmp_path, **{name: "hush"})
    assert error == f"{name}: there is no such setting.{guess}"


def test_a_wrong_variable_is_named(tmp_path: Path) -> None:
    """Where the environment has the wrong value, the variable is named and not the file."""
    assert errors(tmp_path, BOT_TELEGRAM__TOKEN="hush") == [
        "BOT_TELEGRAM__TOKEN: must be what @BotFather gives, such as 123456789:AAE5…."
    ]


# --- the file -------------------------------------------------------------------------------------


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    """A file as Windows' editor saves it is read."""
    config = read(tmp_path, b"\xef\xbb\xbf" + MUST.encode().replace(b"\n", b"\r\n"))
    assert config.hidream.read_token() == "hidream-token"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"[telegram", "is not valid TOML: "),
        (b"[run]\n[run]\n", "is not valid TOML: "),
        ("a = 1".encode("utf-16"), "is not valid TOML: it is not UTF-8 text."),
        (b"a = " + b"[" * 100_000, "is not valid TOML: "),
    ],
)
def test_what_is_no_toml(tmp_path: Path, content: bytes, why: str) -> None:
    """A file that is no TOML is named as such; unknown variables are still told."""
    first, second = errors(tmp_path, content, BOT_Q="1")
    assert second.startswith(why)
    assert first == "BOT_Q: there is no such setting."


def test_a_missing_file_is_told_what_to_do(tmp_path: Path) -> None:
    """A file that does not exist is answered with where a first one comes from."""
    with pytest.raises(ConfigurationError, match=r"no such file\. Copy config\.example\.toml"):
        load(tmp_path / "config.toml", {})


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """A folder in the file's place is named as such."""
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        load(tmp_path, {})


# --- who may --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("access", "person", "chat", "allowed"),
    [
        ({}, 1, 1, True),
        ({"admins": [9]}, 1, 1, True),
        ({"allowed_users": [1]}, 1, -5, True),
        ({"allowed_users": [1]}, 2, -5, False),
        ({"allowed_users": [1], "admins": [2]}, 2, 2, True),
        ({"allowed_chats": [-5]}, 2, -5, True),
        ({"allowed_chats": [-5]}, 2, 2, False),
    ],
)
def test_who_may_use_the_bot(
    tmp_path: Path, access: Mapping[str, list[int]], person: int, chat: int, allowed: bool
) -> None:
    """Empty lists let everybody in; else the person or the chat must be listed, or be an admin."""
    lines = "".join(f"{key} = {ids}\n" for key, ids in access.items())
    config = read(tmp_path, f"{MUST}[access]\n{lines}")
    assert config.access.allows(person, chat) is allowed


# --- config.example.toml --------------------------------------------------------------------------


def entries() -> dict[str, tuple[bool, Any, str]]:
    """Read the example: each key with whether it is commented out, its value, and its comment."""
    found: dict[str, tuple[bool, Any, str]] = {}
    section, comment = "", ""
    for line in EXAMPLE.read_text().splitlines():
        if match := re.fullmatch(r"\[(\w+)\]", line):
            section, comment = match[1], ""
        elif section and (match := re.fullmatch(r"(# )?(\w+) = (.+)", line)):
            value = tomllib.loads(f"x = {match[3]}")["x"]
            found[f"{section}.{match[2]}"] = (match[1] is not None, value, comment.strip())
            comment = ""
        else:
            comment += line.removeprefix("#").rstrip()
    return found


def test_the_example_has_every_key_and_no_other() -> None:
    """Each key stands in the example, in the order of the sections."""
    assert list(entries()) == list(DEFAULTS)


def test_the_example_shows_the_defaults() -> None:
    """What is commented out has its true default; what is not are the two tokens."""
    no_default = {
        *("telegram.token_file", "hidream.token_file"),
        *("telegram.proxy", "hidream.proxy", "telegram.local_folder"),
        *("web.public_url", "web.certificate", "web.key", "web.monitor"),
    }
    for key, (commented, value, _) in entries().items():
        assert commented is not key.endswith(".token"), key
        if commented and key not in no_default:
            default = DEFAULTS[key]
            assert value == ([] if default == frozenset() else default), key


def test_the_example_says_what_each_key_does_and_allows() -> None:
    """Each key has a comment, and what is allowed in the words of its error message."""
    for key, (_, _, comment) in entries().items():
        section, name = key.split(".")
        allowed = sections()[section].model_fields[name].description
        does, _, says = comment.partition(" Must be ")
        assert len(does) >= 20, key
        assert says.rstrip(".") == str(allowed).rstrip("."), key


def test_the_example_works_once_the_tokens_are_given(tmp_path: Path) -> None:
    """The example loads with two tokens, as it is and with every default uncommented."""
    text = EXAMPLE.read_text()
    (error, other) = errors(tmp_path, text)
    assert error.startswith("telegram.token: is empty: it must be")
    assert other.startswith("hidream.token: is empty: it must be")
    text = text.replace('token = ""', f'token = "{TOKEN}"')
    as_it_is = read(tmp_path, text)
    assert as_it_is == read(tmp_path, MUST.replace("hidream-token", TOKEN))
    uncommented = re.sub(r"(?m)^# (?!token_file|certificate|key)(\w+ = .+)$", r"\1", text)
    whole = read(tmp_path, uncommented)
    assert whole.web.public_url == "https://bot.example.org"
    assert differing(whole, as_it_is) == [
        *("telegram.proxy", "telegram.local_folder", "hidream.proxy"),
        *("web.public_url", "web.monitor"),
    ]
