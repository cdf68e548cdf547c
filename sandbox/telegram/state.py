"""What this Telegram knows: users, chats, messages, files, and what the bot was told of them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from itertools import count
from typing import Any, Final

from sandbox.faults import Faults
from sandbox.journal import Journal
from sandbox.telegram.clock import Bell, Clock
from sandbox.telegram.limits import FloodControl
from sandbox.telegram.records import (
    CHANNEL_BOT,
    GROUP_ANONYMOUS,
    JSON,
    TELEGRAM,
    Callback,
    Chat,
    File,
    Message,
    User,
)
from sandbox.telegram.rules import Rules
from sandbox.telegram.showing import seen
from sandbox.telegram.updates import Updates
from sandbox.telegram.webhook import Webhook

_PREFIXES: Final = {
    "photo": "AgACAgIAAxkBAA",
    "document": "BQACAgIAAxkBAA",
    "sticker": "CAACAgIAAxkBAA",
    "animation": "CgACAgIAAxkBAA",
    "voice": "AwACAgIAAxkBAA",
}


class Telegram:
    """The whole state, and the few changes to it that both sides make."""

    def __init__(self, *, token: str, rules: Rules, faults: Faults, journal: Journal) -> None:
        self.token, self.rules = token, rules
        self.clock, self.bell = Clock(), Bell()
        self.bot = User(
            id=int(token.partition(":")[0]),
            first_name="Sandbox",
            is_bot=True,
            username="sandbox_bot",
        )
        known = (self.bot, TELEGRAM, GROUP_ANONYMOUS, CHANNEL_BOT)
        self.users: dict[int, User] = {user.id: user for user in known}
        self.chats: dict[int, Chat] = {}
        self.files: dict[str, File] = {}
        self.callbacks: dict[str, Callback] = {}
        self.commands: dict[tuple[str, str], list[JSON]] = {}
        """What each menu offers, by its scope (as JSON) and its language."""
        self.descriptions: dict[str, dict[str, str]] = {"description": {}, "short_description": {}}
        """How the bot describes itself, at length and in short, by language."""
        self.updates = Updates(rules, self.clock)
        self.webhook = Webhook(self.updates, rules, self.clock, faults, journal)
        self.flood = FloodControl(rules, self.clock)
        self._numbers = count(1)

    def next_number(self) -> int:
        """Give a number that nothing else in this sandbox has."""
        return next(self._numbers)

    # Files

    def add_file(
        self, *, name: str, content_type: str, content: bytes, kind: str = "document", **more: Any
    ) -> File:
        """Keep a file that is shown as a file, or as another kind of message that is no photo."""
        return self._keep(kind=kind, content=content, content_type=content_type, name=name, **more)

    def add_photo(self, sizes: list[tuple[int, int, bytes]]) -> list[File]:
        """Keep the sizes (width, height, JPEG) of a photo, smallest first."""
        kept = [
            self._keep(kind="photo", content=jpeg, content_type="image/jpeg", width=w, height=h)
            for w, h, jpeg in sizes
        ]
        for file in kept:
            file.group = tuple(size.file_id for size in kept)
        return kept

    def _keep(self, *, kind: str, content: bytes, content_type: str, **more: Any) -> File:
        file = File(
            file_id=_PREFIXES.get(kind, "BAACAgIAAxkBAA") + secrets.token_urlsafe(42),
            unique_id="AQAD" + secrets.token_urlsafe(9),
            kind=kind,
            content=content,
            content_type=content_type,
            number=self.next_number(),
            **more,
        )
        self.files[file.file_id] = file
        return file

    # Messages

    def post(
        self,
        chat: Chat,
        author: User,
        content: Mapping[str, Any],
        *,
        sender_chat: Chat | None = None,
        reply_to: int | None = None,
        thread_id: int | None = None,
        **shown: Any,
    ) -> Message:
        """Put a message into a chat; telling the bot of it is another step.

        Args:
            chat: where.
            author: who really writes it.
            content: the Bot API's fields beside those that every message has.
            sender_chat: the group or channel in whose name it is written.
            reply_to: the message that it answers.
            thread_id: its thread, unless that follows from what it answers.
            shown: what else a person sees of it: further fields of `Message`.
        """
        message_id = chat.next_id()
        if chat.type == "channel":
            sender_chat = chat
        data: JSON = {
            "message_id": message_id,
            **self._sender(chat, author, sender_chat),
            "chat": self.chat_json(chat),
            "date": int(self.clock.now()),
        }
        answered = chat.messages.get(reply_to) if reply_to is not None else None
        if thread_id is None and answered is not None:
            thread_id = answered.data.get("message_thread_id")
            if thread_id is None and chat.type == "supergroup":
                # Outside of topics a thread is named for the message that it began with.
                thread_id = answered.id
        if thread_id is not None:
            data["message_thread_id"] = thread_id
            if thread_id in chat.topics:
                data["is_topic_message"] = True
        message = Message(
            id=message_id,
            data=data | dict(content),
            author=author.id,
            reply_to=reply_to,
            **shown,
        )
        chat.messages[message_id] = message
        self.note(chat, "new", message)
        return message

    def _sender(self, chat: Chat, author: User, sender_chat: Chat | None) -> JSON:
        if sender_chat is None:
            return {"from": author.to_json()}
        shown: JSON = {"sender_chat": self.chat_json(sender_chat)}
        if chat.type == "channel":
            return shown
        if author is not TELEGRAM:
            author = GROUP_ANONYMOUS if sender_chat is chat else CHANNEL_BOT
        return {"from": author.to_json()} | shown

    def note(self, chat: Chat, kind: str, message: Message) -> None:
        """Let whoever looks at the chat see that a message is new, edited, or deleted."""
        event = {
            "n": len(chat.events) + 1,
            "kind": kind,
            "at": self.clock.now(),
            "message": self.seen(message),
        }
        chat.events.append(event)
        self.bell.ring()

    def message_json(self, chat: Chat, message: Message) -> JSON:
        """Write a message as the Bot API's Message, with the one that it replies to."""
        data = dict(message.data)
        reply_to = message.reply_to
        if reply_to is None and data.get("is_topic_message"):
            # Within a topic, what replies to nothing replies to the topic's beginning.
            reply_to = data["message_thread_id"]
        answered = chat.messages.get(reply_to) if reply_to not in {None, message.id} else None
        if answered is not None:
            data["reply_to_message"] = dict(answered.data)
        return data

    def chat_json(self, chat: Chat) -> JSON:
        """Write a chat as the Bot API's Chat."""
        shown: JSON = {"id": chat.id, "type": chat.type}
        if chat.type == "private":
            user = self.users[chat.id].to_json()
            return shown | {k: user[k] for k in ("first_name", "username") if k in user}
        shown["title"] = chat.title
        return shown | ({"is_forum": True} if chat.is_forum else {})

    def seen(self, message: Message) -> JSON:
        """Write a message as a person sees it."""
        return seen(message, bot_id=self.bot.id)
