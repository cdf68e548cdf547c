"""A press of a button as plain data. Telegram's own types end here."""

from dataclasses import dataclass
from typing import Final

from telegram import CallbackQuery

from storage.tasks import Origin

_LONGEST_NUMBER: Final = 15


@dataclass(frozen=True, kw_only=True, slots=True)
class Press:
    """Someone has pressed a button: `<action>:<id>[:<more>…]`, in the store's ids."""

    id: str
    """Telegram's, by which it is answered."""
    origin: Origin
    user_id: int
    """Whoever pressed it, which need not be whoever it is for."""
    chat_id: int
    chat_type: str
    message_id: int
    """The message that the button is under."""
    thread_id: int | None
    language: str | None
    """In which they are answered."""
    telegram_language: str | None
    """Telegram's code for theirs."""
    data: str

    @property
    def action(self) -> str:
        """What it says is to be done."""
        return self.data.partition(":")[0]

    def part(self, n: int) -> str:
        """Give the n-th part after the action, from 0; "" if there is none."""
        parts = self.data.split(":")[1:]
        return parts[n] if n < len(parts) else ""

    def number(self, n: int = 0) -> int | None:
        """Give the n-th part as a number, from 0; None if it is none."""
        part = self.part(n)
        if part.isascii() and part.isdecimal() and len(part) <= _LONGEST_NUMBER:
            return int(part)
        return None


def read_press(query: CallbackQuery, origin: Origin) -> Press | None:
    """Give a press as plain data; None: it is not under a message of ours, or brings nothing back."""
    message = query.message
    if message is None or query.data is None:
        return None
    # of an old message Telegram says no more than its chat and number
    topic = getattr(message, "message_thread_id", None)
    in_topic = bool(getattr(message, "is_topic_message", False))
    return Press(
        id=query.id,
        origin=origin,
        user_id=query.from_user.id,
        chat_id=message.chat.id,
        chat_type=message.chat.type,
        message_id=message.message_id,
        thread_id=topic if in_topic else None,
        language=query.from_user.language_code,
        telegram_language=query.from_user.language_code,
        data=query.data,
    )
