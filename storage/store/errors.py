"""What a store refuses."""


class StoreError(Exception):
    """Something that the store was asked for cannot be done."""


class TooManyUnfinished(StoreError):
    """The person already has as many unfinished tasks as are allowed."""

    def __init__(self, unfinished: int, allowed: int) -> None:
        super().__init__(f"{unfinished} unfinished tasks, {allowed} allowed")
        self.unfinished = unfinished
        self.allowed = allowed


class StillMaking(StoreError):
    """What this button made before is not finished."""

    def __init__(self, task_id: int) -> None:
        super().__init__(f"task {task_id} is unfinished")
        self.task_id = task_id


class DatabaseRefused(StoreError):
    """The database cannot be used as it is: newer, not ours, read-only, corrupt, or in use."""
