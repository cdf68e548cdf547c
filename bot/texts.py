"""Puts what the bot says into words: an id and its data become a sentence, here and nowhere else.

The sentences are in `sentences`. They are Telegram HTML; their data are escaped when they are put
in, so that whatever a user wrote is shown as it was written. Pure: no clock, no settings, no Telegram.
"""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Union

from bot.sentences import SENTENCES, Plural

Datum = str | int | float


@dataclass(frozen=True, slots=True)
class Say:
    """One thing to say: a sentence's id, and the data it takes (which may be sentences again)."""

    id: str
    data: Mapping[str, Union[Datum, "Say"]] = field(default_factory=dict)


def words(*lines: Say, language: str | None = None) -> str:
    """Put lines into words, as Telegram HTML.

    Raises:
        KeyError: there is no such sentence, or a datum of it is missing.
    """
    return "\n".join(_sentence(line, language) for line in lines)


def plain(line: Say, *, language: str | None = None) -> str:
    """Put a line into words without formatting, for buttons and notices."""
    return html.unescape(re.sub(r"<[^>]+>", "", _sentence(line, language)))


def _sentence(say: Say, language: str | None) -> str:
    del language  # there is English alone so far
    sentence = SENTENCES[say.id]
    if isinstance(sentence, Plural):
        sentence = sentence.one if say.data["count"] == 1 else sentence.other
    return sentence.format_map({key: _shown(value, None) for key, value in say.data.items()})


def _shown(value: Datum | Say, language: str | None) -> str:
    match value:
        case Say():
            return _sentence(value, language)
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return html.escape(str(value), quote=False)


def shorten(text: str, limit: int) -> str:
    """Give a text on one line, of at most so many UTF-16 units (as Telegram counts), with … if cut."""
    text = " ".join(text.split())
    if units(text) <= limit:
        return text
    kept, taken = [], 1
    for character in text:
        taken += units(character)
        if taken > limit:
            break
        kept.append(character)
    # a joiner or a mark without what it belongs to would spoil the dots
    return "".join(kept).rstrip("\u200d\ufe0f ") + "…"


def units(text: str) -> int:
    """Give a text's length as Telegram counts it: in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
