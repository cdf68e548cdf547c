"""The signs by which it is seen how the bot is, the reasons for not being ready, and all bounds. Pure.

`checkup` gathers the signs, `conditions` judges them. Whoever sees how it is with Telegram only has to
offer what `Polls` or `WatchesWebhook` ask for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from storage.tasks import Rest, Topic

UPDATES_WITHIN: Final = 60.0
"""Seconds without a fetch of updates. A long poll that is quiet and well ends sooner."""
WEBHOOK_WITHIN: Final = 150.0
"""The same for Telegram's answer to how the webhook is: it is asked twice a minute."""
WEBHOOK_ERROR: Final = 120.0
"""Telegram goes on naming its last error for ever: one that is older than this is over."""
WEBHOOK_ERROR_WAITING: Final = 240.0
"""The same while updates wait there: Telegram tries again only every two minutes, and may wait a minute for
an answer, before it is asked at the next look."""
BACKLOG_LOOKS: Final = 5
"""At so many looks in a row, two minutes, no fewer updates than before waited: a burst is taken in sooner."""
DATABASE_WITHIN: Final = 10.0
"""Seconds for a write: longer than SQLite itself waits for a file that somebody else holds (5 s)."""
FREE: Final = 256 * 2**20
"""Bytes that must be free: SQLite's log may take 32 MB, twice while it is taken in; the rest is for the
pictures of all slots, which come before anybody can make room."""
TOKEN_LASTING: Final = 6.0
"""Seconds: a token that was just replaced is found within 5, and tried."""
UNSENT: Final = 600.0
"""Seconds for a result to reach its chat: longer than Telegram closes a chat that was written to too fast,
and than a group with many results takes at its 20 messages a minute."""
OVERSLEPT: Final = 30.0
"""Seconds by which a wait may end late: the event loop turns many times a second."""
NOT_TAKEN: Final = 120.0
"""Seconds in which the next in line is handed in where nothing is in its way: its photo is fetched in less."""
CRASHES: Final = 3
CRASHES_WITHIN: Final = 600.0
"""So many failures of one loop in so many seconds are no chance. (Five in a minute end the process.)"""
PAST_HOPE: Final = 120.0
"""Seconds beyond its bound after which a loop that stands still is started again."""
LOOK_WITHIN: Final = 60.0
"""Seconds in which the signs must have been gathered anew: they are every few seconds."""

LOOPS: Final[Mapping[str, tuple[Topic, float]]] = {
    # Waits within its turn for nothing but the store, whose writes wait 5 s for a file that is held.
    "dispatcher": (Topic.QUEUE, 60.0),
    # So do these; but where the store fails, they let their lanes end first: answers under way,
    "inbox": (Topic.INBOX, 120.0),
    "albums": (Topic.ALBUMS, 120.0),
    "progress": (Topic.PROGRESS, 120.0),
    # and pictures, which may take 150 s each on a small line; to cut one off may show it twice.
    "courier": (Topic.READY, 240.0),
    # Asks HiDream within its turn: in the worst case several calls of up to 30 s.
    "watcher": (Topic.RUNNING, 180.0),
    # Writes to each admin within its turn, and Telegram may be slow.
    "alerts": (Topic.ADMINS, 300.0),
    # Deletes up to 200 files within its turn, perhaps on a slow disk.
    "housekeeping": (Topic.HOUSEKEEPING, 300.0),
}
"""What each loop waits for, and how many seconds of work may lie between two waits."""


class Polls(Protocol):
    """Whoever fetches updates by asking for them."""

    @property
    def fetched_at(self) -> float | None:
        """When Telegram last answered with updates, or with none, by the monotonic clock."""

    @property
    def conflict(self) -> object:
        """Who else receives this bot's updates, by what Telegram says; None or False: nobody."""


