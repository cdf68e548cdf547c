"""`python -m bot.plots` draws the picture of /stats: figures as JSON come in, a PNG goes out.

It is a process of its own, so that what draws takes memory only while it draws; nothing of the bot but
this module knows the library. What stands in the picture is English: no font has the letters of all
languages; the caption is in the reader's own.
"""

import io
import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

_INCHES: Final = (8.0, 10.0)
_DPI: Final = 160
"""1280 × 1600 pixels: what a phone shows in full."""
_INK, _FAINT, _GRID = "#1a1a1a", "#5f5f5f", "#e2e2e2"
# Okabe and Ito's colours, which everybody can tell apart.
_BLUE, _VERMILION, _ORANGE, _SKY = "#0072b2", "#d55e00", "#e69f00", "#56b4e9"
_OUTCOMES: Final[Mapping[str, tuple[str, str]]] = {
    "whole": ("delivered", _BLUE),
    "partly": ("partly", _SKY),
    "content": ("content refused", _ORANGE),
    "hidream": ("HiDream failed", _VERMILION),
    "telegram": ("not brought", "#cc79a7"),
    "cancelled": ("stopped", "#8c8c8c"),
    "unfinished": ("open", "#cfcfcf"),
}
"""What became of a task: how it is called in the picture, and its colour; the first is at the bottom."""
_STYLE: Final[dict[Any, Any]] = {
    "font.family": "DejaVu Sans",  # comes with the library
    "font.size": 15,
    "axes.titlesize": 17,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": _FAINT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": _GRID,
    "grid.linewidth": 1.2,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "xtick.color": _FAINT,
    "ytick.color": _FAINT,
    "ytick.left": False,
    "lines.linewidth": 2.6,
}
_SIZES: Final = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_TOWERS: Final = 6
"""A day with so many times as many tasks as nearly all others is cut off, or one could not see those."""
_APART: Final = 40
"""Times that are so many times as long as others need another scale."""
_LOG_TICKS: Final = (1, 10, 120, 1200, 10_800, 172_800, 20 * 86_400)


def draw(data: Mapping[str, Any]) -> bytes:
    """Draw the picture, as PNG."""
    with mpl.rc_context(_STYLE):
        days = [datetime.fromisoformat(day) for day in data["days"]]
        figure = Figure(figsize=_INCHES, dpi=_DPI, facecolor="white")
        grid = figure.add_gridspec(
            4, 1, height_ratios=(1.5, 1, 1, 1), left=0.11, right=0.945, top=0.825, bottom=0.045,
            hspace=0.56,
        )  # fmt: skip
        tasks, waiting, making, slots = (figure.add_subplot(grid[n]) for n in range(4))
        figure.text(0.03, 0.967, "hidream-bot", size=23, weight="bold", va="center")
        figure.text(0.97, 0.967, _span(days), size=16, color=_FAINT, va="center", ha="right")
        rows = _tasks(tasks, data["outcomes"], len(days))
        grid.update(top=0.895 - 0.035 * rows)
        _times(waiting, data["waiting"], "Waiting")
        _times(making, data["making"], "Making")
        _slots(slots, data["slots"])
        for axes in (tasks, waiting, making, slots):
            _dates(axes, days)
        if len(days) == 1:
            slots.set_xticks(
                [n / 4 - 0.5 for n in range(5)], ["0:00", "6:00", "12:00", "18:00", "24:00"]
            )
        out = io.BytesIO()
        figure.savefig(out, format="png")
        return out.getvalue()


def _span(days: Sequence[datetime]) -> str:
    first, last = days[0], days[-1]
    if first == last:
        return f"{last.day} {last:%b %Y}, UTC"
    year = "" if first.year == last.year else f" {first.year}"
    return f"{first.day} {first:%b}{year} – {last.day} {last:%b %Y}, UTC days"


# --- tasks and what became of them ----------------------------------------------------------------


def _tasks(axes: Axes, outcomes: Mapping[str, Sequence[int]], days: int) -> int:
    totals = [sum(day) for day in zip(*outcomes.values(), strict=True)]
    room = _room(totals)
    bottom = [0] * days
    named: list[tuple[str, str]] = []
    width = 0.25 if days == 1 else 0.8
    for key, (name, color) in _OUTCOMES.items():
        counts = outcomes[key]
        if not any(counts):
            continue
        named.append((f"{sum(counts):,} {name}", color))
        axes.bar(range(days), counts, width, bottom, color=color, linewidth=0)
        bottom = [below + count for below, count in zip(bottom, counts, strict=True)]
    rows = _legend(axes, named)
    axes.set_title("Tasks a day, and what became of them", pad=14 + 25 * rows)
    axes.set_ylim(0, room * 1.12)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=1))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    for day, total in enumerate(totals):
        if total > room:
            right = day > days / 2
            at, side = (day - 0.6, "right") if right else (day + 0.6, "left")
            label = f"{total:,} ▲" if right else f"▲ {total:,}"
            axes.text(at, room * 1.12, label, ha=side, va="top", size=14, weight="bold")
        elif days <= 10 and total:
            axes.text(day, total, f"{total:,}", ha="center", va="bottom", size=14)
    return rows


def _room(totals: Sequence[int]) -> float:
    """Give the height that is shown: that of all bars, but for towers."""
    ranked = sorted(total for total in totals if total)
    usual = ranked[math.ceil(len(ranked) * 0.9) - 1 - (len(ranked) < 10)] if len(ranked) > 1 else 0
    highest = ranked[-1]
    return usual * 2 if 0 < usual * _TOWERS < highest else highest


