"""Flood control: a burst and then about one message a second a chat, and two wider limits.

Source: Telegram's FAQ for bots, "My bot is hitting limits"; the numbers are in Rules.
"""

from __future__ import annotations

import math
from collections import deque

from sandbox.telegram.clock import Clock
from sandbox.telegram.rules import Refusal, Rules


class _Bucket:
    """Holds `size` drops and regains `rate` a second; a big call may leave it in debt."""

    def __init__(self, size: float, rate: float, now: float) -> None:
        self.size, self.rate, self.drops, self.seen = size, rate, size, now

    def wait(self, now: float) -> float:
        self.drops = min(self.size, self.drops + (now - self.seen) * self.rate)
        self.seen = now
        return 0.0 if self.drops >= 1 else (1 - self.drops) / self.rate


class FloodControl:
    """Counts the calls that reach chats, and refuses those that come too fast."""

    def __init__(self, rules: Rules, clock: Clock) -> None:
        self._rules, self._clock = rules, clock
        self._chats: dict[int, _Bucket] = {}
        self._groups: dict[int, deque[float]] = {}
        self._closed_until: dict[int, float] = {}
        self._overall = _Bucket(rules.overall_per_second, rules.overall_per_second, clock.now())

    def count(self, chat_id: int, *, messages: int) -> None:
        """Count one call; `messages` is how many it shows or edits, 0 for an action or a delete.

        Raises:
            Refusal: 429, with `retry_after`; the call must not take effect.
        """
        now, rules = self._clock.now(), self._rules
        wait = self._overall.wait(now)
        chat = self._chats.setdefault(
            chat_id, _Bucket(rules.chat_burst, rules.chat_per_second, now)
        )
        recent = self._groups.setdefault(chat_id, deque())
        if messages:
            wait = max(wait, chat.wait(now))
            closed = self._closed_until.get(chat_id, 0.0)
            if closed > now:
                wait = max(wait, closed - now + rules.ignored_penalty_seconds)
            while recent and recent[0] <= now - 60:
                recent.popleft()
            if chat_id < 0 and len(recent) >= rules.group_per_minute:
                freed = recent[len(recent) - rules.group_per_minute]
                wait = max(wait, freed + 60 - now)
        if wait > 0:
            seconds = math.ceil(wait)
            if messages:
                self._closed_until[chat_id] = now + wait
            raise Refusal(
                f"Too Many Requests: retry after {seconds}", code=429, retry_after=seconds
            )
        self._overall.drops -= max(1, messages)
        chat.drops -= messages
        recent.extend([now] * messages)
