"""One limiter for every call to Telegram: its limits are kept here, and urgent calls go first.

The limits are those of Telegram's FAQ: 30 calls a second in all, about one a second in a chat with a
short burst, 20 a minute in a group. Where Telegram asks to wait (429), nothing is sent to that chat
until then.
"""

import asyncio
import heapq
import itertools
from collections.abc import Callable, Coroutine
from typing import Any, Final

from aiolimiter import AsyncLimiter
from telegram.error import RetryAfter
from telegram.ext import BaseRateLimiter

from bot.messages import Urgency
from storage.clock import Clock

PER_SECOND: Final = 30
EDITS_PER_SECOND: Final = 5
CHAT_BURST: Final = 4
"""So many messages may follow each other in a chat (an album is as many as it has items)."""
GROUP_BURST: Final = 5
GROUP_REFILL: Final = 20.0
"""Seconds in which a group's burst comes back: 5 + 3 × 5 are the 20 of any one minute."""
PATIENCE: Final = 3.0
"""Seconds for which a call waits here when Telegram asked for a pause; longer ones are handed back."""
_UNLIMITED: Final = frozenset({"getUpdates", "getMe", "getFile", "deleteWebhook", "setMyCommands"})
_NO_MESSAGE: Final = frozenset({"deleteMessage"})
"""Calls to a chat that put nothing into it."""
_KEPT_CHATS: Final = 10_000


class Gate:
    """Lets so many through in any one second, the most urgent first."""

    _BURST: Final = 3

    def __init__(self, per_second: int) -> None:
        # a full bucket and what runs into it meanwhile are together the second's allowance
        self._limiter = AsyncLimiter(self._BURST, self._BURST / (per_second - self._BURST))
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._number = itertools.count()
        self._opener: asyncio.Task[None] | None = None

    async def pass_through(self, urgency: int) -> None:
        """Wait for one's turn."""
        if not self._waiting and self._limiter.has_capacity():
            await self._limiter.acquire()
            return
        turn = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (urgency, next(self._number), turn))
        if self._opener is None or self._opener.done():
            self._opener = asyncio.create_task(self._open())
        await turn

    async def _open(self) -> None:
        while self._waiting:
            await self._limiter.acquire()
            while self._waiting:
                turn = heapq.heappop(self._waiting)[2]
                if not turn.done():  # whoever was cancelled while waiting takes nothing
                    turn.set_result(None)
                    break


class TelegramLimits(BaseRateLimiter[Urgency]):
    """Holds each call until Telegram's limits allow it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._all = Gate(PER_SECOND)
        self._edits = AsyncLimiter(EDITS_PER_SECOND, 1)
        self._chats: dict[int | str, AsyncLimiter] = {}
        self._groups: dict[int | str, AsyncLimiter] = {}
        self._quiet_until: dict[int | str, float] = {}

    async def initialize(self) -> None:
        """Nothing to prepare."""

    async def shutdown(self) -> None:
        """Nothing to let go of."""

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
        chat_id = data.get("chat_id")
        if chat_id is not None:
            await self._keep_quiet(chat_id)
            if urgency is Urgency.EDIT:
                await self._edits.acquire()
            if endpoint not in _NO_MESSAGE:
                await self._in_chat(chat_id, len(data.get("media") or "1"))
        await self._all.pass_through(urgency)
        try:
            return await callback(*args, **kwargs)
        except RetryAfter as exc:
            if chat_id is not None:
                pause = exc.retry_after
                seconds = pause if isinstance(pause, int | float) else pause.total_seconds()
                self._quiet_until[chat_id] = self._clock.monotonic() + seconds
            raise

    async def _keep_quiet(self, chat_id: int | str) -> None:
        left = self._quiet_until.get(chat_id, 0.0) - self._clock.monotonic()
        if left <= 0:
            self._quiet_until.pop(chat_id, None)
        elif left > PATIENCE:
            raise RetryAfter(int(left) + 1)
        else:
            await self._clock.sleep(left)

    async def _in_chat(self, chat_id: int | str, messages: int) -> None:
        if len(self._chats) > _KEPT_CHATS:
            self._forget_idle()
        bucket = self._chats.setdefault(chat_id, AsyncLimiter(CHAT_BURST, CHAT_BURST))
        await bucket.acquire(min(messages, CHAT_BURST))
        if isinstance(chat_id, int) and chat_id < 0:
            bucket = self._groups.setdefault(chat_id, AsyncLimiter(GROUP_BURST, GROUP_REFILL))
            await bucket.acquire(min(messages, GROUP_BURST))

    def _forget_idle(self) -> None:
        """Drop the buckets that are empty: they are as good as new ones."""
        for buckets, size in ((self._chats, CHAT_BURST), (self._groups, GROUP_BURST)):
            for chat_id in [c for c, bucket in buckets.items() if bucket.has_capacity(size)]:
                del buckets[chat_id]
