"""One limiter for every call to Telegram: its limits are kept here, and urgent calls go first.

The limits are those of Telegram's FAQ: 30 messages a second in all, about one a second in a chat
with a short burst, 20 a minute in a group. Where Telegram asks to wait (429), nothing is sent to that
chat until then. In any window of time a bucket lets through its size and what leaks meanwhile, so
size and rate together are chosen to be the limit.

A call that fits goes at once. For those that wait there is one timer, set to when the next can go.
"""

import asyncio
import itertools
from bisect import insort
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from math import inf
from operator import attrgetter
from typing import Any, Final

from aiolimiter import AsyncLimiter
from telegram.error import RetryAfter
from telegram.ext import BaseRateLimiter

from bot import metrics
from bot.labels import Waiting
from bot.messages import Turn, Urgency
from bot.outcomes import NoLongerWanted, counted, pause_of
from storage.clock import Clock

BURST: Final = 5
PER_SECOND: Final = 25
"""In all: 5 at once and 25 a second are the 30 of any one second."""
EDITS_PER_SECOND: Final = 4
"""With the one that may be at once, 5 in any one second."""
PRESS_BURST: Final = 10
PRESSES_PER_SECOND: Final = 10
"""Answers to presses go first, and so they are bounded themselves: however many people press,
pictures come through."""
CHAT_BURST: Final = 4
"""So many messages may follow each other in a chat (an album is as many as it has items)."""
GROUP_BURST: Final = 5
GROUP_REFILL: Final = 20.0
"""Seconds in which a group's burst comes back: 5 + 3 × 5 are the 20 of any one minute."""
PATIENCE: Final = 3.0
"""Seconds for which a call waits here when Telegram asked for a pause; longer ones are handed back."""
_SHORTEST: Final = 0.001
"""Seconds until the next look at the soonest: what is due after none at all is due a rounding later."""
_UNLIMITED: Final = frozenset(
    {
        *("getUpdates", "getMe", "getFile"),
        *("setWebhook", "getWebhookInfo", "deleteWebhook"),
        *("setMyCommands", "setMyDescription", "setMyShortDescription"),
    }
)
_NO_MESSAGE: Final = frozenset({"deleteMessage", "getChatMember"})
"""Calls to a chat that put nothing into it."""
_EDITS: Final = frozenset(
    {"editMessageText", "editMessageCaption", "editMessageMedia", "editMessageReplyMarkup"}
)
"""Edits, however urgent."""
_KEPT_CHATS: Final = 10_000
_AT_ONCE: Final = 0.1
"""A call that waits no longer is not asked whether it is still wanted."""

ChatId = int | str


class Bucket(AsyncLimiter):
    """A leaky bucket that can also say when it will have room."""

    def free_in(self, amount: int) -> float:
        """Give the seconds after which so much has room; 0: it has now."""
        if self.has_capacity(amount):
            return 0.0
        return (self._level + amount - self.max_rate) * self.time_period / self.max_rate

    def take(self, amount: int) -> None:
        """Fill in what has room, as the caller has seen: unlike `acquire`, it never waits."""
        self._level += amount


@dataclass(kw_only=True, slots=True, eq=False)
class _Waiting:
    """A call that waits for its turn."""

    order: tuple[int, int]
    """Its urgency, and its number among all calls."""
    chat_id: ChatId | None
    messages: int
    """How many messages it puts into its chat."""
    extra: Bucket | None
    """The bucket of calls of its kind."""
    turn: asyncio.Future[None]
    places: list[tuple[Bucket, int]] = field(default_factory=list)
    """The buckets that it goes through, beside the one for all, and how much of each it takes."""
    not_before: float = 0.0
    """The loop's time before which it need not be looked at: its buckets only become fuller."""


class Chats:
    """What each chat takes: its buckets, and until when Telegram has closed it."""

    def __init__(self, clock: Clock, kept: int) -> None:
        self._clock = clock
        self._kept = kept
        self._full = kept
        self._chats: dict[ChatId, Bucket] = {}
        self._groups: dict[ChatId, Bucket] = {}
        self._quiet_until: dict[ChatId | None, float] = {}

    def __len__(self) -> int:
        return len(self._chats)

    def places(self, chat_id: ChatId, messages: int) -> list[tuple[Bucket, int]]:
        """Give the buckets of a chat that so many messages go through."""
        if len(self._chats) >= self._full:
            self._forget_idle()
        bucket = self._chats.setdefault(chat_id, Bucket(CHAT_BURST, CHAT_BURST))
        found = [(bucket, min(messages, CHAT_BURST))]
        if isinstance(chat_id, int) and chat_id < 0:
            group = self._groups.setdefault(chat_id, Bucket(GROUP_BURST, GROUP_REFILL))
            found.append((group, min(messages, GROUP_BURST)))
        return found

    def close(self, chat_id: ChatId | None, seconds: float) -> None:
        """Telegram wants nothing in this chat for so many seconds; None: no call without a chat."""
        until = self._clock.monotonic() + seconds
        self._quiet_until[chat_id] = max(until, self._quiet_until.get(chat_id, until))

    def closed_for(self, chat_id: ChatId | None) -> float:
        """Give the seconds for which a chat is still closed; 0: it is open."""
        if chat_id not in self._quiet_until:
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
        for closed in list(self._quiet_until):
            self.closed_for(closed)
        # where few were idle, the next look is not at the very next call
        self._full = max(self._kept, 2 * len(self._chats))


