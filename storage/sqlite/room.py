"""Room: how much a person may have at one time."""

from datetime import datetime
from typing import Final

from storage.people import KEY_FACT, hashed
from storage.sqlite.rows import stamp
from storage.sqlite.turns import Turns
from storage.store import TooManyUnfinished

_STOPPED_AT_HIDREAM: Final = (
    "SELECT count(DISTINCT task_id) AS n FROM submissions CROSS JOIN tasks ON tasks.id = task_id"
    " WHERE released_at IS NULL AND held_until > ? AND user_id = ? AND tasks.state = 'cancelled'"
)
"""What a person has stopped still costs, and keeps a slot from others, until HiDream's end.

CROSS: from the few held slots to their tasks. SQLite would rather read all that the person ever had.
"""


class Room(Turns):
    """What is counted of a person before they get more."""

    def _check_room(self, user_id: int, wanted: int, allowed: int, now: datetime) -> None:
        (row,) = self._run(
            "SELECT count(*) AS n FROM tasks WHERE user_id = ? AND finished_at IS NULL", (user_id,)
        )
        (stopped,) = self._run(_STOPPED_AT_HIDREAM, (stamp(now), user_id))
        unfinished = row["n"] + stopped["n"] + self._held_for_forgotten(user_id, now)
        if unfinished + wanted > allowed:
            raise TooManyUnfinished(unfinished, allowed)

    def _held_for_forgotten(self, user_id: int, now: datetime) -> int:
        """Count what a person had at HiDream when they were forgotten, and still has."""
        for key in self._run("SELECT value FROM facts WHERE name = ?", (KEY_FACT,)):
            (row,) = self._run(
                "SELECT count(*) AS n FROM tasks WHERE person_hash = ? AND EXISTS (SELECT 1"
                " FROM submissions WHERE task_id = tasks.id AND released_at IS NULL"
                " AND held_until > ?)",
                (hashed(key["value"], user_id), stamp(now)),
            )
            return int(row["n"])
        return 0
