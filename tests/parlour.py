"""The conversation in one process: the handlers over the in-memory store, and a chat with memory."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from telegram import Update, User
from telegram.ext import ExtBot

from bot import texts
from bot.config import Access
from bot.handlers import Desk, all_handlers
from bot.live import House
from bot.messages import Button, Chat, Later, Outcome, Sent, Target
from bot.pictures import PictureRequest
from bot.reach import Reach
from bot.texts import Say
from storage.files import PictureFiles
from storage.memory import MemoryStore
from storage.store import TaskStore
from storage.tasks import Task
from tests.storage.making import HandClock

JSON = dict[str, Any]
BOT_ID = 77
NAME = "sandbox_bot"


@dataclass(frozen=True, kw_only=True)
class Said:
    """One message of the bot."""

    message_id: int
    target: Target
    lines: tuple[Say, ...]
    buttons: tuple[Button, ...]
    ask: bool

    @property
    def ids(self) -> list[str]:
        """Give the sentences, by id."""
        return [line.id for line in self.lines]


@dataclass
class Telegram:
    """The port, with memory."""

    said: list[Said] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    deleted: list[tuple[int, int]] = field(default_factory=list)
    admins: set[tuple[int, int]] = field(default_factory=set)
    busy: bool = False
    """Whether it does not say now who runs a chat."""
    outcomes: list[Outcome] = field(default_factory=list)
    """What the next messages come to, instead of arriving."""

    async def say(
        self, target: Target, *lines: Say, language: str | None, ask: bool, buttons: Any
    ) -> Outcome:
        """Take a text."""
        assert texts.words(*lines, language=language)
        if self.outcomes:
            return self.outcomes.pop(0)
        flat = tuple(button for row in buttons for button in row)
        number = 10_000 + len(self.said)
        self.said.append(Said(message_id=number, target=target, lines=lines, buttons=flat, ask=ask))
        return Sent(message_ids=(number,))

    async def answer_press(
        self, press_id: str, line: Say | None, *, language: str | None, alert: bool
    ) -> Outcome:
        """Take an answer to a press."""
        del press_id, language, alert
        self.notices.append(line.id if line else "")
        return Sent()

    async def delete(self, chat_id: int, message_id: int) -> Outcome:
        """Take a message away."""
        self.deleted.append((chat_id, message_id))
        return Sent()

    async def is_admin(self, chat_id: int, user_id: int) -> bool | Later:
        """Say whether someone runs a chat."""
        if self.busy:
            return Later(seconds=3, reason="429")
        return (chat_id, user_id) in self.admins


async def _public(host: str, port: int) -> Sequence[str]:
    del port
    if host == "nowhere.example":
        raise OSError("no such host")
    return ["192.168.1.1"] if host.startswith("inside") else ["93.184.216.34"]


class Parlour:
    """People, a bot, and what comes of it."""

    def __init__(
        self,
        telegram: Telegram | None = None,
        *,
        pictures: Path | None = None,
        keep_originals: timedelta = timedelta(days=7),
        **access: Any,
    ) -> None:
        self.clock = HandClock()
        self.store = cast("TaskStore", MemoryStore(self.clock))
        self.telegram = telegram or Telegram()
        # most of what is said needs no disk
        self.files = cast("PictureFiles", pictures and PictureFiles(pictures))
        house = House(
            access=Access(**access),
            defaults=PictureRequest(prompt=""),
            keep_originals=keep_originals,
        )
        self.desk = Desk(
            store=self.store,
            chat=cast("Chat", self.telegram),
            house=lambda: house,
            clock=self.clock,
            bot_id=BOT_ID,
            username=NAME,
            check_link=Reach(resolve=_public).check,
            files=self.files,
        )
        self.handlers = all_handlers(self.desk)
        self._bot = ExtBot("77:token")
        self._bot._bot_user = User(BOT_ID, NAME, is_bot=True, username=NAME)
        self._numbers = itertools.count(1)

    # --- what people do

    async def post(
        self,
        text: str | None = None,
        *,
        photo: str | None = None,
        user: int = 1,
        chat: int | None = None,
        kind: str | None = None,
        edits: JSON | None = None,
        reply: JSON | Said | None = None,
        update_id: int | None = None,
        **more: Any,
    ) -> JSON:
        """Let someone post (or edit) a message; returns it as Telegram tells of it."""
        number = next(self._numbers)
        chat_id = user if chat is None else chat
        message: JSON = {
            "message_id": edits["message_id"] if edits else number,
            "date": 1_700_000_000,
            "chat": {"id": chat_id, "type": kind or ("private" if chat_id > 0 else "group")},
            "from": {"id": user, "is_bot": False, "first_name": "Ada", "language_code": "en"},
            **({"photo": [sized(photo)]} if photo else {}),
            **more,
        }
        if kind == "channel":
            del message["from"]
            message["sender_chat"] = message["chat"]
        is_text = text is not None and not (photo or more.keys() & {"document", "sticker", "video"})
        if text is not None:
            message["text" if is_text else "caption"] = text
        if text is not None and text.startswith("/"):
            length = len(text.split()[0])
            entity = [{"type": "bot_command", "offset": 0, "length": length}]
            message["entities" if is_text else "caption_entities"] = entity
        if reply is not None:
            message["reply_to_message"] = self._quoted(reply, chat_id)
        what = "edited_message" if edits else "channel_post" if kind == "channel" else "message"
        if edits:
            message["edit_date"] = 1_700_000_001
        await self.update({what: message}, update_id)
        return message

    async def press(
        self, said: Said, data: str, *, user: int = 1, update_id: int | None = None
    ) -> str:
        """Let someone press a button; returns what the press was answered with."""
        chat = said.target.chat_id
        query = {
            "id": "1",
            "from": {"id": user, "is_bot": False, "first_name": "Ada", "language_code": "en"},
            "chat_instance": "1",
            "message": self._quoted(said, chat),
            "data": data,
        }
        await self.update({"callback_query": query}, update_id)
        return self.telegram.notices[-1]

    def _quoted(self, message: JSON | Said, chat_id: int) -> JSON:
        if isinstance(message, dict):
            return {name: value for name, value in message.items() if name != "reply_to_message"}
        return {
            "message_id": message.message_id,
            "date": 1_700_000_000,
            "chat": {"id": chat_id, "type": "private" if chat_id > 0 else "group"},
            "from": {"id": BOT_ID, "is_bot": True, "first_name": "Bot"},
            "text": "…",
        }

    async def update(self, content: JSON, update_id: int | None = None) -> None:
        """Hand an update to the first handler that takes it, as the library does."""
        number = next(self._numbers) if update_id is None else update_id
        update = Update.de_json({"update_id": number, **content}, self._bot)
        for handler in self.handlers.for_updates:
            check = handler.check_update(update)
            if check is not None and check is not False:
                context: Any = SimpleNamespace(args=[])
                await handler.callback(update, context)
                return

    async def album_closes(self, seconds: float = 2) -> None:
        """Let it be quiet for a while, and close what is due, as the loop does."""
        self.clock.move(seconds)
        for album in await self.store.albums_due(self.clock.now(), 9):
            await self.handlers.close_album(album)
            await self.store.close_album(album)

    # --- what came of it

    async def tasks(self) -> list[Task]:
        """Give all tasks, by id."""
        found: list[Task] = []
        for task_id in itertools.count(1):
            task = await self.store.get(task_id)
            if task is None:
                return found
            found.append(task)
        raise AssertionError

    @property
    def last(self) -> Said:
        """Give what the bot said last."""
        return self.telegram.said[-1]

    def read(self) -> list[list[str]]:
        """Give what the bot has said since the last look, by sentence."""
        new = [said.ids for said in self.telegram.said[self._seen :]]
        self._seen = len(self.telegram.said)
        return new

    _seen = 0


def sized(name: str) -> JSON:
    """Give a photo's largest size."""
    return {"file_id": name, "file_unique_id": f"u{name}", "width": 640, "height": 480}
