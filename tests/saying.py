"""A chat in which all can be said by the real port, and nothing may be refused."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

from telegram.ext import ExtBot
from telegram.request import HTTPXRequest

from bot.chat import TelegramChat
from bot.limits import TelegramLimits
from bot.messages import Button, Keyboard, Outcome, Picture, Sent, Target
from bot.texts import Say
from sandbox.telegram.app import TOKEN
from storage.clock import SystemClock
from tests.sandbox.telegram_client import LOCAL, World, opened, picture


class Unhurried(TelegramLimits):
    """Limits that hold nothing up: what a second takes is not the matter here."""

    async def process_request(
        self,
        callback: Any,
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: Any,
    ) -> Any:
        """Let the call go at once."""
        return await callback(*args, **kwargs)


class Line:
    """A chat with Telegram in which everything can be said, and nothing may be refused."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self.run(self._open())

    def run(self, work: Any) -> Any:
        """Do something in the loop in which Telegram is served."""
        return self._runner.run(work)

    async def _open(self) -> None:
        self.world: World = await self._stack.enter_async_context(opened())
        library = ExtBot(
            TOKEN,
            base_url=f"{self.world.url}/bot",
            request=HTTPXRequest(httpx_kwargs=LOCAL),
            get_updates_request=HTTPXRequest(httpx_kwargs=LOCAL),
            rate_limiter=Unhurried(SystemClock()),
        )
        await self._stack.enter_async_context(library)
        self._chat = TelegramChat(library)
        photo = await library.send_photo(self.world.me, picture())
        self._picture = Picture(content=photo.photo[-1].file_id, name="a.jpg")
        button = Button(label=Say("button-again"), data="again:1")
        await self._chat.say(Target(chat_id=self.world.me), Say("start"), buttons=((button,),))
        # looked up once: the list of what is shown grows with all that is said
        (*_, shown) = await self.world.shown(self.world.me)
        self._button: tuple[int, str] = (shown["message_id"], shown["buttons"][0][0]["text"])

    def close(self) -> None:
        """Hang up."""
        self.run(self._stack.aclose())
        self._runner.close()

    async def text(
        self, lines: Sequence[Say], language: str | None, buttons: Keyboard = ()
    ) -> None:
        """Say it as a new message, then as the change of one."""
        target = Target(chat_id=self.world.me)
        sent = await self._chat.say(target, *lines, language=language, buttons=buttons)
        assert isinstance(sent, Sent), _refused(lines, sent)
        other = await self._chat.say(target, Say("start"), language=language)
        assert isinstance(other, Sent)
        (number,) = other.message_ids
        changed = await self._chat.edit(
            self.world.me, number, *lines, language=language, buttons=buttons
        )
        assert isinstance(changed, Sent), _refused(lines, changed)

    async def caption(self, lines: Sequence[Say], language: str | None) -> None:
        """Say it under a picture, and under an album."""
        target, me = Target(chat_id=self.world.me), self.world.me
        album = [self._picture] * 2
        several = await self._chat.send_pictures(target, album, *lines, language=language)
        assert isinstance(several, Sent), _refused(lines, several)
        one = await self._chat.send_pictures(target, album[:1], *lines, language=language)
        assert isinstance(one, Sent), _refused(lines, one)
        (number,) = one.message_ids
        await self._chat.edit_caption(me, number, Say("start"), language=language)
        for outcome in (
            await self._chat.edit_caption(me, number, *lines, language=language),
            await self._chat.replace_picture(me, number, self._picture, *lines, language=language),
            await self._chat.send_file(target, b"{}", "a.json", *lines, language=language),
        ):
            assert isinstance(outcome, Sent), _refused(lines, outcome)

    async def notice(self, line: Say, language: str | None) -> None:
        """Say it to whoever has just pressed a button."""
        me, (number, label) = self.world.me, self._button
        pressed = await self.world.do(
            f"chats/{me}/press", user_id=me, message_id=number, text=label
        )
        answered = await self._chat.answer_press(
            pressed["callback_query_id"], line, language=language
        )
        assert isinstance(answered, Sent), _refused([line], answered)


def _refused(lines: Sequence[Say], outcome: Outcome) -> str:
    return f"{[line.id for line in lines]} came to {outcome}"
