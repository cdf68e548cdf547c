"""One limiter for every call to Telegram: its limits are kept here, and urgent calls go first.

The limits are those of Telegram's FAQ: 30 messages a second in all, about one a second in a chat
with a short burst, 20 a minute in a group. Where Telegram asks to wait (429), nothing is sent to that
chat until then. In any window of time a bucket lets through its size and what leaks meanwhile, so
size and rate together are chosen to be the limit.
"""

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from aiolimiter import AsyncLimiter
from telegram.error import RetryAfter
from telegram.ext import BaseRateLimiter

from bot.messages import Urgency
from bot.outcomes import pause_of
from storage.clock import Clock

BURST: Final = 5
PER_SECOND: Final = 25
"""In all: 5 at once and 25 a second are the 30 of any one second."""
EDITS_PER_SECOND: Final = 4
"""With the one that may be at once, 5 in any one second."""
CHAT_BURST: Final = 4
"""So many messages may follow each other in a chat (an album is as many as it has items)."""
GROUP_BURST: Final = 5
GROUP_REFILL: Final = 20.0
"""Seconds in which a group's burst comes back: 5 + 3 × 5 are the 20 of any one minute."""
PATIENCE: Final = 3.0
"""Seconds for which a call waits here when Telegram asked for a pause; longer ones are handed back."""
_LOOK: Final = 0.02
"""Seconds between two looks at whether a waiting call fits now."""
_UNLIMITED: Final = frozenset({"getUpdates", "getMe", "getFile", "deleteWebhook", "setMyCommands"})
_NO_MESSAGE: Final = frozenset({"deleteMessage"})
"""Calls to a chat that put nothing into it."""
_KEPT_CHATS: Final = 10_000

ChatId = int | str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Waiting:
    """A call that waits for its turn."""

    chat_id: ChatId | None
    messages: int
    """How many messages it puts into its chat."""
    edits: bool
    turn: asyncio.Future[None]


class Chats:
    """What each chat takes: its buckets, and until when Telegram has closed it."""

    def __init__(self, clock: Clock, kept: int) -> None:
        self._clock = clock
        self._kept = kept
        self._full = kept
        self._chats: dict[ChatId, AsyncLimiter] = {}
        self._groups: dict[ChatId, AsyncLimiter] = {}
        self._quiet_until: dict[ChatId, float] = {}

    def __len__(self) -> int:
        return len(self._chats)

    def places(self, chat_id: ChatId, messages: int) -> list[tuple[AsyncLimiter, int]]:
        """Give the buckets of a chat that so many messages go through."""
        if len(self._chats) >= self._full:
            self._forget_idle()
        bucket = self._chats.setdefault(chat_id, AsyncLimiter(CHAT_BURST, CHAT_BURST))
        found = [(bucket, min(messages, CHAT_BURST))]
        if isinstance(chat_id, int) and chat_id < 0:
            group = self._groups.setdefault(chat_id, AsyncLimiter(GROUP_BURST, GROUP_REFILL))
            found.append((group, min(messages, GROUP_BURST)))
        return found

    def close(self, chat_id: ChatId, seconds: float) -> None:
        """Telegram wants nothing in this chat for so many seconds."""
        until = self._clock.monotonic() + seconds
        self._quiet_until[chat_id] = max(until, self._quiet_until.get(chat_id, until))

    def closed_for(self, chat_id: ChatId | None) -> float:
        """Give the seconds for which a chat is still closed; 0: it is open."""
        if chat_id is None or chat_id not in self._quiet_until:
            return 0.0
        left = self._quiet_until[chat_id] - self._clock.monotonic()
        if left <= 0:
            del self._quiet_until[chat_id]
        return max(left, 0.0)

    def _forget_idle(self) -> None:
        """Drop the buckets that are empty: they are as good as new ones."""
        for buckets, size in ((self._chats, CHAT_BURST), (self._groups, GROUP_BURST)):
            for chat_id in [c for c, bucket in buckets.items() if bucket.has_capacity(size)]:
                del buckets[chat_id]
        for chat_id in list(self._quiet_until):
            self.closed_for(chat_id)
        # where few were idle, the next look is not at the very next call
        self._full = max(self._kept, 2 * len(self._chats))


