"""Many tasks asked about in one call, and whose each entry of the answer is. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.hidream.wire import TaskResult


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One task to ask about: HiDream's ids for it, and the chat user it belongs to."""

    task_id: str
    sub_task_ids: tuple[str, ...]
    user_id: str


def joined(asked: Sequence[Asked], entries: Iterable[TaskResult]) -> dict[str, TaskResult]:
    """The entries of a batch answer by the task that each belongs to.

    By `task_id` where there is one, else by the sub-tasks' ids, known since the submission. Never
    by place: an entry that belongs to no task, or to two, is left out.
    """
    known = {each.task_id for each in asked}
    owners = {sub: each.task_id for each in asked for sub in each.sub_task_ids}
    found: dict[str, TaskResult] = {}
    for entry in entries:
        if entry.task_id is not None:
            named = {entry.task_id} & known
        else:
            named = {
                owners[sub.sub_task_id] for sub in entry.sub_tasks if sub.sub_task_id in owners
            }
        if len(named) != 1:
            continue
        owner = named.pop()
        found[owner] = TaskResult(
            task_id=owner, request_id=entry.request_id, sub_tasks=entry.sub_tasks
        )
    return found
