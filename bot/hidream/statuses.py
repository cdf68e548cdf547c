"""HiDream's `task_status` numbers and what they mean for us. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class SubTaskStatus(StrEnum):
    """How it stands with one image of a task."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"
    EMPTY = "empty"

    @property
    def final(self) -> bool:
        """Whether it can no longer change."""
        return self not in {SubTaskStatus.WAITING, SubTaskStatus.RUNNING}


STATUSES: Final[Mapping[int, SubTaskStatus]] = MappingProxyType(
    {
        0: SubTaskStatus.WAITING,
        1: SubTaskStatus.DONE,
        2: SubTaskStatus.RUNNING,
        3: SubTaskStatus.FAILED,
        4: SubTaskStatus.REFUSED,
        1004: SubTaskStatus.EMPTY,
        1005: SubTaskStatus.EMPTY,
        1006: SubTaskStatus.EMPTY,
        -1: SubTaskStatus.WAITING,
        -2: SubTaskStatus.WAITING,
        -3: SubTaskStatus.WAITING,
        -4: SubTaskStatus.WAITING,
        -5: SubTaskStatus.WAITING,
    }
)
"""HiDream's `task_status`; docs/hidream-api.md section 2. Any other number means: go on asking."""
