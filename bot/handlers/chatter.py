"""Small talk: answered kindly, and never taken for the words of a picture."""

from collections.abc import Callable, Coroutine
from typing import Any

from telegram import Update

from bot import talk
from bot.handlers.cancel import CancelHandlers
from bot.handlers.desk import Desk
from bot.handlers.incoming import Incoming
from bot.texts import Say

_Handler = Callable[[Update, Any], Coroutine[Any, Any, None]]


class Chatter:
    """Hears what is no order."""

    def __init__(self, desk: Desk, cancel: CancelHandlers) -> None:
        self._desk = desk
        self._cancel = cancel

    def before(self, others: _Handler) -> _Handler:
        """Take small talk, and leave all the rest to the others."""

        async def take(update: Update, context: Any) -> None:
            message = await self._desk.read(update)
            kind = None if message is None else _kind(message)
            if message is None or kind is None:
                await others(update, context)
            elif await self._desk.let_in(message):
                await self._answer(message, kind)

        return take

    async def _answer(self, message: Incoming, kind: talk.Kind) -> None:
        if kind == "talk-stop":
            await self._cancel.asked(message)
        elif message.private:
            await self._desk.answer(message, Say("talk-answer"))
        # in a group people are polite to one another


def _kind(message: Incoming) -> talk.Kind | None:
    """Say what kind of small talk it is; `/edit hi` means what it says."""
    if not message.addressed or message.edit or not message.text:
        return None
    return talk.kind_of(message.text)
