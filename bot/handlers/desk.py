"""What every handler needs: the store, the chat, the settings, and how to answer."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import structlog
from telegram import Update

from bot.chosen import effective, language_for
from bot.config import Access
from bot.errors import PutOff
from bot.handlers import incoming
from bot.handlers.incoming import Incoming
from bot.handlers.press import Press, read_press
from bot.handlers.refusals import Refusals
from bot.links import Link
from bot.live import House
from bot.messages import Chat, Keyboard, Later, Moved, Outcome, Refused, Sent, Target, Unknown
from bot.pictures import PictureRequest
from bot.preferences import Defaults
from bot.texts import Say
from storage.clock import Clock
from storage.files import PictureFiles
from storage.people import has_a_chat
from storage.store import TaskStore
from storage.tasks import Origin, Task

log = structlog.get_logger(__name__)

_REPEAT_DELAY: Final = 2.0
"""Seconds before it is tried again where the answer was lost."""
_MOVING_DELAY: Final = 1.0
"""Seconds before an answer is repeated to a chat that moved twice."""


CheckLink = Callable[[Link], Awaitable[Say | None]]
"""Says why a link cannot be used; None: HiDream may fetch it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """Where the handlers work."""

    store: TaskStore
    chat: Chat
    house: Callable[[], House]
    clock: Clock
    bot_id: int
    username: str
    refusals: Refusals = field(default_factory=Refusals)
    check_link: CheckLink
    files: PictureFiles

    @property
    def access(self) -> Access:
        """Who may use the bot."""
        return self.house().access

    @property
    def defaults(self) -> PictureRequest:
        """What a caption leaves open in this installation; see `defaults_for`."""
        return self.house().defaults

    @property
    def slots(self) -> int:
        """So many tasks the account may have at HiDream at one time, as it is configured."""
        return self.house().slots

    async def read(self, update: Update) -> Incoming | None:
        """Give an update's message as plain data; None: there is none."""
        message = update.message or update.edited_message or update.channel_post
        if message is None:
            return None
        read = incoming.read(
            message, self.origin(update.update_id), self.username, self.house().max_file_bytes
        )
        language = await language_for(self.store, read.user_id, message.chat_id, read.language)
        return replace(read, language=language)

    async def read_press(self, update: Update) -> Press | None:
        """Give a press as plain data; None: it is not under a message of ours, or brings nothing back."""
        query = update.callback_query
        read = None if query is None else read_press(query, self.origin(update.update_id))
        if read is None:
            return None
        language = await language_for(self.store, read.user_id, read.chat_id, read.language)
        return replace(read, language=language)

    async def standing(self, task: Task) -> str:
        """Give what is to be kept out of a task's pictures where its words say nothing of it."""
        return (await self.defaults_for(task.user_id, task.place.chat_id)).request.negative

    async def defaults_for(self, user_id: int, chat_id: int) -> Defaults:
        """Give what holds for a person in a chat where a caption says nothing else."""
        return (await effective(self.store, self.defaults, user_id, chat_id)).defaults

    async def answer(
        self, message: Incoming, *lines: Say, ask: bool = False, buttons: Keyboard = ()
    ) -> int | None:
        """Answer a message; returns the answer's message id, or None where nobody is there.

        Raises:
            PutOff: it could not be sent now; the whole update is to be handled again.
        """
        target = Target.in_reply_to(message.place)
        return await self.say(target, *lines, language=message.language, ask=ask, buttons=buttons)

    async def say(
        self,
        target: Target,
        *lines: Say,
        language: str | None = None,
        ask: bool = False,
        buttons: Keyboard = (),
    ) -> int | None:
        """Say something to a chat, wherever it is by now; returns the message's id, or None where nobody is there.

        Raises:
            PutOff: it could not be sent now; the whole update is to be handled again.
        """

        async def send(target: Target) -> Outcome:
            return await self.chat.say(target, *lines, language=language, ask=ask, buttons=buttons)

        return self.arrived(await self.reach(target, send))

    @staticmethod
    def arrived(outcome: Outcome) -> int | None:
        """Give the id of an answer, or None where nobody is there, or Telegram does not take it.

        Raises:
            PutOff: it could not be sent now; the whole update is to be handled again.
        """
        match settled(outcome):
            case Sent(message_ids=(message_id, *_)):
                return message_id
            case Moved():
                raise PutOff(_MOVING_DELAY)
            case Refused(reason=reason):
                log.error("answer_refused", why=reason)
        return None

    async def reach(self, target: Target, send: Callable[[Target], Awaitable[Outcome]]) -> Outcome:
        """Send to a chat or, where that has moved, to where it is now."""
        outcome = await send(target)
        if isinstance(outcome, Moved):
            await self.store.move_chat(target.chat_id, outcome.chat_id)
            # there, other messages and topics have these numbers
            return await send(Target(chat_id=outcome.chat_id))
        return outcome

    async def notice(self, press: Press, line: Say | None = None, *, alert: bool = False) -> None:
        """Answer a press; it may be too late for that, and what was pressed for is done anyway.

        With `alert`, the notice stays until it is tapped.
        """
        await self.chat.answer_press(press.id, line, language=press.language, alert=alert)

    async def admits(self, press: Press, owner_id: int, chat_id: int) -> bool:
        """Say whether someone may press a button that is for this person in this chat; tells them if not.

        Where a chat stands for the person (an anonymous admin, a channel), its admins may.

        Raises:
            PutOff: Telegram does not say now who they are.
        """
        if not await self.owns(press.user_id, owner_id, chat_id):
            await self.notice(press, Say("pressed-not-yours"))
            return False
        if await self.is_under_anothers(press, owner_id):
            await self.notice(press, Say("pressed-not-yours"))
            return False
        if not self.access.allows(owner_id, chat_id):
            await self.notice(press, Say("pressed-not-allowed"))
            return False
        return True

    async def is_under_anothers(self, press: Press, owner_id: int) -> bool:
        """Say whether what was pressed is under a message of somebody else's task.

        No button of ours is. But what a press brings back can be forged (Bot API: CallbackQuery), and
        reactions change the message, or delete it.
        """
        known = await self.store.task_at(press.chat_id, press.message_id)
        task = None if known is None else await self.store.get(known.task_id)
        return task is not None and task.user_id != owner_id

    async def owns(self, person: int, owner_id: int, chat_id: int) -> bool:
        """Say whether something is a person's: their own, or that of a chat which they run.

        Raises:
            PutOff: Telegram does not say now who they are.
        """
        if person == owner_id:
            return True
        return not has_a_chat(owner_id) and await self.runs(person, owner_id, chat_id)

    async def runs(self, person: int, *chats: int) -> bool:
        """Say whether someone is an admin of one of these chats.

        Raises:
            PutOff: Telegram does not say now.
        """
        for chat_id in dict.fromkeys(chats):
            match await self.chat.is_admin(chat_id, person):
                case Later(seconds=seconds):
                    raise PutOff(seconds)
                case True:
                    return True
                case _:
                    pass
        return False

    async def made_already(self, origin: Origin) -> bool:
        """Say whether this has made a task: it has, if it is a repeat."""
        return await self.store.made_by(origin) is not None

    def origin(self, update_id: int) -> Origin:
        """Say which update a row comes from."""
        return Origin(bot_id=self.bot_id, update_id=update_id)

    async def let_in(self, message: Incoming) -> bool:
        """Say whether the sender may use the bot here; tells them if not, once an hour."""
        user, chat = message.user_id, message.place.chat_id
        if self.access.allows(user, chat):
            return True
        log.info("not_allowed")
        if self.refusals.told(chat, self.clock.monotonic()):
            return False
        if message.private:
            line = Say("not-allowed", {"user": user})
        else:
            line = Say("not-allowed-group", {"user": user, "chat": chat})
        await self.answer(message, line)
        self.refusals.note(chat, self.clock.monotonic())
        return False


def settled(outcome: Outcome) -> Outcome:
    """Give how a call ended.

    Raises:
        PutOff: it has not ended, or nobody knows; the whole update is to be handled again.
    """
    match outcome:
        case Later(seconds=seconds):
            raise PutOff(seconds)
        case Unknown():
            # what is seen twice is better than silence, but not for ever
            raise PutOff(_REPEAT_DELAY, failed=True)
        case _:
            return outcome


def queued(tasks: Sequence[Task]) -> None:
    """Log that these tasks are in line; what else is logged of their update names it, if it is one."""
    for task in tasks:
        log.info(
            "queued",
            task=task.id,
            photos=len(task.photos),
            images=task.settings.count,
            made_again=task.parent_id,
        )
    if len(tasks) == 1:
        # each update is handled in a lane of its own, with which this ends
        structlog.contextvars.bind_contextvars(task=tasks[0].id)
