"""How long to wait before a next try: pure decisions, no clock. All in seconds."""

import random
from typing import Final

FIRST: Final = 1.0
LONGEST: Final = 60.0


def backoff(tries: int, *, first: float = FIRST, longest: float = LONGEST) -> float:
    """Give the delay after so many failed tries: doubled each time, ±20 % so that tries spread."""
    exact = min(longest, first * 2.0 ** min(max(tries, 0), 30))
    return exact * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, keeps no secret
