"""The chat page in a real browser, with the real bot behind it."""

from pathlib import Path

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

        await ada.key("Again").click()
        await ada.sees_pictures(4)
        last = ada.page.locator("#messages li.theirs:has(.picture)").last
        await last.hover()
        await last.get_by_title("Reply").click()
        await expect(ada.get("context-text")).to_contain_text("Reply to")
        await ada.writes("now at night")
        await ada.sees_pictures(5)
        quoted = ada.page.locator("#messages li.mine .quote").last
        await expect(quoted).to_contain_text("make it snow")


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
        await last.get_by_title("See it in the store").click()
        await expect(ada.get("panel-row")).to_contain_text("is delivered")
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

        await ada.get("user").select_option(label="Mia")
        await expect(ada.get("title")).to_have_text("Sandbox")
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
        await ada.page.keyboard.press("Tab")
        await ada.page.keyboard.press("Enter")
        await expect(ada.says("Tap a number")).to_be_visible()
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
