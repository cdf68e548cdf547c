"""Photos, and image files: with words they become a task, without they become a question."""

from datetime import timedelta
from typing import Any, Final

from telegram import Message, Update
from telegram.constants import FileSizeLimit

from bot.captions import parse
from bot.errors import CaptionError
from bot.handlers.desk import Desk, addressee_of, command_of, language_of, place_of, user_of
from bot.pictures import PictureRequest
from bot.texts import Say, shorten
from storage.store import TooManyUnfinished
from storage.tasks import Draft, NewDraft, NewTask, Photo, Settings

OPEN_FOR: Final = timedelta(days=1)
"""For so long the next text is taken as the words for a photo; a reply to the question always is."""
_IMAGE_NAMES: Final = (".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif")


class PhotoHandlers:
    """What happens when a photo comes in, or the words for one."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def photo(self, update: Update, context: Any) -> None:
        """Make a task of a photo with words, ask for the words, or say what is wrong with it."""
        del context
        message = update.message
        if message is None or not self._desk.addressed(message):
            return
        if not await self._desk.answers_for(update.update_id, message):
            return
        if not await self._desk.let_in(message):
            return
        if message.media_group_id is not None:
            await self._desk.answer(message, Say("album"))
            return
        photo = photo_of(message)
        if isinstance(photo, Say):
            await self._desk.answer(message, photo)
            return
        caption = message.caption or ""
        try:
            request = parse(caption, defaults=self._desk.defaults, bot_username=self._desk.username)
        except CaptionError as exc:
            # the photo is kept, so that the mended words alone will do
            await self._keep(update, message, (photo,), exc.say, Say("try-caption"))
            return
        if command_of(caption) == caption.strip() and self._is_command(caption):
            # a command alone, as /help: nobody wants a picture of that
            request, caption = self._desk.defaults, ""
        if not request.prompt:
            await self._keep(update, message, (photo,), Say("ask-words"), caption=caption)
            return
        await self._add(
            message,
            NewTask(
                origin=self._desk.origin(update.update_id),
                user_id=user_of(message),
                place=place_of(message),
                photos=(photo,),
                settings=settings_of(request),
                language=language_of(message),
            ),
        )

    async def words(self, update: Update, context: Any) -> None:
        """Take a text as the words for a photo that waits for them."""
        del context
        message = update.message
        if message is None or message.text is None or not self._desk.addressed(message):
            return
        draft = await self._draft(message)
        if draft is None or self._is_command(message.text):
            await self._no_draft(update.update_id, message, message.text)
            return
        if await self._desk.let_in(message):
            await self._answered(update, message, draft, f"{draft.caption}\n{message.text}".strip())

    async def edited(self, update: Update, context: Any) -> None:
        """Take an edited caption if its photo still waits for words; else say that it is too late."""
        del context
        message = update.edited_message
        if message is None or not self._desk.addressed(message):
            return
        if not await self._desk.let_in(message):
            return
        draft = await self._open_draft(message)
        if draft is None or draft.place.message_id != message.message_id:
            if not await self._desk.made_already(update.update_id):
                await self._desk.answer(message, Say("edited"))
        else:
            await self._answered(update, message, draft, message.caption or "")

    async def _answered(self, update: Update, message: Message, draft: Draft, caption: str) -> None:
        """Make a task of a photo that waited and the caption it has now."""
        try:
            request = parse(caption, defaults=self._desk.defaults, bot_username=self._desk.username)
        except CaptionError as exc:
            await self._ask(draft, message, exc.say, Say("try-caption"))
            return
        if not request.prompt:
            # options alone: they are kept, and hold for the words that follow
            draft = await self._desk.store.add_draft(
                NewDraft(
                    origin=self._desk.origin(update.update_id),
                    user_id=draft.user_id,
                    place=draft.place,
                    photos=draft.photos,
                    caption=caption,
                    language=language_of(message),
                    parent_id=draft.parent_id,
                ),
                self._desk.clock.now(),
            )
            await self._ask(draft, message, Say("ask-words"))
            return
        await self._add(
            message,
            NewTask(
                origin=self._desk.origin(update.update_id),
                user_id=user_of(message),
                place=draft.place,
                photos=draft.photos,
                settings=settings_of(request),
                language=language_of(message),
                parent_id=draft.parent_id,
                draft_id=draft.id,
            ),
        )

    async def _add(self, message: Message, new: NewTask) -> None:
        try:
            await self._desk.store.add(
                new, now=self._desk.clock.now(), max_unfinished=self._desk.access.max_unfinished
            )
        except TooManyUnfinished as exc:
            await self._desk.answer(message, Say("too-many-unfinished", {"count": exc.unfinished}))

    # --- asking for words

    async def _keep(
        self,
        update: Update,
        message: Message,
        photos: tuple[Photo, ...],
        *lines: Say,
        caption: str = "",
    ) -> None:
        draft = await self._desk.store.add_draft(
            NewDraft(
                origin=self._desk.origin(update.update_id),
                user_id=user_of(message),
                place=place_of(message),
                photos=photos,
                caption=caption,
                language=language_of(message),
            ),
            self._desk.clock.now(),
        )
        await self._ask(draft, message, *lines)

    async def _ask(self, draft: Draft, message: Message, *lines: Say) -> None:
        question = await self._desk.answer(message, *lines, ask=True)
        if question is not None:
            await self._desk.store.asked(draft.id, question)

    async def _draft(self, message: Message) -> Draft | None:
        """Find the photo that a text is meant for: by the question it answers, else the last one."""
        if message.reply_to_message is not None and self._desk.replies_to_us(message):
            asked_by = message.reply_to_message.message_id
            if draft := await self._desk.store.draft_asked_by(
                user_of(message), message.chat_id, asked_by
            ):
                return draft
        return await self._open_draft(message) if message.chat.type == "private" else None

    async def _open_draft(self, message: Message) -> Draft | None:
        since = self._desk.clock.now() - OPEN_FOR
        return await self._desk.store.open_draft(user_of(message), message.chat_id, since)

    async def _no_draft(self, update_id: int, message: Message, text: str) -> None:
        if not await self._desk.let_in(message):
            return
        if self._is_command(text):
            command = shorten(command_of(text) or "", 40)
            await self._desk.answer(message, Say("unknown-command", {"command": command}))
        elif not await self._desk.made_already(update_id):
            await self._desk.answer(message, Say("no-photo-yet"))

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


def photo_of(message: Message) -> Photo | Say:
    """Give the photo of a message, or the sentence that says why it cannot be used."""
    if message.photo:
        largest = message.photo[-1]
        return Photo(
            file_id=largest.file_id,
            file_unique_id=largest.file_unique_id,
            width=largest.width,
            height=largest.height,
            size=largest.file_size,
        )
    document = message.document
    if document is None:
        return Say("not-a-photo")
    name = document.file_name or ""
    is_image = (document.mime_type or "").startswith("image/")
    if not is_image and not name.lower().endswith(_IMAGE_NAMES):
        return Say("not-an-image-file", {"name": shorten(name, 60)}) if name else Say("not-a-photo")
    if (document.file_size or 0) > FileSizeLimit.FILESIZE_DOWNLOAD:
        return Say("file-too-large")
    return Photo(
        file_id=document.file_id,
        file_unique_id=document.file_unique_id,
        kind="document",
        size=document.file_size,
    )


def settings_of(request: PictureRequest) -> Settings:
    """Give a request's settings as the store keeps them."""
    return Settings(
        prompt=request.prompt,
        negative=request.negative,
        ratio=request.ratio.value if request.ratio else None,
        count=request.count,
    )
