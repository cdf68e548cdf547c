"""Edited messages: new words for what is not handed in yet; for the rest an offer."""

from typing import Any

from telegram import Update

from bot.errors import CaptionError
from bot.handlers.album import AlbumHandlers
from bot.handlers.desk import Desk
from bot.handlers.incoming import Incoming
from bot.handlers.meaning import Meaning
from bot.handlers.order import order_of
from bot.handlers.orders import Orders
from bot.handlers.wording import has_words, without_command
from bot.texts import Say
from storage.tasks import IN_LINE, Draft, Origin, Photo, Settings, Task


class EditHandlers:
    """What happens when someone changes what they wrote."""

    def __init__(self, desk: Desk, orders: Orders, meaning: Meaning, albums: AlbumHandlers) -> None:
        self._desk = desk
        self._albums = albums
        self._orders = orders
        self._meaning = meaning
        self._untold: set[Origin] = set()
        """The edits that have changed a task, until the person has been told."""

    async def edited(self, update: Update, context: Any) -> None:
        """Go by a caption or a text as it is now. What changes nothing of it is not answered."""
        del context
        message = await self._desk.read(update)
        if message is None or await self._desk.made_already(message.origin):
            return
        store, place = self._desk.store, message.place
        draft = await store.draft_at(message.user_id, place.chat_id, place.message_id)
        task = await store.task_from(message.user_id, place.chat_id, place.message_id)
        if draft is None and task is None:
            if await self._albums.edited(message):
                return
            task = await self._of_album(message)
        if draft is None and task is None and not message.addressed:
            return
        if not await self._desk.let_in(message):
            return
        words = without_command(message.text, self._desk.username)
        repeated = draft is not None and draft.origin == message.origin
        if draft is not None and (task is None or (words == draft.caption and not repeated)):
            await self._draft(message, draft, words, repeated=repeated)
        elif task is not None:
            await self._task(message, task, words)
        elif isinstance(message.photo, Photo):
            await self._desk.answer(message, Say("edited"))
        elif message.photo is None:
            await self._desk.answer(message, Say("edited-text"))

    async def _of_album(self, message: Incoming) -> Task | None:
        """Give the task of the album that a message is a part of: not only its first one has words."""
        origin = await self._albums.begun_by(message)
        task = None if origin is None else await self._desk.store.made_by(origin)
        return task if task is not None and task.user_id == message.user_id else None

    async def _draft(self, message: Incoming, draft: Draft, words: str, *, repeated: bool) -> None:
        """Take the new words of what is not a task yet; `repeated`: it is this edit's own, not yet answered."""
        if words == draft.caption and not repeated:
            return
        if draft.kind == "prompt":
            await self._orders.keep_words(message)
        else:
            meant = self._meaning.of_draft(draft, words=False)
            await self._orders.take(meant.order(message, words))

    async def _task(self, message: Incoming, task: Task, words: str) -> None:
        """Change a task that is still in line; offer to make any other one again."""
        if not has_words(words, self._desk.username):
            return
        try:
            wanted = await self._orders.settings_of(words, task.user_id, task.place.chat_id)
        except CaptionError as exc:
            await self._desk.answer(message, *exc.says, Say("edited-wrong"))
            return
        if message.origin not in self._untold:
            if task.settings in wanted:
                return
            # of several that one message has made, none can be said to be the one
            alone = task.origin.n == 0 and len(wanted) == 1
            if alone and await self._changed(task, wanted[0]):
                self._untold.add(message.origin)
        if message.origin in self._untold:
            await self._desk.answer(message, Say("edited-changed"))
            self._untold.remove(message.origin)
            return
        await self._orders.offer_again(
            order_of(message, photos=task.photos, words=words, place=task.place, parent_id=task.id),
            Say("edited-late"),
        )

    async def _changed(self, task: Task, settings: Settings) -> bool:
        """Change a task if it is still in line, whoever moves it meanwhile."""
        row: Task | None = task
        while row is not None and row.state in IN_LINE:
            if await self._desk.store.change(row, settings=settings) is not None:
                return True
            row = await self._desk.store.get(task.id)
        return False
