"""Counting for the operator: from indexes alone, but for what is not over yet."""

from datetime import datetime, timedelta
from typing import Final

from storage.figures import Figures, reckoned
from storage.sqlite.connection import Connections
from storage.sqlite.rows import stamp

# A clock that was set in between makes none of the times negative.
_COUNTED: Final = (
    "SELECT created_at - ?1, state, count, brought, failure_id,"
    " max(0, submitted_at - created_at), max(0, ended_at - accepted_at) FROM tasks"
)
_ASKED: Final = (
    f"{_COUNTED} INDEXED BY tasks_figures WHERE finished_at IS NOT NULL"
    " AND created_at BETWEEN ?1 AND ?2"
    f" UNION ALL {_COUNTED} INDEXED BY tasks_unfinished_of_user WHERE finished_at IS NULL"
    " AND created_at BETWEEN ?1 AND ?2"
)
_SLOTS: Final = (
    "SELECT sent_at - ?1, released_at - ?1 FROM submissions INDEXED BY submissions_figures"
    " WHERE released_at IS NOT NULL AND released_at > ?1 AND sent_at <= ?2"
    " UNION ALL SELECT sent_at - ?1, held_until - ?1 FROM submissions INDEXED BY submissions_held"
    " WHERE released_at IS NULL AND held_until > ?1 AND sent_at <= ?2"
)


class Counting(Connections):
    """The store's method for what was asked for, and what became of it."""

    async def figures(self, *, began: datetime, now: datetime, step: timedelta) -> Figures:
        """Count what was asked for from `began` to now, and the slots in use in such steps."""
        span = (stamp(began), stamp(now))
        return await self._read(
            lambda: reckoned(
                self._each(_ASKED, span), self._each(_SLOTS, span), began=began, now=now, step=step
            )
        )