class WebhookSeen(Protocol):
    """What Telegram said when it was asked how the webhook is (getWebhookInfo)."""

    @property
    def at(self) -> float:
        """When it answered, by the monotonic clock."""

    @property
    def state(self) -> str:
        """Whose webhook it is: "ours"; "another's"; or "lost", where there is none any more."""

    @property
    def backlog(self) -> Sequence[int]:
        """How many updates waited there at each of the latest looks, the newest last."""

    @property
    def error(self) -> str | None:
        """Its words for what last went wrong when it called."""

    @property
    def error_age(self) -> float | None:
        """How many seconds before the answer that was."""


class WatchesWebhook(Protocol):
    """Whoever asks Telegram how the webhook is."""

    @property
    def info(self) -> WebhookSeen | None:
        """Its last answer; None before the first."""


class Cause(StrEnum):
    """The reasons for not being ready, as machines know them."""

    STARTING = "starting"
    UPDATES = "updates"
    CONFLICT = "conflict"
    WEBHOOK = "webhook"
    BACKLOG = "backlog"
    DATABASE = "database"
    DISK = "disk"
    TOKEN = "token"  # noqa: S105 - a reason, not a token
    UNSENT = "unsent"
    LINE = "line"
    STANDS_STILL = "stands_still"
    CRASHING = "crashing"
    CHECKS = "checks"


TOLD: Final = frozenset(Cause) - {Cause.STARTING, Cause.UPDATES, Cause.TOKEN, Cause.CHECKS}
"""What the admins are told where it lasts: the others they hear of otherwise, or cannot be told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Webhook:
    """How the webhook is."""

    asked: float | None = None
    """Seconds since Telegram last said how it is; None: not yet."""
    state: str = "ours"
    backlog: tuple[int, ...] = ()
    error: str | None = None
    error_age: float | None = None
    """Seconds since that went wrong."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LoopSign:
    """How a loop is."""

    name: str
    seconds: float = 0.0
    """For so long it has been at work without a wait, or has overslept."""
    bound: float = 0.0
    failures: int = 0
    """Within `CRASHES_WITHIN`."""

    @property
    def stands_still(self) -> bool:
        """Whether it has made no turn for too long."""
        return self.seconds > self.bound

    @property
    def past_hope(self) -> bool:
        """Whether that has lasted so long that it will not end by itself."""
        return self.seconds > self.bound + PAST_HOPE


@dataclass(frozen=True, kw_only=True, slots=True)
class Signs:
    """How everything is at one moment. Times are seconds that have passed; None: nothing to tell."""

    running: float
    """Since the start."""
    polls: bool = False
    fetched: float | None = None
    """Since updates were last fetched."""
    conflict: bool = False
    webhook: Webhook | None = None
    database_error: str | None = None
    database_silent: float = 0.0
    """For how long the database has not answered."""
    free: int | None = None
    """Bytes on its disk."""
    token_refused: float | None = None
    unsent: float | None = None
    """How long the oldest result has waited to be sent."""
    not_taken: float | None = None
    """How long the next in line has waited although nothing is in its way."""
    looked: float | None = None
    """Since the signs of the database were last gathered whole."""
    loops: tuple[LoopSign, ...] = ()


def webhook_sign(seen: WebhookSeen | None, now: float) -> Webhook:
    """Read how the webhook is from what Telegram said last."""
    if seen is None:
        return Webhook()
    asked = now - seen.at
    return Webhook(
        asked=asked,
        state=seen.state,
        backlog=tuple(seen.backlog),
        error=seen.error,
        error_age=None if seen.error_age is None else seen.error_age + asked,
    )


def loop_sign(
    name: str, rest: Rest | None, *, began: float, now: float, failures: int = 0
) -> LoopSign:
    """Read how a loop is from its last wait; `began` is when it was (last) started."""
    if name not in LOOPS:
        return LoopSign(name=name, failures=failures)  # it waits for the stop, or for others' calls
    _, bound = LOOPS[name]
    if rest is None or rest.since < began:
        seconds = now - began
    elif rest.waiting:
        bound = OVERSLEPT
        seconds = 0.0 if rest.until is None else max(0.0, now - rest.until)
    else:
        seconds = now - rest.since
    return LoopSign(name=name, seconds=seconds, bound=bound, failures=failures)
