"""What /stats shows: figures of the store as lines of a caption, and as what is drawn. Pure."""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from bot.texts import Day, Lasting, Percent, Say
from storage.figures import DAY, DayFigures, Figures, Spread
from storage.tasks import AT_HIDREAM, FINAL, IN_LINE, TaskState

USUAL: Final = 30
"""So many days are shown where no number is given."""
MOST: Final = 365
_HOURLY: Final = 7
"""Up to so many days, slots are shown by the hour."""

_CONTENT: Final = frozenset(
    {
        *("content-refused", "review-refused", "nothing-made", "one-of-several", "photo-gone"),
        *("file-too-large", "image-unknown", "image-broken", "image-too-large", "image-animated"),
    }
)
"""Failures for what somebody sent: the words, or the photo."""
_TELEGRAM: Final = frozenset({"photo-unreachable", "pictures-lost", "telegram-refused"})
"""Failures on the way from the chat, or to it; all others are HiDream's."""

OUTCOMES: Final = ("whole", "partly", "content", "hidream", "telegram", "cancelled", "unfinished")
"""What can have become of a task, as it is told and drawn."""


def step(days: int) -> timedelta:
    """Say in which steps the slots in use are shown."""
    return timedelta(hours=1) if days <= _HOURLY else DAY


def outcomes(day: DayFigures) -> Counter[str]:
    """Count what has become of a day's tasks: each task is one of `OUTCOMES`."""
    found: Counter[str] = Counter(
        whole=day.states.get(TaskState.DELIVERED, 0) - day.partly,
        partly=day.partly,
        telegram=day.states.get(TaskState.GONE, 0),
        cancelled=day.states.get(TaskState.CANCELLED, 0),
        unfinished=sum(count for state, count in day.states.items() if state not in FINAL),
    )
    for failure, count in day.failures.items():
        found[_reason(failure)] += count
    return found


def _reason(failure: str) -> str:
    if failure in _CONTENT:
        return "content"
    return "telegram" if failure in _TELEGRAM else "hidream"


def asked(figures: Figures) -> int:
    """Count the tasks of all days."""
    return sum(sum(day.states.values()) for day in figures.days)


# --- the caption ----------------------------------------------------------------------------------


def stats_lines(figures: Figures, counts: Mapping[str, int], slots: int) -> list[Say]:
    """Give the lines under the picture.

    Args:
        figures: those of the days that are shown.
        counts: what there is now, by state.
        slots: how many there are.
    """
    total = sum((outcomes(day) for day in figures.days), Counter())
    all_of_them = asked(figures)
    lines = [_heading(figures)]
    if all_of_them:
        pictures = sum(day.pictures for day in figures.days)
        lines.append(
            Say(
                "stats-tasks",
                {"tasks": all_of_them, "pictures": pictures},
            )
        )
        lines += [
            Say(
                f"stats-{name}",
                {"number": total[name], "share": Percent(total[name] / all_of_them)},
            )
            for name in OUTCOMES
            if total[name]
        ]
        lines += _took("stats-waiting", figures.waiting) + _took("stats-making", figures.making)
    else:
        lines.append(Say("stats-none"))
    if figures.slots:
        mean = sum(use.mean for use in figures.slots) / len(figures.slots)
        most = max(use.most for use in figures.slots)
        lines.append(Say("stats-slots", {"mean": round(mean, 1), "most": most, "slots": slots}))
    return [*lines, *_now(counts)]


def _heading(figures: Figures) -> Say:
    first, last = Day(figures.days[0].begins), Day(figures.days[-1].begins)
    if len(figures.days) == 1:
        return Say("stats-day", {"first": first})
    return Say("stats-heading", {"first": first, "last": last})


def _took(sentence: str, spread: Spread | None) -> list[Say]:
    if spread is None:
        return []
    return [Say(sentence, {"median": Lasting(spread.median), "most": Lasting(spread.p90)})]


def _now(counts: Mapping[str, int]) -> list[Say]:
    line, running = (sum(counts[state] for state in states) for states in (IN_LINE, AT_HIDREAM))
    return [
        Say("stats-now", {"line": line, "running": running}),
        Say("stats-ever", {"unanswered": counts["unanswered"], "repeated": counts["repeated"]}),
    ]


# --- the picture ----------------------------------------------------------------------------------


def drawn(figures: Figures, slots: int) -> dict[str, Any]:
    """Give what `bot.plots` draws, as JSON can say it; times are in seconds."""
    by_day = [outcomes(day) for day in figures.days]
    return {
        "days": [day.begins.date().isoformat() for day in figures.days],
        "outcomes": {name: [day[name] for day in by_day] for name in OUTCOMES},
        "waiting": _times([day.waiting for day in figures.days], figures.waiting),
        "making": _times([day.making for day in figures.days], figures.making),
        "slots": {
            "step": step(len(figures.days)).total_seconds(),
            "mean": [use.mean for use in figures.slots],
            "most": [use.most for use in figures.slots],
            "configured": slots,
        },
    }


def _times(days: list[Spread | None], together: Spread | None) -> dict[str, Any]:
    return {
        "median": [day and day.median.total_seconds() for day in days],
        "p90": [day and day.p90.total_seconds() for day in days],
        "all_median": together and together.median.total_seconds(),
        "all_p90": together and together.p90.total_seconds(),
    }
