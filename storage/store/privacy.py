"""What a store must do for a person who asks what is kept of them, or to be forgotten."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any, Protocol

from storage.tasks import Forgotten


class Privacy(Protocol):
    """Everything of one person, and its end."""

    def everything_of(self, user_id: int) -> AsyncIterator[tuple[str, Mapping[str, Any]]]:
        """Give every row that is kept on a person, with what it is: ("task", {...}), ("draft", ...).

        The values are JSON's, times in ISO 8601, the names those of the store's own types. Also what
        is about to be handled, set aside, or gathered of them. Reads in batches: nobody waits.
        """
        ...

    async def forget_person(self, user_id: int, now: datetime) -> Forgotten:
        """Forget a person: what is in line is cancelled, and all rows are emptied of person, chat, words and ids.

        Rows whose submission still holds a slot keep HiDream's id alone, until its end, and a keyed
        hash of the person, by which `add` still counts them as theirs. READY and DELIVERING ones are
        CANCELLED too. Drafts, views, preferences, and updates that were set aside go.
        """
        ...

    async def forget_pictures(self, task_id: int) -> None:
        """Forget which pictures Telegram keeps of a task, and which messages show them."""
        ...
