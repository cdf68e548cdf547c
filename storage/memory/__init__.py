"""A full store in memory, for tests: the same promises, but nothing lasts."""

from storage.memory.at_hidream import AtHiDream
from storage.memory.conversation import Conversation
from storage.memory.delivery import Delivery
from storage.memory.figures import Counting
from storage.memory.handing_in import HandingIn
from storage.memory.history import History
from storage.memory.housekeeping import Housekeeping
from storage.memory.inbox import Inbox
from storage.memory.line import Line
from storage.memory.privacy import Privacy

__all__ = ["MemoryStore"]


class MemoryStore(
    Inbox,
    Conversation,
    Line,
    History,
    HandingIn,
    AtHiDream,
    Delivery,
    Privacy,
    Housekeeping,
    Counting,
):
    """A `TaskStore` in memory: `MemoryStore(clock)`."""
