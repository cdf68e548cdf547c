"""/settings: who may change what, what the message shows then, and the words that answer its question."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

import pytest
from telegram import Update

from bot.config import Access
from bot.errors import PutOff
from bot.handlers.buttons import ButtonHandlers
from bot.handlers.desk import Desk
from bot.handlers.incoming import Incoming
from bot.handlers.settings import SettingsHandlers
from bot.live import House
from bot.messages import Chat, Keyboard, Later, Outcome, Sent, Target
from bot.pictures import PictureRequest
from bot.texts import Say, plain
from storage.files import PictureFiles
from storage.memory import MemoryStore
from storage.tasks import NewView, Origin
from tests.storage.making import new_task
from tests.time_machine import LoopClock

BOT: Final = 77
ADA, BOB = 5, 6
GROUP: Final = -100
JSON = dict[str, Any]


class Screen:
    """A Telegram that shows what its chats show."""

    def __init__(self) -> None:
        self.shown: dict[int, str] = {}
        self.buttons: dict[int, dict[str, str]] = {}
        self.targets: list[Target] = []
        self.notices: list[str] = []
        self.admins: set[tuple[int, int]] = set()
        self.down = False

    def _show(
        self, number: int, lines: Sequence[Say], language: str | None, buttons: Keyboard
    ) -> Outcome:
        if self.down:
            return Later(seconds=3, reason="down")
        self.shown[number] = "\n".join(plain(line, language=language) for line in lines)
        self.buttons[number] = {
            plain(one.label, language=language): one.data for row in buttons for one in row
        }
        return Sent(message_ids=(number,))

    async def say(
        self,
        target: Target,
        *lines: Say,
        language: str | None = None,
        buttons: Keyboard = (),
        **_: Any,
    ) -> Outcome:
        """Show a text."""
        self.targets.append(target)
        return self._show(1000 + len(self.targets), lines, language, buttons)

    async def edit(
        self,
        chat_id: int,
        message_id: int,
        *lines: Say,
        language: str | None = None,
        buttons: Keyboard = (),
        **_: Any,
    ) -> Outcome:
        """Change a text."""
        return self._show(message_id, lines, language, buttons)

    async def delete(self, chat_id: int, message_id: int) -> Outcome:
        """Take a message away."""
        del self.shown[message_id]
        return Sent()

    async def answer_press(
        self, press_id: str, line: Say | None = None, *, language: str | None = None, **_: Any
    ) -> Outcome:
        """Show a notice."""
        self.notices.append("" if line is None else plain(line, language=language))
        return Sent()

    async def is_admin(self, chat_id: int, user_id: int) -> bool | Later:
        """Say who runs a chat."""
        return Later(seconds=3, reason="down") if self.down else (chat_id, user_id) in self.admins


class Talk:
    """People, the handlers, and what is on the screen."""

    def __init__(self, **access: Any) -> None:
        self.screen, self.store = Screen(), MemoryStore(LoopClock())
        house = House(
            access=Access(**access),
            defaults=PictureRequest(prompt="", negative="text"),
            keep_originals=timedelta(days=7),
        )
        desk = Desk(
            store=self.store,
            chat=cast("Chat", self.screen),
            house=lambda: house,
            clock=LoopClock(),
            bot_id=BOT,
            username="some_bot",
            check_link=_fine,
            files=PictureFiles(Path("no-pictures")),
        )
        self.settings = SettingsHandlers(desk)
        self.buttons = ButtonHandlers(desk, self.settings.reactions())
        self.updates = 0
        self.passed_on: list[str | None] = []

    @property
    def last(self) -> int:
        """The last message that was sent."""
        return max(self.screen.shown)

    @property
    def text(self) -> str:
        """What the last message shows."""
        return self.screen.shown[self.last]

    def _message(self, user: int, chat: int, language: str | None, **more: Any) -> Update:
        self.updates += 1
        return _update(
            self.updates,
            message={
                "message_id": 10 * self.updates,
                "from": _user(user, language),
                "chat": _chat(chat),
                "date": 0,
                **more,
            },
        )

    async def ask(
        self, user: int = ADA, chat: int = ADA, language: str | None = None, **more: Any
    ) -> None:
        """Send /settings."""
        update = self._message(user, chat, language, text="/settings", **more)
        await self.settings.settings(update, None)

    async def press(
        self,
        label: str,
        user: int = ADA,
        chat: int = ADA,
        *,
        language: str | None = None,
        message: int | None = None,
        again: bool = False,
    ) -> str:
        """Press a button, by its label or its data; returns the notice."""
        number = self.last if message is None else message
        self.updates += not again
        press = {
            "id": "1",
            "from": _user(user, language),
            "chat_instance": "1",
            "message": {"message_id": number, "chat": _chat(chat), "date": 1, "from": _user(BOT)},
            "data": self.screen.buttons[number].get(label, label),
        }
        await self.buttons.pressed(_update(self.updates, callback_query=press), None)
        return self.screen.notices[-1]

    async def reply(
        self, text: str, to: int, user: int = ADA, chat: int = ADA, **more: Any
    ) -> None:
        """Reply to a message of the bot."""
        asked = {"message_id": to, "chat": _chat(chat), "date": 1, "from": _user(BOT), "text": "?"}
        update = self._message(user, chat, None, text=text, reply_to_message=asked, **more)

        async def others(message: Incoming) -> None:
            self.passed_on.append(message.text)

        await self.settings.before(others)(update, None)


async def _fine(_: object) -> None:
    return None


def _update(number: int, **content: JSON) -> Update:
    return Update.de_json({"update_id": number, **content}, None)


def _user(id_: int, language: str | None = None) -> JSON:
    return {"id": id_, "is_bot": id_ == BOT, "first_name": "P", "language_code": language}


def _chat(id_: int) -> JSON:
    return {"id": id_, "type": "private" if id_ > 0 else "supergroup", "title": "Friends"}


async def test_what_is_chosen_is_kept_and_shown() -> None:
    """A button opens the choices, one of them is kept, the message shows it, and it can be taken back."""
    talk = Talk()
    await talk.ask()
    assert "Shape: Like the photo · default" in talk.text
    assert not any("group" in label for label in talk.screen.buttons[talk.last])
    assert await talk.press("Shape") == ""
    assert "Which shape" in talk.text
    assert await talk.press("16:9") == "Saved."
    assert "Shape: 16:9 · yours" in talk.text
    assert await talk.store.preferences("user", ADA) == {"ratio": "16:9"}
    await talk.press("Shape")
    assert "✓ 16:9" in talk.screen.buttons[talk.last]
    await talk.press("↩️ Back to default")
    assert "Shape: Like the photo · default" in talk.text
    await talk.press("Keep out")
    await talk.press("Nothing")
    assert "Keep out: Nothing · yours" in talk.text
    await talk.press("As files")
    await talk.press("‹ All settings")
    assert "As files: No · default" in talk.text
    assert len(talk.screen.shown) == 1, "all in one message"


async def test_a_language_holds_at_once_and_before_telegrams() -> None:
    """The message in which a language is chosen is shown in it, and so is the notice; and back."""
    talk = Talk()
    await talk.ask(language="de")
    english, german = (
        plain(Say("preferences-own"), language=code).splitlines()[0] for code in ("en", "de")
    )
    assert talk.text.startswith(german)
    number = talk.screen.buttons[talk.last]
    view = next(data for data in number.values() if data.endswith(":ratio")).split(":")[1]
    await talk.press(f"set:{view}:language:en", language="de")
    assert talk.text.startswith(english)
    assert "Language: English · yours" in talk.text
    assert await talk.press("Language", language="de") == ""
    assert "Which language" in talk.text
    await talk.press("As in Telegram", language="de")
    assert talk.text.startswith(german)
    await talk.press(f"set:{view}:language:ru")
    await talk.ask()
    assert talk.text.startswith(plain(Say("preferences-own"), language="ru").splitlines()[0])


async def test_ones_own_settings_are_ones_own() -> None:
    """Nobody else can press them, not even in a group where they can see them."""
    talk = Talk()
    await talk.ask(chat=GROUP)
    before = talk.text
    talk.screen.admins = {(GROUP, BOB)}
    for label in ("Shape", "set:1:count:4", "set:1"):
        assert "someone else's" in await talk.press(label, BOB, GROUP)
    assert talk.text == before
    assert await talk.store.preferences("user", ADA) == {}


async def test_a_groups_settings_are_its_admins() -> None:
    """An admin chooses for everybody there, others get a notice; a person's own come first all the same."""
    talk = Talk()
    await talk.ask(chat=GROUP)
    assert "this group's admins" in await talk.press("👥 For this group", ADA, GROUP)
    talk.screen.admins = {(GROUP, BOB)}
    await talk.press("👥 For this group", BOB, GROUP)
    assert "everybody here" in talk.text
    await talk.press("Pictures at a time", BOB, GROUP)
    assert "this group's admins" in await talk.press("4", ADA, GROUP)
    assert await talk.press("4", BOB, GROUP) == "Saved."
    assert "Pictures at a time: 4 · this group's" in talk.text
    assert await talk.store.preferences("chat", GROUP) == {"count": "4"}
    await talk.press("👤 My own", ADA, GROUP)
    assert "Pictures at a time: 4 · this group's" in talk.text
    await talk.press("Pictures at a time", ADA, GROUP)
    await talk.press("2", ADA, GROUP)
    assert "Pictures at a time: 2 · yours" in talk.text
    await talk.ask(BOB, BOB)
    assert "Pictures at a time: 1 · default" in talk.text


