"""What every call to Telegram's library needs: outcomes of its errors, and our types as its own."""

from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Final

import structlog
from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    Message,
    ReplyParameters,
)
from telegram.error import TelegramError

from bot import texts
from bot.messages import (
    Dropped,
    Gone,
    Keyboard,
    Moved,
    Outcome,
    Picture,
    Refused,
    Sent,
    Still,
    Target,
    Turn,
    Urgency,
)
from bot.outcomes import outcome_of

log = structlog.get_logger(__name__)

# An administrator may close or delete a topic at any time. For one that is deleted Telegram has the
# first words; the others are those of its error types.
_NO_TOPIC: Final = (
    "message thread not found",
    "topic_closed",
    "topic closed",
    "topic_deleted",
    "topic deleted",
)
_LABEL: Final = 64
"""UTF-16 units of a button's label: Telegram takes more, and no screen shows them."""


async def outcome(call: Callable[[], Awaitable[Sent]]) -> Outcome:
    """Make a call; each way it can end is an outcome."""
    try:
        return await call()
    except TelegramError as exc:
        found = outcome_of(exc)
        if not isinstance(found, Sent | Gone | Moved | Dropped):
            log.info("telegram_call_failed", outcome=type(found).__name__, why=found.reason)
        return found


async def to_topic_or_chat(target: Target, send: Callable[[Target], Awaitable[Sent]]) -> Outcome:
    """Send to the topic or, where that was closed or deleted in the meantime, to the chat itself."""
    found = await outcome(lambda: send(target))
    if not isinstance(found, Refused) or target.thread_id is None:
        return found
    if not any(words in found.reason.lower() for words in _NO_TOPIC):
        return found
    # not as a reply either: that would go to the topic of the message it answers
    return await outcome(lambda: send(Target(chat_id=target.chat_id)))


def turn(urgency: Urgency, still: Still | None) -> Urgency | Turn:
    """Say how urgent a call is and, where it may become needless, how to find out."""
    return urgency if still is None else Turn(urgency=urgency, still=still)


def sent(*messages: Message) -> Sent:
    """Give the ids of what arrived."""
    return Sent(
        message_ids=tuple(message.message_id for message in messages),
        file_ids=tuple(file_id for message in messages if (file_id := _file_id(message))),
    )


def _file_id(message: Message) -> str | None:
    if message.photo:
        return message.photo[-1].file_id
    return message.document.file_id if message.document else None


def media(picture: Picture, files: ExitStack) -> InputFile | str:
    """Give a picture as the library sends it; its file is open until `files` is closed."""
    if isinstance(picture.content, str):
        return picture.content
    if isinstance(picture.content, bytes):
        return InputFile(picture.content, filename=picture.name, attach=True)
    # Read while it is sent, in small pieces: an upload holds little memory, however slow it is. They
    # are read in the event loop: what was just written is in the system's own memory.
    file = files.enter_context(picture.content.open("rb"))
    return InputFile(file, filename=picture.name, attach=True, read_file_handle=False)


def reply(target: Target) -> ReplyParameters | None:
    """Say which message is answered; if that is gone, the answer is sent all the same."""
    if target.reply_to is None:
        return None
    return ReplyParameters(target.reply_to, allow_sending_without_reply=True)


def keyboard(rows: Keyboard, language: str | None) -> InlineKeyboardMarkup | None:
    """Give the buttons under a message, in their rows."""
    if not rows:
        return None
    return InlineKeyboardMarkup(
        [
            [
                InlineKeyboardButton(
                    texts.shorten(texts.plain(button.label, language=language), _LABEL),
                    callback_data=button.data,
                )
                for button in row
            ]
            for row in rows
        ]
    )
