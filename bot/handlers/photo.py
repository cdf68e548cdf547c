"""Photos, and the words for them: with words a photo becomes a task, without them a question."""

from datetime import timedelta
from typing import Any, Final

from telegram import Update

from bot.captions import parse
from bot.errors import CaptionError
from bot.handlers.desk import Desk
from bot.handlers.incoming import Incoming, addressee_of, command_of
from bot.handlers.orders import Orders, order_of
from bot.texts import Say, shorten
from storage.tasks import Draft

OPEN_FOR: Final = timedelta(days=1)
"""For so long the next text is taken as the words for a photo; a reply to the question always is."""


class PhotoHandlers:
    """What happens when a photo comes in, or the words for one."""

    def __init__(self, desk: Desk, orders: Orders) -> None:
        self._desk = desk
        self._orders = orders

    async def photo(self, update: Update, context: Any) -> None:
        """Make a task of a photo with words, ask for the words, or say what is wrong with it."""
        del context
        message = await self._desk.read(update)
        if message is None or not message.addressed:
            return
        if not await self._desk.answers_for(message) or not await self._desk.let_in(message):
            return
        if message.media_group_id is not None:
            await self._desk.answer(message, Say("album"))
        elif message.photo is None or isinstance(message.photo, Say):
            await self._desk.answer(message, message.photo or Say("not-a-photo"))
        else:
            words = "" if self._is_alone(message.text) else message.text
            await self._orders.take(order_of(message, photos=(message.photo,), words=words))

    async def words(self, update: Update, context: Any) -> None:
        """Take a text as the words for a photo that waits for them."""
        del context
        message = await self._desk.read(update)
        if message is None or not message.addressed:
            return
        draft = await self._draft(message)
        if draft is None or self._is_command(message.text):
            await self._no_draft(message)
        elif await self._desk.let_in(message):
            words = f"{self._orders.so_far(draft)}\n{message.text}".strip()
            await self._answer(message, draft, words)

    async def edited(self, update: Update, context: Any) -> None:
        """Take an edited caption if its photo still waits for words; else say that it is too late."""
        del context
        message = await self._desk.read(update)
        if message is None or not message.addressed or not await self._desk.let_in(message):
            return
        draft = await self._open_draft(message)
        if draft is not None and draft.place.message_id == message.place.message_id:
            await self._answer(message, draft, message.text)
        elif not await self._desk.made_already(message.origin):
            await self._desk.answer(message, Say("edited"))

    async def _answer(self, message: Incoming, draft: Draft, words: str) -> None:
        """Take the words that a photo has now."""
        await self._orders.take(
            order_of(
                message,
                photos=draft.photos,
                words=words,
                place=draft.place,
                parent_id=draft.parent_id,
                draft_id=draft.id,
            )
        )

    async def _draft(self, message: Incoming) -> Draft | None:
        """Find the photo that a text is meant for: by the question it answers, else the last one."""
        chat_id, reply = message.place.chat_id, message.reply
        if reply is not None and reply.ours and reply.message_id is not None:
            draft = await self._desk.store.draft_asked_by(
                message.user_id, chat_id, reply.message_id
            )
            if draft is not None:
                return draft
        return await self._open_draft(message) if message.private else None

    async def _open_draft(self, message: Incoming) -> Draft | None:
        since = self._desk.clock.now() - OPEN_FOR
        return await self._desk.store.open_draft(message.user_id, message.place.chat_id, since)

    async def _no_draft(self, message: Incoming) -> None:
        if not await self._desk.let_in(message):
            return
        if self._is_command(message.text):
            command = shorten(command_of(message.text) or "", 40)
            await self._desk.answer(message, Say("unknown-command", {"command": command}))
        elif not await self._desk.made_already(message.origin):
            await self._desk.answer(message, Say("no-photo-yet"))

    def _is_alone(self, caption: str) -> bool:
        """Say whether a caption is a command alone, as /help: nobody wants a picture of that."""
        return command_of(caption) == caption.strip() and self._is_command(caption)

    def _is_command(self, text: str) -> bool:
        """Say whether a text begins with a command for us that is none of ours, nor an option."""
        command = command_of(text)
        if command is None or addressee_of(text) not in {None, self._desk.username.lower()}:
            return False
        try:
            read = parse(command, defaults=self._desk.defaults, bot_username=self._desk.username)
        except CaptionError:
            return False  # an option, though a misspelt one or without its value
        return bool(read.prompt)
