"""What can be chosen once for all pictures: the table, what comes first, and the language."""

from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.captions import parse, write
from bot.chosen import effective, language_for
from bot.messages import Button
from bot.pictures import AspectRatio, PictureRequest
from bot.preferences import (
    BY_NAME,
    NEGATIVE_LENGTH,
    PREFERENCES,
    Defaults,
    Preference,
    combine,
    negative_of,
)
from bot.settings_pages import choices, overview
from bot.texts import plain, units, words
from storage.memory import MemoryStore
from tests.time_machine import LoopClock

BOTS: Final = PictureRequest(prompt="", negative="text", ratio=AspectRatio.R1_1, count=2)
ADA, GROUP = 5, -7
ROWS: Final = pytest.mark.parametrize("row", PREFERENCES, ids=lambda row: row.name)


@ROWS
def test_what_is_offered_can_be_taken_and_is_shown_as_it_was(row: Preference) -> None:
    """Each value that a button offers is one, and reads back as the same."""
    for value in row.values:
        taken = row.take(Defaults(request=BOTS), value)
        assert taken is not None, value
        assert row.show(taken) == value


@ROWS
@pytest.mark.parametrize("damage", ["", "\0 --ratio 5:7", "x" * 301])
def test_a_damaged_value_is_ignored(row: Preference, damage: str) -> None:
    """What is no value of a preference is as if it were not there, but named."""
    holds = combine(BOTS, chat={}, user={row.name: damage})
    assert holds.ignored == (("user", row.name),)
    assert replace(holds, ignored=()) == combine(BOTS, chat={}, user={})
    assert set(holds.sources.values()) == {"installation"}


def test_an_unknown_name_is_ignored() -> None:
    """What another version kept does not get in the way."""
    holds = combine(BOTS, chat={"style": "oil"}, user={})
    assert holds.ignored == (("chat", "style"),)
    assert replace(holds, ignored=()) == combine(BOTS, chat={}, user={})


@pytest.mark.parametrize(
    ("name", "bots", "chats", "own"),
    [
        ("ratio", "1:1", "3:4", "auto"),
        ("count", "2", "3", "1"),
        ("negative", "text", "people, cars", "none"),
        ("language", "", "de", "pt_BR"),
        ("file", "no", "yes", "no"),
        ("silent", "no", "yes", "no"),
    ],
)
def test_the_person_comes_before_the_chat_before_the_installation(
    name: str, bots: str, chats: str, own: str
) -> None:
    """Of each preference the person's value holds, else the chat's, else the installation's."""
    row = BY_NAME[name]
    kept: tuple[tuple[dict[str, str], dict[str, str]], ...] = (
        ({}, {}),
        ({name: chats}, {}),
        ({name: chats}, {name: own}),
        ({name: chats}, {name: "\0 --ratio 9:9"}),
    )
    found = [combine(BOTS, chat=chat, user=user) for chat, user in kept]
    assert [row.show(one.defaults) for one in found] == [bots, chats, own, chats]
    assert [one.sources[name] for one in found] == ["installation", "chat", "user", "chat"]
    others = {other.name for other in PREFERENCES} - {name}
    assert all(one.sources[other] == "installation" for one in found for other in others)


async def test_a_private_chat_has_no_choices_of_its_own() -> None:
    """What was chosen for a chat holds in that chat alone."""
    store = MemoryStore(LoopClock())
    await store.set_preference("chat", GROUP, "count", "4")
    await store.set_preference("chat", ADA, "count", "3")
    await store.set_preference("user", ADA, "ratio", "16:9")
    alone = (await effective(store, BOTS, ADA, ADA)).defaults
    there = (await effective(store, BOTS, ADA, GROUP)).defaults
    assert alone.request == replace(BOTS, ratio=AspectRatio.R16_9)
    assert there.request == replace(BOTS, ratio=AspectRatio.R16_9, count=4)


