"""How fast the chat page is in a browser, with 500 messages with pictures in a chat."""

import time
from pathlib import Path
from statistics import median
from typing import Any, Final

from playwright.async_api import Page, async_playwright

from bench.figures import Figure, Measured, Row, Target
from bench.processes import NotMeasured
from bench.session import Session
from sandbox.page.app import create_page, new_key
from sandbox.page.browsers import QUIET, find_browser
from sandbox.serving import serve
from sandbox.stage import Stage, set_up
from sandbox.telegram import pictures
from sandbox.telegram.state import Telegram

_OPENINGS: Final = 5
_SCROLLED: Final = """async () => {
  const longest = { ms: 0 };
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) longest.ms = Math.max(longest.ms, one.duration);
  }).observe({ type: "longtask" });
  const place = document.getElementById("scroll");
  const step = () => new Promise((done) => requestAnimationFrame(done));
  for (const direction of [-1, 1]) {
    for (let i = 0; i < 400; i += 1) {
      place.scrollTop += direction * place.scrollHeight / 400;
      await step();
    }
  }
  await new Promise((done) => setTimeout(done, 300));
  return longest.ms;
}"""
_PAINTED: Final = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


async def _page(session: Session) -> Measured:
    path = find_browser()
    if path is None:
        raise NotMeasured("no Chromium or Chrome is installed")
    count = session.effort.page_messages
    async with set_up(log=session.folder / "page.log") as stage, async_playwright() as playwright:
        _fill(stage, session.photo, count)
        key = new_key()
        async with serve(create_page(stage.backstage, key=key)) as origin:
            browser = await playwright.chromium.launch(executable_path=path, args=[*QUIET])
            try:
                paints, shown, tasks = [], [], []
                for _ in range(_OPENINGS):
                    page = await browser.new_page()
                    began = time.perf_counter()
                    await page.goto(f"{origin}/{key}/")
                    await page.wait_for_function(
                        "(count) => document.querySelectorAll('#messages > li').length === count",
                        arg=count,
                    )
                    shown.append((time.perf_counter() - began) * 1000)
                    paints.append(await _painted(page))
                    tasks.append(float(await page.evaluate(_SCROLLED)))
                    await page.close()
            finally:
                await browser.close()
    return Measured(
        row=PAGE.name,
        figures=[
            Figure(name="first paint", unit="ms", bot=median(paints), target=Target(limit=500), digits=0),
            Figure(name="all messages there", unit="ms", bot=median(shown), digits=0),
            Figure(
                name="longest task while scrolling", unit="ms", bot=max(tasks),
                target=Target(limit=200), digits=0,
            ),
        ],
        notes=[f"{count} messages with pictures; {_OPENINGS} openings, the median; {Path(path).name}"],
    )  # fmt: skip


async def _painted(page: Page) -> float:
    found: Any = await page.evaluate(_PAINTED)
    if found is None:
        raise NotMeasured("the browser does not tell when it painted")
    return float(found)


def _fill(stage: Stage, photo: bytes, count: int) -> None:
    """Let a chat have many messages: the person's and the bot's in turn, a picture in each."""
    telegram: Telegram = stage.backstage.telegram.state.telegram
    chat, person = telegram.chats[stage.guest.id], telegram.users[stage.guest.id]
    sizes = [(one.width, one.height, one.jpeg) for one in pictures.sizes(photo)]
    for number in range(count):
        # each a file of its own, so that the browser has to fetch and decode every one
        kept = [file.to_json() for file in telegram.add_photo(sizes)]
        author = telegram.bot if number % 2 else person
        telegram.post(chat, author, {"photo": kept, "caption": f"picture {number}"})


PAGE: Final = Row(
    name="page",
    about="the demo's chat page in a browser: first paint, and tasks while scrolling",
    measure=_page,
    seconds=120,
)
