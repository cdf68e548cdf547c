"""Single values of JSON from outside, read tolerantly. Pure."""

import math
from collections.abc import Mapping


class WrongShape(ValueError):
    """The JSON is not what the documentation promises; the message names the field only."""


def as_object(value: object, field: str) -> Mapping[str, object]:
    """The value if it is a JSON object; raises WrongShape if not."""
    if not isinstance(value, Mapping):
        raise WrongShape(field)
    return value


def as_text(value: object) -> str | None:
    """A text that is not empty and can be stored; a whole number is taken as its digits."""
    if type(value) is int:
        # A number of thousands of digits is no id, and Python refuses to write it out.
        return str(value) if value.bit_length() <= 64 else None
    if not isinstance(value, str):
        return None
    # JSON can carry half of a surrogate pair, which no database or URL takes.
    return value.encode("utf-8", "replace").decode("utf-8").strip() or None


def as_number(value: object) -> float | None:
    """A finite number, also where it came as a text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def as_whole(value: object) -> int | None:
    """A whole number of 32 bits, also where it came as a text or with `.0`; else None."""
    number = as_number(value)
    if number is None or not number.is_integer() or abs(number) >= 2**31:
        return None
    return int(number)
