"""Which task someone means: by its number, or by a reply to a message that belongs to it."""

import re
from typing import Final

from bot.handlers.desk import Desk
from bot.handlers.incoming import Incoming, command_of
from storage.tasks import Task

_BETWEEN: Final = re.compile(r"[\s,;#]+")
_LONGEST: Final = 15
MOST: Final = 20
"""So many numbers are read at once."""


def words_of(message: Incoming) -> str:
    """Give what is said after a command."""
    return message.text.removeprefix(command_of(message.text) or "").strip()


def numbers_in(words: str) -> tuple[int, ...] | None:
    """Give the numbers that somebody wrote: `17`, `#17, #18`; None: it is something else."""
    found = [one for one in _BETWEEN.split(words) if one]
    if len(found) > MOST or not all(one.isdecimal() and len(one) <= _LONGEST for one in found):
        return None
    return tuple(dict.fromkeys(int(one) for one in found))


class Named:
    """Finds tasks that the sender of a message may see where they sent it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def by_number(self, message: Incoming, task_id: int) -> Task | None:
        """Give the task of this number; None: it is not theirs, or belongs elsewhere.

        Raises:
            PutOff: Telegram does not say now who they are.
        """
        task = await self._desk.store.get(task_id)
        return task if task is not None and await self._theirs(message, task) else None

    async def by_reply(self, message: Incoming) -> Task | None:
        """Give the task that the message replied to belongs to, or was made from.

        Raises:
            PutOff: Telegram does not say now who they are.
        """
        if message.reply is None or message.reply.message_id is None:
            return None
        store, chat_id, replied = (
            self._desk.store,
            message.place.chat_id,
            message.reply.message_id,
        )
        ours = await store.task_at(chat_id, replied)
        if ours is not None:
            return await self.by_number(message, ours.task_id)
        return await store.task_from(message.user_id, chat_id, replied)

    async def _theirs(self, message: Incoming, task: Task) -> bool:
        here = task.place.chat_id == message.place.chat_id
        if not here and not message.private:
            return False  # in a group nobody is to see what someone does elsewhere
        if not here and task.user_id < 0:
            return False
        return await self._desk.owns(message.user_id, task.user_id, task.place.chat_id)
