"""Small talk: answered kindly, and never taken for the words of a picture."""

from collections.abc import Awaitable, Callable

from bot import talk
from bot.handlers.cancel import CancelHandlers
from bot.handlers.desk import Desk
from bot.handlers.incoming import Incoming
from bot.texts import Say

_Taker = Callable[[Incoming], Awaitable[None]]


class Chatter:
    """Hears what is no order."""

    def __init__(self, desk: Desk, cancel: CancelHandlers) -> None:
        self._desk = desk
        self._cancel = cancel

    def before(self, others: _Taker) -> _Taker:
        """Take small talk, and leave all the rest to the others."""

        async def take(message: Incoming) -> None:
            kind = _kind(message)
            if kind is None:
                await others(message)
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
