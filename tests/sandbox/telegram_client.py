"""What the tests of the local Telegram share: a person, and the bot's real library."""

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import telegram
from PIL import Image
from telegram.request import HTTPXRequest

from sandbox.serving import serve
from sandbox.telegram.app import TOKEN, create_app
from sandbox.telegram.rules import UNHURRIED, Rules

JSON = dict[str, Any]
# Reading the certificates takes longer than a test, and nothing here is encrypted.
LOCAL: dict[str, Any] = {"trust_env": False, "verify": False}


@dataclass(frozen=True, kw_only=True)
class World:
    """A local Telegram over HTTP, with one person in it, and the bot as its library sees it."""

    url: str
    http: httpx.AsyncClient
    bot: telegram.Bot
    state: Any
    me: int

    async def do(self, path: str, **fields: Any) -> JSON:
        """Do something as a person; it must work."""
        answer = await self.http.post(f"/person/{path}", json=fields)
        assert answer.status_code == 200, answer.text
        done: JSON = answer.json()
        return done

    async def see(self, path: str, **query: Any) -> JSON:
        """Look at something as a person."""
        answer = await self.http.get(f"/person/{path}", params=query)
        assert answer.status_code == 200, answer.text
        seen: JSON = answer.json()
        return seen

    async def shown(self, chat_id: int) -> list[JSON]:
        """Give the messages that a chat shows."""
        messages: list[JSON] = (await self.see(f"chats/{chat_id}"))["messages"]
        return messages

    async def call(self, method: str, **params: Any) -> tuple[int, JSON]:
        """Call a method with JSON, as no library would; give status and body."""
        answer = await self.http.post(f"/bot{TOKEN}/{method}", json=params, timeout=60)
        return answer.status_code, answer.json()

    async def wrong(self, method: str, **params: Any) -> str:
        """Call a method that must be refused with 400; give the description."""
        status, body = await self.call(method, **params)
        assert (status, body["ok"], body["error_code"]) == (400, False, 400), body
        description: str = body["description"]
        return description

    async def updates(self) -> list[JSON]:
        """Fetch what waits, raw, and confirm it."""
        _, body = await self.call("getUpdates")
        found: list[JSON] = body["result"]
        if found:
            await self.call("getUpdates", offset=found[-1]["update_id"] + 1)
        return found

    async def outcome(self) -> str:
        """Give the last call's outcome from the journal."""
        answer = await self.http.get("/sandbox/calls")
        last: str = answer.json()["calls"][-1]["outcome"]
        return last


@asynccontextmanager
async def opened(rules: Rules = UNHURRIED) -> AsyncIterator[World]:
    """Serve a Telegram with one person who has started the bot."""
    app = create_app(rules=rules)
    async with (
        serve(app) as url,
        httpx.AsyncClient(base_url=url, **LOCAL) as http,
        telegram.Bot(
            TOKEN,
            base_url=f"{url}/bot",
            base_file_url=f"{url}/file/bot",
            request=HTTPXRequest(httpx_kwargs=LOCAL),
            get_updates_request=HTTPXRequest(httpx_kwargs=LOCAL),
        ) as bot,
    ):
        me = await http.post("/person/users", json={"first_name": "Ann", "username": "ann_b"})
        yield World(url=url, http=http, bot=bot, state=app.state.telegram, me=me.json()["id"])


def picture(width: int = 64, height: int = 48, kind: str = "PNG") -> bytes:
    """Draw a small picture."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), (40, 90, 160)).save(out, kind)
    return out.getvalue()
