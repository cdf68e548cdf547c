"""Text that runs the other way: it must not turn around what stands beside it. Pure.

What a person wrote stands in an isolate of its own (Unicode's bidirectional algorithm, UAX #9), so
that neither its letters nor the controls in it reach out of it.
"""

import html
import re
import unicodedata
from itertools import accumulate
from typing import Final

LRM: Final = "\u200e"
RLM: Final = "\u200f"
FSI: Final = "\u2068"
PDI: Final = "\u2069"

_PDF: Final = "\u202c"
_ISOLATES: Final = "\u2066\u2067\u2068"
_EMBEDDINGS: Final = "\u202a\u202b\u202d\u202e"
CONTROLS: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""What opens or closes a stretch of another direction."""

_BREAKS: Final = re.compile("([\n\r\x1c-\x1e\x85\u2029])")
"""Where a paragraph ends, and every isolate with it."""
_TAG: Final = re.compile(r"<[^>]+>")
_COMMAND: Final = re.compile(r"(?<![\w<@/])/(?=[a-z])")
_RIGHT: Final = frozenset({"R", "AL"})
_STRONG: Final = frozenset({"L", *_RIGHT})
_FOREIGN: Final = {True: _STRONG, False: frozenset({*_RIGHT, "AN"})}
"""Classes of characters that need an isolate, in a sentence that runs to the left, or to the right."""
_MOST_OPEN: Final = 8
"""What is to be copied keeps controls that it leaves open; more than so many are no text of anybody's."""


def isolated(text: str, *, rtl: bool) -> str:
    """Give a datum so that it cannot turn around its sentence; most need nothing."""
    if not _is_foreign(text, rtl=rtl):
        return text
    return "".join(
        f"{FSI}{_balanced(part)}{PDI}" if n % 2 == 0 and part else part
        for n, part in enumerate(_BREAKS.split(text))
    )


def isolated_code(code: str, *, rtl: bool) -> str:
    """Give what stands between <code> and </code> with its tags; inside it is left as it is, to be copied.

    What its text leaves open is closed behind it.
    """
    text = html.unescape(code)
    if not rtl and not _is_foreign(text, rtl=False):
        return f"<code>{code}</code>"
    # an isolate ends with its line: one that is opened before several would be closed by nothing
    opening = "" if _BREAKS.search(text) else FSI
    closing = _closing(text)
    if len(closing) > _MOST_OPEN:
        code, closing = CONTROLS.sub("", code), PDI if opening else ""
    return f"{opening}<code>{code}</code>{closing}"


def with_marks(literal: str) -> str:
    """Give a right-to-left sentence's own words so that its commands keep their / at the left."""
    return _COMMAND.sub(f"{LRM}/", literal)


def right_to_left(text: str) -> str:
    """Give a text (Telegram HTML) each of whose lines runs from the right, whatever it begins with.

    Apps take a line's direction from its first letter: an emoji, a number or a name says nothing, or
    the wrong thing. Lines within <code> stay as they are.
    """
    lines = text.split("\n")
    opened = [0, *accumulate(line.count("<code>") - line.count("</code>") for line in lines)]
    return "\n".join(
        line if inside or _runs_right_to_left(line) else f"{RLM}{line}"
        for line, inside in zip(lines, opened, strict=False)
    )


def _is_foreign(text: str, *, rtl: bool) -> bool:
    if not rtl and text.isascii():
        return False
    if CONTROLS.search(text):
        return True
    foreign = _FOREIGN[rtl]
    return any(unicodedata.bidirectional(character) in foreign for character in text)


def _balanced(line: str) -> str:
    """Leave out isolates that nothing ends, and ends of none; embeddings end with our isolate."""
    opened: list[int] = []
    left_out = set()
    for n, character in enumerate(line):
        if character in _ISOLATES:
            opened.append(n)
        elif character == PDI and not opened:
            left_out.add(n)
        elif character == PDI:
            opened.pop()
    left_out.update(opened)
    return "".join(character for n, character in enumerate(line) if n not in left_out)


def _closing(text: str) -> str:
    """Give what closes the isolate in which a text stands, and all that the text leaves open."""
    opened = [FSI]
    for character in text:
        if _BREAKS.match(character):
            opened.clear()
        elif character in _ISOLATES or character in _EMBEDDINGS:
            opened.append(character)
        elif character == _PDF and opened and opened[-1] in _EMBEDDINGS:
            opened.pop()
        elif character == PDI and any(one in _ISOLATES for one in opened):
            while opened.pop() not in _ISOLATES:
                pass
    return "".join(_PDF if one in _EMBEDDINGS else PDI for one in reversed(opened))


def _runs_right_to_left(line: str) -> bool:
    """Say whether a line's first letter outside of isolates is a right-to-left one, or it is empty."""
    text = html.unescape(_TAG.sub("", line))
    depth = 0
    for character in text:
        if character in _ISOLATES:
            depth += 1
        elif character == PDI:
            depth = max(0, depth - 1)
        elif depth == 0 and (kind := unicodedata.bidirectional(character)) in _STRONG:
            return kind in _RIGHT
    return not text