async def test_forged_under_anothers_message() -> None:
    """What tells how somebody else's task goes does not become a message of settings."""
    talk = Talk()
    await talk.ask(chat=GROUP)
    (mine, *_) = talk.screen.buttons[talk.last].values()
    await talk.ask(BOB, chat=GROUP)
    theirs, before = talk.last, talk.text
    task = await talk.store.add(
        new_task(user_id=BOB, chat_id=GROUP), now=LoopClock().now(), max_unfinished=None
    )
    await talk.store.note_message(task.id, GROUP, theirs, "progress", LoopClock().now())
    assert "someone else" in await talk.press(mine, ADA, GROUP, message=theirs)
    assert talk.text == before


async def test_a_groups_language_is_for_whom_telegram_tells_none() -> None:
    """The choice for a group shows as that of those alone whose Telegram names no language."""
    talk = Talk()
    await talk.store.set_preference("chat", GROUP, "language", "en")
    await talk.ask(chat=GROUP, language="en-gb")
    assert "Language: As in Telegram" in talk.text
    await talk.ask(chat=GROUP)
    assert "Language: English · this group's" in talk.text


async def test_a_chat_that_speaks_for_a_person() -> None:
    """What an anonymous admin chooses is the chat's own as a person, for any of its admins to press."""
    talk = Talk()
    talk.screen.admins = {(GROUP, BOB)}
    await talk.ask(1087968824, GROUP, sender_chat=_chat(GROUP))
    assert "someone else's" in await talk.press("Shape", ADA, GROUP)
    await talk.press("Shape", BOB, GROUP)
    assert await talk.press("1:1", BOB, GROUP) == "Saved."
    assert await talk.store.preferences("user", GROUP) == {"ratio": "1:1"}
    assert await talk.store.preferences("chat", GROUP) == {}
    await talk.press("👥 For this group", BOB, GROUP)
    await talk.press("Keep out", BOB, GROUP)
    await talk.press("✏️ Write the words", BOB, GROUP)
    await talk.reply("cars", talk.last, 1087968824, GROUP, sender_chat=_chat(GROUP))
    assert await talk.store.preferences("chat", GROUP) == {"negative": "cars"}