class TelegramLimits(BaseRateLimiter[Urgency]):
    """Holds each call until Telegram's limits allow it."""

    def __init__(self, clock: Clock, *, kept_chats: int = _KEPT_CHATS) -> None:
        self._clock = clock
        self._all = AsyncLimiter(BURST, BURST / PER_SECOND)
        self._edits = AsyncLimiter(1, 1 / EDITS_PER_SECOND)
        self.chats = Chats(clock, kept_chats)
        self._waiting: dict[tuple[int, int], _Waiting] = {}
        self._number = itertools.count()
        self._letting: asyncio.Task[None] | None = None

    async def initialize(self) -> None:
        """Nothing to prepare."""

    async def shutdown(self) -> None:
        """Stop letting calls go."""
        if self._letting is not None:
            self._letting.cancel()

    async def process_request(  # noqa: PLR0917 - the library's signature
        self,
        callback: Callable[..., Coroutine[Any, Any, Any]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: Urgency | None,
    ) -> Any:
        """Make the call when the limits allow it.

        Raises:
            RetryAfter: Telegram asked for a longer pause in this chat, now or just before.
        """
        if endpoint in _UNLIMITED:
            return await callback(*args, **kwargs)
        urgency = Urgency.REPLY if rate_limit_args is None else rate_limit_args
        chat_id: ChatId | None = data.get("chat_id")
        silent = chat_id is None or endpoint in _NO_MESSAGE
        await self._turn(
            urgency,
            _Waiting(
                chat_id=chat_id,
                messages=0 if silent else len(data.get("media") or "1"),
                edits=urgency is Urgency.EDIT,
                turn=asyncio.get_running_loop().create_future(),
            ),
        )
        try:
            return await callback(*args, **kwargs)
        except RetryAfter as exc:
            if chat_id is not None:
                self.chats.close(chat_id, pause_of(exc))
            raise

    async def _turn(self, urgency: int, call: _Waiting) -> None:
        key = (urgency, next(self._number))
        self._waiting[key] = call
        if self._letting is None or self._letting.done():
            self._letting = asyncio.create_task(self._let_go())
        try:
            await call.turn
        finally:
            # also whoever is cancelled while waiting: it has taken nothing
            self._waiting.pop(key, None)

    async def _let_go(self) -> None:
        while self._waiting:
            await self._let_go_what_fits()
            await asyncio.sleep(_LOOK)

    async def _let_go_what_fits(self) -> None:
        """Let the calls go that fit now: the most urgent first, those of a chat in order."""
        held: set[ChatId | None] = set()
        for _, call in sorted(self._waiting.items(), key=_by_urgency):
            if call.turn.done() or call.chat_id in held:
                continue
            closed = self.chats.closed_for(call.chat_id)
            if closed > PATIENCE:
                call.turn.set_exception(RetryAfter(int(closed) + 1))
                continue
            places = self._places(call)
            if closed or not all(bucket.has_capacity(amount) for bucket, amount in places):
                held |= {call.chat_id} - {None}
                continue
            amount = min(max(call.messages, 1), BURST)
            if not self._all.has_capacity(amount):
                return  # nobody less urgent goes first, even if it is smaller
            for bucket, taken in (*places, (self._all, amount)):
                await bucket.acquire(taken)  # there is room: this does not wait
            call.turn.set_result(None)

    def _places(self, call: _Waiting) -> list[tuple[AsyncLimiter, int]]:
        """Give the buckets that a call goes through, and how much of each it takes."""
        places = [(self._edits, 1)] if call.edits else []
        if call.chat_id is not None and call.messages:
            places += self.chats.places(call.chat_id, call.messages)
        return places


def _by_urgency(item: tuple[tuple[int, int], _Waiting]) -> tuple[int, int]:
    return item[0]
