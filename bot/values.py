"""What a sentence can take beside words: numbers, times and lists, shown as each language shows them.

The forms are CLDR's, by Babel. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import localcontext
from functools import cache
from typing import Final

from babel import Locale
from babel.dates import format_date, format_time, format_timedelta, get_datetime_format
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit

_DIGITS: Final = 5000
"""More digits than any number has that Python writes down."""


@dataclass(frozen=True, slots=True)
class Ago:
    """How long ago something was: "5 minutes ago"."""

    span: timedelta


@dataclass(frozen=True, slots=True)
class Lasting:
    """How long something takes, in short: "12 sec", "2 min 5 sec"."""

    span: timedelta


@dataclass(frozen=True, slots=True)
class Between:
    """Between which two durations something lies, in one unit: "12–20 sec"."""

    low: timedelta
    high: timedelta


@dataclass(frozen=True, slots=True)
class Percent:
    """A share of 1, in whole percent."""

    share: float


@dataclass(frozen=True, slots=True)
class Day:
    """A date."""

    moment: datetime


@dataclass(frozen=True, slots=True)
class Moment:
    """A date and a time of day."""

    moment: datetime


_MINUTE: Final = timedelta(minutes=1)
# As long as Babel takes them for.
_SPANS: Final = (
    timedelta(days=365),
    timedelta(days=30),
    timedelta(days=7),
    timedelta(days=1),
    timedelta(hours=1),
    _MINUTE,
)


def number(value: float, language: str) -> str:
    """Show a number: 1,234.5."""
    # whole numbers may be of any size: what people write in braces multiplies
    with localcontext() as context:
        context.prec = max(context.prec, _DIGITS)
        return format_decimal(value, locale=_locale(language), numbering_system="default")


def percent(value: Percent, language: str) -> str:
    """Show a share in percent: 40%."""
    return format_percent(
        value.share, format=None, locale=_locale(language), numbering_system="default"
    )


def day(moment: datetime, language: str) -> str:
    """Show a date: 24 Nov 2026."""
    return format_date(moment, "medium", locale=_locale(language))


def moment(value: datetime, language: str) -> str:
    """Show a date and a time: 24 Nov 2026, 09:58."""
    locale = _locale(language)
    form = get_datetime_format("medium", locale=locale)
    time = format_time(value, "short", locale=locale)
    return str(form).replace("'", "").replace("{0}", time).replace("{1}", day(value, language))


def either(values: Sequence[str], language: str) -> str:
    """Show what one can choose from: JPEG, PNG or WebP."""
    return format_list(list(values), style="or", locale=_locale(language))


def ago(value: Ago, language: str) -> str | None:
    """Say how long ago it was, in the largest unit that is over; None: less than a minute."""
    span = next((span for span in _SPANS if value.span >= span), None)
    if span is None:
        return None
    return format_timedelta(
        -(value.span // span) * span, add_direction=True, threshold=1, locale=_locale(language)
    )


def lasting(value: Lasting, language: str) -> tuple[str, str | None]:
    """Say how long it is, in a unit and, where there is something left, in the one below."""
    seconds = max(1, round(value.span.total_seconds()))
    if seconds < 100:
        return _unit(seconds, "second", language), None
    if seconds < 100 * 60:
        (whole, left), units = divmod(seconds, 60), ("minute", "second")
    else:
        (whole, left), units = divmod(seconds // 60, 60), ("hour", "minute")
    return (
        _unit(whole, units[0], language),
        _unit(left, units[1], language) if left else None,
    )


def between(value: Between, language: str) -> str:
    """Say between which durations it lies; both in the unit of the longer one."""
    seconds = value.high.total_seconds()
    unit, size = ("second", 1) if seconds < 100 else ("minute", 60)
    low, high = (max(1, round(span.total_seconds() / size)) for span in (value.low, value.high))
    longer = _unit(high, unit, language)
    return longer if low >= high else f"{number(low, language)}–{longer}"


def _unit(amount: int, unit: str, language: str) -> str:
    # without the country: British English has "secs"
    return format_unit(
        amount,
        f"duration-{unit}",
        length="short",
        locale=Locale.parse(language),
        numbering_system="default",
    )


@cache
def _locale(language: str) -> Locale:
    # the English of `sentences` has days before months, and no comma before "or"
    return Locale.parse("en_GB" if language == "en" else language)