async def test_words_answer_the_question() -> None:
    """A reply to the question is what to keep out, however late; anything else is left to the others."""
    talk = Talk()
    await talk.ask()
    await talk.press("Keep out")
    assert await talk.press("✏️ Write the words") == "Write the words."
    question = talk.last
    assert talk.screen.targets[-1] == Target(chat_id=ADA, reply_to=10)
    await talk.reply("text /ratio 16:9", question)
    assert "up to 300 characters" in talk.text
    assert await talk.store.preferences("user", ADA) == {}
    await talk.reply("text,\npeople", question)
    assert "Keep out: text, people · yours" in talk.text
    assert await talk.store.preferences("user", ADA) == {"negative": "text, people"}
    await talk.press("Shape")
    assert "Which shape" in talk.text, "the answer has buttons that work"
    assert talk.passed_on == []
    await talk.reply("make it snow", 1001)
    assert talk.passed_on == ["make it snow"]


async def test_words_of_others_are_not_taken() -> None:
    """Another person's reply is answered, and changes nothing; for a group an admin's is taken."""
    talk = Talk()
    talk.screen.admins = {(GROUP, ADA), (GROUP, BOB)}
    await talk.ask(chat=GROUP)
    settings = talk.last
    await talk.press("Keep out", ADA, GROUP)
    await talk.press("✏️ Write the words", ADA, GROUP)
    await talk.reply("text", talk.last, BOB, GROUP)
    assert "someone else's" in talk.text
    await talk.press("‹ All settings", ADA, GROUP, message=settings)
    await talk.press("👥 For this group", ADA, GROUP, message=settings)
    await talk.press("Keep out", ADA, GROUP, message=settings)
    await talk.press("✏️ Write the words", ADA, GROUP, message=settings)
    question = talk.last
    await talk.reply("text", question, 9, GROUP)
    assert "this group's admins" in talk.text
    await talk.reply("cars", question, BOB, GROUP)
    assert "Keep out: cars · this group's" in talk.text
    assert await talk.store.preferences("user", ADA) == {}
    talk.screen.down = True
    with pytest.raises(PutOff):
        await talk.reply("people", question, BOB, GROUP)
    assert await talk.store.preferences("chat", GROUP) == {"negative": "cars"}


