"""`python -m tests.page --write`: pictures of the chat page's main states, for the papers."""

import asyncio
import io
import sys
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.async_api import expect

from sandbox.sample import draw_sample
from tests.page.browsing import Hall, Visitor, browser, hall, visiting

DOCS: Final = Path(__file__).parent.parent.parent / "docs"
_DESK: Final = {"width": 1200, "height": 980}
_PHONE: Final = {"width": 390, "height": 780}


async def take(folder: Path) -> None:
    """Have a conversation on the page, and take its pictures into this folder."""
    async with hall(seconds=3) as where, browser() as started:
        await _a_conversation_first(where)
        async with visiting(where, started, viewport=_DESK) as ada:
            await ada.drops("lake.jpg", content=draw_sample())
            await ada.writes("make it snow /count 2 /ratio 16:9")
            await expect(ada.says("%")).to_be_visible()
            await _shoot(ada, folder / "page-progress.webp")
            await ada.sees_pictures(2)
            await expect(ada.key("Again")).to_be_visible()
            await _settle(ada)
            await _shoot(ada, folder / "page.webp")
            await ada.page.locator(".theirs .picture").last.click()
            await _settle(ada)
            await _shoot(ada, folder / "page-viewer.webp")
            await ada.page.keyboard.press("Escape")
            await ada.get("backstage").click()
            await ada.get("tab-calls").click()
            await _shoot(ada, folder / "page-backstage.webp")
        phone = {"viewport": _PHONE, "color_scheme": "dark", "has_touch": True, "is_mobile": True}
        async with visiting(where, started, device_scale_factor=2, **phone) as ada:
            await ada.goes_to("Sandbox")
            await _settle(ada)
            await _shoot(ada, folder / "page-phone.webp")


async def _a_conversation_first(where: Hall) -> None:
    """Let the side have something to show."""
    telegram = where.backstage.telegram.state.telegram
    for chat in telegram.chats.values():
        if chat.title == "Friends":
            telegram.post(
                chat, telegram.users[where.you], {"text": "Look what it made of our lake!"}
            )


async def _settle(visitor: Visitor) -> None:
    """Wait until every picture that shows is there, and nothing moves."""
    await visitor.page.wait_for_function(
        "() => [...document.images].every((one) => one.complete || one.loading === 'lazy')"
    )
    await visitor.page.wait_for_timeout(700)


async def _shoot(visitor: Visitor, path: Path) -> None:
    png = await visitor.page.screenshot()
    with Image.open(io.BytesIO(png)) as picture:
        picture.convert("RGB").save(path, "WEBP", quality=84, method=6)
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python -m tests.page --write")
    asyncio.run(take(DOCS))
