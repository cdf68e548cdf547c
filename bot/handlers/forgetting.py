"""/forget: everything of a person goes, once they have confirmed it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import structlog
from telegram import Update

from bot.actions import Action
from bot.actions import press as button_data
from bot.errors import PutOff
from bot.handlers.buttons import Reaction
from bot.handlers.desk import Desk
from bot.handlers.press import Press
from bot.handlers.privacy import FORGET_VIEW, anything_of, may_ask
from bot.messages import Button, Gone, Keyboard, Later, Refused, Sent, Target, Unknown, Urgency
from bot.texts import Say
from storage.people import has_a_chat
from storage.tasks import FINAL, Forgotten, NewView, Origin, TaskState, Topic, View

log = structlog.get_logger(__name__)

ANEW: Final = timedelta(hours=1)
"""After so long a tap is asked for once more: what is at stake may be much by then."""
_LOOK: Final = 200
"""So many tasks of a person, the unfinished first, are looked at for messages that tell how they go."""
_SHOWN: Final = FINAL - {TaskState.CANCELLED}


class ForgetHandlers:
    """Asks, and forgets."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._untold: dict[Origin, Sequence[Say]] = {}
        """What was done, by the press that asked for it, until the person has been told."""

    def reactions(self) -> Mapping[str, Reaction]:
        """Say which buttons these are."""
        return {Action.FORGET: self.confirmed}

    async def forget(self, update: Update, context: Any) -> None:
        """Say what will happen, and ask."""
        del context
        desk = self._desk
        message = await desk.read(update)
        if message is None or not await may_ask(desk, message):
            return
        user_id, chat_id = message.user_id, message.place.chat_id
        if not has_a_chat(user_id) and user_id != chat_id:
            await desk.answer(message, Say("forget-elsewhere"))
        elif not await anything_of(desk, user_id, message.origin):
            await desk.answer(message, Say("forget-nothing"))
        else:
            view = await self._ask(message.origin, user_id, chat_id)
            await desk.answer(message, *_question(user_id), buttons=_buttons(view))

    async def _ask(self, origin: Origin, user_id: int, chat_id: int) -> View:
        new = NewView(origin=origin, kind=FORGET_VIEW, user_id=user_id, chat_id=chat_id)
        return await self._desk.store.add_view(new, self._desk.clock.now())

    async def confirmed(self, press: Press) -> None:
        """Forget everything of whoever was asked."""
        desk = self._desk
        number = press.number()
        view = None if number is None else await desk.store.view(number)
        if view is None or view.kind != FORGET_VIEW:
            await self._again(press)
            return
        if not await self._may(press, view.user_id):
            return
        if await desk.is_under_anothers(press, view.user_id):
            await desk.notice(press, Say("pressed-not-yours"))
            return
        if desk.clock.now() - view.created_at > ANEW:
            await desk.notice(press, Say("forget-tap-again"))
            view = await self._ask(press.origin, view.user_id, view.chat_id)
            await self._show(press, _question(view.user_id), _buttons(view))
            return
        # first, since Telegram waits for it only some seconds
        await desk.notice(press)
        # before, so that none stays for ever if the process is killed in between: afterwards
        # nothing says any more where they are
        put_away = await self._end_progress(press, view.user_id)
        forgotten = await desk.store.forget_person(view.user_id, desk.clock.now())
        log.info("person_forgotten", tasks=len(forgotten.task_ids))
        self._untold[press.origin] = done_lines(view.user_id, forgotten)
        for one in forgotten.messages:
            if (one.chat_id, one.message_id) not in put_away:
                await self._put_away(press, one.chat_id, one.message_id)
        await self._remove_files(forgotten.task_ids)
        await self._tell(press)

    async def _may(self, press: Press, owner_id: int) -> bool:
        """Say whether it is theirs: a person's own, or that of a chat that they run; tells them if not."""
        # of a chat only its own admins: those of another one where it has written decide nothing
        if await self._desk.owns(press.user_id, owner_id, owner_id):
            return True
        await self._desk.notice(press, Say("pressed-not-yours"))
        return False

    async def _end_progress(self, press: Press, user_id: int) -> set[tuple[int, int]]:
        """Put away what tells how it goes with somebody's tasks; returns which messages are gone."""
        gone = set()
        for task in await self._desk.store.tasks_of(user_id, limit=_LOOK):
            chat_id, message_id = task.place.chat_id, task.progress_message_id
            if message_id is None or task.state in _SHOWN:
                continue
            if await self._put_away(press, chat_id, message_id):
                gone.add((chat_id, message_id))
        return gone

    async def _put_away(self, press: Press, chat_id: int, message_id: int) -> bool:
        """Delete a message or, where Telegram no longer lets us, let it say that it is over."""
        outcome = await self._desk.chat.delete(chat_id, message_id)
        if isinstance(outcome, Refused):
            outcome = await self._desk.chat.edit(
                chat_id, message_id, Say("progress-over"), language=press.language
            )
        return not isinstance(outcome, Later | Unknown)

    async def _remove_files(self, task_ids: Sequence[int]) -> None:
        try:
            for task_id in task_ids:
                await self._desk.files.remove(task_id)
        except OSError:
            log.exception("files_not_removed")
        # it removes what came meanwhile or could not be removed, and notes that all are gone
        self._desk.store.wake(Topic.HOUSEKEEPING)

    async def _again(self, press: Press) -> None:
        """Answer a press whose question is not there any more: it was answered, or is too old."""
        if press.origin in self._untold:
            await self._tell(press)
        elif await anything_of(self._desk, press.user_id, press.origin):
            await self._desk.notice(press, Say("forget-too-late"))
        else:
            await self._desk.notice(press, Say("forget-over"))
            if press.chat_id == press.user_id:
                # the process may have been killed before it could say so
                await self._show(press, (Say("forget-over"),))

    async def _tell(self, press: Press) -> None:
        await self._show(press, self._untold[press.origin])
        del self._untold[press.origin]

    async def _show(self, press: Press, lines: Sequence[Say], buttons: Keyboard = ()) -> None:
        """Put something in the place of the question, or below where that is gone.

        Raises:
            PutOff: it could not be shown now; the whole update is to be handled again.
        """
        outcome = await self._desk.chat.edit(
            press.chat_id,
            press.message_id,
            *lines,
            language=press.language,
            buttons=buttons,
            urgency=Urgency.REPLY,
        )
        match outcome:
            case Sent() | Gone():
                pass
            case Later(seconds=seconds):
                raise PutOff(seconds)
            case _:
                target = Target(chat_id=press.chat_id, thread_id=press.thread_id)
                await self._desk.say(target, *lines, language=press.language, buttons=buttons)


def done_lines(user_id: int, forgotten: Forgotten) -> Sequence[Say]:
    """Say exactly what was done, and what stays."""
    return (
        Say("forget-done" if has_a_chat(user_id) else "forget-done-chat"),
        *_counted("forget-cancelled", forgotten.cancelled),
        *_counted("forget-stopped", forgotten.stopped),
        Say("forget-stays"),
    )


def _counted(line: str, count: int) -> tuple[Say, ...]:
    return (Say(line, {"count": count}),) if count else ()


def _question(user_id: int) -> Sequence[Say]:
    return Say("forget-ask" if has_a_chat(user_id) else "forget-ask-chat"), Say("forget-what")


def _buttons(view: View) -> Keyboard:
    return ((Button(label=Say("button-forget"), data=button_data(Action.FORGET, view.id)),),)
