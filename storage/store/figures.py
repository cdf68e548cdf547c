"""What a store must be able to tell the operator."""

from datetime import datetime, timedelta
from typing import Protocol

from storage.figures import Figures


class Counting(Protocol):
    """What has been asked for and what became of it, day by day."""

    async def figures(self, *, began: datetime, now: datetime, step: timedelta) -> Figures:
        """Count what was asked for from `began` (the beginning of a day, in UTC) to now, and the slots in use in such steps.

        What has been emptied counts as before. Nobody waits for it who writes.
        """
        ...
