"""What a check says: lines, each with how it is, what is, and what to do."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How it is."""

    OK = "ok"
    NOTE = "note"
    """Good to know; nothing is to be done."""
    WARNING = "warning"
    """The bot works, and will not for long, or not as one may think."""
    WRONG = "wrong"
    """The bot does not work, or not as the settings ask for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One thing that was looked at."""

    level: Level
    what: str
    mend: str | None = None


Lines = list[Line]


def ok(what: str) -> Line:
    """It is as it should be."""
    return Line(level=Level.OK, what=what)


def note(what: str, mend: str | None = None) -> Line:
    """It is good to know."""
    return Line(level=Level.NOTE, what=what, mend=mend)


def warning(what: str, mend: str) -> Line:
    """It works, but."""
    return Line(level=Level.WARNING, what=what, mend=mend)


def wrong(what: str, mend: str) -> Line:
    """It does not work."""
    return Line(level=Level.WRONG, what=what, mend=mend)


def one_line(text: str, longest: int = 300) -> str:
    """Give somebody else's words so that they can be shown: in one line, and moving no cursor."""
    shown = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"
