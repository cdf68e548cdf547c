"""Photos, and the words for them, in whatever order they come."""

from dataclasses import replace
from typing import Any

from telegram import Update

from bot import links
from bot.handlers.desk import Desk
from bot.handlers.incoming import Incoming, command_of
from bot.handlers.meaning import Meaning, Meant
from bot.handlers.order import Order, order_of
from bot.handlers.orders import Orders
from bot.handlers.wording import has_words, is_command, without_command
from bot.texts import Say, shorten
from storage.tasks import Photo


class PhotoHandlers:
    """What happens when a photo comes in, or words."""

    def __init__(self, desk: Desk, orders: Orders, meaning: Meaning) -> None:
        self._desk = desk
        self._orders = orders
        self._meaning = meaning

    # --- photos

    async def photo(self, message: Incoming) -> None:
        """Take a photo, or say what is wrong with what came instead."""
        if not await self.is_meant(message, message.photo) or not await self._desk.let_in(message):
            return
        if isinstance(message.photo, Photo):
            await self.photos(message, (message.photo,))
        else:
            await self._desk.answer(message, message.photo or Say("not-a-photo"))

    async def is_meant(self, message: Incoming, photo: Photo | Say | None) -> bool:
        """Say whether a photo is for the bot: also if the person has just said there what to make of it.

        In a group, what is no photo is then for the others, and so is a sticker.
        """
        if message.addressed:
            return True
        if not isinstance(photo, Photo) or photo.kind == "sticker":
            return False
        draft = await self._meaning.open_draft(message, "prompt")
        return draft is not None and draft.place.thread_id == message.place.thread_id

    async def photos(self, message: Incoming, photos: tuple[Photo, ...], *notes: Say) -> None:
        """Take photos with the words of the message they came with, or those that wait for them."""
        if await self._desk.made_already(message.origin):
            return
        order = await self._orders.begun(message) or await self._order(message, photos)
        await self._orders.take(order, *notes)

    async def _order(self, message: Incoming, photos: tuple[Photo, ...]) -> Order:
        words = without_command(message.text, self._desk.username)
        order = order_of(message, photos=photos, words=words)
        if has_words(words, self._desk.username):
            return order
        draft = await self._meaning.open_draft(message, "prompt")
        if draft is None:
            return order
        return replace(order, words=f"{draft.caption}\n{words}".strip(), draft_id=draft.id)

    # --- words

    async def edit(self, update: Update, context: Any) -> None:
        """Take what follows /edit as the words for a photo."""
        del context
        message = await self._desk.read(update)
        if message is not None:
            await self.words(message)

    async def words(self, message: Incoming) -> None:
        """Take a text as the words for a photo: one that it points at, one that waits, or the next."""
        if not message.addressed or not await self._desk.let_in(message):
            return
        if await self._desk.made_already(message.origin):
            return
        if message.edit and not message.text:
            await self._ask_about(message)
        elif is_command(message.text, self._desk.username):
            command = shorten(command_of(message.text) or "", 40)
            await self._desk.answer(message, Say("unknown-command", {"command": command}))
        else:
            await self._take(message)

    async def _ask_about(self, message: Incoming) -> None:
        """Ask what is to be made of the photo that `/edit` alone replies to, or say how it is used."""
        meant = await self._meaning.of_reply(message)
        if isinstance(meant, Meant):
            await self._orders.ask_words(meant.order(message, ""))
        else:
            await self._desk.answer(message, meant or Say("edit-alone"))

    async def _take(self, message: Incoming) -> None:
        if (begun := await self._orders.begun(message)) is not None:
            await self._orders.take(begun)
            return
        meant = await self._meaning.of_reply(message) or await self._meaning.waiting(message)
        if isinstance(meant, Meant):
            await self._orders.take(meant.order(message, message.text))
        elif meant is not None:
            await self._desk.answer(message, meant)
        elif (link := links.find(message.text)) is not None:
            await self._link(message, link)
        else:
            await self._orders.keep_words(message)

    async def _link(self, message: Incoming, link: links.Link) -> None:
        """Take a picture that is somewhere on the web: HiDream fetches it, we never do."""
        wrong = await self._desk.check_link(link)
        if wrong is not None:
            await self._desk.answer(message, wrong)
            return
        photo = Photo(file_id="", file_unique_id="", kind="url", url=link.url)
        await self.photos(replace(message, text=link.words), (photo,))
