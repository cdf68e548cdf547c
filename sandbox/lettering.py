"""Formatted text as a picture needs it: cut into lines that fit, each of runs of one style."""

import functools
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from PIL import ImageFont

_MEASURED: Final = 100.0
"""The size in pixels at which letters are measured."""
_MARGIN: Final = 1.1
"""The reader's font is another one, and may be wider."""
_WIDE: Final = 1.4
"""In ems: an emoji, or a letter as wide as it is high, whatever the font."""
_BOLDER: Final = 1.06
_CODE: Final = 0.64
_STYLES: Final[Mapping[str, str]] = {
    "bold": "b",
    "italic": "i",
    "code": "c",
    "pre": "c",
    "bot_command": "a",
    "text_link": "a",
    "url": "a",
}
"""Telegram's formatting, by the one letter that stands for it here (Bot API: MessageEntity)."""


@dataclass(frozen=True, slots=True)
class Run:
    """Letters of one style: any of b(old), i(talic), c(ode), a(ccented)."""

    text: str
    styles: str = ""


Line = Sequence[Run]


def lay(
    text: str, entities: Sequence[Mapping[str, Any]], *, width: float, size: float
) -> list[Line]:
    """Cut a message's text into lines of at most that width, at words where it can be.

    Args:
        text: as the chat shows it.
        entities: its formatting (Bot API: MessageEntity), counted in UTF-16 units.
        width: in pixels.
        size: of the letters, in pixels.
    """
    lines: list[Line] = []
    for paragraph in _paragraphs(_styled(text, entities)):
        line: list[tuple[str, str]] = []
        for word in _words(paragraph, width, size):
            if line and _length(_bare([*line, *word]), size) > width:
                lines.append(_joined(_bare(line)))
                line = []
            line += word
        lines.append(_joined(_bare(line)))
    return lines


def length(line: Line, size: float) -> float:
    """Estimate how wide a line is at most, in pixels."""
    return _length([(letter, run.styles) for run in line for letter in run.text], size)


def shortened(text: str, *, width: float, size: float) -> Run:
    """Cut a text to one line of that width."""
    flat = " ".join(text.split())
    kept = flat
    while kept and length([Run(kept if kept == flat else f"{kept}…")], size) > width:
        kept = kept[:-1].rstrip()
    return Run(kept if kept == flat else f"{kept}…")


def _styled(text: str, entities: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    place = 0
    for letter in text:
        found = {
            _STYLES[entity["type"]]
            for entity in entities
            if entity["type"] in _STYLES
            and entity["offset"] <= place < entity["offset"] + entity["length"]
        }
        yield letter, "".join(sorted(found))
        place += len(letter.encode("utf-16-le", "surrogatepass")) // 2


def _paragraphs(letters: Iterator[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    paragraph: list[tuple[str, str]] = []
    for letter in letters:
        if letter[0] == "\n":
            yield paragraph
            paragraph = []
        else:
            paragraph.append(letter)
    yield paragraph


def _words(
    letters: Sequence[tuple[str, str]], width: float, size: float
) -> Iterator[list[tuple[str, str]]]:
    """Give the words, each with the space behind it; one that is wider than a line, in pieces."""
    word: list[tuple[str, str]] = []
    for letter in letters:
        if word and (_length([*_bare(word), letter], size) > width and not letter[0].isspace()):
            yield word
            word = []
        word.append(letter)
        if letter[0] == " ":
            yield word
            word = []
    if word:
        yield word


def _bare(letters: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    kept = list(letters)
    while kept and kept[-1][0].isspace():
        kept.pop()
    return kept


def _joined(letters: Sequence[tuple[str, str]]) -> Line:
    runs: list[Run] = []
    for letter, styles in letters:
        if runs and runs[-1].styles == styles:
            runs[-1] = Run(runs[-1].text + letter, styles)
        else:
            runs.append(Run(letter, styles))
    return runs


def _length(letters: Sequence[tuple[str, str]], size: float) -> float:
    return size * sum(_ems(letter, styles) for letter, styles in letters)


@functools.cache
def _ems(letter: str, styles: str) -> float:
    """Estimate the width of a letter, in ems."""
    if unicodedata.combining(letter) or unicodedata.category(letter) in {"Cf", "Mn", "Me"}:
        return 0
    if "c" in styles:
        return _CODE
    if letter > "\u2190" and (
        unicodedata.category(letter) == "So" or unicodedata.east_asian_width(letter) in {"W", "F"}
    ):
        return _WIDE
    font = ImageFont.load_default(_MEASURED)
    return font.getlength(letter) / _MEASURED * _MARGIN * (_BOLDER if "b" in styles else 1)
