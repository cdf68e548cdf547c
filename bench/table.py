"""The table: for a terminal, for a program, and for a paper. Pure."""

import json
from collections.abc import Sequence
from typing import Final

from bench.figures import Figure, Measured
from bench.machine import Machine

HEADINGS: Final = ("row", "figure", "bot", "floor", "naive", "target", "")
BEGIN: Final = "<!-- measured: begin -->"
END: Final = "<!-- measured: end -->"
_RIGHT: Final = frozenset({2, 3, 4, 5})
_VERDICTS: Final = {True: "met", False: "NOT MET", None: ""}


class NoMarkers(Exception):
    """A paper has no place for the table."""


def as_text(machine: Machine, measured: Sequence[Measured]) -> str:
    """Write everything as aligned columns, the machine above and the notes below."""
    rows = [HEADINGS, *_cells(measured)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [_aligned(row, widths) for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths).rstrip())
    return "\n".join([machine.line(), "", *lines, *_notes(measured), ""])


def as_json(machine: Machine, measured: Sequence[Measured]) -> str:
    """Write everything as JSON."""
    return json.dumps(
        {"machine": machine.to_json(), "rows": [one.to_json() for one in measured]},
        indent=2,
        ensure_ascii=False,
    )


def put_into(paper: str, machine: Machine, measured: Sequence[Measured]) -> str:
    """Give the paper with the table between its markers, in the place of what was there.

    Raises:
        NoMarkers: they are not there, once each, in this order.
    """
    before, begin, rest = paper.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in before or END in after:
        raise NoMarkers(f"it needs a line {BEGIN} and after it a line {END}, once each")
    table = as_text(machine, measured).rstrip("\n")
    return f"{before}{BEGIN}\n\n```text\n{table}\n```\n\n{END}{after}"


def _cells(measured: Sequence[Measured]) -> list[tuple[str, ...]]:
    cells: list[tuple[str, ...]] = []
    for one in measured:
        if one.error is not None:
            cells.append((one.row, f"not measured: {one.error}", "", "", "", "", "FAILED"))
        for number, figure in enumerate(one.figures):
            cells.append(("" if number else one.row, *_cells_of(figure)))
    return cells


def _cells_of(figure: Figure) -> tuple[str, ...]:
    def written(value: float | None) -> str:
        return "" if value is None else f"{value:.{figure.digits}f}"

    target = ""
    if figure.target is not None:
        sign = "≥" if figure.target.at_least else "≤"
        target = f"{sign} {written(figure.target.limit)}"
        if figure.target.because:
            target = f"{target} ({figure.target.because})"
    name = f"{figure.name}, {figure.unit}" if figure.unit else figure.name
    others = (written(figure.floor), written(figure.naive))
    return (name, written(figure.bot), *others, target, _VERDICTS[figure.met])


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.rjust(width) if column in _RIGHT else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(padded).rstrip()


def _notes(measured: Sequence[Measured]) -> list[str]:
    notes = [f"{one.row}: {note}" for one in measured for note in one.notes]
    return ["", *notes] if notes else []
