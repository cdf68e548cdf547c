"""/status: a person's own tasks, page by page, and one of them in full."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final, Literal

from telegram import Update
from telegram.constants import ChatType

from bot import keyboards, pages, reports
from bot.actions import Action
from bot.handlers.buttons import Reaction
from bot.handlers.desk import Desk
from bot.handlers.incoming import Incoming
from bot.handlers.named import Named, numbers_in, words_of
from bot.handlers.press import Press
from bot.handlers.views import Views, scope
from bot.messages import Keyboard, Picture, Sent, Target
from bot.texts import Say
from storage.tasks import Image, NewView, Task, TaskState, View

KIND: Final = "status"
_ANCESTORS: Final = 10
_LAST_PAGE: Final = 10_000


class StatusHandlers:
    """Answers from the store, whatever else is going on."""

    def __init__(self, desk: Desk, views: Views) -> None:
        self._desk = desk
        self._views = views
        self._named = Named(desk)

    def reactions(self) -> Mapping[str, Reaction]:
        """Say which buttons these are, apart from those that turn the pages."""
        return {Action.SHOW: self.show}

    # --- the list

    async def status(self, update: Update, context: Any) -> None:
        """List the sender's tasks, or (with a number, or as a reply) show one in full."""
        del context
        message = await self._desk.read(update)
        if message is None or not await self._desk.let_in(message):
            return
        words = words_of(message)
        if words:
            await self._by_number(message, words)
        elif message.reply is not None:
            task = await self._named.by_reply(message)
            if task is None:
                await self._desk.answer(message, Say("status-reply"))
            else:
                await self._answer_in_full(message, task)
        else:
            await self._list(message)

    async def turned(self, press: Press, view: View) -> None:
        """Show another page of the list, or the same anew."""
        only = scope(press.chat_id, private=press.chat_type == ChatType.PRIVATE)
        page = min(press.number(1) or 0, _LAST_PAGE)
        lines, buttons = await self._page(view, page, only)
        if not lines and page:  # there are fewer now
            lines, buttons = await self._page(view, 0, only)
        private = press.chat_type == ChatType.PRIVATE
        await self._views.rewrite(press, *(lines or [pages.nothing(private)]), buttons=buttons)

    async def _list(self, message: Incoming) -> None:
        view = await self._desk.store.add_view(
            NewView(
                origin=message.origin,
                kind=KIND,
                user_id=message.user_id,
                chat_id=message.place.chat_id,
                shared=True,
            ),
            self._desk.clock.now(),
        )
        only = scope(message.place.chat_id, private=message.private)
        lines, buttons = await self._page(view, 0, only)
        await self._desk.answer(
            message, *(lines or [pages.nothing(message.private)]), buttons=buttons
        )

    async def _page(
        self, view: View, page: int, only: int | None
    ) -> tuple[Sequence[Say], Keyboard]:
        found = await self._desk.store.tasks_of(
            view.user_id,
            limit=pages.LISTED + pages.COUNTED + 1,
            chat_id=only,
            offset=page * pages.LISTED,
        )
        tasks, others = found[: pages.LISTED], len(found[pages.LISTED :])
        if not tasks:
            return (), ()
        placed = [(task, await place_of(self._desk, task)) for task in tasks]
        return (
            pages.status_lines(placed, others=others, now=self._desk.clock.now()),
            pages.status_buttons(view.id, page, tasks, others=others),
        )

    # --- one of them

    async def show(self, press: Press) -> None:
        """Show one in full, by its button in a list."""
        number = press.number()
        task = None if number is None else await self._desk.store.get(number)
        if task is None or task.pruned:
            await self._desk.notice(press, Say("status-unknown", {"task": number or 0}))
            return
        if not await self._desk.admits(press, task.user_id, task.place.chat_id):
            return
        await self._desk.notice(press)
        target = Target(chat_id=press.chat_id, thread_id=press.thread_id, reply_to=press.message_id)
        await self._in_full(task, target, press.language)

    async def _by_number(self, message: Incoming, words: str) -> None:
        match numbers_in(words):
            case (number,):
                task = await self._named.by_number(message, number)
                if task is None:
                    await self._desk.answer(message, Say("status-unknown", {"task": number}))
                else:
                    await self._answer_in_full(message, task)
            case _:
                await self._desk.answer(message, Say("status-number"))

    async def _answer_in_full(self, message: Incoming, task: Task) -> None:
        await self._in_full(task, Target.in_reply_to(message.place), message.language)

    async def _in_full(self, task: Task, target: Target, language: str | None) -> None:
        desk = self._desk
        images = await desk.store.images(task.id)
        defaults = await desk.defaults_for(task.user_id, task.place.chat_id)
        lines = reports.in_full(
            task,
            images,
            place=await place_of(desk, task),
            now=desk.clock.now(),
            standing=defaults.request.negative,
            ancestors=await desk.store.ancestors(task, _ANCESTORS),
        )
        sent = await desk.say(target, *lines, language=language, buttons=_buttons(task, images))
        if sent is not None:
            await desk.store.note_message(task.id, target.chat_id, sent, "other", desk.clock.now())
        await self._show_again(task, target, pages.kept(images), language)

    async def _show_again(
        self, task: Task, target: Target, images: Sequence[Image], language: str | None
    ) -> None:
        """Send the pictures again from Telegram's own copies: nothing is uploaded."""
        desk = self._desk
        kinds: tuple[Literal["photo", "document"], ...] = ("photo", "document")
        for kind in kinds:
            shown = [image for image in images if image.sent_as == kind]
            if not shown:
                continue
            # the answer itself has arrived: if this fails, asking again is easy
            outcome = await desk.reach(
                Target(chat_id=target.chat_id, thread_id=target.thread_id),
                partial(
                    desk.chat.send_pictures,
                    pictures=[Picture(content=image.file_id or "", name="") for image in shown],
                    language=language,
                    sent_as=kind,
                    spoiler=any(photo.spoiler for photo in task.photos),
                ),
            )
            if isinstance(outcome, Sent):
                for message_id, image in zip(outcome.message_ids, shown, strict=False):
                    await desk.store.note_message(
                        task.id,
                        target.chat_id,
                        message_id,
                        "picture",
                        desk.clock.now(),
                        n=image.n,
                    )


def _buttons(task: Task, images: Sequence[Image]) -> Keyboard:
    """Give what can be done with a task as it is."""
    match task.state:
        case TaskState.DELIVERED:
            return keyboards.result(
                task, as_file=task.settings.as_file, kept=bool(pages.kept(images))
            )
        case TaskState.FAILED:
            return keyboards.failure(task)
        case _ if task.state in pages.STOPPABLE:
            return keyboards.progress(task)
        case _:
            return ()


async def place_of(desk: Desk, task: Task) -> int:
    """Give a task's place in line, never a higher one than was shown; 0 where it is not in line."""
    if task.state is not TaskState.QUEUED:
        return 0
    place = await desk.store.place_in_line(task)
    return place if task.shown_place is None else min(place, task.shown_place)
