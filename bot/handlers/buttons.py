"""Buttons: what they bring back is an id of the store, so they work as long as the store does."""

from dataclasses import replace
from typing import Any, Final

from telegram import CallbackQuery, Update

from bot import reports, texts
from bot.captions import write
from bot.handlers.desk import Desk
from bot.handlers.orders import GO, IDEA, IDEAS, Order, Orders
from bot.pictures import AspectRatio, PictureRequest
from bot.reports import AGAIN, OTHER_WORDS
from bot.texts import Say
from storage.store import StillMaking, TooManyUnfinished
from storage.tasks import Draft, NewTask, Task

_NUMBERS: Final = tuple(str(n) for n in range(len(IDEAS)))


class ButtonHandlers:
    """What happens when a button is pressed, today or in years."""

    def __init__(self, desk: Desk, orders: Orders) -> None:
        self._desk = desk
        self._orders = orders

    async def pressed(self, update: Update, context: Any) -> None:
        """Do what the button says, if whoever pressed it may."""
        del context
        press = update.callback_query
        if press is None:
            return
        action, _, rest = (press.data or "").partition(":")
        number, _, choice = rest.partition(":")
        if action in (AGAIN, OTHER_WORDS):
            await self._of_task(update.update_id, press, action, _id(number))
        elif action in (IDEA, GO):
            await self._of_draft(update.update_id, press, _id(number), f"{action}:{choice}")
        else:
            await self._desk.notice(press, Say("pressed-unknown"))

    # --- offers and ideas

    async def _of_draft(
        self, update_id: int, press: CallbackQuery, number: int | None, what: str
    ) -> None:
        """Make what was offered, or take an idea as the words for photos."""
        draft = None if number is None else await self._desk.store.draft(number)
        order = None if draft is None else self._order(update_id, press, draft, what)
        if draft is None or order is None:
            await self._desk.notice(press, Say("pressed-unknown"))
        elif await self._desk.may_press(press, draft.user_id, draft.place.chat_id):
            await self._desk.notice(press, await self._made(order))

    def _order(self, update_id: int, press: CallbackQuery, draft: Draft, what: str) -> Order | None:
        """Give the order that a press is; None: there is no such button."""
        order = Order(
            origin=self._desk.origin(update_id),
            user_id=draft.user_id,
            place=draft.place,
            photos=draft.photos,
            words=draft.caption,
            language=press.from_user.language_code or draft.language,
            answer_to=draft.place,
            parent_id=draft.parent_id,
            draft_id=draft.id,
            pressed=press.data,
        )
        most = self._desk.access.album_max
        action, _, choice = what.partition(":")
        match action, draft.kind, choice:
            case "go", "offer", "":
                return replace(order, confirmed=True)
            case "go", "offer", "first":
                return replace(order, photos=draft.photos[:most])
            case "go", "offer", "each":
                return replace(order, each=True)
            case "idea", "words", number if number in _NUMBERS:
                idea = texts.plain(Say(IDEAS[int(number)]), language=order.language)
                return replace(order, words=f"{self._orders.so_far(draft)}\n{idea}".strip())
            case _:
                return None

    async def _made(self, order: Order) -> Say:
        """Take what was ordered by a press; returns what the press is answered with."""
        try:
            made = await self._orders.fulfil(order)
        except TooManyUnfinished:
            return Say("pressed-too-many")
        except StillMaking:
            return Say("pressed-already")
        return Say("pressed-go", {"count": len(made)}) if made else Say("pressed-ask")

    # --- tasks

    async def _of_task(
        self, update_id: int, press: CallbackQuery, action: str, number: int | None
    ) -> None:
        task = None if number is None else await self._desk.store.get(number)
        if task is None:
            await self._desk.notice(press, Say("pressed-unknown"))
        elif not await self._desk.may_press(press, task.user_id, task.place.chat_id):
            return
        elif task.pruned or not task.photos:
            await self._desk.notice(press, Say("forgotten"))
        elif action == AGAIN:
            await self._desk.notice(press, await self._again(update_id, press, task))
        else:
            await self._desk.notice(press, Say("pressed-words"))
            await self._other_words(update_id, press, task)

    async def _again(self, update_id: int, press: CallbackQuery, task: Task) -> Say:
        if await self._desk.store.unfinished_child(task.id) is not None:
            return Say("pressed-already")
        try:
            await self._desk.store.add(
                NewTask(
                    origin=self._desk.origin(update_id),
                    user_id=task.user_id,
                    place=task.place,
                    photos=task.photos,
                    settings=task.settings,
                    language=press.from_user.language_code,
                    parent_id=task.id,
                    pressed=press.data,
                ),
                now=self._desk.clock.now(),
                max_unfinished=self._desk.access.max_unfinished,
            )
        except TooManyUnfinished:
            return Say("pressed-too-many")
        except StillMaking:
            return Say("pressed-already")
        return Say("pressed-again")

    async def _other_words(self, update_id: int, press: CallbackQuery, task: Task) -> None:
        await self._orders.ask(
            Order(
                origin=self._desk.origin(update_id),
                user_id=task.user_id,
                place=task.place,
                photos=task.photos,
                # the words are to be other ones, not the settings
                words=write(_without_words(task), defaults=self._desk.defaults),
                language=press.from_user.language_code,
                answer_to=task.place,
                parent_id=task.id,
            ),
            Say("ask-other-words", {"settings": reports.settings(task)}),
        )


def _id(number: str) -> int | None:
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 16 else None


def _without_words(task: Task) -> PictureRequest:
    chosen = task.settings
    return PictureRequest(
        prompt="",
        negative=chosen.negative,
        ratio=AspectRatio(chosen.ratio) if chosen.ratio else None,
        count=chosen.count,
    )
