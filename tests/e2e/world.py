"""A world to test the bot in: both sandbox servers, the bot as a process of its own, and people."""

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx

from bot.texts import Say, plain
from sandbox.hidream.app import create_app as create_hidream
from sandbox.hidream.settings import Settings
from sandbox.sample import draw_sample
from sandbox.serving import serve
from sandbox.telegram.app import create_app as create_telegram
from sandbox.telegram.rules import UNHURRIED, Rules
from tests.e2e.deeds import Deeds, Place

JSON = dict[str, Any]
T = TypeVar("T")

TELEGRAM_TOKEN: Final = "424242:Telegram-token-that-must-not-leak-0123"
HIDREAM_TOKEN: Final = "hidream-token-that-must-not-leak"
PATIENCE: Final = 40.0
"""Seconds after which something that should happen has not happened."""
SAMPLE: Final = draw_sample(480, 360)


class Person(Deeds):
    """Someone who talks to the bot in Telegram."""

    def __init__(self, world: "World", user: JSON) -> None:
        super().__init__(world, user)
        self._world = world

    async def text(self, text: str, *, chat: int | None = None, **more: Any) -> JSON:
        """Send a text."""
        path = f"chats/{chat or self.id}/text"
        return await self._world.do(path, user_id=self.id, text=text, **more)

    async def photo(
        self,
        caption: str | None = None,
        *,
        contents: tuple[bytes, ...] = (SAMPLE,),
        chat: int | None = None,
        **more: Any,
    ) -> JSON:
        """Send a photo, or several as an album; returns the first message."""
        fields = {"user_id": self.id, "caption": caption, **more}
        files = [("photo", ("photo.jpg", content, "image/jpeg")) for content in contents]
        sent = await self._world.upload(f"chats/{chat or self.id}/photo", fields, files)
        message: JSON = sent["messages"][0]
        return message

    async def file(
        self,
        content: bytes,
        name: str,
        mime: str,
        caption: str | None = "make it snow",
        *,
        chat: int | None = None,
        **more: Any,
    ) -> JSON:
        """Send a file."""
        fields = {"user_id": self.id, "caption": caption, **more}
        files = [("document", (name, content, mime))]
        sent = await self._world.upload(f"chats/{chat or self.id}/document", fields, files)
        message: JSON = sent["messages"][0]
        return message

    async def press(self, message: JSON, label: str, *, chat: int | None = None) -> JSON:
        """Press a button by its label; returns the answer to the press, once it is there."""
        pressed = await self._world.do(
            f"chats/{chat or self.id}/press",
            user_id=self.id,
            message_id=message["message_id"],
            text=label,
        )
        return await self.notice(pressed["callback_query_id"])

    async def notice(self, press_id: str) -> JSON:
        """Wait for the answer to a press."""

        async def answered() -> JSON | None:
            seen = await self._world.see(f"callbacks/{press_id}")
            return seen if seen["answered"] else None

        return await until(answered, "the press is answered")

    async def sees(self, chat: int | None = None) -> list[JSON]:
        """Give the messages of the bot that the chat shows now."""
        seen = await self._world.see(f"chats/{chat or self.id}")
        return [message for message in seen["messages"] if message["from_bot"]]

    async def reads(self, *words: str, chat: int | None = None, times: int = 1) -> JSON:
        """Wait for a message of the bot that has all these words; returns the (last) message."""

        async def look() -> JSON | None:
            found = [
                message
                for message in await self.sees(chat)
                if all(word.lower() in text_of(message).lower() for word in words)
            ]
            return found[-1] if len(found) >= times else None

        try:
            return await until(look, f"the bot says {words}")
        except AssertionError as exc:
            shown = [text_of(message) for message in await self.sees(chat)]
            raise AssertionError(f"{exc}; the chat shows {shown}") from exc

    async def gets(self, count: int, *, chat: int | None = None) -> list[JSON]:
        """Wait until the chat shows so many pictures of the bot."""

        async def look() -> list[JSON] | None:
            found = [m for m in await self.sees(chat) if picture_of(m)]
            return found if len(found) >= count else None

        try:
            return await until(look, f"{count} pictures arrive")
        except AssertionError as exc:
            shown = [text_of(message) for message in await self.sees(chat)]
            raise AssertionError(f"{exc}; the chat shows {shown}") from exc


