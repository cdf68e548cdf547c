"""What this Telegram knows: users, chats, messages, files, and what the bot was told of them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from sandbox.telegram.clock import Bell, Clock
from sandbox.telegram.limits import FloodControl
from sandbox.telegram.rules import Rules
from sandbox.telegram.updates import Updates

JSON = dict[str, Any]


@dataclass(kw_only=True, slots=True)
class User:
    """Somebody, or the bot."""

    id: int
    first_name: str
    is_bot: bool = False
    username: str | None = None
    language_code: str | None = None
    started: bool = False
    blocked: bool = False

    def to_json(self) -> JSON:
        """Write it as the Bot API's User."""
        shown = {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name}
        named = {"username": self.username, "language_code": self.language_code}
        return shown | {name: value for name, value in named.items() if value}


@dataclass(kw_only=True, slots=True)
class Message:
    """One message; `data` is the Bot API's Message without what depends on others."""

    id: int
    data: JSON
    author: int
    reply_to: int | None = None
    edits: int = 0
    force_reply: bool = False


@dataclass(kw_only=True, slots=True)
class Chat:
    """A private chat, a group, or a supergroup."""

    id: int
    type: str
    title: str = ""
    members: set[int] = field(default_factory=set)
    topics: dict[int, str] = field(default_factory=dict)
    is_forum: bool = False
    privacy: bool = True
    kicked: bool = False
    migrated_to: int | None = None
    messages: dict[int, Message] = field(default_factory=dict)
    events: list[JSON] = field(default_factory=list)
    last_message_id: int = 0
    action: tuple[str, float] | None = None

    def next_id(self) -> int:
        """Give the id of the next message."""
        self.last_message_id += 1
        return self.last_message_id


@dataclass(kw_only=True, slots=True)
class File:
    """A file that was sent by somebody."""

    file_id: str
    unique_id: str
    kind: str
    content: bytes
    content_type: str
    number: int
    name: str = ""
    width: int = 0
    height: int = 0
    group: tuple[str, ...] = ()
    """All sizes of the photo that this is one of."""
    vanished: bool = False
    linked_at: float | None = None

    @property
    def path(self) -> str:
        """The path under which getFile gives it out."""
        ending = self.name.rpartition(".")[2] if "." in self.name else ""
        if self.kind == "photo":
            ending = "jpg"
        folder = "photos" if self.kind == "photo" else "documents"
        clean = ending if ending.isalnum() else "bin"
        return f"{folder}/file_{self.number}.{clean}"

    def to_json(self) -> JSON:
        """Write it as the Bot API's PhotoSize or Document."""
        shown: JSON = {
            "file_id": self.file_id,
            "file_unique_id": self.unique_id,
            "file_size": len(self.content),
        }
        if self.kind == "photo":
            return shown | {"width": self.width, "height": self.height}
        return shown | {"file_name": self.name, "mime_type": self.content_type}


@dataclass(kw_only=True, slots=True)
class Callback:
    """One press of a button."""

    id: str
    pressed_at: float
    answered: bool = False
    text: str = ""
    show_alert: bool = False


class Telegram:
    """The whole state, and the few changes to it that both sides make."""

    def __init__(self, *, token: str, rules: Rules) -> None:
        self.token, self.rules = token, rules
        self.clock, self.bell = Clock(), Bell()
        self.bot = User(
            id=int(token.partition(":")[0]),
            first_name="Sandbox",
            is_bot=True,
            username="sandbox_bot",
        )
        self.users: dict[int, User] = {self.bot.id: self.bot}
        self.chats: dict[int, Chat] = {}
        self.files: dict[str, File] = {}
        self.callbacks: dict[str, Callback] = {}
        self.commands: dict[tuple[str, str], list[JSON]] = {}
        self.updates = Updates(rules, self.clock)
        self.flood = FloodControl(rules, self.clock)
        self._numbers = count(1)

    def next_number(self) -> int:
        """Give a number that nothing else in this sandbox has."""
        return next(self._numbers)

    # Files

    def add_document(self, *, name: str, content_type: str, content: bytes) -> File:
        """Keep a file that is shown as a file."""
        return self._keep(kind="document", content=content, content_type=content_type, name=name)

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
        prefix = "AgACAgIAAxkBAA" if kind == "photo" else "BQACAgIAAxkBAA"
        file = File(
            file_id=prefix + secrets.token_urlsafe(42),
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
        reply_to: int | None = None,
        thread_id: int | None = None,
        force_reply: bool = False,
    ) -> Message:
        """Put a message into a chat; telling the bot of it is another step."""
        message_id = chat.next_id()
        data: JSON = {
            "message_id": message_id,
            "from": author.to_json(),
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
            force_reply=force_reply,
        )
        chat.messages[message_id] = message
        self.note(chat, "new", message)
        return message

    def note(self, chat: Chat, kind: str, message: Message) -> None:
        """Let whoever looks at the chat see that a message is new, edited, or deleted."""
        event = {"n": len(chat.events) + 1, "kind": kind, "message": self.seen(message)}
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
        data = message.data
        known = {"message_id", "from", "chat", "date", "photo", "document", "reply_markup"}
        known |= {"message_thread_id", "is_topic_message", "edit_date"}
        shown: JSON = {
            "message_id": message.id,
            "date": data["date"],
            "from": data["from"],
            "from_bot": message.author == self.bot.id,
            "reply_to": message.reply_to,
            "thread_id": data.get("message_thread_id"),
            "edited": message.edits > 0,
            "edits": message.edits,
            "force_reply": message.force_reply,
            "buttons": data.get("reply_markup", {}).get("inline_keyboard", []),
        }
        if "photo" in data:
            shown["photo"] = self._seen_file(data["photo"][-1])
        if "document" in data:
            shown["document"] = self._seen_file(data["document"])
        return shown | {name: value for name, value in data.items() if name not in known}

    def _seen_file(self, data: JSON) -> JSON:
        renamed = {**data, "url": f"/person/files/{data['file_id']}", "size": data["file_size"]}
        return {name: value for name, value in renamed.items() if name != "file_size"}
