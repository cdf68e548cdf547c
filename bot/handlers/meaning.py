"""What words are meant for: the photos that a reply points at, or those that wait."""

from dataclasses import dataclass

from bot.handlers.desk import Desk
from bot.handlers.incoming import Incoming, Replied
from bot.handlers.order import Order, order_of
from bot.handlers.orders import OPEN_FOR, Orders
from bot.texts import Say
from storage.tasks import Draft, DraftKind, Photo, Place


@dataclass(frozen=True, kw_only=True, slots=True)
class Meant:
    """Photos that words are for."""

    photos: tuple[Photo, ...]
    words: str = ""
    """What is said of them already: options that came with them."""
    place: Place | None = None
    """Where the results belong; None: to the words."""
    parent_id: int | None = None
    draft_id: int | None = None

    def order(self, message: Incoming, words: str) -> Order:
        """Give the order that these words make of them."""
        return order_of(
            message,
            photos=self.photos,
            words=f"{self.words}\n{words}".strip(),
            place=self.place,
            parent_id=self.parent_id,
            draft_id=self.draft_id,
        )


class Meaning:
    """Finds out what messages are about."""

    def __init__(self, desk: Desk, orders: Orders) -> None:
        self._desk = desk
        self._orders = orders

    async def of_reply(self, message: Incoming) -> Meant | Say | None:
        """Give the photos of what a message replies to, or why they cannot be used.

        None: it replies to nothing, or to words that are just that.
        """
        reply = message.reply
        if reply is None:
            return None
        if reply.message_id is not None:
            found = (
                await self._asked(message, reply.message_id)
                or await self._of_task(message, reply, reply.message_id)
                or await self._waiting_at(message, reply.message_id)
            )
            if found is not None:
                return found
        if isinstance(reply.photo, Photo):
            return Meant(photos=(reply.photo,))
        return reply.photo

    async def waiting(self, message: Incoming) -> Meant | None:
        """Give the person's photos that have been waiting for words, though not for long."""
        draft = await self.open_draft(message, "words")
        return None if draft is None else self.of_draft(draft)

    async def open_draft(self, message: Incoming, kind: DraftKind) -> Draft | None:
        """Give what the person began in this chat not long ago."""
        return await self._desk.store.open_draft(
            message.user_id,
            message.place.chat_id,
            self._desk.clock.now() - OPEN_FOR,
            kind=kind,
        )

    def of_draft(self, draft: Draft, *, words: bool = True) -> Meant:
        """Give the photos of a draft; `words`: with what is said of them already."""
        return Meant(
            photos=draft.photos,
            words=self._orders.so_far(draft) if words and draft.kind == "words" else "",
            place=draft.place,
            parent_id=draft.parent_id,
            draft_id=draft.id,
        )

    async def _asked(self, message: Incoming, question: int) -> Meant | None:
        """Give the photos that one of our messages asked about."""
        store, chat_id = self._desk.store, message.place.chat_id
        draft = await store.draft_asked_by(message.user_id, chat_id, question)
        if draft is None or not draft.photos:
            return None
        return self.of_draft(draft)

    async def _of_task(
        self, message: Incoming, reply: Replied, message_id: int
    ) -> Meant | Say | None:
        """Give the picture that one of our messages shows, or the photos that it is about."""
        known = await self._desk.store.task_at(message.place.chat_id, message_id)
        task = None if known is None else await self._desk.store.get(known.task_id)
        if task is None:
            return None
        if isinstance(reply.photo, Photo):
            return Meant(photos=(reply.photo,), parent_id=task.id)
        if task.pruned or not task.photos:
            return Say("forgotten")
        return Meant(photos=task.photos, parent_id=task.id)

    async def _waiting_at(self, message: Incoming, message_id: int) -> Meant | None:
        """Give the person's own photo that waits for words; of an album a reply takes its one part."""
        store, chat_id = self._desk.store, message.place.chat_id
        draft = await store.draft_at(message.user_id, chat_id, message_id)
        if draft is None or draft.kind != "words" or len(draft.photos) != 1:
            return None
        return self.of_draft(draft)
