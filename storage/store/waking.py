"""What a store must do so that loops hear of changes."""

from typing import Protocol

from storage.tasks import Rest, Topic


class Waking(Protocol):
    """How the loops wait, and how they are woken."""

    def mark(self, topic: Topic) -> int:
        """Say how often `topic` has been woken: take it before looking, give it to `wait`."""
        ...

    async def wait(self, topic: Topic, *, since: int, seconds: float | None = None) -> None:
        """Wait until `topic` is woken after the mark `since`, or so many seconds have passed."""
        ...

    def rest(self, topic: Topic) -> Rest | None:
        """Say whether whoever waits for `topic` is waiting or at work; None: it has not waited yet."""
        ...

    def wake(self, topic: Topic | None = None) -> None:
        """Wake whoever waits for `topic`, or (None) everybody, as when the program stops."""
        ...
