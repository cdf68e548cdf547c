"""The buttons under what is not a task yet: ideas for a photo's words, and offers to go ahead."""

from collections.abc import Mapping
from dataclasses import replace

from bot import texts
from bot.actions import Action
from bot.actions import press as data_of
from bot.handlers.buttons import Reaction
from bot.handlers.desk import Desk
from bot.handlers.order import Order
from bot.handlers.orders import EACH, FIRST, IDEAS, Orders
from bot.handlers.press import Press
from bot.texts import Say
from storage.store import StillMaking, TooManyUnfinished
from storage.tasks import Draft, DraftKind


class OfferButtons:
    """What a tap makes of a draft."""

    def __init__(self, desk: Desk, orders: Orders) -> None:
        self._desk = desk
        self._orders = orders

    def reactions(self) -> Mapping[str, Reaction]:
        """Say which buttons these are."""
        return {Action.IDEA: self.idea, Action.GO: self.go, Action.DROP: self.drop}

    async def idea(self, press: Press) -> None:
        """Take an idea as the words for photos."""
        draft = await self._draft(press, "words")
        n = press.number(1)
        if draft is None or n is None or n >= len(IDEAS):
            await self._desk.notice(press, Say("pressed-unknown"))
            return
        idea = texts.plain(Say(IDEAS[n]), language=press.language)
        words = f"{self._orders.so_far(draft)}\n{idea}".strip()
        order = _order(press, draft, button=data_of(Action.IDEA, draft.id, n))
        await self._make(replace(order, words=words), press)

    async def go(self, press: Press) -> None:
        """Make what was offered: of an album its first photos, or a picture of each."""
        draft = await self._draft(press, "offer")
        choice = press.part(1)
        if draft is None or choice not in {"", FIRST, EACH}:
            await self._desk.notice(press, Say("pressed-unknown"))
            return
        order = _order(
            press, draft, button=data_of(Action.GO, draft.id, *([choice] if choice else []))
        )
        if choice == FIRST:
            order = replace(order, photos=draft.photos[: self._desk.access.album_max])
        else:
            order = replace(order, each=choice == EACH, confirmed=True)
        await self._make(order, press)

    async def drop(self, press: Press) -> None:
        """Forget words that wait for a photo, with what was said about them."""
        number = press.number()
        draft = None if number is None else await self._desk.store.draft(number)
        if draft is None or draft.kind != "prompt":
            await self._desk.notice(press, Say("pressed-unknown"))
        elif await self._desk.admits(press, draft.user_id, draft.place.chat_id):
            await self._desk.store.drop_draft(draft.id)
            await self._desk.notice(press, Say("pressed-dropped"))
            await self._desk.chat.delete(press.chat_id, press.message_id)

    async def _draft(self, press: Press, kind: DraftKind) -> Draft | None:
        number = press.number()
        draft = None if number is None else await self._desk.store.draft(number)
        return draft if draft is not None and draft.kind == kind and draft.photos else None

    async def _make(self, order: Order, press: Press) -> None:
        if not await self._desk.admits(press, order.user_id, order.place.chat_id):
            return
        try:
            made = await self._orders.fulfil(order)
        except TooManyUnfinished as exc:
            line = Say("pressed-too-many")
            if exc.unfinished < exc.allowed:  # there is room, though not for all of them
                line = Say("pressed-too-many-at-once", {"allowed": exc.allowed})
            await self._desk.notice(press, line)
        except StillMaking:
            await self._desk.notice(press, Say("pressed-already"))
        else:
            count = sum(task.settings.count for task in made)
            line = Say("pressed-go", {"count": count}) if made else Say("pressed-ask")
            await self._desk.notice(press, line)


def _order(press: Press, draft: Draft, *, button: str) -> Order:
    """Give the order that a draft is; `button` is written in one way alone, whatever was forged."""
    return Order(
        origin=press.origin,
        user_id=draft.user_id,
        place=draft.place,
        photos=draft.photos,
        words=draft.caption,
        language=press.language,
        answer_to=draft.place,
        parent_id=draft.parent_id,
        draft_id=draft.id,
        pressed=button,
    )
