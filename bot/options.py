"""The options that a caption can carry: one table.

The parser (`captions`), "did you mean", /help and the documentation read its rows. A new row is a
new option, with its sentences: `<name>-wrong`, `<name>-missing` and `<name>-about`.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from bot.pictures import COUNT_MAX, COUNT_MIN, AspectRatio, PictureRequest

# Direction marks and zero-width characters that keyboards and copying leave at a word's ends.
INVISIBLE = "\u200b\u200e\u200f\u061c\u2060\u2066\u2067\u2068\u2069\ufeff"
STOPS = ",.;!?…、。，；！？)" + INVISIBLE
_RATIO = re.compile(r"(\d{1,2})[:x×х*/∶\u2044](\d{1,2})")  # the second x is Cyrillic
_RATIOS: dict[str, AspectRatio] = {ratio.value: ratio for ratio in AspectRatio}
_COUNT = re.compile(r"\d{1,2}")

WORDS_FOR_RATIOS: dict[str, AspectRatio | None] = {
    "auto": None,
    "landscape": AspectRatio.R16_9,
    "portrait": AspectRatio.R9_16,
    "square": AspectRatio.R1_1,
}
NO_NEGATIVE = "none"


class Form(Enum):
    """How an option can be written; the value is its pattern, with the name at `{}`."""

    SLASH = "/{}"
    DASH = "--{}"
    EQUALS = "{}="


class Extent(Enum):
    """How much of the caption is an option's value."""

    WORD = "the next word of the line"
    LINE = "up to the next option or the end of the line"


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """One row of the table.

    `take` sets a value on a request, or returns None if the value is not allowed; `show` writes it
    so that `take` reads it. The first slash name is the one that `write` and examples use.
    """

    name: str
    slash: tuple[str, ...]
    dash: tuple[str, ...]
    equals: tuple[str, ...]
    values: tuple[str, ...]
    example: str
    extent: Extent
    take: Callable[[PictureRequest, str], PictureRequest | None]
    show: Callable[[PictureRequest], str]

    def spellings(self) -> tuple[str, ...]:
        """Every way to write it, the usual one first: `/ratio`, `/ar`, `--ratio`, …, `ratio=`."""
        forms = ((Form.SLASH, self.slash), (Form.DASH, self.dash), (Form.EQUALS, self.equals))
        return tuple(form.value.format(name) for form, names in forms for name in names)

    def usage(self) -> str:
        """The example as one would type it: `/ratio 16:9`."""
        return f"/{self.slash[0]} {self.example}"


@dataclass(frozen=True, kw_only=True, slots=True)
class HelpRow:
    """An option as /help and the documentation show it; `about` is the id of a sentence."""

    name: str
    spellings: tuple[str, ...]
    values: tuple[str, ...]
    example: str
    about: str


def _plain(value: str) -> str:
    """A one-word value without full-width signs, case, direction marks and a sentence's stops."""
    # A value longer than this is wrong anyway, and need not be normalised in full.
    return unicodedata.normalize("NFKC", value[:40]).casefold().strip(INVISIBLE).rstrip(STOPS)


def _take_ratio(request: PictureRequest, value: str) -> PictureRequest | None:
    plain = _plain(value)
    if plain in WORDS_FOR_RATIOS:
        return replace(request, ratio=WORDS_FOR_RATIOS[plain])
    found = _RATIO.fullmatch(plain)
    if found is None:
        return None
    written = f"{int(found[1])}:{int(found[2])}"
    ratio = _RATIOS.get(written)
    return None if ratio is None else replace(request, ratio=ratio)


def _take_count(request: PictureRequest, value: str) -> PictureRequest | None:
    plain = _plain(value)
    count = int(plain) if _COUNT.fullmatch(plain) else 0
    return replace(request, count=count) if COUNT_MIN <= count <= COUNT_MAX else None


def _take_negative(request: PictureRequest, value: str) -> PictureRequest:
    return replace(request, negative="" if value.casefold() == NO_NEGATIVE else value)


OPTIONS: tuple[Option, ...] = (
    Option(
        name="ratio",
        slash=("ratio", "ar"),
        dash=("ratio", "ar"),
        equals=("ratio",),
        values=(*AspectRatio, *(word for word in WORDS_FOR_RATIOS if word != "auto"), "auto"),
        example="16:9",
        extent=Extent.WORD,
        take=_take_ratio,
        show=lambda request: request.ratio or "auto",
    ),
    Option(
        name="count",
        slash=("count", "n"),
        dash=("count", "n"),
        equals=("count",),
        values=tuple(str(count) for count in range(COUNT_MIN, COUNT_MAX + 1)),
        example="4",
        extent=Extent.WORD,
        take=_take_count,
        show=lambda request: str(request.count),
    ),
    Option(
        name="negative",
        slash=("no", "negative"),
        dash=("no", "negative"),
        equals=("negative",),
        values=(),
        example="text, people",
        extent=Extent.LINE,
        take=_take_negative,
        show=lambda request: request.negative or NO_NEGATIVE,
    ),
)


def help_rows() -> tuple[HelpRow, ...]:
    """The options as /help and the documentation show them, in the table's order."""
    return tuple(
        HelpRow(
            name=option.name,
            spellings=option.spellings(),
            values=option.values,
            example=option.usage(),
            about=f"{option.name}-about",
        )
        for option in OPTIONS
    )
