"""Everything that is neither a photo nor words: a helpful answer where one is expected."""

from typing import Any, Final

import structlog
from telegram import ChatMember, Update

from bot.handlers.desk import Desk
from bot.texts import Say

log = structlog.get_logger(__name__)

_OUT: Final = frozenset({ChatMember.LEFT, ChatMember.BANNED})


class OtherHandlers:
    """What happens to all the rest."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def anything(self, update: Update, context: Any) -> None:
        """Say what the bot can work on, to whoever sent it something else."""
        del context
        message = await self._desk.read(update)
        if (
            message is not None
            and message.addressed
            and await self._desk.answers_for(message)
            and await self._desk.let_in(message)
        ):
            why = message.photo if isinstance(message.photo, Say) else Say("not-a-photo")
            await self._desk.answer(message, why)

    async def edited(self, update: Update, context: Any) -> None:
        """Say that a text is read once, when it comes."""
        del context
        message = await self._desk.read(update)
        if message is not None and message.addressed and await self._desk.let_in(message):
            await self._desk.answer(message, Say("edited-text"))

    async def moved(self, update: Update, context: Any) -> None:
        """Follow a group that became a supergroup."""
        del context
        message = update.message
        if message is not None and message.migrate_to_chat_id is not None:
            await self._desk.store.move_chat(message.chat_id, message.migrate_to_chat_id)

    async def membership(self, update: Update, context: Any) -> None:
        """Drop what is queued for a chat that has blocked or removed the bot: nothing is spent."""
        del context
        change = update.my_chat_member
        if change is not None and change.new_chat_member.status in _OUT:
            dropped = await self._desk.store.cancel_queued(
                None, change.chat.id, self._desk.clock.now()
            )
            log.info("chat_left", dropped=dropped)
