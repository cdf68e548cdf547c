"""How many tasks HiDream takes at once: as configured, or as few as it turns out to be.

A refusal "too many at once" with n others running says that the account has n slots. That is
followed at once; from time to time one more is tried, and less often the more often in vain.
"""

from collections.abc import Callable
from typing import Final

from storage.clock import Clock

PROBE: Final = 600.0
"""Seconds after which one slot more is tried."""
LONGEST_PROBE: Final = 4 * 3600.0
QUICK_PROBE: Final = 30.0
"""The same where no refusal has said that it was for the slots: it may have been something else."""
_VAGUE: Final = 3
"""So many refusals that do not say why, with the same others running, are taken for the slots."""


class Slots:
    """The account's slots as they are known by now.

    Args:
        configured: gives the account's tier.
        clock: gives the time.
        on_change: hears of each new limit, and when all that are configured were first seen in use.
    """

    def __init__(
        self,
        configured: Callable[[], int],
        clock: Clock,
        *,
        on_change: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._configured = configured
        self._clock = clock
        self._on_change = on_change
        self._found: int | None = None
        self._first_probe = PROBE
        self._probe = PROBE
        self._probe_at = float("inf")
        self._vague: tuple[int, int] = (0, 0)
        self._seen_all = False

    @property
    def limit(self) -> int:
        """How many tasks may be at HiDream now."""
        more = self._clock.monotonic() >= self._probe_at
        return min(self._configured(), self.found + more)

    @property
    def configured(self) -> int:
        """How many the account has by its tier."""
        return self._configured()

    @property
    def found(self) -> int:
        """How many it turned out to have: as many as are configured, or fewer."""
        configured = self._configured()
        return configured if self._found is None else min(configured, self._found)

    def probes_in(self) -> float:
        """Give the seconds until one slot more is tried; infinite where none is missing."""
        return self._probe_at - self._clock.monotonic()

    def refused(self, others: int, *, says_so: bool) -> bool:
        """Note a refusal for limits while `others` were held for sure; returns whether it was for the slots.

        `says_so`: HiDream spoke of tasks at once. With no others held it was somebody else who uses
        the account, and there is nothing to learn.
        """
        if others < 1 or others >= self._configured():
            return False
        if not says_so:
            before, times = self._vague
            self._vague = (others, times + 1 if before == others else 1)
            if self._vague[1] < _VAGUE:
                return False
        self._vague = (0, 0)
        if self.probes_in() <= 0:  # it was the one more that was tried
            self._probe = min(self._probe * 2, LONGEST_PROBE)
        elif others < self.found:
            self._first_probe = self._probe = PROBE if says_so else QUICK_PROBE
        self._probe_at = self._clock.monotonic() + self._probe
        self._find(min(others, self.found))
        return True

    def accepted(self, held: int) -> None:
        """Note that a task was taken while, with it, so many slots were held for sure."""
        self._vague = (0, 0)
        configured = self._configured()
        if self.found < held <= configured:
            self._probe = self._first_probe
            self._find(held)
            more = held < configured
            self._probe_at = self._clock.monotonic() + self._probe if more else float("inf")
        if held >= configured and not self._seen_all:
            # also after a restart with another configuration: whoever was told of fewer is to hear it
            self._seen_all = True
            self._on_change(self.found)

    def _find(self, limit: int) -> None:
        if limit != self.found:
            self._seen_all = limit >= self._configured()
            self._found = None if self._seen_all else limit
            self._on_change(limit)