async def test_which_language_is_spoken() -> None:
    """A person's choice comes before Telegram's word, which comes before the chat's; damage is passed over."""
    store = MemoryStore(LoopClock())
    assert await language_for(store, ADA, GROUP, None) is None
    await store.set_preference("chat", GROUP, "language", "fr")
    assert await language_for(store, ADA, GROUP, None) == "fr"
    assert await language_for(store, ADA, GROUP, "zh-hant") == "zh_Hans"
    assert await language_for(store, ADA, GROUP, "nl") == "en"
    await store.set_preference("user", ADA, "language", "ar")
    assert await language_for(store, ADA, GROUP, "de") == "ar"
    await store.set_preference("user", ADA, "language", "Klingon")
    assert await language_for(store, ADA, GROUP, "de") == "de"
    await store.set_preference("chat", GROUP, "language", "Klingon")
    assert await language_for(store, ADA, GROUP, None) is None


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (" text,\n people ", "text, people"),
        ("/no text, people", "text, people"),
        ("None", "none"),
        ("/no none", "none"),
        ("a/b, 16:9", "a/b, 16:9"),
        ("text /ratio 16:9", None),
        ("/no text /n 2", None),
        ("/ratio 16:9", None),
        ("/ratoi 16:9", None),
        ("/no", None),
        (" \n", None),
        ("😀" * 151, None),
    ],
)
def test_negative_words(written: str, kept: str | None) -> None:
    """Words for what to keep out are one line without options; a caption's option alone is its words."""
    assert negative_of(written) == kept


@given(st.text(max_size=320))
def test_what_is_kept_can_be_copied_as_a_caption(written: str) -> None:
    """Negative words that are kept read the same from a caption, whatever they are, and are kept again."""
    kept = negative_of(written)
    if kept is None:
        return
    assert negative_of(kept) == kept
    assert units(kept) <= NEGATIVE_LENGTH
    taken = BY_NAME["negative"].take(Defaults(request=BOTS), kept)
    assert taken is not None
    asked = replace(taken.request, prompt="snow")
    assert parse(write(asked, defaults=BOTS), defaults=BOTS) == asked


def _buttons(keyboard: tuple[tuple[Button, ...], ...]) -> dict[str, str]:
    return {plain(one.label): one.data for row in keyboard for one in row}


def test_the_overview_says_where_each_value_comes_from() -> None:
    """Every preference has a line with its value and whose it is, and a button."""
    holds = combine(BOTS, chat={"count": "4"}, user={"ratio": "auto", "negative": "<b> & 'x'"})
    page = overview(17, "user", holds, group=True)
    said = [words(line) for line in page.lines]
    assert said[1:] == [
        "Shape: <b>Like the photo</b> · yours",
        "Pictures at a time: <b>4</b> · this group's",
        "Keep out: <b>&lt;b&gt; &amp; 'x'</b> · yours",
        "Language: <b>As in Telegram</b>",
        "As files: <b>No</b> · default",
        "Without a sound: <b>No</b> · default",
    ]
    buttons = _buttons(page.buttons)
    assert buttons["Shape"] == "set:17:ratio"
    assert buttons["👥 For this group"] == "set-chat:17"
    assert not any(
        "group" in label for label in _buttons(overview(17, "user", holds, group=False).buttons)
    )
    assert _buttons(overview(17, "chat", holds, group=True).buttons)["👤 My own"] == "set:17"


@ROWS
def test_what_is_chosen_is_marked_among_the_choices(row: Preference) -> None:
    """The choices are all there, one is marked as what holds, and there is a way back to the default."""
    kept = {row.name: row.values[0]}
    page = choices(10**15, "chat", combine(BOTS, chat=kept, user={}), row)
    buttons = _buttons(page.buttons)
    marked = [data for label, data in buttons.items() if label.startswith("✓")]
    assert marked == [f"set-chat:{10**15}:{row.name}:{row.values[0]}"]
    assert {f"set-chat:{10**15}:{row.name}:{value}" for value in (*row.values, "default")} <= set(
        buttons.values()
    )
    assert f"set-chat:{10**15}" in buttons.values()
    assert all(len(data.encode()) <= 64 for data in buttons.values())
    assert all(1 <= len(line) <= 8 for line in page.buttons)
