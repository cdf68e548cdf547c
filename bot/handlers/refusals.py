"""Who has been told that the bot is not for them: a chat is told once an hour, not at each message."""

from typing import Final

PAUSE: Final = 3600.0
"""Seconds for which a chat that has been told is not told again."""
_KEPT: Final = 10_000
"""So many chats are remembered."""


class Refusals:
    """The chats that were told, and when; forgotten when the program ends."""

    def __init__(self, kept: int = _KEPT) -> None:
        self._kept = kept
        self._told: dict[int, float] = {}

    def told(self, chat_id: int, now: float) -> bool:
        """Say whether a chat was told within the last hour; `now` is a monotonic clock's."""
        return now - self._told.get(chat_id, -PAUSE) < PAUSE

    def note(self, chat_id: int, now: float) -> None:
        """Note that a chat has been told now."""
        self._told.pop(chat_id, None)
        self._told[chat_id] = now
        if len(self._told) > self._kept:
            del self._told[next(iter(self._told))]