class TelegramLimits(BaseRateLimiter[Urgency | Turn]):
    """Holds each call until Telegram's limits allow it."""

    def __init__(self, clock: Clock, *, kept_chats: int = _KEPT_CHATS) -> None:
        self._clock = clock
        self._all = Bucket(BURST, BURST / PER_SECOND)
        self._edits = Bucket(1, 1 / EDITS_PER_SECOND)
        self._presses = Bucket(PRESS_BURST, PRESS_BURST / PRESSES_PER_SECOND)
        self.chats = Chats(clock, kept_chats)
        self._waiting: list[_Waiting] = []
        self._number = itertools.count()
        self._timer: asyncio.Handle | None = None
        self._soon = False

    async def initialize(self) -> None:
        """Nothing to prepare."""

    async def shutdown(self) -> None:
        """Stop letting calls go."""
        self._set_timer(inf)

    async def process_request(  # noqa: PLR0917 - the library's signature
        self,
        callback: Callable[..., Coroutine[Any, Any, Any]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: Urgency | Turn | None,
    ) -> Any:
        """Make the call when the limits allow it.

        Raises:
            RetryAfter: Telegram asked for a longer pause in this chat, now or just before.
            NoLongerWanted: the call had to wait, and became needless meanwhile.
        """
        if endpoint in _UNLIMITED:
            with counted(endpoint):
                return await callback(*args, **kwargs)
        still = rate_limit_args.still if isinstance(rate_limit_args, Turn) else None
        urgency = rate_limit_args.urgency if isinstance(rate_limit_args, Turn) else rate_limit_args
        chat_id: ChatId | None = data.get("chat_id")
        silent = chat_id is None or endpoint in _NO_MESSAGE
        media = data.get("media")  # an album's items, or the one that is put in another's place
        extra = self._presses if urgency is Urgency.PRESS else None
        if urgency is Urgency.EDIT or endpoint in _EDITS:
            extra = self._edits
        came = self._clock.monotonic()
        await self._turn(
            Urgency.REPLY if urgency is None else urgency,
            chat_id,
            messages=0 if silent else len(media) if isinstance(media, list | tuple) else 1,
            extra=extra,
        )
        waited = self._clock.monotonic() - came
        metrics.telegram_waits.labels(Waiting.of(urgency)).observe(waited)
        if waited > _AT_ONCE and still is not None and not await still():
            raise NoLongerWanted
        try:
            with counted(endpoint):
                return await callback(*args, **kwargs)
        except RetryAfter as exc:
            # Without a chat it is an answer to a press: the next one would only lengthen the pause.
            self.chats.close(chat_id, pause_of(exc))
            self._look_again_at(chat_id)
            raise

    async def _turn(
        self,
        urgency: Urgency,
        chat_id: ChatId | None,
        *,
        messages: int,
        extra: Bucket | None,
    ) -> None:
        call = _Waiting(
            order=(urgency, next(self._number)),
            chat_id=chat_id,
            messages=messages,
            extra=extra,
            turn=asyncio.get_running_loop().create_future(),
        )
        insort(self._waiting, call, key=attrgetter("order"))
        self._look_soon()
        try:
            await call.turn
        except asyncio.CancelledError:
            # whoever gives up has taken nothing; who comes next in its chat may go now
            self._look_again_at(chat_id)
            raise

    def _look_again_at(self, chat_id: ChatId | None) -> None:
        for call in self._waiting:
            if call.chat_id == chat_id:
                call.not_before = 0.0
        self._look_soon()

    def _look_soon(self) -> None:
        """Look when all that comes in this instant has come: the most urgent of it goes first."""
        if not self._soon:
            self._set_timer(inf)
            self._soon = True
            self._timer = asyncio.get_running_loop().call_soon(self._let_go)

    def _let_go(self) -> None:
        """Let the calls go that fit now: the most urgent first, those of a chat in order.

        Of a chat only the first is looked at, and that not before it can fit. So a look costs little
        however many wait, and it is taken when a call comes and when the next one can go.
        """
        self._soon = False
        now, next_look = asyncio.get_running_loop().time(), inf
        held: set[ChatId | None] = set()
        for call in self._waiting:
            if call.turn.done() or call.chat_id in held:
                continue
            if call.not_before <= now:
                call.not_before = now + self._wait_of(call)
            if call.turn.done():
                continue
            if call.not_before > now:
                next_look = min(next_look, call.not_before)
                held |= {call.chat_id} - {None}
                continue
            amount = min(max(call.messages, 1), BURST)
            if wait := self._all.free_in(amount):
                next_look = min(next_look, now + wait)
                break  # nobody less urgent goes first, even if it is smaller
            for bucket, taken in (*call.places, (self._all, amount)):
                bucket.take(taken)
            call.turn.set_result(None)
        self._waiting = [call for call in self._waiting if not call.turn.done()]
        self._set_timer(next_look)

    def _wait_of(self, call: _Waiting) -> float:
        """Give the seconds until its chat, and the bucket of its kind, can take a call."""
        closed = self.chats.closed_for(call.chat_id)
        if closed > PATIENCE:
            call.turn.set_exception(RetryAfter(int(closed) + 1))
            return closed
        call.places = [] if call.extra is None else [(call.extra, 1)]
        if call.chat_id is not None and call.messages:
            call.places += self.chats.places(call.chat_id, call.messages)
        return max((closed, *(bucket.free_in(amount) for bucket, amount in call.places)))

    def _set_timer(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if at < inf:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(max(at, loop.time() + _SHORTEST), self._let_go)
