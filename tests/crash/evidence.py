"""What is to be seen after a storm, on all sides: in the chats, at both services, in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tests.crash.plan import Photo, Plan
from tests.e2e.world import JSON


@dataclass(frozen=True, kw_only=True, slots=True)
class SentPhoto:
    """A photo that was sent: where, and in which life of the bot."""

    photo: Photo
    chat: int
    message_id: int
    life: int
    others: tuple[int, ...] = ()
    """The messages of the same person that have to do with it: its words, or the wish to stop it."""
    pressed: int | None = None
    """In which life the same was wanted again, by a button."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """All that is to be seen."""

    plan: Plan
    kills: Sequence[str]
    """Where it was killed."""
    starts: Sequence[datetime]
    """When it was started: one more than there were kills."""
    sent: Sequence[SentPhoto]
    chats: Mapping[int, Sequence[JSON]]
    """What each chat shows of the bot."""
    telegram: Sequence[JSON]
    hidream: Sequence[JSON]
    """All calls, as the sandbox wrote them down."""
    parallel: int
    """How many tasks the account may have running."""
    made: JSON
    """What HiDream was asked to make, and the peaks."""
    tasks: Sequence[JSON]
    steps: Sequence[JSON]
    submissions: Sequence[JSON]
    tallies: Mapping[str, int]
    aside: Sequence[JSON]
    integrity: Sequence[JSON]
