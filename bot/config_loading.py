"""Reads the settings: a TOML file, then the environment; all errors at once, before anything starts.

Every key can also be given as an environment variable, `BOT_` + section + `__` + key in capitals
(`BOT_TELEGRAM__MAX_MEGAPIXELS=20`); the environment wins. A `BOT_` variable that means no key is an
error, as an unknown key of the file is: both are most likely slips that would go unnoticed.
"""

import difflib
import json
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bot.config import ENV_PREFIX, Config, every_key, sections, variable_of
from bot.config_checks import crossed
from bot.config_sections import NO_TOKEN
from bot.errors import ConfigurationError


def load(path: Path | None, environ: Mapping[str, str] | None = None) -> Config:
    """Read the settings from a TOML file (None: from the environment alone).

    Raises:
        ConfigurationError: with every error at once: file, key, value, and what is allowed.
    """
    source = "settings" if path is None else str(path)
    problems: list[str] = []
    given = _read_environment(os.environ if environ is None else environ, problems)
    content = {} if path is None else _read_toml(path, problems)
    broken = set()
    for name in sections():
        table = content.setdefault(name, {})
        if not isinstance(table, dict):
            problems.append(
                f"{source}: {name}: must be a table: write [{name}] and its keys below."
            )
            broken.add(name)
            table = {}
        keys = {key for section, key in given if section == name}
        if keys & {"token", "token_file"}:
            # one form of the token in the environment replaces the other in the file
            table = {key: value for key, value in table.items() if not key.startswith("token")}
        content[name] = table | {key: given[name, key] for key in keys}
    try:
        config = Config.model_validate(content)
    except ValidationError as exc:
        problems += [
            _problem(error, content, given, source)
            for error in exc.errors()
            if error["type"] != NO_TOKEN or error["loc"][0] not in broken
        ]
        if path is None and any(error["type"] == NO_TOKEN for error in exc.errors()):
            problems.append("No file was named, so none was read: --config config.toml names one.")
        raise ConfigurationError("\n".join(problems)) from None
    problems += [f"{source}: {problem}" for problem in crossed(config)]
    if problems:
        raise ConfigurationError("\n".join(problems))
    return config


def _read_toml(path: Path, problems: list[str]) -> dict[str, Any]:
    """Read the file; what was wrong before is told with what is wrong with it."""
    hint = ""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        why = "there is no such file"
        hint = ". Copy config.example.toml to it, or name another file with --config"
    except OSError as exc:
        why = f"cannot be read: {exc.strerror}"
    except UnicodeDecodeError:
        why = "is not valid TOML: it is not UTF-8 text"
    except (tomllib.TOMLDecodeError, RecursionError) as exc:
        why = f"is not valid TOML: {exc}"
    # What the environment says cannot be judged without the file, so this is told alone.
    raise ConfigurationError("\n".join([*problems, f"{path}: {why}{hint}."]))


def _read_environment(
    environ: Mapping[str, str], problems: list[str]
) -> dict[tuple[str, str], str]:
    known = {variable_of(section, key): (section, key) for section, key in every_key()}
    given = {}
    for name, value in sorted(environ.items()):
        if name in known:
            given[known[name]] = value
        elif name.startswith(ENV_PREFIX):
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            guess = f" Did you mean {close[0]}?" if close else ""
            problems.append(f"{name}: there is no such setting.{guess}")
    return given


# --- what is wrong --------------------------------------------------------------------------------


def _problem(
    error: ErrorDetails,
    content: Mapping[str, Any],
    given: Mapping[tuple[str, str], str],
    source: str,
) -> str:
    section, key, *_ = [str(part) for part in error["loc"]] + [""]
    if error["type"] == NO_TOKEN:
        return f"{source}: {section}.token: {error['msg']}."
    if error["type"] == "extra_forbidden":
        where = f"{section}.{key}" if key else section
        return f"{source}: {where}: there is no such setting.{_nearest(section, key)}"
    where = f"{source}: {section}.{key}"
    if (section, key) in given:
        where = variable_of(section, key)
    # a token is never shown, nor what was perhaps meant to be one; nor is a proxy's password
    secret = key in {"token", "token_file", "proxy"}
    value = "" if secret else f" = {_shown(content[section].get(key))}"
    # a ValueError without words says nothing but that the value is not allowed
    own = error["type"] == "value_error" and str(error["ctx"]["error"])
    if secret and own:
        return f"{where}: {own}."
    allowed = sections()[section].model_fields[key].description
    return f"{where}{value}: must be {allowed}."


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    # a password in an address is a secret too, whatever is in it, and where // was forgotten
    text = re.sub(r'"([a-z+]*://)?[^"\s]*@', r'"\1…@', text)
    return text if len(text) <= 100 else f"{text[:99]}…"


def _nearest(section: str, key: str) -> str:
    known = sections()
    if key:
        names, wanted, prefix = list(known[section].model_fields), key, f"{section}."
    else:
        names, wanted, prefix = list(known), section, ""
    if close := difflib.get_close_matches(wanted.lower(), names, n=1, cutoff=0.5):
        return f" Did you mean {prefix}{close[0]}?"
    if homes := [name for name, model in known.items() if wanted in model.model_fields]:
        return f" Did you mean {homes[0]}.{wanted}?"
    return f" There are: {', '.join(prefix + name for name in names)}."
