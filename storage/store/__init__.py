"""What a store must be able to do, whatever keeps its rows. Pure: no database.

Each module here has one part of the protocol, as it has in every store; `TaskStore` is their sum.
"""

from typing import Protocol

from storage.store.at_hidream import AtHiDream
from storage.store.conversation import Conversation
from storage.store.delivery import Delivery
from storage.store.errors import DatabaseRefused, StillMaking, StoreError, TooManyUnfinished
from storage.store.facts import Facts
from storage.store.figures import Counting
from storage.store.handing_in import HandingIn
from storage.store.housekeeping import Housekeeping
from storage.store.inbox import Inbox
from storage.store.line import Line
from storage.store.privacy import Privacy
from storage.store.waking import Waking

__all__ = [
    "DatabaseRefused",
    "Facts",
    "StillMaking",
    "StoreError",
    "TaskStore",
    "TooManyUnfinished",
]


class TaskStore(
    Waking,
    Inbox,
    Conversation,
    Facts,
    Line,
    HandingIn,
    AtHiDream,
    Delivery,
    Privacy,
    Housekeeping,
    Counting,
    Protocol,
):
    """Everything that lasts. Each method is one atomic step; times are UTC-aware.

    Methods that move a task take the `Task` as it was read and change the row only if its state and
    `claim_no` are still the same; they return the new row, or None where somebody else was quicker.
    A move that `moves.MOVES` does not know raises ValueError: it is a mistake in the program.
    """

    async def close(self) -> None:
        """Let go of the database; nothing may be asked afterwards."""
        ...
