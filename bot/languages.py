"""The languages that the bot speaks, and which of them a Telegram language code means. Pure: a table."""

import re
from collections.abc import Mapping
from typing import Final

SOURCE: Final = "en"
"""The language of `sentences`, and of whoever speaks none of the others."""

LANGUAGES: Final[Mapping[str, str]] = {
    SOURCE: "English",
    "zh_Hans": "简体中文",
    "ru": "Русский",
    "es": "Español",
    "pt_BR": "Português (Brasil)",
    "de": "Deutsch",
    "fr": "Français",
    "ar": "العربية",
    "hi": "हिन्दी",
    "id": "Bahasa Indonesia",
}
"""Each language by our code for it, with its own name for itself."""

RIGHT_TO_LEFT: Final = frozenset({"ar"})

_SUBTAGS: Final = re.compile(r"[-_]")
_NEAREST: Final[Mapping[str, str]] = {
    **{code.partition("_")[0]: code for code in LANGUAGES},
    # Chinese has codes of its own for what is spoken; whoever reads traditional characters reads
    # simplified ones more easily than English.
    **dict.fromkeys(("cmn", "yue", "wuu"), "zh_Hans"),
    "in": "id",  # Indonesian's code of old, which Android still gives
}
"""Our code by the first part of any IETF code."""


def resolve(code: str | None) -> str:
    """Give our code for a Telegram language code (IETF: `pt-br`, `zh-hant`, `es-419`); English if none fits."""
    return _NEAREST.get(_SUBTAGS.split(code or "")[0].strip().lower(), SOURCE)


def telegram_code(language: str) -> str:
    """Give the two letters by which Telegram asks for a language (Bot API: setMyCommands)."""
    return language.partition("_")[0]
