r"""Variants: `{red, blue} car` stands for two prompts. Pure.

A pair of braces with a comma in it is a choice; several choices stand for all their combinations.
Braces without a comma are words like any others, and so is what follows a backslash: `\{`.
"""

import itertools
import math
import re
from typing import Final

from bot.errors import CaptionError

MOST: Final = 8
"""So many prompts at once."""

# No braces inside: of nested ones the innermost count. Nothing here can backtrack.
_CHOICE: Final = re.compile(r"(?<!\\)[{｛]((?:\\[{}｛｝,，、]|[^{}｛｝\\]|\\)*+)(?<!\\)[}｝]")
_COMMA: Final = re.compile(r"(?<!\\)[,，、]")
_ESCAPED: Final = re.compile(r"\\([{}｛｝])")
_ESCAPED_IN_CHOICE: Final = re.compile(r"\\([{}｛｝,，、])")
_BRACE: Final = re.compile(r"[{}｛｝]")
_GAP: Final = re.compile(r" {2,}")


def expand(prompt: str) -> tuple[str, ...]:
    """Give the prompts that a prompt stands for: itself alone where it has no choices.

    Raises:
        CaptionError: `variants-too-many`.
    """
    pieces: list[tuple[str, ...]] = []
    end = 0
    for choice in _CHOICE.finditer(prompt):
        options = _COMMA.split(choice[1])
        if len(options) == 1:
            continue
        pieces.append((_ESCAPED.sub(r"\1", prompt[end : choice.start()]),))
        pieces.append(tuple(_ESCAPED_IN_CHOICE.sub(r"\1", one.strip()) for one in options))
        end = choice.end()
    rest = _ESCAPED.sub(r"\1", prompt[end:])
    if not pieces:
        return (rest,)
    pieces.append((rest,))
    check(math.prod(len(piece) for piece in pieces))
    combined = ("".join(chosen) for chosen in itertools.product(*pieces))
    # where one of the options is nothing, two spaces meet
    tidy = (_GAP.sub(" ", one).strip() for one in combined)
    return tuple(dict.fromkeys(one for one in tidy if one))


def check(count: int, *, most: int = MOST) -> None:
    """Say whether so many prompts can be made at once.

    Raises:
        CaptionError: `variants-too-many`.
    """
    if count > most:
        raise CaptionError("variants-too-many", count=count, most=most)


def escaped(prompt: str) -> str:
    """Write a prompt so that `expand` gives it alone, as it is."""
    try:
        if expand(prompt) == (prompt,):
            return prompt
    except CaptionError:
        pass
    return _BRACE.sub(r"\\\g<0>", prompt)
