"""The chat page in a real browser, with the real bot behind it."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from tests.page.browsing import Visitor, browser, hall, visiting


async def test_a_photo_and_what_comes_of_it(tmp_path: Path) -> None:
    """A dropped photo shows its progress and becomes an album; again, a reply and the viewer work."""
    async with hall(seconds=8) as where, browser() as started, visiting(where, started) as ada:
        await ada.drops("garden.jpg")
        await expect(ada.page.locator("#attachments img")).to_have_count(1)
        await ada.writes("make it snow /count 2 /ratio 16:9")
        await expect(ada.says("make it snow")).to_be_visible()
        await expect(ada.says("%")).to_be_visible()  # HiDream's own percentage
        where.takes(1)
        await ada.sees_pictures(2)
        await expect(ada.page.locator('.theirs .pictures[data-count="2"]')).to_have_count(1)
        await expect(ada.messages.filter(has_text="%")).to_have_count(0)

        await ada.page.locator(".theirs .picture").last.click()
        await expect(ada.page.locator("#viewer figcaption")).to_have_text(
            ["The photo · 480×360", "Made of it · 1024×576"]
        )
        await ada.page.keyboard.press("Escape")

        # the message changes under the keyboard: the focus stays among its buttons
        for label, then in (("Delete", "No, keep it"), ("No, keep it", "Shape")):
            await ada.key(label).focus()
            await ada.page.keyboard.press("Enter")
            await expect(ada.page.locator(".keys button:focus")).to_contain_text(then)

        await ada.key("Again").click()
        await ada.sees_pictures(4)
        last = ada.page.locator("#messages li.theirs:has(.picture)").last
        await last.locator("code").evaluate("(words) => getSelection().selectAllChildren(words)")
        await last.hover()
        await last.get_by_title("Reply").click()
        quote = "make it snow /ratio 16:9 /count 2"
        await expect(ada.get("context-text")).to_have_text(f"Reply to: {quote}")
        await ada.writes("now at night")
        await ada.sees_pictures(5)
        await expect(ada.page.locator("#messages li.mine .quote").last).to_have_text(quote)

        # a result of a result, and its file: each beside all that it was made of
        await ada.page.locator(".theirs .picture").last.click()
        shown = ada.page.locator("#viewer figcaption")
        await expect(shown).to_contain_text(["The photo", "A result of it", "Made of that result"])
        await ada.page.keyboard.press("Escape")
        await ada.key("Original file").click()
        await ada.page.locator(".theirs .thumb").click()
        await expect(shown).to_contain_text(["The photo", "A result of it", "Made of that result"])
        await ada.page.keyboard.press("Escape")


async def test_stopping_killing_and_faults(tmp_path: Path) -> None:
    """A stopped task says so; killed in the midst and started again, the bot brings the picture."""
    async with hall(seconds=4) as where, browser() as started, visiting(where, started) as ada:
        await ada.drops("garden.jpg")
        await ada.writes("as a pencil sketch")
        await ada.key("Stop it").click()
        await expect(ada.says("Stopped")).to_be_visible()

        await ada.drops("garden.jpg")
        await ada.writes("in autumn")
        await expect(ada.key("Stop it")).to_be_visible()
        await ada.get("backstage").click()
        await ada.page.get_by_role("button", name="Kill the bot").click()
        await expect(ada.get("subtitle")).to_have_text("the bot is not running")
        down = ada.page.get_by_role("switch", name="HiDream is down")
        await down.check()
        await ada.page.get_by_role("button", name="Start it again").click()
        await expect(ada.get("subtitle")).to_have_text("bot")
        await down.uncheck()
        await ada.sees_pictures(1)

        last = ada.page.locator("#messages li.theirs:has(.picture)").last
        await last.hover()
        opener = last.get_by_title("See it in the store")
        await opener.click()
        await expect(ada.get("panel-row")).to_contain_text("is delivered")
        await ada.page.keyboard.press("Escape")
        await expect(ada.get("drawer")).to_be_hidden()
        await expect(opener).to_be_focused()
        await ada.get("backstage").click()
        await ada.get("tab-calls").click()
        calls = ada.get("panel-calls")
        await calls.get_by_role("searchbox").fill("sendPhoto")
        await calls.locator("summary").first.click()
        shown = await calls.locator("pre").first.inner_text()
        assert "chat_id" in shown
        content = await ada.page.content()
        assert where.backstage.telegram.state.telegram.token not in content
        assert where.backstage.hidream.state.hidream.token not in content


async def test_others_groups_and_languages(tmp_path: Path) -> None:
    """Somebody else sees only their own; in a group only who asked may press; the menu is in German."""
    async with hall() as where, browser() as started, visiting(where, started) as ada:
        await ada.goes_to("Friends")
        await ada.drops("garden.jpg")
        await ada.writes("/edit make it snow")
        await ada.sees_pictures(1)
        await ada.goes_to("Studio")
        await ada.page.get_by_role("button", name="Winter").click()
        await ada.writes("/help@sandbox_bot")
        await expect(ada.page.locator("#messages .theirs .bubble")).not_to_have_count(0)
        await ada.page.get_by_role("button", name="General").click()
        await expect(ada.page.locator("#messages .theirs .bubble")).to_have_count(0)
        await ada.writes("/help@sandbox_bot")
        await expect(ada.page.locator("#messages .theirs .bubble")).not_to_have_count(0)

        # what comes in another topic is counted there; loaded anew, the page is where it was
        telegram = where.backstage.telegram.state.telegram
        studio = next(chat for chat in telegram.chats.values() if chat.title == "Studio")
        winter = next(iter(studio.topics))
        mia = next(user for user in telegram.users.values() if user.first_name == "Mia")
        telegram.post(studio, mia, {"text": "snow at last"}, thread_id=winter)
        await ada.page.get_by_role("button", name="Winter 1 new").click()
        await expect(ada.page.get_by_role("button", name="Winter", exact=True)).to_be_focused()
        await expect(ada.says("snow at last")).to_be_visible()
        await ada.page.reload()
        await expect(ada.get("title")).to_have_text("Studio")
        await expect(ada.says("snow at last")).to_be_visible()

        await ada.get("text").fill("to be sent by nobody else")
        await ada.get("user").select_option(label="Mia")
        await expect(ada.get("title")).to_have_text("Sandbox")
        await expect(ada.get("text")).to_have_value("")
        await expect(ada.messages).to_have_count(0)
        await ada.get("commands").click()
        await expect(ada.get("menu")).to_contain_text("Bilder")
        await ada.page.keyboard.press("Escape")
        await ada.goes_to("Friends")
        await ada.key("🔁").click()
        await expect(ada.get("notice")).to_have_text(
            "Diesen Knopf kann nur drücken, wer das gewünscht hat."
        )

        await ada.goes_to("Sandbox")
        await ada.get("language").select_option(label="Français")
        await ada.writes("/start")
        await expect(ada.messages.last).to_contain_text("photo")
        await ada.get("text").fill("/")
        await expect(ada.get("menu")).to_contain_text("ce que fait ce bot")
        await ada.get("new-user").click()
        await expect(ada.get("user").locator("option:checked")).to_have_text("Ben")
        await expect(ada.messages).to_have_count(0)


async def test_ways_to_send(tmp_path: Path) -> None:
    """Albums, files, pasted photos, edits and the menu work, by keyboard alone where one wants."""
    async with hall() as where, browser() as started, visiting(where, started) as ada:
        await ada.attaches("one.jpg", "two.jpg", folder=tmp_path)
        await expect(ada.page.locator("#attachments li")).to_have_count(2)
        await ada.writes("the two side by side")
        await expect(ada.page.locator(".mine .picture")).to_have_count(2)
        await ada.sees_pictures(1)

        await ada.attaches("letter.jpg", folder=tmp_path)
        await ada.get("as-file").check()
        await ada.writes("as an oil painting")
        await expect(ada.page.locator(".mine .file")).to_contain_text("letter.jpg")
        await ada.sees_pictures(2)

        # a covered photo out of the clipboard; its words are changed while it is being made
        await ada.pastes("covered.jpg")
        await ada.get("covered").check()
        await ada.writes("in winter")
        await expect(ada.page.locator(".mine .bubble").last).to_contain_text("in winter")
        await ada.get("text").press("ArrowUp")
        await expect(ada.get("text")).to_have_value("in winter")
        await ada.writes("in spring")
        await expect(ada.page.locator(".mine .bubble").last).to_contain_text("edited")
        cover = ada.page.locator(".theirs .picture.covered").last
        await cover.click()
        await expect(ada.page.locator(".theirs .picture.covered")).to_have_count(0)
        await expect(ada.get("viewer")).to_be_hidden()

        # by keyboard alone: the menu, a command, and a button of the bot
        await ada.get("text").focus()
        await ada.page.keyboard.type("/sta")
        await ada.page.keyboard.press("ArrowDown")
        await ada.page.keyboard.press("ArrowDown")
        await ada.page.keyboard.press("Enter")
        await expect(ada.says("Tap a number")).to_be_visible()
        await ada.get("text").fill("words that stay")
        await ada.get("commands").click()
        await ada.page.keyboard.press("ArrowDown")
        await ada.page.keyboard.press("Enter")
        await expect(ada.page.locator(".mine .bubble").last).to_contain_text("/help")
        await expect(ada.get("text")).to_be_focused()
        await expect(ada.get("text")).to_have_value("words that stay")
        await ada.get("text").fill("")
        button = ada.key("🔄")
        await button.focus()
        await ada.page.keyboard.press("Enter")
        await expect(button).not_to_have_attribute("aria-busy", "true")

        # the bot asks, and the answer is a reply already
        await ada.key("Other words").click()
        await expect(ada.get("context")).to_be_visible()
        await ada.writes("as a comic")
        await expect(ada.page.locator("#messages li.mine .quote")).not_to_have_count(0)

        # what Telegram's apps do not send is said, and stays where it was written
        await ada.writes("x" * 5000)
        await expect(ada.get("notice")).to_contain_text("no app sends more than 4096")
        await expect(ada.get("text")).to_have_value("x" * 5000)


async def test_where_one_reads() -> None:
    """Reading further up nothing moves; a phone shows whole buttons, and its way back; an end is said."""
    async with browser() as started, AsyncExitStack() as stack:
        where = await stack.enter_async_context(hall(bot=False))
        telegram = where.backstage.telegram.state.telegram
        chat = telegram.chats[where.you]
        keys = [[{"text": text, "callback_data": "x"} for text in row] for row in _KEYS]
        for n in range(60):
            telegram.post(chat, telegram.bot, {"text": f"line {n}\n" * 3})
        telegram.post(
            chat, telegram.bot, {"text": "مرحبًا", "reply_markup": {"inline_keyboard": keys}}
        )
        phone = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True}
        ada = await stack.enter_async_context(visiting(where, started, **phone))
        await ada.goes_to("Sandbox")
        await expect(ada.get("text")).not_to_be_focused()  # no keyboard comes up by itself
        cut = "(keys) => keys.filter((key) => key.scrollWidth > key.clientWidth).length"
        assert await ada.page.locator(".keys button").evaluate_all(cut) == 0
        assert await ada.page.locator("html").evaluate("(all) => all.scrollWidth") == 390

        await expect(ada.says("مرحبًا")).to_be_in_viewport()
        await ada.get("scroll").hover()
        await ada.page.mouse.wheel(0, -1500)
        down = ada.get("down")
        await expect(down).to_have_text("↓")
        reading = ada.messages.filter(has_text="line 50")
        await ada.page.wait_for_timeout(200)  # what comes into sight is laid out
        place = await reading.bounding_box()
        telegram.post(chat, telegram.bot, {"text": "something new"})
        await expect(down).to_have_accessible_name("To the latest message: 1 new")
        assert await reading.bounding_box() == place
        await down.click()
        await expect(ada.says("something new")).to_be_in_viewport()
        await expect(down).to_be_hidden()

        await ada.get("backstage").click()
        await expect(ada.page.locator("main")).to_have_attribute("inert", "")
        await ada.page.keyboard.press("Escape")
        await ada.page.go_back()
        await expect(ada.get("chats")).to_be_visible()
        await expect(ada.get("chat")).to_be_hidden()
        await ada.goes_to("Sandbox")

        await ada.page.context.set_offline(True)
        await ada.writes("is anybody there?")
        await expect(ada.get("notice")).to_contain_text("cannot be reached")
        await expect(ada.get("text")).to_have_value("is anybody there?")
        ada.wrong.clear()  # the browser says so too


_KEYS: Final = [
    ["🔁 مرة أخرى", "🖼 الأبعاد …", "×4"],
    ["🔁 Noch einmal", "🖼 Form …", "×4"],
    ["✏️ Other words", "➡️ Use as new photo"],
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_is_hidden_from_a_screen_reader(tmp_path: Path, scheme: str) -> None:
    """Axe finds nothing in the main states, on a desk and on a phone, in light and dark."""
    async with hall() as where, browser() as started:
        async with visiting(where, started, color_scheme=scheme) as ada:
            await ada.drops("garden.jpg")
            await ada.writes("make it snow")
            await ada.sees_pictures(1)
            await _axe(ada)
            await ada.get("commands").click()
            await ada.get("backstage").click()
            for tab in ("switches", "calls", "row"):
                await ada.get(f"tab-{tab}").click()
                await _axe(ada)
        phone = {"width": 390, "height": 780}
        async with visiting(where, started, color_scheme=scheme, viewport=phone) as ada:
            await _axe(ada)
            await ada.goes_to("Sandbox")
            await _axe(ada)
            await ada.page.locator(".theirs .picture").last.click()
            await _axe(ada)


async def _axe(visitor: Visitor) -> None:
    results = await Axe().run(visitor.page)
    assert results.violations_count == 0, results.generate_report()