async def test_a_press_that_comes_again_asks_once() -> None:
    """An update that is handled twice leaves one question, and its answer is known."""
    talk = Talk()
    await talk.ask()
    await talk.press("set:1:negative:words")
    question = talk.last
    await talk.press("set:1:negative:words", message=1001, again=True)
    assert talk.last == question
    await talk.reply("text", question)
    assert await talk.store.preferences("user", ADA) == {"negative": "text"}


@pytest.mark.parametrize(
    "data",
    [
        *("set", "set:", "set:99", "set:x:ratio", "set:1:style", "set:1:ratio:5:7"),
        *("set:1:ratio:words", "set:1::16:9", "set-chat:1", "set-chat:1:ratio:1:1", "set:2"),
    ],
)
async def test_a_button_that_is_none_says_so(data: str) -> None:
    """What no button of ours brings back, or one of another version, changes nothing."""
    talk = Talk()
    await talk.ask()
    origin = Origin(bot_id=BOT, update_id=99)
    other = NewView(origin=origin, kind="history", user_id=ADA, chat_id=ADA)
    await talk.store.add_view(other, datetime.now(UTC))
    before = talk.text
    assert "Send /settings" in await talk.press(data)
    assert talk.text == before
    assert await talk.store.preferences("user", ADA) == {}


async def test_telegram_is_down() -> None:
    """What was chosen is kept, and shown as soon as Telegram is there; whether someone is an admin is asked again."""
    talk = Talk()
    await talk.ask(chat=GROUP)
    talk.screen.down = True
    with pytest.raises(PutOff) as put_off:
        await talk.press("set:1:count:3", ADA, GROUP)
    assert put_off.value.seconds == 3
    assert await talk.store.preferences("user", ADA) == {"count": "3"}
    assert "press again" in await talk.press("set-chat:1", ADA, GROUP)
    with pytest.raises(PutOff):
        await talk.press("set:1:negative:words", ADA, GROUP)
    talk.screen.down = False
    await talk.press("set:1:count:3", ADA, GROUP, again=True)
    assert "Pictures at a time: 3 · yours" in talk.text


async def test_whoever_is_not_let_in_sets_nothing() -> None:
    """Who may not use the bot is told so, by a notice too if it was taken from them later."""
    talk = Talk(allowed_users=[BOB])
    await talk.ask()
    assert "private" in talk.text
    new = NewView(
        origin=Origin(bot_id=BOT, update_id=99),
        kind="settings",
        user_id=ADA,
        chat_id=ADA,
        words=f"{ADA}:1",
    )
    await talk.store.add_view(new, datetime.now(UTC))
    assert "can't use" in await talk.press("set:1:count:3")
    asked = replace(new, origin=Origin(bot_id=BOT, update_id=98), kind="settings-words")
    await talk.store.add_view(replace(asked, words=f"{ADA}:1001"), datetime.now(UTC))
    await talk.reply("text", 1001)
    assert talk.passed_on == []
    assert await talk.store.preferences("user", ADA) == {}


async def test_a_group_that_moves_takes_its_settings_along() -> None:
    """After the move the buttons work; numbers of messages of before mean nothing any more."""
    talk = Talk()
    talk.screen.admins = {(-200, ADA)}
    await talk.ask(chat=GROUP)
    await talk.press("set:1:negative:words", ADA, GROUP)
    question = talk.last
    await talk.store.move_chat(GROUP, -200)
    await talk.press("set-chat:1:ratio:1:1", ADA, -200, message=1001)
    assert await talk.store.preferences("chat", -200) == {"ratio": "1:1"}
    await talk.reply("make it snow", question, ADA, -200)
    assert talk.passed_on == ["make it snow"]
    await talk.press("set:1:negative:words", ADA, -200, message=1001)
    assert talk.screen.targets[-1] == Target(chat_id=-200)
