"""Orders: photos and the words for them. The one place where they become a task, or a question.

However someone hands in a photo (as one message, as an album, as an answer, by a button), it ends
here: as tasks in the line, as a question for what is missing, or as an offer that waits for a tap.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from bot import variants
from bot.actions import Action, press
from bot.captions import parse
from bot.errors import CaptionError
from bot.handlers.desk import Desk, queued
from bot.handlers.incoming import Incoming
from bot.handlers.order import Order, order_of
from bot.handlers.wording import has_words
from bot.messages import Button, Target
from bot.pictures import PictureRequest
from bot.preferences import Defaults
from bot.texts import Say, shorten, units
from storage.store import TooManyUnfinished
from storage.tasks import Draft, DraftKind, NewDraft, NewTask, Settings, Task

OPEN_FOR: Final = timedelta(minutes=15)
"""For so long the next text is taken as the words for a photo, and the next photo as that for words.
An answer to the question, or to the photo itself, always is."""
IDEAS: Final = ("idea-snow", "idea-painting", "idea-night")
"""Words to be tapped, by sentence."""
FIRST: Final = "first"
EACH: Final = "each"
_MOST_WORDS: Final = 4096
"""UTF-16 units to which answers with options alone add up, as in one message."""
_LISTED: Final = 80
"""UTF-16 units of each prompt in an offer."""


class Orders:
    """Takes orders."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def take(self, order: Order, *notes: Say) -> None:
        """Take an order that came as a message; of what a button ordered, see `fulfil`.

        `notes` are said with whatever is said about it.

        Raises:
            PutOff: it could not be said now; the whole update is to be handled again.
        """
        try:
            made = await self.fulfil(order, *notes)
        except TooManyUnfinished as exc:
            line = Say("too-many-unfinished", {"count": exc.unfinished})
            if exc.unfinished < exc.allowed:  # there is room, though not for all of them
                line = Say("too-many-at-once", {"allowed": exc.allowed})
            await self._offer(order, (("button-go", ""),), *notes, line)
            return
        if made and notes:
            await self._say(order, *notes)

    async def fulfil(self, order: Order, *notes: Say) -> Sequence[Task]:
        """Make tasks of an order; none where it was asked for what is missing, or for a tap.

        Raises:
            TooManyUnfinished: the person has as many tasks as are allowed.
            StillMaking: what the button made before is unfinished.
            PutOff: it could not be said now; the whole update is to be handled again.
        """
        defaults = await self._desk.defaults_for(order.user_id, order.place.chat_id)
        try:
            request = self._read(order.words, defaults)
            prompts = variants.expand(request.prompt)
            if order.each:
                variants.check(len(prompts) * len(order.photos), most=_most(order))
        except CaptionError as exc:
            # the photos are kept, so that the mended words alone will do
            await self.ask(order, *notes, Say("nothing-started"), *exc.says, Say("try-caption"))
            return ()
        if not request.prompt:
            await self.ask_words(order, *notes)
            return ()
        most = self._desk.access.album_max
        if len(order.photos) > most and not order.each:
            line = Say("offer-album", {"count": len(order.photos), "most": most})
            choices = (("button-first", FIRST), ("button-each", EACH))
            await self._offer(order, choices, *notes, line)
            return ()
        if len(prompts) > 1 and not order.confirmed:
            listed = [Say("offer-variant", {"prompt": shorten(one, _LISTED)}) for one in prompts]
            line = Say("offer-variants", {"count": len(prompts) * request.count})
            await self._offer(order, (("button-go", ""),), *notes, line, *listed)
            return ()
        return await self._make(order, request, prompts, defaults)

    async def settings_of(self, words: str, user_id: int, chat_id: int) -> tuple[Settings, ...]:
        """Give the settings that words stand for, one a variant; none where they say nothing to make.

        Raises:
            CaptionError: the words have a mistake.
        """
        defaults = await self._desk.defaults_for(user_id, chat_id)
        request = self._read(words, defaults)
        prompts = variants.expand(request.prompt) if request.prompt else ()
        return tuple(_settings(request, prompt, defaults) for prompt in prompts)

    async def begun(self, message: Incoming) -> Order | None:
        """Give the order that this very message was taken for before: there is one if it is a repeat.

        What it was an answer to is answered since then, and what it says must not be added to itself.
        """
        draft = await self._desk.store.draft_made_by(message.origin)
        if draft is None or not draft.photos:
            return None
        return order_of(
            message,
            photos=draft.photos,
            words=draft.caption,
            place=draft.place,
            parent_id=draft.parent_id,
            draft_id=draft.id,
        )

    # --- asking

    async def ask_words(self, order: Order, *notes: Say) -> None:
        """Ask for the words for photos, with some ideas to tap."""
        since = self._desk.clock.now() - OPEN_FOR
        waiting = await self._desk.store.open_draft(order.user_id, order.place.chat_id, since)
        draft = await self._keep(order, "words")
        if len(order.photos) > 1:
            lines = [Say("ask-words-album", {"count": len(order.photos)})]
        else:
            lines = [Say("ask-words")]
        if waiting is not None and waiting.place.message_id != order.place.message_id:
            lines.append(Say("ask-words-two"))
        ideas = tuple(
            Button(label=Say(idea), data=press(Action.IDEA, draft.id, n))
            for n, idea in enumerate(IDEAS)
        )
        await self._asked(draft, await self._say(order, *notes, *lines, buttons=ideas))

    async def ask(self, order: Order, *lines: Say) -> None:
        """Keep the photos of an order, with the words so far, and ask for what is missing."""
        draft = await self._keep(order, "words")
        await self._asked(draft, await self._say(order, *lines, ask=True))

    async def keep_words(self, message: Incoming, *lines: Say) -> None:
        """Keep words for the person's next photo, and say so."""
        order = order_of(message, photos=(), words=message.text)
        try:
            variants.expand(self._read(order.words, await self._defaults(order)).prompt)
        except CaptionError as exc:
            await self._say(order, *exc.says, Say("try-words"))
            return
        draft = await self._keep(order, "prompt")
        # in a group the photo is to come as an answer, or nobody would tell the bot of it
        kept = Say("words-kept" if message.private else "words-kept-group")
        drop = Button(label=Say("button-drop"), data=press(Action.DROP, draft.id))
        question = await self._say(order, *lines, kept, ask=not message.private, buttons=(drop,))
        await self._asked(draft, question)

    async def offer_again(self, order: Order, *lines: Say) -> None:
        """Offer to make something anew, by a tap."""
        await self._offer(order, (("button-new-words", ""),), *lines)

    def so_far(self, draft: Draft) -> str:
        """Give the options that a draft has so far, to which words are added.

        Words that said what to make were wrong, or nothing would have been asked: they are forgotten.
        """
        told = units(draft.caption) > _MOST_WORDS or has_words(draft.caption, self._desk.username)
        return "" if told else draft.caption

    async def _offer(self, order: Order, choices: Sequence[tuple[str, str]], *lines: Say) -> None:
        """Keep an order until a button is tapped; `choices`: what each is called, and says beyond "go"."""
        draft = await self._keep(order, "offer")
        buttons = tuple(
            Button(label=Say(label), data=press(Action.GO, draft.id, *([choice] if choice else [])))
            for label, choice in choices
        )
        await self._asked(draft, await self._say(order, *lines, buttons=buttons))

    async def _keep(self, order: Order, kind: DraftKind) -> Draft:
        """Keep an order as a draft, instead of the one that it answers."""
        return await self._desk.store.add_draft(
            NewDraft(
                origin=order.origin,
                user_id=order.user_id,
                place=order.place,
                photos=order.photos,
                caption=order.words,
                language=order.language,
                parent_id=order.parent_id,
                # what a button is under stays as it was: it may be pressed again
                draft_id=order.draft_id if order.pressed is None else None,
                kind=kind,
            ),
            self._desk.clock.now(),
        )

    async def _asked(self, draft: Draft, question: int | None) -> None:
        if question is not None:
            await self._desk.store.asked(draft.id, question)

    # --- making

    async def _make(
        self,
        order: Order,
        request: PictureRequest,
        prompts: Sequence[str],
        defaults: Defaults,
    ) -> Sequence[Task]:
        parts = [(photo,) for photo in order.photos] if order.each else [order.photos]
        news = [
            NewTask(
                origin=replace(order.origin, n=n),
                user_id=order.user_id,
                place=order.place,
                photos=photos,
                settings=_settings(request, prompt, defaults),
                language=order.language,
                parent_id=order.parent_id,
                draft_id=order.draft_id,
                pressed=order.pressed,
            )
            for n, (photos, prompt) in enumerate(
                (photos, prompt) for photos in parts for prompt in prompts
            )
        ]
        now, most = self._desk.clock.now(), self._desk.access.max_unfinished
        if len(news) == 1:
            made: Sequence[Task] = [
                await self._desk.store.add(news[0], now=now, max_unfinished=most)
            ]
        else:
            made = await self._desk.store.add_all(news, now=now, max_unfinished=most)
        queued(made)
        return made

    async def _defaults(self, order: Order) -> Defaults:
        return await self._desk.defaults_for(order.user_id, order.place.chat_id)

    def _read(self, words: str, defaults: Defaults) -> PictureRequest:
        return parse(words, defaults=defaults.request, bot_username=self._desk.username)

    async def _say(
        self, order: Order, *lines: Say, ask: bool = False, buttons: Iterable[Button] = ()
    ) -> int | None:
        return await self._desk.say(
            Target.in_reply_to(order.answer_to),
            *lines,
            language=order.language,
            ask=ask,
            buttons=tuple((button,) for button in buttons),
        )


def _most(order: Order) -> int:
    return max(variants.MOST, len(order.photos))


def _settings(request: PictureRequest, prompt: str, defaults: Defaults) -> Settings:
    return Settings(
        prompt=prompt,
        negative=request.negative,
        ratio=request.ratio.value if request.ratio else None,
        count=request.count,
        as_file=defaults.as_file,
        silent=defaults.silent,
    )
