"""Turns: who comes when in the line."""

from datetime import datetime
from sqlite3 import Row
from typing import Final

from storage.moves import closed_up, next_turn
from storage.sqlite.connection import Connections
from storage.sqlite.rows import stamp

_CURRENT: Final = "SELECT value FROM meta WHERE key = 'current_turn'"


class Turns(Connections):
    """What every part of the store needs that lets tasks into the line, or out of it."""

    def _turn_for(self, user_id: int) -> int:
        (current,) = self._run(_CURRENT)
        own = self._run(
            "SELECT turn FROM tasks WHERE user_id = ? AND state IN ('queued', 'waiting')"
            " ORDER BY turn DESC LIMIT 1",
            (user_id,),
        )
        return next_turn(current["value"], (row["turn"] for row in own))

    def _over_if_withdrawn(self, row: Row, now: datetime) -> Row:
        """Cancel a task that was withdrawn while its request was under way, now that it is not any more."""
        if not row["withdrawn"]:
            return row
        (over,) = self._run(
            "UPDATE tasks SET state = 'cancelled', due_at = NULL, ready_at = NULL,"
            " failure_id = NULL, failure_data = NULL, finished_at = ?,"
            " vendor_message = CASE pruned WHEN 0 THEN vendor_message END WHERE id = ? RETURNING *",
            (stamp(now), row["id"]),
        )
        return over

    def _close_up(self, user_id: int) -> None:
        """Close the gaps in a person's turns, where one of their tasks has left without its turn."""
        (current,) = self._run(_CURRENT)
        left = self._run(
            "SELECT turn, id FROM tasks WHERE user_id = ? AND turn > ?"
            " AND state IN ('queued', 'waiting')",
            (user_id, current["value"]),
        )
        moved = closed_up(current["value"], ((row["turn"], row["id"]) for row in left))
        self._run_many(
            "UPDATE tasks SET turn = ? WHERE id = ?",
            [(turn, task_id) for task_id, turn in moved.items()],
        )
