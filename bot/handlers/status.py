"""/status: a person's own tasks, and one of them in full."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final, Literal

from telegram import Update

from bot import reports
from bot.handlers.desk import Desk
from bot.handlers.incoming import Incoming
from bot.messages import Picture, Target
from bot.texts import Say
from storage.tasks import Image, ImageState, Task, TaskState

LISTED: Final = 10
_COUNTED: Final = 100
"""So many more than those are counted: the answer is not worth a search through all of them."""


class StatusHandlers:
    """Answers from the store, whatever else is going on."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def status(self, update: Update, context: Any) -> None:
        """List the sender's tasks, or (with a number) show one in full."""
        message = await self._desk.read(update)
        if message is None or not await self._desk.let_in(message):
            return
        asked = "".join(context.args or ()).lstrip("#")
        if not asked:
            await self._list(message)
        elif asked.isdecimal() and len(asked) < 16:
            await self._one(message, int(asked))
        else:
            await self._desk.answer(message, Say("status-number"))

    async def _list(self, message: Incoming) -> None:
        # in a group nobody is to see what someone does elsewhere
        only = None if message.private else message.place.chat_id
        found = await self._desk.store.tasks_of(
            message.user_id, limit=LISTED + _COUNTED + 1, chat_id=only
        )
        tasks, others = found[:LISTED], len(found[LISTED:])
        if not tasks:
            await self._desk.answer(message, Say("status-none"))
            return
        now = self._desk.clock.now()
        lines = [reports.listed(task, place=await self._place(task), now=now) for task in tasks]
        if others:
            lines.append(reports.others(others, counted=_COUNTED))
        await self._desk.answer(message, *lines, Say("status-more", {"task": tasks[0].id}))

    async def _one(self, message: Incoming, task_id: int) -> None:
        task = await self._desk.store.get(task_id)
        if task is None or not self._may_see(task, message):
            await self._desk.answer(message, Say("status-unknown", {"task": task_id}))
            return
        images = await self._desk.store.images(task.id)
        lines = reports.in_full(
            task, images, place=await self._place(task), now=self._desk.clock.now()
        )
        await self._desk.answer(message, *lines)
        await self._show_again(message, images)

    @staticmethod
    def _may_see(task: Task, message: Incoming) -> bool:
        own = task.user_id == message.user_id
        return own and (message.private or task.place.chat_id == message.place.chat_id)

    async def _place(self, task: Task) -> int:
        if task.state is not TaskState.QUEUED:
            return 0
        place = await self._desk.store.place_in_line(task)
        return place if task.shown_place is None else min(place, task.shown_place)

    async def _show_again(self, message: Incoming, images: Sequence[Image]) -> None:
        """Send the pictures again from Telegram's own copies: nothing is uploaded."""
        language = message.language
        kinds: tuple[Literal["photo", "document"], ...] = ("photo", "document")
        for kind in kinds:
            pictures = [
                Picture(content=image.file_id, name="")
                for image in images
                if image.state is ImageState.STORED and image.file_id and image.sent_as == kind
            ]
            if not pictures:
                continue
            # the answer itself has arrived: if this fails, asking again is easy
            await self._desk.reach(
                Target(chat_id=message.place.chat_id, thread_id=message.place.thread_id),
                partial(
                    self._desk.chat.send_pictures,
                    pictures=pictures,
                    language=language,
                    sent_as=kind,
                ),
            )
