"""The buttons under a result, and under the reason why there is none: what leads on from a task."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot import copies, keyboards, reports
from bot.actions import BACK, Action
from bot.actions import press as data_of
from bot.handlers.buttons import Reaction
from bot.handlers.desk import Desk, queued, settled
from bot.handlers.order import Order
from bot.handlers.orders import Orders
from bot.handlers.press import Press
from bot.handlers.subject import put, put_back, shown, task_of
from bot.messages import Urgency
from bot.pictures import COUNT_MAX, COUNT_MIN, AspectRatio
from bot.texts import Say
from storage.store import StillMaking, TooManyUnfinished
from storage.tasks import Image, NewTask, Photo, Settings, Task


class ResultButtons:
    """What can be made of a task that is over."""

    def __init__(self, desk: Desk, orders: Orders) -> None:
        self._desk = desk
        self._orders = orders

    def reactions(self) -> Mapping[str, Reaction]:
        """Say which buttons these are."""
        return {
            Action.AGAIN: self.again,
            Action.RATIO: self.ratio,
            Action.COUNT: self.count,
            Action.WORDS: self.other_words,
            Action.USE: self.use,
        }

    # --- the same, or nearly

    async def again(self, press: Press) -> None:
        """Make the same once more."""
        task = await task_of(self._desk, press)
        if task is None:
            return
        made = await self._make(
            press,
            task,
            task.settings,
            button=data_of(Action.AGAIN, task.id),
            told=Say("pressed-again"),
        )
        if made is not None:
            await self._has_served(press, task, made)

    async def ratio(self, press: Press) -> None:
        """Offer the shapes or, with one of them, make the same in it."""
        task = await task_of(self._desk, press)
        if task is None:
            return
        choice = ":".join(press.data.split(":")[2:])  # a shape has a colon itself
        if choice == "":
            await self._desk.notice(press)
            await put(self._desk, press, task, keyboards.ratios(task))
        elif choice == BACK:
            await self._desk.notice(press)
            await put_back(self._desk, press, task)
        elif choice in {ratio.value for ratio in AspectRatio}:
            settings = replace(task.settings, ratio=choice)
            button = data_of(Action.RATIO, task.id, choice)
            if await self._make(press, task, settings, button=button) is not None:
                await put_back(self._desk, press, task)
        else:
            await self._desk.notice(press, Say("pressed-unknown"))

    async def count(self, press: Press) -> None:
        """Make the same, in another number of pictures."""
        task = await task_of(self._desk, press)
        if task is None:
            return
        count = press.number(1)
        if count is None or not COUNT_MIN <= count <= COUNT_MAX:
            await self._desk.notice(press, Say("pressed-unknown"))
            return
        settings = replace(task.settings, count=count)
        await self._make(press, task, settings, button=data_of(Action.COUNT, task.id, count))

    async def _make(
        self,
        press: Press,
        task: Task,
        settings: Settings,
        *,
        button: str,
        told: Say | None = None,
    ) -> Task | None:
        """Make a task of the same photos, and answer the press; None: it was told why not."""
        # how it is to arrive is what the person wants today
        defaults = await self._desk.defaults_for(task.user_id, task.place.chat_id)
        try:
            made = await self._desk.store.add(
                NewTask(
                    origin=press.origin,
                    user_id=task.user_id,
                    place=task.place,
                    photos=task.photos,
                    settings=replace(settings, as_file=defaults.as_file, silent=defaults.silent),
                    language=press.language,
                    parent_id=task.id,
                    pressed=button,
                ),
                now=self._desk.clock.now(),
                max_unfinished=self._desk.access.max_unfinished,
            )
        except TooManyUnfinished:
            await self._desk.notice(press, Say("pressed-too-many"), alert=True)
        except StillMaking:
            await self._desk.notice(press, Say("pressed-already"))
        else:
            queued([made])
            told = told or Say("pressed-go", {"count": settings.count})
            await self._desk.notice(press, told)
            return made
        return None

    async def _has_served(self, press: Press, task: Task, made: Task) -> None:
        """Let a reason say what was made after it, instead of its buttons; a picture keeps them."""
        known = await self._desk.store.task_at(press.chat_id, press.message_id)
        reason = task.failure
        if reason is None or (known is not None and known.role not in {"notice", "progress"}):
            return
        settled(
            await self._desk.chat.edit(
                press.chat_id,
                press.message_id,
                reports.failure(task),
                Say("made-again", {"task": made.id}),
                language=task.language,
                urgency=Urgency.REPLY,
            )
        )

    # --- something else

    async def other_words(self, press: Press) -> None:
        """Ask for other words for the same photos."""
        task = await task_of(self._desk, press)
        if task is None:
            return
        await self._desk.notice(press, Say("pressed-words"))
        line = Say("ask-other-words", {"settings": reports.settings(task)})
        # the words are to be other ones, not the settings
        await self._orders.ask(_order(press, task, task.photos, copies.settings(task)), line)

    async def use(self, press: Press) -> None:
        """Ask what to make of a result or, of several, of which."""
        task = await task_of(self._desk, press)
        if task is None:
            return
        images = shown(await self._desk.store.images(task.id))
        numbers = [image.n for image in images]
        choice = press.part(1)
        n = press.number(1) if choice else await self._under(press, numbers)
        if choice == BACK:
            await self._desk.notice(press)
            await put_back(self._desk, press, task)
        elif not images or (choice and n not in numbers):
            await self._desk.notice(press, Say("pressed-no-picture"), alert=True)
        elif n is None:
            await self._desk.notice(press, Say("pressed-which"))
            await put(self._desk, press, task, keyboards.which(task, numbers))
        else:
            await self._desk.notice(press, Say("pressed-use"))
            photo = _as_photo(task, images[numbers.index(n)])
            line = Say("ask-use", {"task": task.id})
            if len(images) > 1:
                line = Say("ask-use-one", {"task": task.id, "number": numbers.index(n) + 1})
            # first, since a question is asked anew where what comes after it has to be repeated
            if choice:
                await put_back(self._desk, press, task)
            await self._orders.ask(_order(press, task, (photo,), ""), line)

    async def _under(self, press: Press, numbers: Sequence[int]) -> int | None:
        """Say which image a button is meant for without naming it: the one, or the one it is under."""
        if len(numbers) == 1:
            return numbers[0]
        known = await self._desk.store.task_at(press.chat_id, press.message_id)
        return known.n if known is not None and known.n in numbers else None


def _order(press: Press, task: Task, photos: tuple[Photo, ...], words: str) -> Order:
    """Give an order that goes on from a task; its question is a reply to the person's own message.

    Telegram opens the field for an answer to whoever wrote the message that is replied to.
    """
    return Order(
        origin=press.origin,
        user_id=task.user_id,
        place=task.place,
        photos=photos,
        words=words,
        language=press.language,
        answer_to=task.place,
        parent_id=task.id,
    )


def _as_photo(task: Task, image: Image) -> Photo:
    """Give a picture that the chat was shown as a photo to work on."""
    return Photo(
        file_id=image.file_id or "",
        file_unique_id="",
        kind=image.sent_as or "photo",
        width=image.width,
        height=image.height,
        spoiler=any(photo.spoiler for photo in task.photos),
    )
