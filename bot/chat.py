"""The Chat port over `telegram.Bot`: every way a call can end becomes an outcome."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, Final, Literal

from telegram import (
    ForceReply,
    InputFile,
    InputMediaDocument,
    InputMediaPhoto,
    LinkPreviewOptions,
)
from telegram.constants import ChatMemberStatus, ParseMode
from telegram.error import TelegramError
from telegram.ext import ExtBot

from bot import texts
from bot.calls import keyboard, media, outcome, reply, sent, to_topic_or_chat, turn
from bot.changing import Changing
from bot.messages import (
    FileOutcome,
    Keyboard,
    Later,
    Moved,
    Outcome,
    Picture,
    Sent,
    Still,
    Target,
    Unknown,
    Urgency,
)
from bot.outcomes import NETWORK_DELAY, outcome_of
from bot.sent_files import SentFiles
from bot.texts import Say

_NOTICE: Final = 200
"""UTF-16 units of an answer to a press (Bot API: answerCallbackQuery)."""
_PLACEHOLDER: Final = 64
"""The same of what stands in the field for an answer (Bot API: ForceReply)."""
_ADMINS: Final = frozenset({ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR})


class TelegramChat(Changing):
    """Telegram through python-telegram-bot."""

    def __init__(self, bot: ExtBot[Any], files: SentFiles | None = None) -> None:
        super().__init__(bot)
        self._files = files or SentFiles()

    async def say(
        self,
        target: Target,
        *lines: Say,
        language: str | None = None,
        buttons: Keyboard = (),
        ask: bool = False,
        placeholder: Say | None = None,
        silent: bool = False,
        urgency: Urgency = Urgency.REPLY,
        still: Still | None = None,
    ) -> Outcome:
        """Send a text (Bot API: sendMessage)."""
        markup = _question(placeholder, language) if ask else keyboard(buttons, language)

        async def send(target: Target) -> Sent:
            return sent(
                await self._bot.send_message(
                    target.chat_id,
                    texts.words(*lines, language=language),
                    parse_mode=ParseMode.HTML,
                    message_thread_id=target.thread_id,
                    reply_parameters=reply(target),
                    reply_markup=markup,
                    disable_notification=silent or None,
                    link_preview_options=LinkPreviewOptions(is_disabled=True),
                    rate_limit_args=turn(urgency, still),
                )
            )

        return await to_topic_or_chat(target, send)

    async def send_pictures(
        self,
        target: Target,
        pictures: Sequence[Picture],
        *lines: Say,
        language: str | None = None,
        sent_as: Literal["photo", "document"] = "photo",
        buttons: Keyboard = (),
        spoiler: bool = False,
        silent: bool = False,
    ) -> Outcome:
        """Send pictures (Bot API: sendPhoto, sendDocument, sendMediaGroup)."""
        caption = texts.words(*lines, language=language) if lines else None
        kind = InputMediaPhoto if sent_as == "photo" else InputMediaDocument
        cover: dict[str, Any] = {"has_spoiler": True} if spoiler and sent_as == "photo" else {}

        async def send(target: Target) -> Sent:
            common = _common(target, silent=silent, urgency=Urgency.PICTURE)
            text: dict[str, Any] = {"caption": caption, "parse_mode": ParseMode.HTML}
            with ExitStack() as files:
                first, *rest = [media(picture, files) for picture in pictures]
                if rest:
                    # the caption of an album is that of its first item
                    items = [
                        kind(first, **text, **cover),
                        *(kind(other, **cover) for other in rest),
                    ]
                    return sent(*await self._bot.send_media_group(target.chat_id, items, **common))
                one = self._bot.send_photo if sent_as == "photo" else self._bot.send_document
                markup = keyboard(buttons, language)
                return sent(
                    await one(target.chat_id, first, reply_markup=markup, **text, **cover, **common)
                )

        return await to_topic_or_chat(target, send)

    async def send_file(
        self,
        target: Target,
        content: bytes,
        name: str,
        *lines: Say,
        language: str | None = None,
        silent: bool = False,
    ) -> Outcome:
        """Send bytes as a file (Bot API: sendDocument)."""

        async def send(target: Target) -> Sent:
            return sent(
                await self._bot.send_document(
                    target.chat_id,
                    InputFile(content, filename=name),
                    caption=texts.words(*lines, language=language) if lines else None,
                    parse_mode=ParseMode.HTML,
                    disable_content_type_detection=True,
                    **_common(target, silent=silent, urgency=Urgency.REPLY),
                )
            )

        return await to_topic_or_chat(target, send)

    async def answer_press(
        self,
        press_id: str,
        line: Say | None = None,
        *,
        language: str | None = None,
        alert: bool = False,
    ) -> Outcome:
        """Answer a button's press (Bot API: answerCallbackQuery)."""

        async def answer() -> Sent:
            await self._bot.answer_callback_query(
                press_id,
                texts.shorten(texts.plain(line, language=language), _NOTICE) if line else None,
                show_alert=alert or None,
                rate_limit_args=Urgency.PRESS,
            )
            return Sent()

        return await outcome(answer)

    async def is_admin(self, chat_id: int, user_id: int) -> bool | Later:
        """Say whether someone runs a chat (Bot API: getChatMember)."""
        try:
            # as urgent as the answer to the press for which it is asked
            member = await self._bot.get_chat_member(
                chat_id, user_id, rate_limit_args=Urgency.PRESS
            )
        except TelegramError as exc:
            match outcome_of(exc):
                case Later() as later:
                    return later
                case Unknown(reason=reason):
                    # asking again changes nothing
                    return Later(seconds=NETWORK_DELAY, reason=reason)
                case Moved(chat_id=new):
                    return await self.is_admin(new, user_id)
                case _:
                    return False  # there is no such person in it, or we are not
        return member.status in _ADMINS

    async def fetch(self, file_id: str) -> FileOutcome:
        """Fetch a file (Bot API: getFile)."""
        return await self._files.fetch(self._bot, file_id)


def _question(placeholder: Say | None, language: str | None) -> ForceReply:
    words = texts.plain(placeholder, language=language) if placeholder else None
    return ForceReply(
        selective=True,
        input_field_placeholder=texts.shorten(words, _PLACEHOLDER) if words else None,
    )


def _common(target: Target, *, silent: bool, urgency: Urgency) -> dict[str, Any]:
    """Give what every kind of message with a file in it takes."""
    return {
        "message_thread_id": target.thread_id,
        "reply_parameters": reply(target),
        "disable_notification": silent or None,
        "rate_limit_args": urgency,
    }
