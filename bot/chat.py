"""The Chat port over `telegram.Bot`: every way a call can end becomes an outcome."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Final, Literal

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
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)
from telegram.ext import ExtBot

from bot import texts
from bot.messages import (
    Button,
    Fetched,
    FileOutcome,
    Gone,
    Later,
    Missing,
    Moved,
    Outcome,
    Picture,
    Refused,
    Sent,
    Target,
    TooLarge,
    Unknown,
    Urgency,
)
from bot.texts import Say

log = structlog.get_logger(__name__)

_NETWORK_DELAY: Final = 2.0
"""Seconds to wait after a failure of the network or of Telegram itself."""
_TOKEN_DELAY: Final = 60.0
"""Seconds to wait when Telegram does not know the token: only the operator can mend that."""

# python-telegram-bot wraps the HTTP library's error; its cause's name tells whether the request can
# have arrived. These are raised before the request has been written to its end.
_NOT_SENT: Final = frozenset(
    {
        "ConnectError",
        "ConnectTimeout",
        "PoolTimeout",
        "ProxyError",
        "UnsupportedProtocol",
        "InvalidURL",
    }
    | {"WriteError", "WriteTimeout", "LocalProtocolError"}
)
_NO_CHAT: Final = ("chat not found", "user not found", "peer_id_invalid", "user is deactivated")
_SAME: Final = "message is not modified"
_NO_MESSAGE: Final = ("message to delete not found", "message to edit not found")
_NO_TOPIC: Final = "message thread not found"
_TOO_LARGE: Final = "entity too large"
_TOO_SLOW: Final = "gateway time"


def outcome_of(error: TelegramError) -> Outcome:
    """Say what an error of a sending call means for the message.

    The order matters: BadRequest is a NetworkError too.
    """
    reason = error.message
    match error:
        case RetryAfter():
            return Later(seconds=_seconds(error.retry_after), reason="flood control")
        case ChatMigrated():
            return Moved(chat_id=error.new_chat_id)
        case Forbidden():
            return Gone(reason=reason)
        case InvalidToken():
            return Later(seconds=_TOKEN_DELAY, reason="Telegram does not know the token")
        case BadRequest():
            if any(words in reason.lower() for words in _NO_CHAT):
                return Gone(reason=reason)
            return Refused(reason=reason)
        case Conflict():
            return Later(seconds=_NETWORK_DELAY, reason=reason)
        case EndPointNotFound():
            return Refused(reason=reason)
        case NetworkError():
            return _outcome_of_network(error)
        case _:
            # Telegram said that it went well, and then something that cannot be read
            return Unknown(reason=reason)


def _outcome_of_network(error: NetworkError) -> Outcome:
    """Say what a failure on the way means: did the request arrive, and was it acted upon?"""
    reason = error.message
    cause = type(error.__cause__).__name__
    if error.__cause__ is None or isinstance(error.__cause__, TelegramError):
        # Telegram, or the gateway before it, answered with an error of its own, such as 502
        if _TOO_LARGE in reason.lower():
            return Refused(reason="too large")
        if _TOO_SLOW in reason.lower():
            # the gateway handed it on and did not wait for the end
            return Unknown(reason="gateway time-out")
        return Later(seconds=_NETWORK_DELAY, reason="Telegram, or its gateway, is ill")
    if cause in _NOT_SENT:
        return Later(seconds=_NETWORK_DELAY, reason=cause)
    return Unknown(reason=cause)


def _seconds(value: int | timedelta) -> float:
    return value.total_seconds() if isinstance(value, timedelta) else float(value)


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
                    rate_limit_args=urgency,
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
                rate_limit_args=Urgency.EDIT,
            )
            return Sent(message_ids=(message_id,))

        outcome = await _outcome(edit)
        if isinstance(outcome, Refused) and _SAME in outcome.reason.lower():
            return Sent(message_ids=(message_id,))
        return outcome

    async def delete(self, chat_id: int, message_id: int) -> Outcome:
        """Delete a message (Bot API: deleteMessage)."""

        async def delete() -> Sent:
            await self._bot.delete_message(chat_id, message_id, rate_limit_args=Urgency.EDIT)
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
            if len(pictures) == 1:
                media = _media(pictures[0])
                if sent_as == "photo":
                    return _sent(
                        await self._bot.send_photo(target.chat_id, media, **text, **common)
                    )
                return _sent(await self._bot.send_document(target.chat_id, media, **text, **common))
            kind = InputMediaPhoto if sent_as == "photo" else InputMediaDocument
            first, *rest = pictures
            # the caption of an album is that of its first item
            items = [kind(_media(first), **text), *(kind(_media(other)) for other in rest)]
            return _sent(*await self._bot.send_media_group(target.chat_id, items, **common))

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
            return _not_fetched(exc)
        try:
            return Fetched(content=bytes(await file.download_as_bytearray()))
        except InvalidToken as exc:
            # the library has one error for both: a file that is gone (404), a bad token (401)
            if "not found" in exc.message.lower():
                return Missing(reason=exc.message)
            return _not_fetched(exc)
        except TelegramError as exc:
            return _not_fetched(exc)


def _not_fetched(error: TelegramError) -> FileOutcome:
    """Say what an error of fetching means: only what Telegram says of the file itself is final."""
    match outcome_of(error):
        case Refused() if "too big" in error.message.lower():
            return TooLarge()
        case Refused() | Gone():
            return Missing(reason=error.message)
        case Later() as later:
            return later
        case _:
            # whether an answer was lost makes no difference here: asking again changes nothing
            return Later(seconds=_NETWORK_DELAY, reason=type(error).__name__)


async def _to_topic_or_chat(target: Target, send: Callable[[Target], Awaitable[Sent]]) -> Outcome:
    """Send to the topic or, where that was deleted in the meantime, to the chat itself."""
    outcome = await _outcome(lambda: send(target))
    if isinstance(outcome, Refused) and _NO_TOPIC in outcome.reason.lower() and target.thread_id:
        without = Target(chat_id=target.chat_id, reply_to=target.reply_to)
        return await _outcome(lambda: send(without))
    return outcome


async def _outcome(call: Callable[[], Awaitable[Sent]]) -> Outcome:
    try:
        return await call()
    except TelegramError as exc:
        outcome = outcome_of(exc)
        if not isinstance(outcome, Sent | Gone | Moved):
            log.info("telegram_call_failed", outcome=type(outcome).__name__, why=outcome.reason)
        return outcome


def _sent(*messages: Message) -> Sent:
    return Sent(
        message_ids=tuple(message.message_id for message in messages),
        file_ids=tuple(file_id for message in messages if (file_id := _file_id(message))),
    )


def _file_id(message: Message) -> str | None:
    if message.photo:
        return message.photo[-1].file_id
    return message.document.file_id if message.document else None


def _media(picture: Picture) -> InputFile | str:
    if isinstance(picture.content, str):
        return picture.content
    return InputFile(picture.content, filename=picture.name, attach=True)


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
