"""What HiDream says that its documentation does not: logged once, not at each poll."""

import structlog

from bot.hidream.wire import TaskResult

log = structlog.get_logger(__name__)

_said: set[tuple[str, int | None]] = set()
"""Oddities already logged in this process: each is worth one line, not one a poll."""


def report(result: TaskResult) -> None:
    """Log what is strange about the statuses of a task."""
    for each in result.sub_tasks:
        if each.oddity is not None:
            say_once(each.oddity, each.raw_status)


def say_once(event: str, value: int | None) -> None:
    """Log a warning, once for each event and value in the life of the process."""
    # The second bound keeps a service gone mad from filling the memory.
    if (event, value) not in _said and len(_said) < 1000:
        _said.add((event, value))
        log.warning(event, task_status=value)
