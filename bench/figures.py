"""Figures: one measured thing of the bot, beside the same of others and what is to be reached. Pure."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.session import Session


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """What is to be reached: a limit that a figure is at most, or at least."""

    limit: float
    at_least: bool = False
    because: str = ""
    """How the limit comes about, where it is not a plain number."""

    def is_met(self, value: float) -> bool:
        """Say whether a figure reaches it; as exactly as measured, not as printed."""
        return value >= self.limit if self.at_least else value <= self.limit


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One line of the table. `digits` are those behind the point."""

    name: str
    unit: str
    bot: float
    floor: float | None = None
    naive: float | None = None
    target: Target | None = None
    digits: int = 2

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None where there is none."""
        return None if self.target is None else self.target.is_met(self.bot)

    def to_json(self) -> dict[str, Any]:
        """Write it as JSON can hold it."""
        return {**asdict(self), "met": self.met}


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """What a row came to: its figures, and facts about how it was measured; or why it did not."""

    row: str
    figures: Sequence[Figure] = ()
    notes: Sequence[str] = ()
    error: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Write it as JSON can hold it."""
        return {
            "row": self.row,
            "figures": [figure.to_json() for figure in self.figures],
            "notes": list(self.notes),
            "error": self.error,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A row of the bench: its name, what it measures, and who does it within how many seconds."""

    name: str
    about: str
    measure: Callable[["Session"], Awaitable[Measured]] = field(repr=False)
    seconds: float
