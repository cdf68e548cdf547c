"""The button that takes a result away: from the chat, as far as Telegram lets us, and from here."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, Literal

import structlog

from bot import keyboards
from bot.actions import BACK, YES, Action
from bot.errors import PutOff
from bot.handlers.buttons import Reaction
from bot.handlers.desk import Desk, settled
from bot.handlers.press import Press
from bot.handlers.subject import put, put_back, shown, task_of
from bot.messages import Outcome, Sent, Target, Urgency
from bot.placeholder import placeholder
from bot.texts import Say
from storage.tasks import FINAL, ImageState, Role, Task, TaskMessage, TaskState

log = structlog.get_logger(__name__)

_PICTURES: Final[Mapping[Role, Literal["photo", "document"]]] = {
    "picture": "photo",
    "file": "document",
}

End = Literal["deleted", "replaced", "left"]
"""What became of a message: it is gone, shows nothing any more, or could not be touched."""


class DeleteButton:
    """What can be done so that nobody sees a result any more."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def reactions(self) -> Mapping[str, Reaction]:
        """Say which buttons these are."""
        return {Action.DELETE: self.delete}

    async def delete(self, press: Press) -> None:
        """Ask whether it is meant; after that tap, do it."""
        task = await task_of(self._desk, press, forgotten="pressed-forgotten-delete")
        if task is None:
            return
        if not await self._is_here(task):
            # what is still to come would come after all
            await self._desk.notice(press, Say("pressed-unfinished"), alert=True)
            return
        match press.part(1):
            case "":
                await self._desk.notice(press, Say("pressed-delete"))
                await put(self._desk, press, task, keyboards.deletion(task))
            case str(choice) if choice == BACK:
                await self._desk.notice(press, Say("pressed-kept"))
                await put_back(self._desk, press, task)
            case str(choice) if choice == YES:
                await self._desk.notice(press, Say("pressed-deleting"))
                await self._delete(press, task)
            case _:
                await self._desk.notice(press, Say("pressed-unknown"))

    async def _is_here(self, task: Task) -> bool:
        """Say whether all of a task has come, though its delivery may still be tidying up."""
        if task.state in FINAL:
            return True
        images = await self._desk.store.images(task.id)
        made = [image for image in images if image.state is ImageState.STORED]
        return task.state is TaskState.DELIVERING and bool(made) and shown(images) == made

    async def _delete(self, press: Press, task: Task) -> None:
        """Take a task's messages away, say what stays, and forget what was shown.

        Nothing of it is forgotten before the end, so that whoever begins again finds all of it: to
        delete or to empty a message a second time does no harm.
        """
        store = self._desk.store
        await self._desk.files.remove(task.id)
        await store.files_removed(task.id)
        messages = await store.messages_of(task.id)
        first = next((one for one in messages if one.role in _PICTURES), None)
        ends: Counter[End] = Counter()
        for message in messages:
            ends[await self._take_away(message, task, first=message is first)] += 1
        ends["left"] += await self._unknown(press, task, messages)
        try:
            await self._desk.say(
                Target.in_reply_to(task.place), *_report(task, ends), language=press.language
            )
        except PutOff as later:
            if later.failed:  # it has most likely been said: what is forgotten does not hang on it
                await self._forget(task, messages)
            raise
        await self._forget(task, messages)
        log.info("result_deleted", ends=dict(ends))

    async def _forget(self, task: Task, messages: Sequence[TaskMessage]) -> None:
        """Forget what was shown; the words stay, and with them /status."""
        for message in messages:
            await self._desk.store.message_gone(message.chat_id, message.message_id)
        await self._desk.store.forget_pictures(task.id)

    async def _take_away(self, message: TaskMessage, task: Task, *, first: bool) -> End:
        chat_id, message_id = message.chat_id, message.message_id
        if isinstance(settled(await self._desk.chat.delete(chat_id, message_id)), Sent):
            return "deleted"
        if isinstance(settled(await self._empty(message, task, first=first)), Sent):
            return "replaced"
        log.info("message_left", role=message.role)
        return "left"

    async def _unknown(self, press: Press, task: Task, messages: Sequence[TaskMessage]) -> int:
        """Count the pictures in messages that are not known any more, because the group has moved.

        The message that was pressed in is known all the same, though not what it is.
        """
        known = {one.n for one in messages if one.role in _PICTURES}
        images = shown(await self._desk.store.images(task.id))
        lost = sum(image.n not in known for image in images)
        where = press.chat_id, press.message_id
        if where in {(one.chat_id, one.message_id) for one in messages}:
            return lost
        gone = isinstance(settled(await self._desk.chat.delete(*where)), Sent)
        if not gone:
            settled(await self._desk.chat.edit_buttons(*where, ()))
        return 0 if gone and len(images) == 1 else lost

    async def _empty(self, message: TaskMessage, task: Task, *, first: bool) -> Outcome:
        """Let a message that cannot be deleted show nothing: of an album, its first one says why."""
        chat, language = self._desk.chat, task.language
        where = message.chat_id, message.message_id
        line = Say("deleted")
        if sent_as := _PICTURES.get(message.role):
            lines = (line,) if first else ()
            return await chat.replace_picture(
                *where, placeholder(), *lines, language=language, sent_as=sent_as
            )
        if message.role == "other":
            # nobody knows whether it is a text
            return await chat.edit_buttons(*where, (), language=language)
        return await chat.edit(*where, line, language=language, urgency=Urgency.REPLY)


def _report(task: Task, ends: Counter[End]) -> list[Say]:
    replaced, left = ends["replaced"], ends["left"]
    lines = [Say("deleted-here" if left else "deleted-all", {"task": task.id})]
    if replaced:
        lines.append(Say("deleted-replaced", {"count": replaced}))
    if left:
        lines.append(Say("deleted-left", {"count": left}))
    return [*lines, Say("deleted-stays", {"task": task.id})]
