"""The buttons of lists and histories: each names a view of the store, which says what it shows."""

from collections.abc import Awaitable, Callable, Mapping

from bot.actions import Action
from bot.handlers.buttons import Reaction
from bot.handlers.desk import Desk, settled
from bot.handlers.press import Press
from bot.messages import Keyboard, Moved, Outcome, Urgency
from bot.texts import Say
from storage.tasks import View

Turn = Callable[[Press, View], Awaitable[None]]
"""Shows another part of a view; the press is answered."""


class Views:
    """Finds the view that a button names, and changes the message that shows it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def reactions(self, turns: Mapping[str, Turn]) -> Mapping[str, Reaction]:
        """Say which buttons these are; `turns`: what turns over each kind of view."""

        async def turn(press: Press) -> None:
            view = await self.of(press, *turns)
            if view is not None:
                await self._desk.notice(press)
                await turns[view.kind](press, view)

        return {Action.VIEW: turn}

    async def of(self, press: Press, *kinds: str) -> View | None:
        """Give the view that a button is for; whoever may not press it, or comes too late, is told so."""
        number = press.number()
        view = None if number is None else await self._desk.store.view(number)
        # what a chat has asked for is for its admins, there: of another chat one may be the admin oneself
        elsewhere = view is not None and view.user_id < 0 and press.chat_id != view.chat_id
        if view is None or view.kind not in kinds or elsewhere:
            await self._desk.notice(press, Say("view-unknown"))
            return None
        if not await self._desk.admits(press, view.user_id, view.chat_id):
            return None
        return view

    async def rewrite(self, press: Press, *lines: Say, buttons: Keyboard = ()) -> Outcome:
        """Change the text that a button is under.

        Raises:
            PutOff: it could not be changed now; the press is to be handled again.
        """
        outcome = await self._desk.chat.edit(
            press.chat_id,
            press.message_id,
            *lines,
            language=press.language,
            buttons=buttons,
            urgency=Urgency.REPLY,
        )
        return await self.changed(press, outcome)

    async def changed(self, press: Press, outcome: Outcome) -> Outcome:
        """Look at what became of a change to the message that a button is under; gives it back.

        Raises:
            PutOff: it could not be made now; the press is to be handled again.
        """
        outcome = settled(outcome)
        if isinstance(outcome, Moved):
            # there, the message has another number: a new list is easily asked for
            await self._desk.store.move_chat(press.chat_id, outcome.chat_id)
        return outcome


def scope(chat_id: int, *, private: bool) -> int | None:
    """Give the chat whose tasks alone are shown; None: all of a person's."""
    # in a group nobody is to see what someone does elsewhere
    return None if private else chat_id
