"""Buttons: what they bring back is an id of the store, so they work as long as the store does."""

from typing import Any

import structlog
from telegram import CallbackQuery, Update

from bot import reports
from bot.actions import Action
from bot.captions import write
from bot.handlers.desk import Desk
from bot.messages import Target
from bot.pictures import AspectRatio, PictureRequest
from bot.texts import Say
from storage.store import TooManyUnfinished
from storage.tasks import NewDraft, NewTask, Task

log = structlog.get_logger(__name__)


class ButtonHandlers:
    """What happens when a button is pressed, today or in years."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def pressed(self, update: Update, context: Any) -> None:
        """Do what the button says, if whoever pressed it may."""
        del context
        press = update.callback_query
        if press is None:
            return
        action, _, number = (press.data or "").partition(":")
        task = await self._task(number)
        if task is None or action not in (Action.AGAIN, Action.WORDS):
            await self._notice(press, Say("pressed-unknown"))
        elif press.from_user.id != task.user_id:
            await self._notice(press, Say("pressed-not-yours"))
        elif not self._desk.access.allows(task.user_id, task.place.chat_id):
            await self._notice(press, Say("pressed-not-allowed"))
        elif action == Action.AGAIN:
            await self._notice(press, await self._again(update.update_id, press, task))
        else:
            await self._notice(press, Say("pressed-words"))
            await self._other_words(update.update_id, press, task)

    async def _task(self, number: str) -> Task | None:
        return (
            await self._desk.store.get(int(number))
            if number.isdecimal() and len(number) < 16
            else None
        )

    async def _notice(self, press: CallbackQuery, line: Say) -> None:
        """Answer the press; it may be too late for that, and what was pressed for is done anyway."""
        await self._desk.chat.answer_press(press.id, line, language=press.from_user.language_code)

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
                ),
                now=self._desk.clock.now(),
                max_unfinished=self._desk.access.max_unfinished,
            )
        except TooManyUnfinished:
            return Say("pressed-too-many")
        return Say("pressed-again")

    async def _other_words(self, update_id: int, press: CallbackQuery, task: Task) -> None:
        draft = await self._desk.store.add_draft(
            NewDraft(
                origin=self._desk.origin(update_id),
                user_id=task.user_id,
                place=task.place,
                photos=task.photos,
                # the words are to be other ones, not the settings
                caption=write(_without_words(task), defaults=self._desk.defaults),
                language=press.from_user.language_code,
                parent_id=task.id,
            ),
            self._desk.clock.now(),
        )
        place = task.place
        target = Target(chat_id=place.chat_id, thread_id=place.thread_id, reply_to=place.message_id)
        question = await self._desk.say(
            target,
            Say("ask-other-words", {"settings": reports.settings(task)}),
            language=press.from_user.language_code,
            ask=True,
        )
        if question is not None:
            await self._desk.store.asked(draft.id, question)


def _without_words(task: Task) -> PictureRequest:
    chosen = task.settings
    return PictureRequest(
        prompt="",
        negative=chosen.negative,
        ratio=AspectRatio(chosen.ratio) if chosen.ratio else None,
        count=chosen.count,
    )
