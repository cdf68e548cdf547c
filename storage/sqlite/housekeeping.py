"""Keeping house: recovery, forgetting, counting."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final, Literal

from storage.sqlite.connection import Connections
from storage.sqlite.handing_in import SLOTS_HELD
from storage.sqlite.rows import moment, stamp
from storage.tasks import Overview, TaskState

PROBE_FACT: Final = "probe"
"""The name of the row that is written to see whether rows can be written."""

_MOVE_CHAT: Final = (
    "UPDATE inbox SET chat_id = ?1 WHERE chat_id = ?2 RETURNING id",
    # There, other messages and topics have these numbers: none is to be taken for one of these.
    (
        "UPDATE drafts SET chat_id = ?1, message_id = 0, question_id = NULL, thread_id = NULL"
        " WHERE chat_id = ?2 RETURNING id"
    ),
    (
        "UPDATE tasks SET chat_id = ?1, message_id = 0, progress_message_id = NULL, thread_id = NULL"
        " WHERE chat_id = ?2 AND finished_at IS NULL RETURNING id"
    ),
    (
        "UPDATE tasks SET chat_id = ?1, message_id = 0, progress_message_id = NULL, thread_id = NULL"
        " WHERE chat_id = ?2 AND finished_at IS NOT NULL RETURNING id"
    ),
    # Whoever writes in the group's own name has its id.
    "UPDATE drafts SET user_id = ?1 WHERE user_id = ?2 RETURNING id",
    "UPDATE tasks SET user_id = ?1 WHERE user_id = ?2 RETURNING id",
    "UPDATE views SET user_id = ?1 WHERE user_id = ?2 RETURNING id",
    "DELETE FROM messages WHERE chat_id = ?2 RETURNING message_id",
    # An album that both ids know becomes one; what has not been worked off of it still is to be.
    "UPDATE OR REPLACE albums SET chat_id = ?1 WHERE chat_id = ?2 RETURNING update_id",
    "UPDATE album_parts SET chat_id = ?1 WHERE chat_id = ?2 RETURNING update_id",
    (
        "UPDATE albums SET closed = 0, due_at = created_at"
        " WHERE chat_id = ?1 AND chat_id <> ?2 AND closed = 1 AND EXISTS (SELECT 1 FROM album_parts"
        " WHERE chat_id = albums.chat_id AND media_group_id = albums.media_group_id"
        " AND data <> '') RETURNING update_id"
    ),
    # What was chosen there is newer.
    (
        "UPDATE OR IGNORE preferences SET owner_id = ?1"
        " WHERE scope IN ('user', 'chat') AND owner_id = ?2 RETURNING name"
    ),
    "DELETE FROM preferences WHERE scope IN ('user', 'chat') AND owner_id = ?2 RETURNING name",
    "UPDATE views SET chat_id = ?1 WHERE chat_id = ?2 RETURNING id",
)

_COUNTS: Final = "SELECT name, n FROM tallies"

# Ids are given in order, so the lowest came first. Named, the indexes are read, which are as long as
# the line; for a lowest id SQLite would rather pass by all that is over.
_LINE_SINCE: Final = (
    "SELECT min(created_at) AS since FROM tasks WHERE id IN ("
    "(SELECT min(id) FROM tasks INDEXED BY tasks_line WHERE state = 'queued'),"
    " (SELECT min(id) FROM tasks INDEXED BY tasks_waiting WHERE state = 'waiting'))"
)
_INBOX_SINCE: Final = "SELECT received_at FROM inbox WHERE state = 'new' ORDER BY id LIMIT 1"

_TAKE_BACK: Final[Mapping[TaskState, str]] = {
    TaskState.SUBMITTING: (
        "UPDATE tasks SET state = 'uncertain', claimed_by = NULL, lease_until = NULL,"
        " due_at = ?1, uncertain = uncertain + 1"
        " WHERE state = 'submitting' AND claimed_by IS NOT NULL"
        " AND CASE WHEN ?3 THEN claimed_by <> ?2 ELSE lease_until <= ?1 END RETURNING id"
    ),
    TaskState.DELIVERING: (
        "UPDATE tasks SET state = 'ready', claimed_by = NULL, lease_until = NULL"
        " WHERE state = 'delivering' AND claimed_by IS NOT NULL"
        " AND CASE WHEN ?3 THEN claimed_by <> ?2 ELSE lease_until <= ?1 END RETURNING id"
    ),
}
_WITHDRAWN_IS_OVER: Final = (
    "UPDATE tasks SET state = 'cancelled', due_at = NULL, finished_at = ?"
    " WHERE state = 'uncertain' AND withdrawn = 1"
)
_NOBODY_WAITS: Final = (
    "UPDATE submissions SET outcome = 'uncertain', answered_at = ?"
    " WHERE answered_at IS NULL AND task_id NOT IN (SELECT id FROM tasks"
    " WHERE state = 'submitting' AND claimed_by IS NOT NULL)"
)


_EMPTIED_WITH_FILES: Final = (
    "SELECT id FROM tasks WHERE pruned = 1 AND files_removed = 0 AND finished_at IS NOT NULL"
    " ORDER BY id LIMIT ?"
)
_OLD_WITH_FILES: Final = (
    "SELECT id FROM tasks INDEXED BY tasks_with_files WHERE finished_at IS NOT NULL"
    " AND files_removed = 0 AND pruned = 0 AND finished_at < ? ORDER BY finished_at, id LIMIT ?"
)

# Each from an index: the latest rows, and what is waiting or over.
_LATEST_STAMPS: Final = (
    "SELECT received_at AS at FROM inbox ORDER BY id DESC LIMIT 1",
    "SELECT created_at AS at FROM tasks ORDER BY id DESC LIMIT 1",
    "SELECT max(sent_at, coalesce(answered_at, 0)) AS at FROM submissions ORDER BY id DESC LIMIT 1",
    "SELECT ready_at AS at FROM tasks WHERE state = 'ready' ORDER BY ready_at DESC LIMIT 1",
    (
        "SELECT finished_at AS at FROM tasks WHERE finished_at IS NOT NULL AND pruned = 0"
        " ORDER BY finished_at DESC LIMIT 1"
    ),
)
_REBASE: Final = (
    "UPDATE submissions SET held_until = held_until - ?1 WHERE released_at IS NULL",
    (
        "UPDATE tasks SET due_at = due_at - ?1, deadline_at = deadline_at - ?1,"
        " submitted_at = submitted_at - ?1, accepted_at = accepted_at - ?1, lease_until = lease_until - ?1,"
        " trouble_since = min(trouble_since, ?2) WHERE finished_at IS NULL"
    ),
    "UPDATE inbox SET due_at = due_at - ?1 WHERE state = 'new' AND due_at IS NOT NULL",
    "UPDATE albums SET due_at = due_at - ?1 WHERE closed = 0",
)
_GRACE: Final = (
    "UPDATE tasks SET deadline_at = max(deadline_at, ?) WHERE state = 'running'",
    (
        "UPDATE submissions SET held_until = max(held_until, ?) WHERE released_at IS NULL"
        " AND hidream_task_id IN (SELECT hidream_task_id FROM tasks WHERE state = 'running')"
    ),
)


class Housekeeping(Connections):
    """The store's methods for what nobody asks for and everybody needs."""

    async def move_chat(self, old: int, new: int) -> None:
        """A group became a supergroup: everything of it belongs to its new id."""

        def work() -> int:
            return sum([len(self._run(sql, (new, old))) for sql in _MOVE_CHAT])

        if old != new:
            await self._write("move_chat", work)

    async def rebase(self, now: datetime, *, grace: timedelta) -> timedelta:
        """Make open rows' times good after the program was off, and the clock perhaps set meanwhile."""

        def work() -> int:
            stamps = [row["at"] for sql in _LATEST_STAMPS for row in self._run(sql)]
            ahead = max(stamps, default=0) - stamp(now)
            if ahead > 0:
                for sql in _REBASE:
                    values = (ahead, stamp(now)) if "?2" in sql else (ahead,)
                    self._run(sql, values)
            for sql in _GRACE:
                self._run(sql, (stamp(now + grace),))
            return max(0, ahead)

        return timedelta(microseconds=await self._write("rebase", work))

    async def recover(
        self,
        *,
        owner: str,
        now: datetime,
        sole: bool,
        state: Literal[TaskState.SUBMITTING, TaskState.DELIVERING] | None = None,
    ) -> int:
        """Take back what was left behind: SUBMITTING → UNCERTAIN (or CANCELLED), DELIVERING → READY."""

        def work() -> int:
            taken = 0
            for one in (TaskState.SUBMITTING, TaskState.DELIVERING) if state is None else (state,):
                taken += len(self._run(_TAKE_BACK[one], (stamp(now), owner, sole)))
            if state is not TaskState.DELIVERING:
                self._run(_WITHDRAWN_IS_OVER, (stamp(now),))
                self._run(_NOBODY_WAITS, (stamp(now),))
            return taken

        return await self._write("recover", work)

    async def with_files_before(self, before: datetime, limit: int) -> list[int]:
        """Give the ids of tasks that are emptied, or were finished before then, and whose files are not noted as removed."""

        def look() -> list[int]:
            emptied = self._ask(_EMPTIED_WITH_FILES, (limit,))
            old = self._ask(_OLD_WITH_FILES, (stamp(before), limit - len(emptied)))
            return [row["id"] for row in (*emptied, *old)]

        return await self._read(look)

    async def files_removed(self, task_id: int) -> None:
        """Note that a task's files are off the disk."""
        await self._change(None, "UPDATE tasks SET files_removed = 1 WHERE id = ?", (task_id,))

    async def notices(self) -> Mapping[str, datetime]:
        """Give what the admins were told and when, by name."""
        rows = await self._rows("SELECT name, told_at FROM notices")
        return {row["name"]: moment(row["told_at"]) for row in rows}

    async def note_notice(self, name: str, now: datetime) -> None:
        """Note that the admins were told this."""
        await self._change(
            None,
            "INSERT INTO notices (name, told_at) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET told_at = excluded.told_at",
            (name, stamp(now)),
        )

    async def forget_notice(self, name: str) -> None:
        """Note that it is over: the next time it is news again."""
        await self._change(None, "DELETE FROM notices WHERE name = ?", (name,))

    async def probe(self, now: datetime) -> None:
        """Write something that means nothing, as every write is made: to see whether it can be done."""
        await self._change(
            None,
            "INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)",
            (PROBE_FACT, now.isoformat()),
        )

    async def counts(self) -> Mapping[str, int]:
        """Count tasks by state; also `unanswered` (submissions without an answer) and `repeated` (messages that may have been shown twice)."""
        rows = await self._rows(_COUNTS)
        return {row["name"]: row["n"] for row in rows}

    async def overview(self, now: datetime, *, closed: Collection[int] = ()) -> Overview:
        """Say how it stands with all that is kept; a result for one of these chats is not waited for."""

        def look() -> Overview:
            (held,) = self._ask(SLOTS_HELD, (stamp(now),))
            (line,) = self._ask(_LINE_SINCE)
            ready = self._ask(
                "SELECT ready_at FROM tasks WHERE state = 'ready'"
                " AND chat_id NOT IN (SELECT value FROM json_each(?)) ORDER BY ready_at LIMIT 1",
                (json.dumps(list(closed)),),
            )
            (inbox,) = self._ask("SELECT count(*) AS n FROM inbox WHERE state = 'new'")
            first = self._ask(_INBOX_SINCE)
            return Overview(
                counts={row["name"]: row["n"] for row in self._ask(_COUNTS)},
                slots_held=held["n"],
                line_since=moment(line["since"]),
                ready_since=moment(ready[0]["ready_at"]) if ready else None,
                inbox=inbox["n"],
                inbox_since=moment(first[0]["received_at"]) if first else None,
            )

        return await self._read(look)
