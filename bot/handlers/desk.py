"""What every handler needs: the store, the chat, the settings, and how to answer."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

import structlog
from telegram import Message, User
from telegram.constants import ChatType

from bot.captions import mentions_option
from bot.config import Access
from bot.errors import PutOff
from bot.handlers.refusals import Refusals
from bot.messages import Chat, Keyboard, Later, Moved, Outcome, Refused, Sent, Target, Unknown
from bot.pictures import PictureRequest
from bot.texts import Say
from storage.clock import Clock
from storage.store import TaskStore
from storage.tasks import Origin, Place

log = structlog.get_logger(__name__)

_COMMAND: Final = re.compile(r"/\w{1,32}(?:@(?P<bot>\w{1,64}))?(?!\S)", re.ASCII)
"""A command as Telegram finds it at the beginning of a text."""
_REPEAT_DELAY: Final = 2.0
"""Seconds before an answer is repeated whose arrival is not known."""
_MOVING_DELAY: Final = 1.0
"""Seconds before an answer is repeated to a chat that moved twice."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """Where the handlers work."""

    store: TaskStore
    chat: Chat
    access: Access
    defaults: PictureRequest
    clock: Clock
    bot_id: int
    username: str
    refusals: Refusals = field(default_factory=Refusals)

    async def answer(
        self, message: Message, *lines: Say, ask: bool = False, buttons: Keyboard = ()
    ) -> int | None:
        """Answer a message; returns the answer's message id, or None where nobody is there.

        Raises:
            PutOff: it could not be sent now; the whole update is to be handled again.
        """
        target = Target(
            chat_id=message.chat_id, thread_id=topic_of(message), reply_to=message.message_id
        )
        return await self.say(
            target, *lines, language=language_of(message), ask=ask, buttons=buttons
        )

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

        outcome = await self.reach(target, send)
        match outcome:
            case Sent(message_ids=(message_id, *_)):
                return message_id
            case Later(seconds=seconds):
                raise PutOff(seconds)
            case Unknown():
                # an answer seen twice is better than silence, but not for ever
                raise PutOff(_REPEAT_DELAY, failed=True)
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

    async def made_already(self, update_id: int) -> bool:
        """Say whether this update has made a task: it has, if it is a repeat."""
        return await self.store.made_by(self.origin(update_id)) is not None

    def origin(self, update_id: int) -> Origin:
        """Say which update a row comes from."""
        return Origin(bot_id=self.bot_id, update_id=update_id)

    def addressed(self, message: Message) -> bool:
        """Say whether a message is meant for the bot: in groups by a command or a reply to it."""
        if message.chat.type == ChatType.PRIVATE:
            return True
        text = message.caption or message.text or ""
        addressee = addressee_of(text)
        if addressee is not None:
            return addressee == self.username.lower()
        return self.replies_to_us(message) or mentions_option(text, self.username)

    def replies_to_us(self, message: Message) -> bool:
        """Say whether a message is a reply to one of ours."""
        replied = message.reply_to_message
        return bool(
            replied
            and replied.from_user
            and replied.from_user.id == self.bot_id
            # in a topic, what replies to nothing looks like a reply to the topic's beginning
            and replied.forum_topic_created is None
        )

    async def answers_for(self, update_id: int, message: Message) -> bool:
        """Say whether this message is the one to answer: an album gets one answer for all of it."""
        if message.media_group_id is None:
            return True
        return await self.store.first_of_album(
            self.origin(update_id), message.chat_id, message.media_group_id
        )

    async def let_in(self, message: Message) -> bool:
        """Say whether the sender may use the bot here; tells them if not, once an hour."""
        user = user_of(message)
        if self.access.allows(user, message.chat_id):
            return True
        log.info("not_allowed")
        if self.refusals.told(message.chat_id, self.clock.monotonic()):
            return False
        if message.chat.type == ChatType.PRIVATE:
            line = Say("not-allowed", {"user": user})
        else:
            line = Say("not-allowed-group", {"user": user, "chat": message.chat_id})
        await self.answer(message, line)
        self.refusals.note(message.chat_id, self.clock.monotonic())
        return False


def command_of(text: str) -> str | None:
    """Give the command that a text begins with, as it is written: `/status@some_bot`."""
    found = _COMMAND.match(text)
    return found[0] if found else None


def addressee_of(text: str) -> str | None:
    """Give the bot's name that the command at a text's beginning names, in small letters."""
    found = _COMMAND.match(text)
    return found["bot"].lower() if found and found["bot"] else None


def user_of(message: Message) -> int:
    """Give the sender's id: a person's, or the chat's in whose name they write."""
    if message.sender_chat is not None:
        return message.sender_chat.id
    return message.from_user.id if message.from_user else message.chat_id


def language_of(message: Message) -> str | None:
    """Give the sender's language, as their Telegram app says it."""
    user: User | None = message.from_user
    return user.language_code if user else None


def topic_of(message: Message) -> int | None:
    """Give the topic, in a chat that has topics (elsewhere the id only marks a thread of replies)."""
    return message.message_thread_id if message.is_topic_message else None


def place_of(message: Message) -> Place:
    """Say where a message stands."""
    return Place(
        chat_id=message.chat_id,
        chat_type=message.chat.type,
        message_id=message.message_id,
        thread_id=topic_of(message),
    )