def _legend(axes: Axes, named: Sequence[tuple[str, str]]) -> int:
    """Write the names beside their colours above the bars, in rows as they fit; returns how many rows."""
    rows: list[list[tuple[str, str]]] = [[]]
    for one in named:
        if sum(len(name) + 4 for name, _ in rows[-1]) + len(one[0]) > 62:
            rows.append([])
        rows[-1].append(one)
    for n, row in enumerate(rows):
        at: Any = None
        for name, color in row:
            box = axes.annotate(
                "■ ", (0, 1) if at is None else (1, 0), color=color, size=14, va="bottom",
                xytext=(0, 12 + 25 * (len(rows) - 1 - n)) if at is None else (12, 0), textcoords="offset points",
                xycoords="axes fraction" if at is None else at, annotation_clip=False,
            )  # fmt: skip
            at = axes.annotate(
                name, (1, 0), xycoords=box, color=_INK, size=14, va="bottom", annotation_clip=False
            )
    return len(rows)


# --- how long it took -----------------------------------------------------------------------------


def _times(axes: Axes, times: Mapping[str, Any], title: str) -> None:
    axes.set_title(title, pad=12)
    median, p90 = ([_known(one) for one in times[name]] for name in ("median", "p90"))
    known = [one for one in (*median, *p90) if not math.isnan(one)]
    if not known:
        _nothing(axes)
        return
    days = range(len(median))
    axes.fill_between(days, median, p90, color=_SKY, alpha=0.25, linewidth=0)
    size = 6.0 if len(median) < 40 else 3.5 if len(median) < 120 else 0.0
    axes.plot(days, p90, color=_VERMILION, marker="o", markersize=size, linewidth=2)
    axes.plot(days, median, color=_BLUE, marker="o", markersize=size)
    _scale(axes, known)
    _named(
        axes,
        (f"9 of 10 within {_time(times['all_p90'])}", _VERMILION),
        (f"half within {_time(times['all_median'])}", _BLUE),
    )


def _known(seconds: float | None) -> float:
    return math.nan if seconds is None else max(seconds, 0.0)


def _scale(axes: Axes, known: Sequence[float]) -> None:
    """Let the axis begin at nothing, unless the longest are so long that the others could not be seen."""
    highest, usual = max(known), sorted(known)[len(known) // 2]
    if highest > _APART * max(usual, 1):
        axes.set_yscale("log", nonpositive="clip")
        axes.set_ylim(_LOG_TICKS[0] * 0.7, highest * 1.6)
        axes.set_yticks([tick for tick in _LOG_TICKS if tick <= highest * 1.6])
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        axes.set_ylim(0, highest * 1.12 or 1)
        size = next((size for size, _ in _SIZES if highest >= 2 * size), 1)
        ticks = MaxNLocator(3, steps=[1, 2, 3, 5, 6, 10]).tick_values(0, highest / size)
        axes.set_yticks([tick * size for tick in ticks if 0 <= tick * size <= highest * 1.12])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _time(value)))


def _time(seconds: float) -> str:
    """Give a time in its largest unit of which there are two: 90 s, 2.5 min."""
    size, unit = next((row for row in _SIZES if seconds >= 2 * row[0]), _SIZES[-1])
    return f"{seconds / size:.{0 if seconds >= 10 * size else 1}f}".removesuffix(".0") + f" {unit}"


# --- slots ----------------------------------------------------------------------------------------


def _slots(axes: Axes, slots: Mapping[str, Any]) -> None:
    axes.set_title("Slots in use", pad=12)
    configured = slots["configured"]
    step = timedelta(seconds=slots["step"]) / timedelta(days=1)
    at = [n * step - 0.5 for n in range(len(slots["most"]) + 1)]
    mean, most = ([*slots[name], slots[name][-1]] for name in ("mean", "most"))
    axes.fill_between(at, mean, step="post", color=_BLUE, alpha=0.75, linewidth=0)
    axes.step(at, most, where="post", color=_VERMILION, linewidth=2)
    axes.axhline(configured, color=_INK, linewidth=1.8, linestyle=(0, (5, 3)))
    axes.set_ylim(0, max(configured, *most) * 1.15)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=1))
    each = "a day" if step == 1 else "an hour"
    _named(
        axes,
        (f"– – configured: {configured:,}", _INK),
        ("most", _VERMILION),
        (f"mean of {each}", _BLUE),
    )


# --- what all have --------------------------------------------------------------------------------


def _named(axes: Axes, *names: tuple[str, str]) -> None:
    """Name what is drawn, each in its colour, from the right."""
    at: Any = None
    for name, color in names:
        at = axes.annotate(
            name, (1, 1) if at is None else (0, 0), color=color, size=14, weight="bold",
            ha="right", va="bottom", xytext=(0, 12) if at is None else (-16, 0),
            textcoords="offset points", xycoords="axes fraction" if at is None else at,
            annotation_clip=False,
        )  # fmt: skip


def _nothing(axes: Axes) -> None:
    axes.set_yticks([])
    axes.text(
        0.5, 0.5, "none in these days", transform=axes.transAxes, ha="center", color=_FAINT, size=16
    )


def _dates(axes: Axes, days: Sequence[datetime]) -> None:
    axes.set_xlim(-0.6, len(days) - 0.4)
    every = max(1, math.ceil(len(days) / 6))
    at = list(range(len(days) - 1, -1, -every))[::-1]
    axes.set_xticks(at, [f"{days[n].day} {days[n]:%b}" for n in at])


def main() -> None:
    """Draw what comes in."""
    os.nice(10)  # the bot goes first
    data = json.load(sys.stdin)
    sys.stdout.buffer.write(draw(data))


if __name__ == "__main__":
    main()
