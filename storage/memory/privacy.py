"""Everything of one person, and its end."""

import secrets
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from storage.memory.forgetting import Forgetting, emptied
from storage.memory.tables import Update, over
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
from storage.tasks import (
    AT_HIDREAM,
    FINAL,
    IN_LINE,
    AlbumPart,
    Forgotten,
    Task,
    TaskMessage,
    TaskState,
)

_SHOWN = FINAL - {TaskState.CANCELLED}
_Piece = tuple[str, Mapping[str, Any]]


class Privacy(Forgetting):
    """The store's methods for a person who asks what is kept of them, or to be forgotten."""

    async def everything_of(self, user_id: int) -> AsyncIterator[_Piece]:
        """Give every row that is kept on a person, with what it is: ("task", {...}), ("draft", ...)."""
        tables = self._tables
        tasks = self._tasks_of(user_id)
        for at in range(0, len(tasks), BATCH):
            for piece in self._with_all(tasks[at : at + BATCH]):
                yield piece
        for draft in tables.drafts.values():
            if draft.user_id == user_id:
                yield "draft", plain(draft)
        for view in tables.views.values():
            if view.user_id == user_id:
                yield "view", plain(view)
        scopes: tuple[Literal["chat", "user"], ...] = ("chat", "user")
        for scope in scopes if has_a_chat(user_id) else scopes[1:]:
            for name, value in sorted(tables.preferences.get((scope, user_id), {}).items()):
                yield "preference", {"scope": scope, "name": name, "value": value}
        for part in self._gathered(user_id):
            yield "album_part", plain(part)
        for state in ("new", "aside"):
            for update in tables.inbox.values():
                if update.state == state and is_from(update.row.raw, user_id):
                    yield "update", plain(update.row)

    def _tasks_of(self, user_id: int) -> list[Task]:
        return [task for task in self._tables.tasks.values() if task.user_id == user_id]

    def _with_all(self, tasks: Sequence[Task]) -> Iterator[_Piece]:
        """Give tasks, and what belongs to them."""
        tables, ids = self._tables, [task.id for task in tasks]
        for task in tasks:
            yield "task", plain(task)
        for task_id in ids:
            for image in tables.images.get(task_id, ()):
                yield "image", plain(image)
        for task_id in ids:
            for _, step in sorted(tables.steps.get(task_id, {}).items()):
                yield "step", {"task_id": task_id, **plain(step)}
        messages = [one for one in tables.messages.values() if one.task_id in ids]
        for one in sorted(messages, key=lambda one: (one.task_id, one.message_id, one.chat_id)):
            yield "message", plain(one)
        for task_id in ids:
            for submission in tables.submissions:
                if submission.task_id == task_id:
                    secret = ("callback_hash", "hinted_task_id")
                    written = plain(submission)
                    yield "submission", {k: v for k, v in written.items() if k not in secret}

    def _gathered(self, user_id: int) -> list[AlbumPart]:
        """Give the parts of albums that somebody has sent and that are to be worked off."""
        parts = [
            part
            for album in self._tables.albums.values()
            if not album.closed
            for part in album.parts.values()
            if part.data and is_by(part.data, user_id)
        ]
        return sorted(parts, key=lambda part: (part.origin.bot_id, part.origin.update_id))

    async def forget_person(self, user_id: int, now: datetime) -> Forgotten:
        """Forget a person: what is in line is cancelled, and all rows are emptied of person, chat, words and ids."""
        tasks = self._tasks_of(user_id)
        submitting = {task.id for task in tasks if task.state is TaskState.SUBMITTING}
        kept = {task.id for task in tasks} & self._held_tasks(now) | submitting
        for task in tasks:
            if task.id in submitting:
                self._put(replace(task, withdrawn=True))
            elif task.state not in FINAL:
                self._put(over(task, now))
        if kept:
            self._keep_for_slots(kept, user_id)
        self._forget_tasks(task.id for task in tasks if task.id not in kept)
        self._forget_beside(user_id)
        if tasks:
            self._bells.changed("forget_person")
        return _forgotten(tasks)

    def _keep_for_slots(self, task_ids: set[int], user_id: int) -> None:
        """Empty tasks of all but what is needed to hear of HiDream's end."""
        tables = self._tables
        key = tables.facts.setdefault(KEY_FACT, secrets.token_hex(KEY_BYTES))
        for task_id in task_ids:
            bare = emptied(tables.tasks[task_id])
            under_way = bare.state is TaskState.SUBMITTING
            self._put(replace(bare, request_id=bare.request_id if under_way else None))
            tables.person_hashes[task_id] = hashed(key, user_id)
        for submission in tables.submissions:
            if submission.task_id in task_ids:
                submission.request_id = ""
        self._forget_beside_tasks(task_ids)

    def _forget_beside(self, user_id: int) -> None:
        tables = self._tables
        gathered = {part.origin for part in self._gathered(user_id)}
        for album in tables.albums.values():
            for key, part in list(album.parts.items()):
                if part.origin in gathered:
                    del album.parts[key]
        for draft in [one for one in tables.drafts.values() if one.user_id == user_id]:
            del tables.drafts[draft.id]
        for view_key in [key for key, one in tables.views.items() if one.user_id == user_id]:
            del tables.views[view_key]
        tables.preferences.pop(("user", user_id), None)
        aside = [key for key, one in tables.inbox.items() if _is_aside(one, user_id)]
        for update_key in aside:
            del tables.inbox[update_key]
        if has_a_chat(user_id):
            self._forget_own_chat(user_id)

    def _forget_own_chat(self, user_id: int) -> None:
        tables = self._tables
        tables.preferences.pop(("chat", user_id), None)
        for key in [key for key in tables.albums if key[0] == user_id]:
            del tables.albums[key]
        for update in tables.inbox.values():
            if update.state == "done" and update.row.chat_id == user_id:
                update.row = replace(update.row, chat_id=None)

    async def forget_pictures(self, task_id: int) -> None:
        """Forget which pictures Telegram keeps of a task, and which messages show them."""
        tables = self._tables
        images = tables.images.get(task_id, [])
        images[:] = [replace(image, file_id=None, sent_as=None) for image in images]
        for key, one in list(tables.messages.items()):
            if one.task_id == task_id and one.role in {"picture", "file"}:
                del tables.messages[key]


def _is_aside(update: Update, user_id: int) -> bool:
    theirs = update.row.chat_id == user_id or concerns(update.row.raw, user_id)
    return update.state == "aside" and theirs


def _forgotten(tasks: Sequence[Task]) -> Forgotten:
    return Forgotten(
        cancelled=len([task for task in tasks if task.state in IN_LINE]),
        stopped=len([task for task in tasks if task.state in AT_HIDREAM]),
        task_ids=tuple(task.id for task in tasks),
        messages=tuple(
            TaskMessage(
                chat_id=task.place.chat_id,
                message_id=task.progress_message_id,
                task_id=task.id,
                role="progress",
                sent_at=task.created_at,
            )
            for task in tasks
            if task.progress_message_id is not None and task.state not in _SHOWN
        ),
    )
