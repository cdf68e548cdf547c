"""/cancel, and the buttons that stop tasks: what is in line costs nothing, what HiDream has may count.

The row is moved first. If the program dies after that, the update is handled again and finds it moved,
and what it leaves on progress messages is put right by `Endings`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog
from telegram import Update

from bot import pages
from bot.actions import Action
from bot.endings import Endings
from bot.handlers.buttons import Reaction
from bot.handlers.desk import Desk
from bot.handlers.incoming import Incoming
from bot.handlers.named import Named, numbers_in, words_of
from bot.handlers.orders import OPEN_FOR
from bot.handlers.press import Press
from bot.handlers.status import place_of
from bot.handlers.views import Views, scope
from bot.messages import Keyboard, Urgency
from bot.texts import Say
from storage.tasks import DraftKind, NewView, Task, TaskState

log = structlog.get_logger(__name__)

KIND: Final = "cancel"
_LISTED: Final = 10
_FOUND: Final = 100
"""So many tasks of a person can be stopped together."""
_WAITING: Final[tuple[DraftKind, ...]] = ("words", "prompt")
_TRIES: Final = 5
"""So often a task that somebody else has just moved is read again."""


class CancelHandlers:
    """Stops tasks for those whose they are."""

    def __init__(self, desk: Desk, views: Views) -> None:
        self._desk = desk
        self._views = views
        self._named = Named(desk)
        self._endings = Endings(store=desk.store, chat=desk.chat, clock=desk.clock)

    def reactions(self) -> Mapping[str, Reaction]:
        """Say which buttons these are."""
        return {Action.CANCEL: self.one, Action.STOP: self.listed}

    # --- by words

    async def cancel(self, update: Update, context: Any) -> None:
        """Stop the tasks that are named, or the one that there is; of several, ask which."""
        del context
        message = await self._desk.read(update)
        if message is None or not await self._desk.let_in(message):
            return
        if words := words_of(message):
            await self._by_number(message, numbers_in(words))
        elif message.reply is not None:
            await self._by_reply(message)
        else:
            await self._whichever(message)

    async def asked(self, message: Incoming) -> None:
        """Stop what somebody asks to stop in plain words, as a reply to it or not."""
        task = await self._named.by_reply(message)
        if task is None:
            await self._whichever(message)
        else:
            await self._desk.answer(message, pages.stopped(await self._stop_and_tidy(task)))

    async def _by_number(self, message: Incoming, numbers: Sequence[int] | None) -> None:
        if not numbers:
            await self._desk.answer(message, Say("cancel-number"))
            return
        lines = []
        for number in numbers:
            task = await self._named.by_number(message, number)
            if task is None:
                lines.append(Say("status-unknown", {"task": number}))
            else:
                lines.append(pages.stopped(await self._stop_and_tidy(task)))
        await self._desk.answer(message, *lines)

    async def _by_reply(self, message: Incoming) -> None:
        task = await self._named.by_reply(message)
        if task is None:
            await self._desk.answer(message, Say("status-reply"))
            return
        await self._desk.answer(message, pages.stopped(await self._stop_and_tidy(task)))

    async def _whichever(self, message: Incoming) -> None:
        found = await self._desk.store.tasks_of(
            message.user_id,
            limit=_FOUND,
            chat_id=scope(message.place.chat_id, private=message.private),
        )
        # What it was about stays what it is about when the update is handled again.
        view = await self._desk.store.add_view(
            NewView(
                origin=message.origin,
                kind=KIND,
                user_id=message.user_id,
                chat_id=message.place.chat_id,
                words=" ".join(str(task.id) for task in found if _stoppable(task)),
            ),
            self._desk.clock.now(),
        )
        tasks = await self._tasks(view.words, view.user_id)
        if not tasks:
            await self._put_away(message)
        elif len(tasks) == 1:
            stopped = await self._stop_and_tidy(tasks[0])
            await self._desk.answer(message, pages.stopped(stopped))
        else:
            lines, buttons = await self._list(view.id, tasks)
            await self._desk.answer(message, *lines, buttons=buttons)

    async def _put_away(self, message: Incoming) -> None:
        """Let what waits for its words, or for its photo, wait no longer."""
        store, place = self._desk.store, message.place
        since = self._desk.clock.now() - OPEN_FOR
        found = [
            await store.open_draft(message.user_id, place.chat_id, since, kind=kind)
            for kind in _WAITING
        ]
        waiting = [draft for draft in found if draft is not None]
        await self._desk.answer(message, Say("cancel-waiting" if waiting else "cancel-none"))
        for draft in waiting:
            await store.drop_draft(draft.id)

    # --- by buttons

    async def one(self, press: Press) -> None:
        """Stop the task whose progress message (or full report) this button is under."""
        number = press.number()
        task = None if number is None else await self._desk.store.get(number)
        if task is None or task.pruned:
            await self._desk.notice(press, Say("cancel-over", {"task": number or 0}))
            return
        if not await self._desk.admits(press, task.user_id, task.place.chat_id):
            return
        stopped = await self._stop(task)
        await self._desk.notice(press, pages.stopped(stopped))
        if _is_stopped(stopped):
            await self._endings.show(stopped, Urgency.REPLY)
        if press.message_id != task.progress_message_id:
            await self._desk.chat.edit_buttons(
                press.chat_id, press.message_id, (), language=press.language
            )

    async def listed(self, press: Press) -> None:
        """Stop one of the tasks of a list, or all of them."""
        view = await self._views.of(press, KIND)
        if view is None:
            return
        tasks = await self._tasks(view.words, view.user_id)
        chosen = [
            task for task in tasks if press.part(1) == pages.STOP_ALL or press.number(1) == task.id
        ]
        after = {task.id: await self._stop(task) for task in chosen}
        await self._desk.notice(
            press, pages.stopped(after[chosen[0].id]) if len(chosen) == 1 else None
        )
        for stopped in after.values():
            await self._tidy(stopped)
        lines, buttons = await self._list(view.id, [after.get(task.id, task) for task in tasks])
        await self._views.rewrite(press, *lines, buttons=buttons)

    async def _tasks(self, words: str, user_id: int) -> list[Task]:
        """Give the tasks that a list is of, as they are now, without those that were forgotten."""
        found = [await self._desk.store.get(int(one)) for one in words.split()]
        return [task for task in found if task is not None and task.user_id == user_id]

    async def _list(self, view_id: int, tasks: Sequence[Task]) -> tuple[Sequence[Say], Keyboard]:
        """Say of each task what became of it, and ask about those that can still be stopped."""
        over = [pages.stopped(task) for task in tasks if not _stoppable(task)][-_LISTED:]
        left = [task for task in tasks if _stoppable(task)]
        shown = left[: max(1, _LISTED - len(over))]
        if not left:
            return over or [Say("cancel-none")], ()
        placed = [(task, await place_of(self._desk, task)) for task in shown]
        lines = pages.which_lines(placed, others=len(left) - len(shown))
        return [*over, *lines], pages.which_buttons(view_id, shown)

    # --- either way

    async def _stop_and_tidy(self, task: Task) -> Task:
        stopped = await self._stop(task)
        await self._tidy(stopped)
        return stopped

    async def _stop(self, task: Task) -> Task:
        """Stop a task, unless it is too late; returns its row as it is then."""
        for _ in range(_TRIES):
            if not _stoppable(task):
                break
            moved = await self._desk.store.cancel(task, self._desk.clock.now())
            if moved is not None:
                log.info("task_stopped", task=task.id, was=task.state.value)
                return moved
            current = await self._desk.store.get(task.id)
            if current is None:
                break
            task = current
        return task

    async def _tidy(self, task: Task) -> None:
        """What is said in an answer needs no progress message beside it."""
        if task.state is TaskState.CANCELLED:
            await self._endings.remove(task)
        elif task.withdrawn:
            await self._endings.show(task, Urgency.REPLY)


def _stoppable(task: Task) -> bool:
    return task.state in pages.STOPPABLE and not task.withdrawn


def _is_stopped(task: Task) -> bool:
    return task.state is TaskState.CANCELLED or task.withdrawn
