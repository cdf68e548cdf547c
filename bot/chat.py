"""The Chat port over `telegram.Bot`: every way a call can end becomes an outcome."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from typing import Any, BinaryIO, Final, Literal, cast

import structlog
from telegram import (
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    InputMediaDocument,
    InputMediaPhoto,
    LinkPreviewOptions,
    Message,
    ReplyParameters,
)
from telegram.constants import FileSizeLimit, ParseMode
from telegram.error import InvalidToken, TelegramError
from telegram.ext import ExtBot

from bot import texts
from bot.messages import (
    Button,
    Dropped,
    Fetched,
    FileOutcome,
    Gone,
    Missing,
    Moved,
    Outcome,
    Picture,
    Refused,
    Sent,
    Still,
    Target,
    TooLarge,
    Turn,
    Urgency,
)
from bot.outcomes import file_outcome_of, outcome_of
from bot.texts import Say

log = structlog.get_logger(__name__)

_SAME: Final = "message is not modified"
_NO_MESSAGE: Final = ("message to delete not found", "message to edit not found")
# An administrator may close or delete a topic at any time. For one that is deleted Telegram has the
# first words; the others are those of its error types.
_NO_TOPIC: Final = (
    "message thread not found",
    "topic_closed",
    "topic closed",
    "topic_deleted",
    "topic deleted",
)


class TelegramChat:
    """Telegram through python-telegram-bot."""

    def __init__(self, bot: ExtBot[Any]) -> None:
        self._bot = bot

    async def say(
        self,
        target: Target,
        *lines: Say,
        language: str | None = None,
        buttons: Sequence[Button] = (),
        ask: bool = False,
        urgency: Urgency = Urgency.REPLY,
        still: Still | None = None,
    ) -> Outcome:
        """Send a text (Bot API: sendMessage)."""
        markup = ForceReply(selective=True) if ask else _keyboard(buttons, language)

        async def send(target: Target) -> Sent:
            return _sent(
                await self._bot.send_message(
                    target.chat_id,
                    texts.words(*lines, language=language),
                    parse_mode=ParseMode.HTML,
                    message_thread_id=target.thread_id,
                    reply_parameters=_reply(target),
                    reply_markup=markup,
                    link_preview_options=LinkPreviewOptions(is_disabled=True),
                    rate_limit_args=_turn(urgency, still),
                )
            )

        return await _to_topic_or_chat(target, send)

    async def edit(
        self,
        chat_id: int,
        message_id: int,
        *lines: Say,
        language: str | None = None,
        buttons: Sequence[Button] = (),
        still: Still | None = None,
    ) -> Outcome:
        """Change a text (Bot API: editMessageText)."""

        async def edit() -> Sent:
            await self._bot.edit_message_text(
                texts.words(*lines, language=language),
                chat_id=chat_id,
                message_id=message_id,
                parse_mode=ParseMode.HTML,
                reply_markup=_keyboard(buttons, language),
                link_preview_options=LinkPreviewOptions(is_disabled=True),
                rate_limit_args=_turn(Urgency.EDIT, still),
            )
            return Sent(message_ids=(message_id,))

        outcome = await _outcome(edit)
        if isinstance(outcome, Refused) and _SAME in outcome.reason.lower():
            return Sent(message_ids=(message_id,))
        return outcome

    async def delete(self, chat_id: int, message_id: int) -> Outcome:
        """Delete a message (Bot API: deleteMessage)."""

        async def delete() -> Sent:
            await self._bot.delete_message(chat_id, message_id, rate_limit_args=Urgency.DELETE)
            return Sent()

        outcome = await _outcome(delete)
        if isinstance(outcome, Refused) and outcome.reason.lower().endswith(_NO_MESSAGE):
            return Sent()
        return outcome

    async def send_pictures(
        self,
        target: Target,
        pictures: Sequence[Picture],
        *lines: Say,
        language: str | None = None,
        sent_as: Literal["photo", "document"] = "photo",
    ) -> Outcome:
        """Send pictures (Bot API: sendPhoto, sendDocument, sendMediaGroup)."""
        caption = texts.words(*lines, language=language) if lines else None

        async def send(target: Target) -> Sent:
            common: dict[str, Any] = {
                "message_thread_id": target.thread_id,
                "reply_parameters": _reply(target),
                "rate_limit_args": Urgency.PICTURE,
            }
            text: dict[str, Any] = {"caption": caption, "parse_mode": ParseMode.HTML}
            with ExitStack() as files:
                first, *rest = [_media(picture, files) for picture in pictures]
                if rest:
                    kind = InputMediaPhoto if sent_as == "photo" else InputMediaDocument
                    # the caption of an album is that of its first item
                    items = [kind(first, **text), *(kind(other) for other in rest)]
                    return _sent(*await self._bot.send_media_group(target.chat_id, items, **common))
                one = self._bot.send_photo if sent_as == "photo" else self._bot.send_document
                return _sent(await one(target.chat_id, first, **text, **common))

        return await _to_topic_or_chat(target, send)

    async def answer_press(
        self, press_id: str, line: Say | None = None, *, language: str | None = None
    ) -> Outcome:
        """Answer a button's press (Bot API: answerCallbackQuery)."""

        async def answer() -> Sent:
            await self._bot.answer_callback_query(
                press_id,
                texts.plain(line, language=language) if line else None,
                rate_limit_args=Urgency.PRESS,
            )
            return Sent()

        return await _outcome(answer)

    async def fetch(self, file_id: str) -> FileOutcome:
        """Fetch a file (Bot API: getFile)."""
        try:
            file = await self._bot.get_file(file_id)
            if file.file_size is not None and file.file_size > FileSizeLimit.FILESIZE_DOWNLOAD:
                return TooLarge()
        except TelegramError as exc:
            return file_outcome_of(exc)
        try:
            kept = _Kept()
            await file.download_to_memory(cast("BinaryIO", kept))
            return Fetched(content=kept.content)
        except InvalidToken as exc:
            # the library has one error for both: a file that is gone (404), a bad token (401)
            if "not found" in exc.message.lower():
                return Missing(reason=exc.message)
            return file_outcome_of(exc)
        except TelegramError as exc:
            return file_outcome_of(exc)