class World(Place):
    """Both services and the bot."""

    def __init__(self, telegram: str, hidream: str, http: httpx.AsyncClient, path: Path) -> None:
        self.telegram = telegram
        self.hidream = hidream
        self.http = http
        self.path = path
        self.state: Any = None
        """What the local Telegram keeps."""
        self.process: asyncio.subprocess.Process | None = None
        self.arguments: tuple[str, ...] = ()
        """What `run` is told beside its settings."""
        self.environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        self.settings: dict[str, dict[str, Any]] = {
            "telegram": {"token": TELEGRAM_TOKEN, "api_url": telegram},
            "hidream": {
                "token": HIDREAM_TOKEN,
                "base_url": hidream,
                "allow_local_results": True,
                "parallel_requests": 3,
            },
            "storage": {"url": f"sqlite:///{path}/data/bot.db"},
            "run": {"log_level": "DEBUG"},
        }

    # --- the bot

    @property
    def database(self) -> Path:
        """The bot's database."""
        return self.path / "data" / "bot.db"

    @property
    def log(self) -> str:
        """All that the bot has logged."""
        return (self.path / "bot.log").read_text() if (self.path / "bot.log").exists() else ""

    async def start(self, **sections: Mapping[str, Any]) -> int:
        """Start the bot with these settings over the usual ones; returns its process id."""
        config = self.configure(**sections)
        with (self.path / "bot.log").open("a") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run", "--config", str(config), *self.arguments,
                stdout=log, stderr=log, env=self.environment,
            )  # fmt: skip
        return self.process.pid

    def configure(self, **sections: Mapping[str, Any]) -> Path:
        """Write the settings, with these over those before; returns the file."""
        for section, values in sections.items():
            self.settings.setdefault(section, {}).update(values)
        config = self.path / "config.toml"
        config.write_text(
            "".join(
                f"[{section}]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in values.items())
                for section, values in self.settings.items()
            )
        )
        return config

    def hang_up(self) -> None:
        """Have the bot reread its settings."""
        # not by the process object, which would take the exit code from whoever waits for it
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process().pid, signal.SIGHUP)

    async def stop(self) -> int:
        """Stop the bot as a service manager does; returns its exit code."""
        process = self._process()
        process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(process.wait(), 15)

    async def kill(self) -> None:
        """Kill the bot: it gets no chance to tidy up."""
        process = self._process()
        process.kill()
        await process.wait()

    async def died(self) -> int:
        """Wait until the bot has ended by itself; returns its exit code."""
        return await asyncio.wait_for(self._process().wait(), PATIENCE)

    def _process(self) -> asyncio.subprocess.Process:
        assert self.process is not None, "the bot was never started"
        return self.process

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Read the bot's database, as an operator might."""
        connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=5)
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute(query, values)]
        finally:
            connection.close()

    async def task_is(self, *states: str, task: int | None = None) -> None:
        """Wait until a task (the last one) is in one of these states."""

        async def look() -> bool:
            if not self.database.exists():
                return False
            query = "SELECT state FROM tasks WHERE id = coalesce(?, (SELECT max(id) FROM tasks))"
            return any(row["state"] in states for row in self.rows(query, task))

        await until(look, f"the task is {' or '.join(states)}")

    # --- the people

    async def person(self, name: str = "Ada", **more: Any) -> Person:
        """Let someone in."""
        return Person(self, await self.do("users", first_name=name, **more))

    async def group(self, *members: Person, **more: Any) -> int:
        """Make a group with the bot and these people in it; returns its id."""
        fields = {"title": "Friends", "members": [member.id for member in members], **more}
        return int((await self.do("groups", **fields))["id"])

    async def do(self, path: str, **fields: Any) -> JSON:
        """Do something as a person in Telegram."""
        return _json(await self.http.post(f"{self.telegram}/person/{path}", json=fields))

    async def upload(self, path: str, fields: JSON, files: list[Any]) -> JSON:
        """Send files as a person in Telegram."""
        url = f"{self.telegram}/person/{path}"
        given = {name: value for name, value in fields.items() if value is not None}
        return _json(await self.http.post(url, data=given, files=files))

    async def see(self, path: str, **query: Any) -> JSON:
        """Look at something as a person in Telegram."""
        return _json(await self.http.get(f"{self.telegram}/person/{path}", params=query))

    async def picture(self, message: JSON) -> bytes:
        """Give the bytes of a message's picture."""
        shown = picture_of(message)
        assert shown, message
        answer = await self.http.get(f"{self.telegram}{shown['url']}")
        assert answer.status_code == 200, answer.text
        return answer.content

    # --- the services

    async def fault(self, service: str, call: str, action: str, **more: Any) -> None:
        """Let a call of the bot fail: `service` is "telegram" or "hidream"."""
        url = f"{getattr(self, service)}/sandbox/faults"
        _json(await self.http.post(url, json={"call": call, "action": action, **more}))

    async def no_faults(self) -> None:
        """Let everything work again."""
        for url in (self.telegram, self.hidream):
            await self.http.delete(f"{url}/sandbox/faults")

    async def calls(self, service: str, **query: Any) -> list[JSON]:
        """Give the calls that the bot made."""
        url = f"{getattr(self, service)}/sandbox/calls"
        calls: list[JSON] = _json(await self.http.get(url, params=query))["calls"]
        return calls

    async def set_hidream(self, **settings: Any) -> None:
        """Change how HiDream behaves."""
        _json(await self.http.post(f"{self.hidream}/sandbox/settings", json=settings))

    async def next_ends(self, *statuses: Any, **more: Any) -> None:
        """Say how the next task ends at HiDream, a status a sub-task."""
        body = {"statuses": list(statuses), **more}
        _json(await self.http.post(f"{self.hidream}/sandbox/outcomes", json=body))

    async def made(self) -> JSON:
        """Say what HiDream was asked to make."""
        return _json(await self.http.get(f"{self.hidream}/sandbox/tasks"))


