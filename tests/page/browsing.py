"""A stage with the real bot and the chat page, and a browser to look at it with."""

import shlex
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playwright.async_api import (
    Browser,
    ConsoleMessage,
    JSHandle,
    Locator,
    Page,
    async_playwright,
    expect,
)

from sandbox.page.app import Backstage, create_page, new_key
from sandbox.page.browsers import NAMES, QUIET, find_browser
from sandbox.page.cast import invite
from sandbox.sample import draw_sample
from sandbox.serving import serve
from sandbox.stage import set_up
from tests.programs import left_out

PATIENCE: Final = 30_000
"""Milliseconds after which something that should show has not shown."""
SAMPLE: Final = draw_sample(480, 360)
expect.set_options(timeout=PATIENCE)


def browser_path() -> str:
    """Find a browser; where there is none, these tests are left out."""
    found = find_browser()
    if found is None:
        left_out(f"none of {', '.join(NAMES)} is installed (on Debian: apt install chromium)")
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Hall:
    """The page's address, and what is behind it."""

    url: str
    origin: str
    key: str
    backstage: Backstage
    you: int

    def takes(self, seconds: float) -> None:
        """Let a task take so long at HiDream from now on."""
        hidream = self.backstage.hidream.state.hidream
        hidream.settings = hidream.settings.changed({"seconds": seconds})


@asynccontextmanager
async def hall(*, bot: bool = True, seconds: float = 1.0) -> AsyncIterator[Hall]:
    """Open a stage with the page; with the bot only if asked for."""
    async with set_up(seconds=seconds) as stage:
        invite(stage.backstage.telegram.state.telegram, stage.guest.id)
        key = new_key()
        try:
            if bot:
                await stage.bot.start()
            async with serve(create_page(stage.backstage, key=key)) as origin:
                yield Hall(
                    url=f"{origin}/{key}/", origin=origin, key=key,
                    backstage=stage.backstage, you=stage.guest.id,
                )  # fmt: skip
        finally:
            await stage.bot.stop()


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """Start a browser of its own: a fresh profile, nothing asked of the internet.

    A browser takes all the processors that it gets. It stands back behind the tests that run beside it,
    some of which are about seconds.
    """
    with tempfile.TemporaryDirectory() as folder:
        standing_back = Path(folder) / "browser"
        standing_back.write_text(f'#!/bin/sh\nexec nice -n 10 {shlex.quote(browser_path())} "$@"\n')
        standing_back.chmod(0o700)
        async with _started(standing_back) as browser:
            yield browser


@asynccontextmanager
async def _started(path: Path) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=path, args=[*QUIET])
        try:
            yield started
        finally:
            await started.close()


class Visitor:
    """Somebody at the page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.wrong: list[str] = []
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("console", self._hear)

    def _hear(self, said: ConsoleMessage) -> None:
        # that the sandbox refuses something is told to the person, and no mistake of the page's
        if said.type == "error" and "status of 400" not in said.text:
            self.wrong.append(said.text)

    def get(self, name: str) -> Locator:
        """Give a place of the page by its id."""
        return self.page.locator(f"#{name}")

    @property
    def messages(self) -> Locator:
        """The bubbles that the chat shows."""
        return self.page.locator("#messages .bubble")

    def says(self, words: str) -> Locator:
        """Give the last bubble with these words."""
        return self.messages.filter(has_text=words).last

    def key(self, label: str) -> Locator:
        """Give the last button of the bot with this label."""
        return self.page.locator(".keys button").filter(has_text=label).last

    async def writes(self, words: str) -> None:
        """Write and send."""
        await self.get("text").fill(words)
        await self.get("text").press("Enter")

    async def attaches(self, *names: str, folder: Path) -> None:
        """Choose files in the dialog."""
        await self.get("files").set_input_files([str(photo(folder, name)) for name in names])

    async def drops(self, *names: str, content: bytes = SAMPLE) -> None:
        """Let files fall onto the chat."""
        data = await self._transfer(*names, content=content)
        for event in ("dragenter", "dragover", "drop"):
            await self.page.dispatch_event("#scroll", event, {"dataTransfer": data})

    async def pastes(self, *names: str) -> None:
        """Paste files into what is being written."""
        data = await self._transfer(*names)
        await self.page.evaluate(
            """(clipboardData) => document.getElementById("text").dispatchEvent(
              new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }))""",
            data,
        )

    async def _transfer(self, *names: str, content: bytes = SAMPLE) -> JSHandle:
        return await self.page.evaluate_handle(
            """([names, bytes]) => {
              const transfer = new DataTransfer();
              for (const name of names)
                transfer.items.add(new File([new Uint8Array(bytes)], name, { type: "image/jpeg" }));
              return transfer;
            }""",
            [list(names), list(content)],
        )

    async def goes_to(self, chat: str) -> None:
        """Choose a chat by its name."""
        await self.page.locator("#chats button").filter(has_text=chat).first.click()
        await expect(self.get("title")).to_have_text(chat)

    async def sees_pictures(self, count: int) -> None:
        """Wait until the bot has brought so many pictures, each of which really shows."""
        shown = self.page.locator(".theirs .picture img")
        await expect(shown).to_have_count(count)
        await self.page.wait_for_function(
            "() => [...document.querySelectorAll('.theirs .picture img')]"
            ".every((one) => one.complete ? one.naturalWidth > 0 : one.loading === 'lazy')"
        )


@asynccontextmanager
async def visiting(where: Hall, started: Browser, **more: Any) -> AsyncIterator[Visitor]:
    """Open the page; at the end nothing may have gone wrong in it."""
    options = {"viewport": {"width": 1200, "height": 800}, **more}
    context = await started.new_context(**options)
    context.set_default_timeout(PATIENCE)
    try:
        visitor = Visitor(await context.new_page())
        await visitor.page.goto(where.url)
        await expect(visitor.page.locator("#chats button").first).to_be_visible()
        yield visitor
        assert visitor.wrong == []
    finally:
        await context.close()


def photo(folder: Path, name: str) -> Path:
    """Lay a photo into a folder."""
    path = folder / name
    path.write_bytes(SAMPLE)
    return path
