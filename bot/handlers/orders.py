"""Orders: photos and the words for them. The one place where they become a task, or a question.

However someone hands in a photo (as one message, as an answer, by a button), it ends here.
"""

from dataclasses import dataclass
from typing import Literal

from bot.captions import parse
from bot.errors import CaptionError
from bot.handlers.desk import Desk
from bot.handlers.incoming import Incoming
from bot.messages import Target
from bot.pictures import PictureRequest
from bot.preferences import Defaults
from bot.texts import Say
from storage.store import TooManyUnfinished
from storage.tasks import Draft, NewDraft, NewTask, Origin, Photo, Place, Settings

Outcome = Literal["made", "asked"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """Photos, the words for them, and where all of it comes from."""

    origin: Origin
    user_id: int
    place: Place
    """Results are replies to it."""
    photos: tuple[Photo, ...]
    words: str
    language: str | None = None
    answer_to: Place
    """What is said about the order is a reply to it."""
    parent_id: int | None = None
    draft_id: int | None = None
    """The draft that it answers."""
    pressed: str | None = None
    """The button that it comes from."""


def order_of(
    message: Incoming,
    *,
    photos: tuple[Photo, ...],
    words: str,
    place: Place | None = None,
    parent_id: int | None = None,
    draft_id: int | None = None,
) -> Order:
    """Give the order that a message is; its results are replies to `place`, else to the message."""
    return Order(
        origin=message.origin,
        user_id=message.user_id,
        place=place or message.place,
        photos=photos,
        words=words,
        language=message.language,
        answer_to=message.place,
        parent_id=parent_id,
        draft_id=draft_id,
    )


class Orders:
    """Takes orders."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def take(self, order: Order) -> None:
        """Make a task of an order, or say what is missing; of what a button ordered, see `fulfil`.

        Raises:
            PutOff: it could not be said now; the whole update is to be handled again.
        """
        try:
            await self.fulfil(order)
        except TooManyUnfinished as exc:
            await self._say(order, Say("too-many-unfinished", {"count": exc.unfinished}))

    async def fulfil(self, order: Order) -> Outcome:
        """Make a task of an order, or ask for what is missing.

        Raises:
            TooManyUnfinished: the person has as many tasks as are allowed.
            StillMaking: what the button made before is unfinished.
            PutOff: it could not be said now; the whole update is to be handled again.
        """
        defaults = await self._desk.defaults_for(order.user_id, order.place.chat_id)
        try:
            request = parse(
                order.words, defaults=defaults.request, bot_username=self._desk.username
            )
        except CaptionError as exc:
            # the photos are kept, so that the mended words alone will do
            await self.ask(order, exc.say, Say("try-caption"))
            return "asked"
        if not request.prompt:
            await self.ask(order, Say("ask-words"))
            return "asked"
        await self._desk.store.add(
            _task(order, request, defaults),
            now=self._desk.clock.now(),
            max_unfinished=self._desk.access.max_unfinished,
        )
        return "made"

    async def ask(self, order: Order, *lines: Say) -> Draft:
        """Keep the photos of an order, with the words so far, and ask for what is missing."""
        draft = await self._desk.store.add_draft(
            NewDraft(
                origin=order.origin,
                user_id=order.user_id,
                place=order.place,
                photos=order.photos,
                caption=order.words,
                language=order.language,
                parent_id=order.parent_id,
            ),
            self._desk.clock.now(),
        )
        question = await self._say(order, *lines, ask=True)
        if question is not None:
            await self._desk.store.asked(draft.id, question)
        return draft

    def so_far(self, draft: Draft) -> str:
        """Give the words that a draft has so far, to which others are added; wrong ones are forgotten."""
        try:
            parse(draft.caption, defaults=self._desk.defaults, bot_username=self._desk.username)
        except CaptionError:
            return ""
        return draft.caption

    async def _say(self, order: Order, *lines: Say, ask: bool = False) -> int | None:
        target = Target.in_reply_to(order.answer_to)
        return await self._desk.say(target, *lines, language=order.language, ask=ask)


def _task(order: Order, request: PictureRequest, defaults: Defaults) -> NewTask:
    return NewTask(
        origin=order.origin,
        user_id=order.user_id,
        place=order.place,
        photos=order.photos,
        settings=Settings(
            prompt=request.prompt,
            negative=request.negative,
            ratio=request.ratio.value if request.ratio else None,
            count=request.count,
            as_file=defaults.as_file,
            silent=defaults.silent,
        ),
        language=order.language,
        parent_id=order.parent_id,
        draft_id=order.draft_id,
        pressed=order.pressed,
    )
