"""What the Chat port does to messages that are there: text, caption, picture, buttons, the end."""

from contextlib import ExitStack
from typing import Any, Final, Literal

from telegram import InputMediaDocument, InputMediaPhoto, LinkPreviewOptions
from telegram.constants import ParseMode
from telegram.ext import ExtBot

from bot import texts
from bot.calls import keyboard, media, outcome, sent, turn
from bot.messages import Keyboard, Outcome, Picture, Refused, Sent, Still, Urgency
from bot.texts import Say

_SAME: Final = "message is not modified"
_NO_MESSAGE: Final = ("message to delete not found", "message to edit not found")


class Changing:
    """The port's calls that change a message, or delete it."""

    def __init__(self, bot: ExtBot[Any]) -> None:
        self._bot = bot

    async def edit(
        self,
        chat_id: int,
        message_id: int,
        *lines: Say,
        language: str | None = None,
        buttons: Keyboard = (),
        urgency: Urgency = Urgency.EDIT,
        still: Still | None = None,
    ) -> Outcome:
        """Change a text (Bot API: editMessageText)."""

        async def edit() -> Sent:
            await self._bot.edit_message_text(
                texts.words(*lines, language=language),
                chat_id=chat_id,
                message_id=message_id,
                parse_mode=ParseMode.HTML,
                reply_markup=keyboard(buttons, language),
                link_preview_options=LinkPreviewOptions(is_disabled=True),
                rate_limit_args=turn(urgency, still),
            )
            return Sent(message_ids=(message_id,))

        return _or_same(await outcome(edit), message_id)

    async def edit_caption(
        self,
        chat_id: int,
        message_id: int,
        *lines: Say,
        language: str | None = None,
        buttons: Keyboard = (),
    ) -> Outcome:
        """Change the text on a picture (Bot API: editMessageCaption)."""

        async def edit() -> Sent:
            await self._bot.edit_message_caption(
                chat_id=chat_id,
                message_id=message_id,
                caption=texts.words(*lines, language=language),
                parse_mode=ParseMode.HTML,
                reply_markup=keyboard(buttons, language),
                rate_limit_args=Urgency.REPLY,
            )
            return Sent(message_ids=(message_id,))

        return _or_same(await outcome(edit), message_id)

    async def edit_buttons(
        self,
        chat_id: int,
        message_id: int,
        buttons: Keyboard,
        *,
        language: str | None = None,
    ) -> Outcome:
        """Change the buttons alone (Bot API: editMessageReplyMarkup)."""

        async def edit() -> Sent:
            await self._bot.edit_message_reply_markup(
                chat_id=chat_id,
                message_id=message_id,
                reply_markup=keyboard(buttons, language),
                rate_limit_args=Urgency.REPLY,
            )
            return Sent(message_ids=(message_id,))

        return _or_same(await outcome(edit), message_id)

    async def replace_picture(
        self,
        chat_id: int,
        message_id: int,
        picture: Picture,
        *lines: Say,
        language: str | None = None,
        buttons: Keyboard = (),
        sent_as: Literal["photo", "document"] = "photo",
        spoiler: bool = False,
    ) -> Outcome:
        """Put another picture into a message, and its caption (Bot API: editMessageMedia)."""
        text: dict[str, Any] = {
            "caption": texts.words(*lines, language=language) if lines else None,
            "parse_mode": ParseMode.HTML,
        }

        async def replace() -> Sent:
            with ExitStack() as files:
                content = media(picture, files)
                message = await self._bot.edit_message_media(
                    InputMediaPhoto(content, has_spoiler=spoiler, **text)
                    if sent_as == "photo"
                    else InputMediaDocument(content, **text),
                    chat_id=chat_id,
                    message_id=message_id,
                    reply_markup=keyboard(buttons, language),
                    rate_limit_args=Urgency.REPLY,
                )
            return Sent(message_ids=(message_id,)) if isinstance(message, bool) else sent(message)

        return _or_same(await outcome(replace), message_id)

    async def delete(self, chat_id: int, message_id: int) -> Outcome:
        """Delete a message (Bot API: deleteMessage)."""

        async def delete() -> Sent:
            await self._bot.delete_message(chat_id, message_id, rate_limit_args=Urgency.DELETE)
            return Sent()

        found = await outcome(delete)
        if isinstance(found, Refused) and found.reason.lower().endswith(_NO_MESSAGE):
            return Sent()
        return found


def _or_same(found: Outcome, message_id: int) -> Outcome:
    """Count as sent what was there already."""
    if isinstance(found, Refused) and _SAME in found.reason.lower():
        return Sent(message_ids=(message_id,))
    return found
