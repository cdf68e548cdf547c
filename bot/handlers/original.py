"""The button that sends a result as HiDream made it: Telegram makes photos smaller and worse."""

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta

import structlog

from bot.actions import Action
from bot.handlers.buttons import Reaction
from bot.handlers.desk import Desk, settled
from bot.handlers.press import Press
from bot.handlers.subject import task_of
from bot.messages import Outcome, Picture, Refused, Sent, Target
from bot.originals import originals
from bot.texts import Say
from storage.tasks import ImageState, Task

log = structlog.get_logger(__name__)


class OriginalButton:
    """What can be done to have the files themselves."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def reactions(self) -> Mapping[str, Reaction]:
        """Say which buttons these are."""
        return {Action.FILE: self.original}

    async def original(self, press: Press) -> None:
        """Send the files as HiDream made them, as long as they are kept."""
        task = await task_of(self._desk, press)
        if task is None:
            return
        images = await self._desk.store.images(task.id)
        found = originals(self._desk.files, task, images)
        if not found:
            await self._desk.notice(press, _over(self._desk.house().keep_originals), alert=True)
            return
        await self._desk.notice(press, Say("pressed-file"))
        match settled(await self._send(press, task, found)):
            case Sent(message_ids=ids):
                now, chat_id = self._desk.clock.now(), press.chat_id
                stored = [image.n for image in images if image.state is ImageState.STORED]
                for place, message_id in enumerate(ids):
                    n = stored[place] if len(ids) == len(stored) else None
                    await self._desk.store.note_message(
                        task.id, chat_id, message_id, "file", now, n=n
                    )
            case Refused(reason=reason):
                log.error("original_refused", why=reason)
                await self._desk.say(
                    _beside(press, task), Say("file-refused"), language=press.language
                )
            case _:
                pass  # nobody is there any more

    async def _send(self, press: Press, task: Task, pictures: Sequence[Picture]) -> Outcome:
        async def send(target: Target) -> Outcome:
            return await self._desk.chat.send_pictures(
                target,
                pictures,
                Say("original", {"task": task.id}),
                language=press.language,
                sent_as="document",
                silent=True,  # who has just tapped is looking
            )

        return await self._desk.reach(_beside(press, task), send)


def _beside(press: Press, task: Task) -> Target:
    """Give the place beside the message that a button was pressed in, in its topic."""
    # of an old message Telegram does not say in which topic it is
    here = press.chat_id == task.place.chat_id
    thread_id = task.place.thread_id if here else press.thread_id
    return Target(chat_id=press.chat_id, thread_id=thread_id, reply_to=press.message_id)


def _over(kept: timedelta) -> Say:
    """Say that there is no file any more."""
    days = math.ceil(kept / timedelta(days=1))
    return Say("pressed-file-over", {"count": days}) if days else Say("pressed-file-never")
