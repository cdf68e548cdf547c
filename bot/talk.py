"""Small talk: words that answer nothing and say nothing to make, so that nothing is spent on them. Pure.

The lists are rows of the table of sentences. Those of all languages hold for everybody: people say
"ok" and "gracias" whatever language they have chosen.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Final, Literal

from bot import texts
from bot.languages import LANGUAGES
from bot.texts import Say

Kind = Literal["talk-polite", "talk-stop"]
"""Just being polite, or wanting it to stop; the id of the list."""

_BETWEEN: Final = ","
_DROPPED: Final = frozenset({"P", "C", "Z"})
"""Punctuation, marks of direction and joiners, spaces: by the first letter of Unicode's category."""
_SIGN: Final = "So"
"""Emoji and the like: beside words they say nothing more."""
_ENDS: Final = re.compile(r"[.!?,;…。！？，、؟،।\n]+")
_SHADES: Final = "Sk"
"""Shades of skin."""
_COLOURFUL: Final = "\ufe0f"
"""The mark that makes a sign colourful."""
_NO_ACCENTS: Final = frozenset({0, 7, 9})
"""Classes of marks that are no accents: without its vowel signs a Hindi word is another one."""


def kind_of(text: str) -> Kind | None:
    """Say what kind of small talk a text is; None: it says something."""
    said = {sound for part in _ENDS.split(text) for sound in _sounds(part)}
    if said <= listed("talk-polite"):
        return "talk-polite"
    return "talk-stop" if said <= listed("talk-polite") | listed("talk-stop") else None


@cache
def listed(kind: Kind) -> frozenset[str]:
    """Give what is small talk of this kind, in every language, as it sounds."""
    lists = (texts.plain(Say(kind), language=language) for language in LANGUAGES)
    return frozenset(one for row in lists for part in row.split(_BETWEEN) for one in _sounds(part))


def _sounds(text: str) -> Sequence[str]:
    """Give what a text sounds like (`Thanks 😊` and `thanks` are alike); of signs alone, each."""
    kept = [
        (character, category)
        for character in unicodedata.normalize("NFKD", text.casefold())
        if (category := unicodedata.category(character))[0] not in _DROPPED
        and category != _SHADES
        and character != _COLOURFUL
        and not (category == "Mn" and unicodedata.combining(character) not in _NO_ACCENTS)
    ]
    spoken = "".join(character for character, category in kept if category != _SIGN)
    return [spoken] if spoken else [character for character, _ in kept]
