"""Keeping house: recovery, forgetting, counting."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from storage.memory.tables import Memory, over
from storage.tasks import IN_LINE, Draft, Overview, Place, Task, TaskState


def _left_behind(task: Task, owner: str, now: datetime, sole: bool) -> bool:
    if sole:
        return task.claimed_by != owner
    return task.lease_until is not None and task.lease_until <= now


class Housekeeping(Memory):
    """The store's methods for what nobody asks for and everybody needs."""

    async def move_chat(self, old: int, new: int) -> None:
        """A group became a supergroup: everything of it belongs to its new id."""
        if old == new:
            return
        tables = self._tables
        updates = [one for one in tables.inbox.values() if one.row.chat_id == old]
        tasks = [one for one in tables.tasks.values() if old in {one.place.chat_id, one.user_id}]
        drafts = [one for one in tables.drafts.values() if old in {one.place.chat_id, one.user_id}]
        albums = [group for chat_id, group in tables.albums if chat_id == old]
        for update in updates:
            update.row = replace(update.row, chat_id=new)
        for task in tasks:
            its = task
            if task.place.chat_id == old:
                its = replace(task, place=_moved(task.place, new), progress_message_id=None)
            self._put(replace(its, user_id=_owner(task, old, new)))
        for draft in drafts:
            one = draft
            if draft.place.chat_id == old:
                one = replace(draft, place=_moved(draft.place, new), question_id=None)
            tables.drafts[draft.id] = replace(one, user_id=_owner(draft, old, new))
        for group in albums:
            self._move_album(group, old, new)
        if self._move_conversation(old, new) or updates or tasks or drafts or albums:
            self._bells.changed("move_chat")

    def _move_album(self, group: str, old: int, new: int) -> None:
        albums = self._tables.albums
        album, other = albums.pop((old, group)), albums.get((new, group))
        parts = {**album.parts, **({} if other is None else other.parts)}
        album.parts = {key: replace(part, chat_id=new) for key, part in parts.items()}
        if album.closed and album.open_parts():
            album.closed, album.due_at = False, album.created_at
        albums[new, group] = album

    def _move_conversation(self, old: int, new: int) -> bool:
        tables = self._tables
        messages = [key for key in tables.messages if key[0] == old]
        for key in messages:
            del tables.messages[key]
        views = {key: one for key, one in tables.views.items() if old in {one.chat_id, one.user_id}}
        for origin, view in views.items():
            tables.views[origin] = replace(
                view,
                chat_id=new if view.chat_id == old else view.chat_id,
                user_id=new if view.user_id == old else view.user_id,
            )
        chosen = False
        scopes: tuple[Literal["user", "chat"], ...] = ("user", "chat")
        for scope in scopes:
            if here := tables.preferences.pop((scope, old), {}):
                # what was chosen there is newer
                tables.preferences[scope, new] = here | tables.preferences.get((scope, new), {})
                chosen = True
        return bool(messages or views or chosen)

    async def rebase(self, now: datetime, *, grace: timedelta) -> timedelta:
        """Make open rows' times good after the program was off, and the clock perhaps set meanwhile."""
        ahead = max((one - now for one in self._latest_stamps()), default=timedelta())
        if ahead > timedelta():
            self._set_back(ahead, now)
            self._bells.changed("rebase")
        running = {one.id: one for one in self._tasks(TaskState.RUNNING)}
        for task in running.values():
            self._put(replace(task, deadline_at=max(task.deadline_at or now, now + grace)))
        for submission in self._tables.submissions:
            known = submission.hidream_task_id is not None and submission.task_id in running
            if known and submission.released_at is None:
                submission.held_until = max(submission.held_until, now + grace)
        return max(ahead, timedelta())

    def _set_back(self, ahead: timedelta, now: datetime) -> None:
        tables = self._tables
        for submission in tables.submissions:
            if submission.released_at is None:
                submission.held_until -= ahead
        for task in [one for one in tables.tasks.values() if one.finished_at is None]:
            self._put(
                replace(
                    task,
                    due_at=task.due_at and task.due_at - ahead,
                    deadline_at=task.deadline_at and task.deadline_at - ahead,
                    submitted_at=task.submitted_at and task.submitted_at - ahead,
                    accepted_at=task.accepted_at and task.accepted_at - ahead,
                    lease_until=task.lease_until and task.lease_until - ahead,
                    trouble_since=task.trouble_since and min(task.trouble_since, now),
                )
            )
        for update in tables.inbox.values():
            if update.state == "new" and update.due_at is not None:
                update.due_at -= ahead
        for album in tables.albums.values():
            album.due_at = album.due_at and album.due_at - ahead

    def _latest_stamps(self) -> list[datetime]:
        tables = self._tables
        updates, tasks = list(tables.inbox.values()), list(tables.tasks.values())
        stamps: list[datetime | None] = [
            *(one.row.received_at for one in updates[-1:]),
            *(one.created_at for one in tasks[-1:]),
            *(stamp for one in tables.submissions[-1:] for stamp in (one.sent_at, one.answered_at)),
            *(one.ready_at for one in tasks if one.state is TaskState.READY),
            *(one.finished_at for one in tasks if not one.pruned),
        ]
        return [one for one in stamps if one is not None]

    async def recover(
        self,
        *,
        owner: str,
        now: datetime,
        sole: bool,
        state: Literal[TaskState.SUBMITTING, TaskState.DELIVERING] | None = None,
    ) -> int:
        """Take back what was left behind: SUBMITTING → UNCERTAIN (or CANCELLED), DELIVERING → READY."""
        states = (TaskState.SUBMITTING, TaskState.DELIVERING) if state is None else (state,)
        left = [task for task in self._tasks(*states) if _left_behind(task, owner, now, sole)]
        for task in left:
            free = replace(task, claimed_by=None, lease_until=None)
            if task.state is TaskState.DELIVERING:
                self._put(replace(free, state=TaskState.READY))
                continue
            free = replace(
                free, state=TaskState.UNCERTAIN, due_at=now, uncertain=task.uncertain + 1
            )
            self._put(over(free, now) if task.withdrawn else free)
        if state is not TaskState.DELIVERING:
            self._nobody_waits(now)
        if left:
            self._bells.changed("recover")
        return len(left)

    def _nobody_waits(self, now: datetime) -> None:
        submitting = {task.id for task in self._tasks(TaskState.SUBMITTING)}
        for submission in self._tables.submissions:
            if submission.answered_at is None and submission.task_id not in submitting:
                submission.answered_at, submission.outcome = now, "uncertain"

    async def with_files_before(self, before: datetime, limit: int) -> list[int]:
        """Give the ids of tasks that are emptied, or were finished before then, and whose files are not noted as removed."""
        tables = self._tables
        emptied = sorted(
            task.id
            for task in tables.tasks.values()
            if task.pruned and task.finished_at is not None and task.id not in tables.without_files
        )
        old = self._finished_before(before, tables.without_files | set(emptied))
        return [*emptied, *old][:limit]

    async def files_removed(self, task_id: int) -> None:
        """Note that a task's files are off the disk."""
        self._tables.without_files.add(task_id)

    async def notices(self) -> Mapping[str, datetime]:
        """Give what the admins were told and when, by name."""
        return dict(self._tables.notices)

    async def note_notice(self, name: str, now: datetime) -> None:
        """Note that the admins were told this."""
        self._tables.notices[name] = now

    async def forget_notice(self, name: str) -> None:
        """Note that it is over: the next time it is news again."""
        self._tables.notices.pop(name, None)

    async def probe(self, now: datetime) -> None:
        """Write something that means nothing, as every write is made: to see whether it can be done."""
        self._tables.facts["probe"] = now.isoformat()

    async def counts(self) -> Mapping[str, int]:
        """Count tasks by state; also `unanswered` (submissions without an answer) and `repeated` (messages that may have been shown twice)."""
        tasks = self._tables.tasks.values()
        by_state = {str(state): len(list(self._tasks(state))) for state in TaskState}
        steps = (step for task in self._tables.steps.values() for step in task.values())
        return {
            **by_state,
            "unanswered": sum(task.uncertain for task in tasks),
            "repeated": sum(step.repeats for step in steps),
        }

    async def overview(self, now: datetime, *, closed: Collection[int] = ()) -> Overview:
        """Say how it stands with all that is kept; a result for one of these chats is not waited for."""
        first = min(self._tasks(*IN_LINE), key=lambda task: task.id, default=None)
        new = [one.row for one in self._tables.inbox.values() if one.state == "new"]
        ready = (
            one.ready_at for one in self._tasks(TaskState.READY) if one.place.chat_id not in closed
        )
        return Overview(
            counts=await self.counts(),
            slots_held=len([one for one in self._tables.submissions if one.held(now)]),
            line_since=first.created_at if first else None,
            ready_since=min(filter(None, ready), default=None),
            inbox=len(new),
            inbox_since=new[0].received_at if new else None,
        )


def _moved(place: Place, chat_id: int) -> Place:
    """Give the place in the group's new chat: there, other messages and topics have its numbers."""
    return replace(place, chat_id=chat_id, message_id=0, thread_id=None)


def _owner(row: Task | Draft, old: int, new: int) -> int:
    """Say whose a row is once a group has moved: whoever writes in its own name has its id."""
    return new if row.user_id == old else row.user_id