@asynccontextmanager
async def opened(
    path: Path, *, rules: Rules = UNHURRIED, settings: Settings | None = None
) -> AsyncIterator[World]:
    """Open a world; at its end nothing of it is left running, and the bot has broken no rule."""
    # small pictures: what is drawn is the sandbox's matter, and large ones take the tests' time
    settings = replace(settings or Settings(seconds=0.5, parallel=10), scale=0.2)
    telegram = create_telegram(token=TELEGRAM_TOKEN, rules=rules)
    hidream = create_hidream(token=HIDREAM_TOKEN, settings=settings)
    async with (
        serve(telegram) as telegram_url,
        serve(hidream) as hidream_url,
        httpx.AsyncClient(timeout=30, trust_env=False, verify=False) as http,
    ):
        world = World(telegram_url, hidream_url, http, path)
        world.state = telegram.state.telegram
        try:
            yield world
            for service in ("telegram", "hidream"):
                strict = await world.calls(service, outcome="strict")
                assert strict == [], f"the bot broke {service}'s rules"
        finally:
            if world.process is not None and world.process.returncode is None:
                world.process.send_signal(signal.SIGTERM)
                try:
                    await asyncio.wait_for(world.process.wait(), 10)
                except TimeoutError:
                    world.process.kill()
                    await world.process.wait()


async def until(look: Callable[[], Awaitable[T | None]], what: str, seconds: float = PATIENCE) -> T:
    """Look again and again until there is something to see.

    Raises:
        AssertionError: it has not happened in time.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        seen = await look()
        if seen:
            return seen
        await asyncio.sleep(0.05)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")


def text_of(message: JSON) -> str:
    """Give what a message says, as it is shown."""
    return str(message.get("text") or message.get("caption") or "")


def said(id: str, /, **data: str | float) -> str:  # noqa: A002 - the id of a sentence
    """Give a sentence as the bot says it: so a test holds whatever its wording."""
    return plain(Say(id, data))


def picture_of(message: JSON) -> JSON | None:
    """Give a message's picture in its largest size, as a photo or as a file."""
    photo = message.get("photo")
    shown = photo[-1] if isinstance(photo, list) and photo else photo or message.get("document")
    return shown if isinstance(shown, dict) else None


def buttons_of(message: JSON) -> list[str]:
    """Give the labels of a message's buttons."""
    return [button["text"] for row in message["buttons"] for button in row]


def _json(answer: httpx.Response) -> JSON:
    assert answer.status_code == 200, f"{answer.request.url}: {answer.text}"
    found: JSON = answer.json()
    return found
