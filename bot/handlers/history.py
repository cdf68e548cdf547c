"""/history: one message that shows a person's pictures, one after the other, the latest first."""

from functools import partial
from typing import Any, Final

from telegram import Update
from telegram.constants import ChatType

from bot import pages
from bot.handlers.desk import Desk
from bot.handlers.incoming import Incoming
from bot.handlers.named import words_of
from bot.handlers.press import Press
from bot.handlers.views import Views, scope
from bot.messages import Keyboard, Outcome, Picture, Refused, Sent, Target
from bot.pages import Shown, Spot
from bot.texts import Say
from storage.tasks import NewView, Task, View

KIND: Final = "history"
_WORDS: Final = 200
"""Characters that are searched for."""
_LAST: Final = 99
"""More than the number of any task's last picture."""


class HistoryHandlers:
    """Shows results by Telegram's own copies of them: nothing is uploaded."""

    def __init__(self, desk: Desk, views: Views) -> None:
        self._desk = desk
        self._views = views

    async def history(self, update: Update, context: Any) -> None:
        """Show the sender's latest picture, of all or of those made with some words."""
        del context
        message = await self._desk.read(update)
        if message is None or not await self._desk.let_in(message):
            return
        view = await self._desk.store.add_view(
            NewView(
                origin=message.origin,
                kind=KIND,
                user_id=message.user_id,
                chat_id=message.place.chat_id,
                words=words_of(message)[:_WORDS],
                shared=True,
            ),
            self._desk.clock.now(),
        )
        only = scope(message.place.chat_id, private=message.private)
        shown = await self._find(view, only, None)
        if shown is None:
            await self._desk.answer(
                message, pages.nothing_found(view.words, private=message.private)
            )
        else:
            await self._send(message, shown, await self._buttons(view, only, shown))

    async def turned(self, press: Press, view: View) -> None:
        """Show the picture that a button leads to, or the one nearest to it that is left."""
        only = scope(press.chat_id, private=press.chat_type == ChatType.PRIVATE)
        task_id, n = press.number(1), press.number(2)
        spot = None if task_id is None else Spot(task_id=task_id, n=n or 0)
        shown = await self._find(view, only, spot)
        if shown is None:
            await self._say_instead(press, Say("history-over"))
            return
        buttons = await self._buttons(view, only, shown)
        outcome = await self._desk.chat.replace_picture(
            press.chat_id,
            press.message_id,
            _picture(shown),
            await self._caption(shown),
            language=press.language,
            buttons=buttons,
            sent_as=shown.image.sent_as or "photo",
            spoiler=_covered(shown.task),
        )
        outcome = await self._views.changed(press, outcome)
        if isinstance(outcome, Sent):
            await self._note(shown, press.chat_id, press.message_id)
        elif isinstance(outcome, Refused):
            await self._say_instead(press, pages.history_lost(shown), buttons)

    # --- finding

    async def _find(self, view: View, only: int | None, spot: Spot | None) -> Shown | None:
        """Give the picture at a spot, or else the nearest; without one, the latest."""
        store = self._desk.store
        find = partial(store.results_of, view.user_id, limit=1, chat_id=only, words=view.words)
        if spot is None:
            tasks = await find()
        else:
            tasks = await find(before=spot.task_id + 1) or await find(after=spot.task_id)
        if not tasks:
            return None
        [task] = tasks
        images = pages.kept(await store.images(task.id))
        if not images:
            return None  # it has just been forgotten
        wanted = spot.n if spot is not None and spot.task_id == task.id else 0
        image = min(images, key=lambda one: abs(one.n - wanted))
        count = partial(store.count_results, view.user_id, chat_id=only, words=view.words)
        return Shown(
            task=task,
            image=image,
            picture=images.index(image) + 1,
            spots=tuple(Spot(task_id=task.id, n=one.n) for one in images),
            n=await count(after=task.id) + 1,
            count=await count(),
        )

    async def _buttons(self, view: View, only: int | None, shown: Shown) -> Keyboard:
        """Give the buttons that lead to the pictures beside one, of this task or of the next."""
        find = partial(
            self._desk.store.results_of, view.user_id, limit=1, chat_id=only, words=view.words
        )
        at, task_id = shown.picture - 1, shown.task.id
        if at > 0:
            back = [shown.spots[at - 1]]
        else:
            back = [Spot(task_id=one.id, n=_LAST) for one in await find(after=task_id)]
        if at + 1 < len(shown.spots):
            on = [shown.spots[at + 1]]
        else:
            on = [Spot(task_id=one.id, n=0) for one in await find(before=task_id)]
        return pages.history_buttons(
            view.id, shown, back=next(iter(back), None), on=next(iter(on), None)
        )

    # --- showing

    async def _send(self, message: Incoming, shown: Shown, buttons: Keyboard) -> None:
        caption = await self._caption(shown)

        async def send(target: Target) -> Outcome:
            return await self._desk.chat.send_pictures(
                target,
                [_picture(shown)],
                caption,
                language=message.language,
                sent_as=shown.image.sent_as or "photo",
                buttons=buttons,
                spoiler=_covered(shown.task),
            )

        outcome = await self._desk.reach(Target.in_reply_to(message.place), send)
        if isinstance(outcome, Refused):
            # the message becomes a picture as soon as it is turned over
            await self._desk.answer(message, pages.history_lost(shown), buttons=buttons)
            return
        message_id = self._desk.arrived(outcome)
        if message_id is not None:
            await self._note(shown, message.place.chat_id, message_id)

    async def _say_instead(self, press: Press, line: Say, buttons: Keyboard = ()) -> None:
        """Say something where a picture should be: under the one that is there, or as a text."""
        outcome = await self._desk.chat.edit_caption(
            press.chat_id, press.message_id, line, language=press.language, buttons=buttons
        )
        if isinstance(await self._views.changed(press, outcome), Refused):
            await self._views.rewrite(press, line, buttons=buttons)

    async def _caption(self, shown: Shown) -> Say:
        task = shown.task
        defaults = await self._desk.defaults_for(task.user_id, task.place.chat_id)
        return pages.history_caption(
            shown, standing=defaults.request.negative, now=self._desk.clock.now()
        )

    async def _note(self, shown: Shown, chat_id: int, message_id: int) -> None:
        """Note what the message shows now: a reply to it goes on from that."""
        await self._desk.store.note_message(
            shown.task.id,
            chat_id,
            message_id,
            "picture",
            self._desk.clock.now(),
            n=shown.image.n,
        )


def _picture(shown: Shown) -> Picture:
    return Picture(content=shown.image.file_id or "", name="")


def _covered(task: Task) -> bool:
    return any(photo.spoiler for photo in task.photos)
