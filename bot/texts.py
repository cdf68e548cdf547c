"""Puts what the bot says into words: an id and its data become a sentence, here and nowhere else.

The sentences are in `sentences`, their translations in the `catalogues`. They are Telegram HTML; their
data are escaped when they are put in, so that whatever a user wrote is shown as it was written.
Pure: no clock, no settings, no Telegram.
"""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from string import Formatter
from typing import Final, Union

from bot import values
from bot.catalogues import catalogue
from bot.directions import isolated, isolated_code, right_to_left, with_marks
from bot.languages import RIGHT_TO_LEFT, resolve
from bot.sentences import SENTENCES, Plural
from bot.values import Ago, Between, Day, Lasting, Moment, Percent

__all__ = [
    "Ago",
    "Between",
    "Data",
    "Datum",
    "Day",
    "Lasting",
    "Moment",
    "Percent",
    "Say",
    "plain",
    "shorten",
    "words",
]

Datum = str | int | float | Sequence[str]
"""Data that can be stored as they are; several strings are what one can choose from: "a, b or c"."""

NAMES: Final = frozenset({"chat", "parent", "task", "user"})
"""Places whose numbers name something: 1234, not 1,234."""

_CODE: Final = re.compile(r"(</?code>)")


@dataclass(frozen=True, slots=True)
class Say:
    """One thing to say: a sentence's id, and the data it takes (which may be sentences again)."""

    id: str
    data: Mapping[str, Union[Datum, Ago, Between, Lasting, Percent, Day, Moment, "Say"]] = field(
        default_factory=dict
    )


Data = Mapping[str, Datum | Ago | Between | Lasting | Percent | Day | Moment | Say]


def words(*lines: Say, language: str | None = None) -> str:
    """Put lines into words, as Telegram HTML; `language` is Telegram's code or ours, None is English.

    Raises:
        KeyError: there is no such sentence, or a datum of it is missing.
    """
    ours = resolve(language)
    text = "\n".join(_sentence(line, ours) for line in lines)
    return right_to_left(text) if ours in RIGHT_TO_LEFT else text


def plain(line: Say, *, language: str | None = None) -> str:
    """Put a line into words without formatting, for buttons and notices."""
    return html.unescape(re.sub(r"<[^>]+>", "", words(line, language=language)))


def _sentence(say: Say, language: str) -> str:
    rtl = language in RIGHT_TO_LEFT
    said: list[str] = []
    code: list[str] | None = None  # what stands between <code> and </code>
    for literal, place in _pieces(_form(say, language)):
        for part in _CODE.split(literal):
            if part == "<code>":
                code = []
            elif part == "</code>":
                said.append(isolated_code("".join(code or ()), rtl=rtl))
                code = None
            elif code is not None:
                code.append(part)
            else:
                said.append(with_marks(part) if rtl else part)
        if place is None:
            continue
        datum = say.data[place]
        # within <code> it is to be copied as it is
        shown = _shown(place, datum, language, alone=code is None)
        if isinstance(shown, Say):
            (said if code is None else code).append(_sentence(shown, language))
        elif code is None:
            said.append(html.escape(shown, quote=False))
        else:
            code.append(html.escape(shown, quote=False))
    return "".join(said)


def _form(say: Say, language: str) -> str:
    """Give the sentence in a language, of a plural the form for its number."""
    sentence = SENTENCES[say.id]
    known = catalogue(language)
    if not isinstance(sentence, Plural):
        return known.pgettext(say.id, sentence)
    count = say.data["count"]
    if not isinstance(count, int):
        raise TypeError(f"{say.id}: count must be a whole number")
    return known.npgettext(say.id, sentence.one, sentence.other, count)


@cache
def _pieces(form: str) -> tuple[tuple[str, str | None], ...]:
    return tuple((literal, place) for literal, place, _, _ in Formatter().parse(form))


def _shown(place: str, value: object, language: str, *, alone: bool) -> str | Say:
    def apart(text: str) -> str:
        return isolated(text, rtl=language in RIGHT_TO_LEFT) if alone else text

    match value:
        case Say():
            return value
        case str():
            return apart(value)
        case int() | float():
            return str(value) if place in NAMES else values.number(value, language)
        case Percent():
            return values.percent(value, language)
        case Ago():
            return values.ago(value, language) or Say("ago-now")
        case Between():
            return values.between(value, language)
        case Lasting():
            larger, smaller = values.lasting(value, language)
            return (
                larger
                if smaller is None
                else Say("lasting", {"larger": larger, "smaller": smaller})
            )
        case Day():
            return values.day(value.moment, language)
        case Moment():
            return values.moment(value.moment, language)
        case list() | tuple():
            return values.either([apart(one) for one in value], language)
        case _:
            raise TypeError(f"{place}: nothing that can be shown")


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
