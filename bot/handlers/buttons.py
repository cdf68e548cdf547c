"""Buttons: what they bring back is an id of the store, so they work as long as the store does.

Each feature has its own reactions; here a press finds the one that its action names.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from telegram import Update

from bot.handlers.desk import Desk
from bot.handlers.press import Press
from bot.texts import Say

Reaction = Callable[[Press], Awaitable[None]]
"""Does what a button says, and answers the press (`Desk.notice`), also where it is too late."""


class ButtonHandlers:
    """What happens when a button is pressed, today or in years."""

    def __init__(self, desk: Desk, *reactions: Mapping[str, Reaction]) -> None:
        self._desk = desk
        self._reactions: dict[str, Reaction] = {}
        for some in reactions:
            if twice := self._reactions.keys() & some.keys():
                raise ValueError(f"two features react to the same buttons: {sorted(twice)}")
            self._reactions.update(some)

    async def pressed(self, update: Update, context: Any) -> None:
        """Do what the button says."""
        del context
        press = await self._desk.read_press(update)
        if press is None:
            return
        reaction = self._reactions.get(press.action, self._unknown)
        await reaction(press)

    async def _unknown(self, press: Press) -> None:
        await self._desk.notice(press, Say("pressed-unknown"))
