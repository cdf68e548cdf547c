"""Small texts that are kept by their names."""

from typing import Protocol


class Facts(Protocol):
    """Of a store, the part that keeps small texts."""

    async def fact(self, name: str) -> str | None:
        """Give a small text that was kept."""
        ...

    async def note_fact(self, name: str, value: str) -> None:
        """Keep a small text."""
        ...
