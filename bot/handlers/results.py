"""The buttons under a result, and under the reason why there is none: what leads on from a task."""

from collections.abc import Mapping

from bot import reports
from bot.actions import Action
from bot.captions import write
from bot.handlers.buttons import Reaction
from bot.handlers.desk import Desk
from bot.handlers.orders import Order, Orders
from bot.handlers.press import Press
from bot.pictures import AspectRatio, PictureRequest
from bot.texts import Say
from storage.store import StillMaking, TooManyUnfinished
from storage.tasks import NewTask, Task


class ResultButtons:
    """What can be done with a task that is over."""

    def __init__(self, desk: Desk, orders: Orders) -> None:
        self._desk = desk
        self._orders = orders

    def reactions(self) -> Mapping[str, Reaction]:
        """Say which buttons these are."""
        return {Action.AGAIN: self.again, Action.WORDS: self.other_words}

    async def again(self, press: Press) -> None:
        """Make the same once more."""
        task = await self._task(press)
        if task is None:
            return
        try:
            await self._desk.store.add(
                NewTask(
                    origin=press.origin,
                    user_id=task.user_id,
                    place=task.place,
                    photos=task.photos,
                    settings=task.settings,
                    language=press.language,
                    parent_id=task.id,
                    pressed=press.data,
                ),
                now=self._desk.clock.now(),
                max_unfinished=self._desk.access.max_unfinished,
            )
        except TooManyUnfinished:
            await self._desk.notice(press, Say("pressed-too-many"))
        except StillMaking:
            await self._desk.notice(press, Say("pressed-already"))
        else:
            await self._desk.notice(press, Say("pressed-again"))

    async def other_words(self, press: Press) -> None:
        """Ask for other words for the same photos."""
        task = await self._task(press)
        if task is None:
            return
        await self._desk.notice(press, Say("pressed-words"))
        defaults = await self._desk.defaults_for(task.user_id, task.place.chat_id)
        await self._orders.ask(
            Order(
                origin=press.origin,
                user_id=task.user_id,
                place=task.place,
                photos=task.photos,
                # the words are to be other ones, not the settings
                words=write(_without_words(task), defaults=defaults.request),
                language=press.language,
                answer_to=task.place,
                parent_id=task.id,
            ),
            Say("ask-other-words", {"settings": reports.settings(task)}),
        )

    async def _task(self, press: Press) -> Task | None:
        """Give the task that a button is for; whoever may not press it, or comes too late, is told so."""
        number = press.number()
        task = None if number is None else await self._desk.store.get(number)
        if task is None or task.pruned or not task.photos:
            await self._desk.notice(press, Say("pressed-unknown"))
            return None
        if not await self._desk.admits(press, task.user_id, task.place.chat_id):
            return None
        return task


def _without_words(task: Task) -> PictureRequest:
    chosen = task.settings
    return PictureRequest(
        prompt="",
        negative=chosen.negative,
        ratio=AspectRatio(chosen.ratio) if chosen.ratio else None,
        count=chosen.count,
    )
