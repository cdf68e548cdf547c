"""How many examples a property gets, where the profile's number is not the right one."""

from typing import Final

from hypothesis import settings

LONG: Final = 20
"""So many times as many in the long profile."""


def examples(number: int, *, steps: int = 50) -> settings:
    """Ask for so many examples in the usual profile, and many more in the long one.

    `steps`: the most steps of one run of a state machine.
    """
    long = settings.get_current_profile_name() == "long"
    return settings(max_examples=number * LONG if long else number, stateful_step_count=steps)
