"""What happens to a chat as a whole: it moves, or it is left."""

from typing import Any, Final

import structlog
from telegram import ChatMember, Update

from bot.handlers.desk import Desk

log = structlog.get_logger(__name__)

_OUT: Final = frozenset({ChatMember.LEFT, ChatMember.BANNED})


class OtherHandlers:
    """Follows chats where they go."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

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
