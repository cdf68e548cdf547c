"""Everything of one person, and its end."""

import json
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from sqlite3 import Row
from typing import Any, Final

from storage.people import (
    BATCH,
    KEY_BYTES,
    KEY_FACT,
    concerns,
    has_a_chat,
    hashed,
    is_by,
    is_from,
    plain,
)
from storage.sqlite.forgetting import BESIDE, EMPTIED, Forgetting
from storage.sqlite.rows import (
    album_part_of,
    draft_of,
    image_of,
    inbox_row_of,
    message_of,
    moment,
    stamp,
    step_of,
    task_of,
    view_of,
)
from storage.tasks import AT_HIDREAM, FINAL, IN_LINE, Forgotten, TaskMessage, TaskState

_TIMES: Final = ("sent_at", "answered_at", "held_until", "released_at")
OF_TASKS: Final[Sequence[tuple[str, str, Callable[[Row], dict[str, Any]]]]] = (
    (
        "image",
        "SELECT * FROM images WHERE task_id IN ({}) ORDER BY task_id, n",
        lambda row: plain(image_of(row)),
    ),
    (
        "step",
        "SELECT * FROM steps WHERE task_id IN ({}) ORDER BY task_id, name",
        lambda row: {"task_id": row["task_id"], **plain(step_of(row))},
    ),
    (
        "message",
        "SELECT * FROM messages WHERE task_id IN ({}) ORDER BY task_id, message_id, chat_id",
        lambda row: plain(message_of(row)),
    ),
    (
        "submission",
        (
            "SELECT task_id, request_id, images, outcome, hidream_task_id, sent_at, answered_at,"
            " held_until, released_at FROM submissions WHERE task_id IN ({}) ORDER BY task_id, id"
        ),
        lambda row: {**dict(row), **{name: _written(row[name]) for name in _TIMES}},
    ),
)
"""What belongs to tasks: its name, how it is read, and how it is written down."""

_CANCEL: Final = (
    "UPDATE tasks SET state = 'cancelled', claimed_by = NULL, lease_until = NULL, due_at = NULL,"
    " ready_at = NULL, failure_id = NULL, failure_data = NULL, finished_at = ?"
    " WHERE user_id = ? AND finished_at IS NULL AND state <> 'submitting'"
)
_WITHDRAW: Final = (
    "UPDATE tasks SET withdrawn = 1 WHERE user_id = ? AND finished_at IS NULL"
    " AND state = 'submitting'"
)
_KEPT: Final = (
    f"UPDATE tasks SET {EMPTIED}, person_hash = ?,"  # noqa: S608 - ours
    " request_id = CASE state WHEN 'submitting' THEN request_id END WHERE id = ?"
)
_OWN: Final = (
    "DELETE FROM drafts WHERE user_id = ?",
    "DELETE FROM views WHERE user_id = ?",
    "DELETE FROM preferences WHERE scope = 'user' AND owner_id = ?",
)
_IN_OWN_CHAT: Final = (
    "DELETE FROM preferences WHERE scope = 'chat' AND owner_id = ?",
    "DELETE FROM albums WHERE chat_id = ?",
    "UPDATE inbox SET chat_id = NULL WHERE chat_id = ? AND state = 'done'",
)
_ASIDE: Final = "SELECT * FROM inbox WHERE state = 'aside' AND handled_at IS NOT NULL"
_GATHERED: Final = (
    "SELECT part.* FROM albums CROSS JOIN album_parts AS part ON part.chat_id = albums.chat_id"
    " AND part.media_group_id = albums.media_group_id WHERE closed = 0 AND data <> ''"
    " ORDER BY part.bot_id, part.update_id"
)


def _written(time: int | None) -> str | None:
    return None if time is None else moment(time).isoformat()


