"""The clock: stamps in the database and the end of tokens go by it."""

from typing import Final

from bot.checking.lines import Lines, note, ok, warning
from bot.checking.subject import Subject

_MOST: Final = 30.0
"""Seconds."""


async def clock(subject: Subject) -> Lines:
    """Compare this machine's clock with those of the services that have answered."""
    if not subject.offsets:
        return [note("it could not be compared: no service has told the time")]
    return [
        ok(f"it is as {service}'s, to within {max(1, abs(seconds)):.0f} s")
        if abs(seconds) <= _MOST
        else warning(
            f"it is {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} {service}'s",
            "Let the machine keep its clock: timedatectl set-ntp true",
        )
        for service, seconds in sorted(subject.offsets.items())
    ]