class _Kept:
    """Where the library writes a file to, in one piece: that very piece, and no copy of its 20 MB."""

    content = b""

    def write(self, piece: bytes) -> int:
        self.content += piece  # to nothing, as the library does it: not a copy
        return len(piece)


async def _to_topic_or_chat(target: Target, send: Callable[[Target], Awaitable[Sent]]) -> Outcome:
    """Send to the topic or, where that was closed or deleted in the meantime, to the chat itself."""
    outcome = await _outcome(lambda: send(target))
    if not isinstance(outcome, Refused) or target.thread_id is None:
        return outcome
    if not any(words in outcome.reason.lower() for words in _NO_TOPIC):
        return outcome
    # not as a reply either: that would go to the topic of the message it answers
    return await _outcome(lambda: send(Target(chat_id=target.chat_id)))


async def _outcome(call: Callable[[], Awaitable[Sent]]) -> Outcome:
    try:
        return await call()
    except TelegramError as exc:
        outcome = outcome_of(exc)
        if not isinstance(outcome, Sent | Gone | Moved | Dropped):
            log.info("telegram_call_failed", outcome=type(outcome).__name__, why=outcome.reason)
        return outcome


def _turn(urgency: Urgency, still: Still | None) -> Urgency | Turn:
    return urgency if still is None else Turn(urgency=urgency, still=still)


def _sent(*messages: Message) -> Sent:
    return Sent(
        message_ids=tuple(message.message_id for message in messages),
        file_ids=tuple(file_id for message in messages if (file_id := _file_id(message))),
    )


def _file_id(message: Message) -> str | None:
    if message.photo:
        return message.photo[-1].file_id
    return message.document.file_id if message.document else None


def _media(picture: Picture, files: ExitStack) -> InputFile | str:
    if isinstance(picture.content, str):
        return picture.content
    # Read while it is sent, in small pieces: an upload holds little memory, however slow it is. They
    # are read in the event loop: what was just written is in the system's own memory.
    file = files.enter_context(picture.content.open("rb"))
    return InputFile(file, filename=picture.name, attach=True, read_file_handle=False)


def _reply(target: Target) -> ReplyParameters | None:
    if target.reply_to is None:
        return None
    return ReplyParameters(target.reply_to, allow_sending_without_reply=True)


def _keyboard(buttons: Sequence[Button], language: str | None) -> InlineKeyboardMarkup | None:
    if not buttons:
        return None
    return InlineKeyboardMarkup(
        [
            [
                InlineKeyboardButton(
                    texts.plain(button.label, language=language), callback_data=button.data
                )
                for button in buttons
            ]
        ]
    )
