"""The queue of updates: kept until the bot confirms them, handed out by long polling or by a webhook."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sandbox.telegram.clock import Bell, Clock
from sandbox.telegram.rules import Refusal, Rules

UNASKED: Final = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
"""What a bot is told of only if it asks for it by name."""
KEPT: Final = 20_000
"""Of so many updates it is known when they were given out."""
SET_WEBHOOK: Final = "Conflict: terminated by setWebhook request"
CONFLICT: Final = (
    "Conflict: terminated by other getUpdates request; "
    "make sure that only one bot instance is running"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pending:
    """An update that is not confirmed yet."""

    id: int
    came: float
    update: dict[str, Any]


class Updates:
    """The updates of one bot, oldest first."""

    def __init__(self, rules: Rules, clock: Clock) -> None:
        self._rules, self._clock = rules, clock
        self._pending: list[Pending] = []
        self._last_id = 100_000_000 + secrets.randbelow(800_000_000)
        self.bell = Bell()
        """Rings for each update that comes, and where a call is broken off."""
        self._poll = 0
        self._broken_off_by = CONFLICT
        self.allowed: list[str] = []
        """What the bot asked for last; empty: the usual."""
        self.given: dict[int, datetime] = {}
        """When each was given out for the first time, by its id."""

    def add(self, kind: str, content: Any) -> None:
        """Queue an update of a kind, if the bot wants to hear of it."""
        wanted = kind in self.allowed if self.allowed else kind not in UNASKED
        if wanted:
            self.add_raw({kind: content})

    def add_raw(self, update: dict[str, Any]) -> int:
        """Queue an update as it is, with an id if it has none; the answer is its id."""
        update_id = update.get("update_id", self._last_id + 1)
        self._last_id = max(self._last_id, update_id)
        full = {"update_id": update_id, **update}
        self._pending.append(Pending(id=update_id, came=self._clock.now(), update=full))
        self._pending.sort(key=lambda pending: pending.id)
        self.bell.ring()
        return int(update_id)

    def pending(self) -> list[int]:
        """Give the ids of those that are not confirmed."""
        self._forget_old()
        return [pending.id for pending in self._pending]

    def waiting(self) -> list[Pending]:
        """Give those that are not confirmed."""
        self._forget_old()
        return list(self._pending)

    def give(self, batch: Sequence[Pending]) -> None:
        """Note that these are given out now."""
        now = datetime.now(UTC)
        for pending in batch:
            self.given.setdefault(pending.id, now)
        while len(self.given) > KEPT:
            del self.given[next(iter(self.given))]

    def taken(self, update_id: int) -> None:
        """Confirm one."""
        self._pending = [pending for pending in self._pending if pending.id != update_id]
        self.bell.ring()

    def break_off(self, why: str) -> None:
        """End a call that waits, with the reason for it."""
        self._poll += 1
        self._broken_off_by = why
        self.bell.ring()

    def clear(self) -> None:
        """Drop all of them."""
        self._pending.clear()

    async def fetch(
        self, *, offset: int, limit: int, seconds: float, allowed: list[str] | None
    ) -> list[dict[str, Any]]:
        """Confirm what lies below the offset, then give what there is, or wait for it.

        Args:
            offset: 0 confirms nothing; a negative one keeps only so many from the end.
            limit: how many at most.
            seconds: how long to wait for the first.
            allowed: what the bot wants from now on; None leaves it as it is.

        Raises:
            Refusal: 409, because another call came meanwhile, or a webhook was set.
        """
        if allowed is not None:
            self.allowed = allowed
        if offset > 0:
            self._pending = [pending for pending in self._pending if pending.id >= offset]
        elif offset < 0:
            self._pending = self._pending[offset:]
        self.break_off(CONFLICT)
        mine = self._poll
        until = self._clock.now() + min(seconds, self._rules.longest_poll_seconds)
        while not self.pending() and (left := until - self._clock.now()) > 0:
            await self.bell.wait(left)
            if self._poll != mine:
                raise Refusal(self._broken_off_by, code=409)
        batch = self._pending[:limit]
        self.give(batch)
        return [pending.update for pending in batch]

    def _forget_old(self) -> None:
        oldest = self._clock.now() - self._rules.update_seconds
        self._pending = [pending for pending in self._pending if pending.came > oldest]