class Privacy(Forgetting):
    """The store's methods for a person who asks what is kept of them, or to be forgotten."""

    async def everything_of(self, user_id: int) -> AsyncIterator[tuple[str, Mapping[str, Any]]]:
        """Give every row that is kept on a person, with what it is: ("task", {...}), ("draft", ...)."""
        last = 0
        while tasks := await self._rows(
            "SELECT * FROM tasks WHERE user_id = ? AND id > ? ORDER BY id LIMIT ?",
            (user_id, last, BATCH),
        ):
            last = tasks[-1]["id"]
            for row in tasks:
                yield "task", plain(task_of(row))
            ids = json.dumps([row["id"] for row in tasks])
            for name, sql, written in OF_TASKS:
                for row in await self._rows(sql.format("SELECT value FROM json_each(?)"), (ids,)):
                    yield name, written(row)
        for row in await self._rows(
            "SELECT * FROM drafts WHERE user_id = ? ORDER BY id", (user_id,)
        ):
            yield "draft", plain(draft_of(row))
        for row in await self._rows(
            "SELECT * FROM views WHERE user_id = ? ORDER BY id", (user_id,)
        ):
            yield "view", plain(view_of(row))
        for scope in ("chat", "user") if has_a_chat(user_id) else ("user",):
            for row in await self._rows(
                "SELECT * FROM preferences WHERE scope = ? AND owner_id = ? ORDER BY name",
                (scope, user_id),
            ):
                yield "preference", {"scope": scope, "name": row["name"], "value": row["value"]}
        for row in await self._rows(_GATHERED):
            if is_by(row["data"], user_id):
                yield "album_part", plain(album_part_of(row))
        async for row in self._updates():
            if is_from(row["raw"], user_id):
                yield "update", plain(inbox_row_of(row))

    async def _updates(self) -> AsyncIterator[Row]:
        """Give the updates that are to be handled, and those that were set aside."""
        last = 0
        while rows := await self._rows(
            "SELECT * FROM inbox WHERE state = 'new' AND id > ? ORDER BY id LIMIT ?", (last, BATCH)
        ):
            last = rows[-1]["id"]
            for row in rows:
                yield row
        for row in await self._rows(f"{_ASIDE} ORDER BY id"):
            yield row

    async def forget_person(self, user_id: int, now: datetime) -> Forgotten:
        """Forget a person: what is in line is cancelled, and all rows are emptied of person, chat, words and ids."""
        new_key = secrets.token_hex(KEY_BYTES)

        def work() -> Forgotten:
            tasks = self._run("SELECT * FROM tasks WHERE user_id = ? ORDER BY id", (user_id,))
            held = self._run(
                "SELECT task_id FROM submissions WHERE released_at IS NULL AND held_until > ?"
                " AND task_id IN (SELECT id FROM tasks WHERE user_id = ?)",
                (stamp(now), user_id),
            )
            kept = {row["task_id"] for row in held}
            kept |= {row["id"] for row in tasks if row["state"] == TaskState.SUBMITTING}
            self._run(_CANCEL, (stamp(now), user_id))
            self._run(_WITHDRAW, (user_id,))
            if kept:
                self._keep_for_slots(sorted(kept), hashed(self._key(new_key), user_id))
            self._forget_tasks([row["id"] for row in tasks if row["id"] not in kept])
            self._forget_beside(user_id)
            return _forgotten(tasks)

        forgotten = await self._write(
            "forget_person", work, changed=lambda done: bool(done.task_ids)
        )
        await self._checkpoints.clean()
        return forgotten

    def _key(self, new: str) -> str:
        self._run(
            "INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
            (KEY_FACT, new),
        )
        (row,) = self._run("SELECT value FROM facts WHERE name = ?", (KEY_FACT,))
        key: str = row["value"]
        return key

    def _keep_for_slots(self, task_ids: Sequence[int], person_hash: str) -> None:
        """Empty tasks of all but what is needed to hear of HiDream's end."""
        self._run_many(_KEPT, [(person_hash, task_id) for task_id in task_ids])
        for sql in ("UPDATE submissions SET request_id = '' WHERE task_id = ?", *BESIDE):
            self._run_many(sql, [(task_id,) for task_id in task_ids])

    def _forget_beside(self, user_id: int) -> None:
        for sql in (*_OWN, *(_IN_OWN_CHAT if has_a_chat(user_id) else ())):
            self._run(sql, (user_id,))
        aside = [
            row
            for row in self._run(_ASIDE)
            if row["chat_id"] == user_id or concerns(row["raw"], user_id)
        ]
        self._run_many("DELETE FROM inbox WHERE id = ?", [(row["id"],) for row in aside])
        self._run_many(
            "DELETE FROM album_parts WHERE bot_id = ? AND update_id = ?",
            [
                (row["bot_id"], row["update_id"])
                for row in self._run(_GATHERED)
                if is_by(row["data"], user_id)
            ],
        )

    async def forget_pictures(self, task_id: int) -> None:
        """Forget which pictures Telegram keeps of a task, and which messages show them."""

        def work() -> None:
            self._run(
                "UPDATE images SET file_id = NULL, sent_as = NULL WHERE task_id = ?", (task_id,)
            )
            self._run(
                "DELETE FROM messages WHERE task_id = ? AND role IN ('picture', 'file')", (task_id,)
            )

        await self._write(None, work)


def _forgotten(tasks: Sequence[Row]) -> Forgotten:
    shown = FINAL - {TaskState.CANCELLED}
    return Forgotten(
        cancelled=len([row for row in tasks if row["state"] in IN_LINE]),
        stopped=len([row for row in tasks if row["state"] in AT_HIDREAM]),
        task_ids=tuple(row["id"] for row in tasks),
        messages=tuple(
            TaskMessage(
                chat_id=row["chat_id"],
                message_id=row["progress_message_id"],
                task_id=row["id"],
                role="progress",
                sent_at=moment(row["created_at"]),
            )
            for row in tasks
            if row["progress_message_id"] is not None and row["state"] not in shown
        ),
    )
