"""What people can choose once for all their pictures: one table.

A caption comes first, then what the person has chosen, then what the admins of the chat have chosen
for it, then the installation's settings. A new row of the table is a new choice, with its sentences;
/settings and the store need nothing else. Pure.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from bot.captions import parse, write
from bot.errors import CaptionError
from bot.languages import LANGUAGES
from bot.options import NO_NEGATIVE, OPTIONS
from bot.pictures import COUNT_MAX, COUNT_MIN, AspectRatio, PictureRequest
from bot.texts import Say, units

Scope = Literal["user", "chat"]
"""Whose choice it is: a person's, or a chat's. A chat that speaks for a person has both."""
Source = Literal["user", "chat", "installation"]

NEGATIVE_LENGTH: Final = 300
"""UTF-16 units of the negative words: they also stand in the caption under a picture."""
IN_TELEGRAM: Final = ""
"""The language is the one that Telegram names: nobody has chosen another."""

_OPTIONS: Final = {option.name: option for option in OPTIONS}
_YES, _NO = "yes", "no"


@dataclass(frozen=True, kw_only=True, slots=True)
class Defaults:
    """What holds where a caption says nothing else."""

    request: PictureRequest
    as_file: bool = False
    silent: bool = False
    language: str = IN_TELEGRAM


@dataclass(frozen=True, kw_only=True, slots=True)
class Preference:
    """One row of the table: something that can be chosen.

    `take` puts a value, as the store has it, into the defaults, or returns None if it is no such
    value; `show` writes it so that `take` reads it.
    """

    name: str
    """In the store and in what buttons bring back: it never changes."""
    label: str
    """The id of its name's sentence."""
    about: str
    """The id of the question that it answers."""
    values: tuple[str, ...]
    """What its buttons offer."""
    shown: Mapping[str, Say | str | int] = field(default_factory=dict)
    """What a value is called; others are called what they are."""
    default: str = "button-default"
    """The id of the button that takes a choice back."""
    in_words: bool = False
    """Whether it can also be written, as a reply."""
    in_chat: str | None = None
    """The id of what is said beside it where it is for all of a chat."""
    across: int = 2
    """So many of its buttons are in a row."""
    take: Callable[[Defaults, str], Defaults | None]
    show: Callable[[Defaults], str]

    def in_short(self, value: str) -> Say | str | int:
        """Give what a value is called."""
        return self.shown.get(value, value)


def _option(name: str) -> Callable[[Defaults, str], Defaults | None]:
    def take(defaults: Defaults, value: str) -> Defaults | None:
        request = _OPTIONS[name].take(defaults.request, value)
        return None if request is None else replace(defaults, request=request)

    return take


def _take_negative(defaults: Defaults, value: str) -> Defaults | None:
    return _option("negative")(defaults, value) if negative_of(value) == value else None


def _take_language(defaults: Defaults, value: str) -> Defaults | None:
    return replace(defaults, language=value) if value in LANGUAGES else None


def _take_as_file(defaults: Defaults, value: str) -> Defaults | None:
    return replace(defaults, as_file=value == _YES) if value in {_YES, _NO} else None


def _take_silent(defaults: Defaults, value: str) -> Defaults | None:
    return replace(defaults, silent=value == _YES) if value in {_YES, _NO} else None


def _yes_or_no(chosen: bool) -> str:
    return _YES if chosen else _NO


_YES_OR_NO: Final = {_YES: Say("preference-yes"), _NO: Say("preference-no")}

PREFERENCES: Final = (
    Preference(
        name="ratio",
        label="preference-ratio",
        about="preference-ratio-about",
        values=(*AspectRatio, "auto"),
        across=4,
        shown={"auto": Say("preference-auto")},
        take=_option("ratio"),
        show=lambda defaults: _OPTIONS["ratio"].show(defaults.request),
    ),
    Preference(
        name="count",
        label="preference-count",
        about="preference-count-about",
        values=tuple(str(n) for n in range(COUNT_MIN, COUNT_MAX + 1)),
        across=4,
        shown={str(n): n for n in range(COUNT_MIN, COUNT_MAX + 1)},
        take=_option("count"),
        show=lambda defaults: _OPTIONS["count"].show(defaults.request),
    ),
    Preference(
        name="negative",
        label="preference-negative",
        about="preference-negative-about",
        values=(NO_NEGATIVE,),
        shown={NO_NEGATIVE: Say("preference-nothing")},
        in_words=True,
        take=_take_negative,
        show=lambda defaults: _OPTIONS["negative"].show(defaults.request),
    ),
    Preference(
        name="language",
        label="preference-language",
        about="preference-language-about",
        values=tuple(LANGUAGES),
        shown={**LANGUAGES, IN_TELEGRAM: Say("preference-in-telegram")},
        default="preference-in-telegram",
        in_chat="preference-language-chat",
        take=_take_language,
        show=lambda defaults: defaults.language,
    ),
    Preference(
        name="file",
        label="preference-file",
        about="preference-file-about",
        values=(_YES, _NO),
        shown=_YES_OR_NO,
        take=_take_as_file,
        show=lambda defaults: _yes_or_no(defaults.as_file),
    ),
    Preference(
        name="silent",
        label="preference-silent",
        about="preference-silent-about",
        values=(_YES, _NO),
        shown=_YES_OR_NO,
        take=_take_silent,
        show=lambda defaults: _yes_or_no(defaults.silent),
    ),
)
BY_NAME: Final[Mapping[str, Preference]] = {row.name: row for row in PREFERENCES}
LANGUAGE: Final = "language"


@dataclass(frozen=True, kw_only=True, slots=True)
class Effective:
    """What holds, and where each of it comes from."""

    defaults: Defaults
    sources: Mapping[str, Source]
    """By the name of the preference."""
    ignored: tuple[tuple[Source, str], ...] = ()
    """What was kept that is no value, by its name: damaged, or of another version."""


def combine(
    installation: PictureRequest, *, chat: Mapping[str, str], user: Mapping[str, str]
) -> Effective:
    """Give what holds, of what the store has kept for a chat and for a person.

    A value that is none (it is damaged, or of another version) is as if it were not there.
    """
    defaults = Defaults(request=installation)
    sources: dict[str, Source] = {row.name: "installation" for row in PREFERENCES}
    ignored: list[tuple[Source, str]] = []
    kept: tuple[tuple[Source, Mapping[str, str]], ...] = (("chat", chat), ("user", user))
    for source, values in kept:
        for name, value in values.items():
            row = BY_NAME.get(name)
            taken = None if row is None else row.take(defaults, value)
            if taken is None:
                ignored.append((source, name))
                continue
            defaults, sources[name] = taken, source
    return Effective(defaults=defaults, sources=sources, ignored=tuple(ignored))


def negative_of(written: str) -> str | None:
    """Give negative words as they are kept; None: there are none, too many, or more than such words.

    What is kept can stand in a caption: it is on one line and has no options in it. A caption's
    option alone (`/no text, people`) is taken for its words.
    """
    words, nothing = " ".join(written.split()), PictureRequest(prompt="")
    if words.casefold() == NO_NEGATIVE:
        return NO_NEGATIVE
    try:
        read = parse(words, defaults=nothing)
        if words and replace(read, negative="") == nothing:
            return negative_of(read.negative or NO_NEGATIVE)
        asked = replace(nothing, negative=words)
        kept = parse(write(asked, defaults=nothing), defaults=nothing) == asked
    except CaptionError:
        return None
    return words if words and kept and units(words) <= NEGATIVE_LENGTH else None
