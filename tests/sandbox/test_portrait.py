"""The picture of a conversation: what is drawn, and that it needs nothing from outside."""

import io
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from sandbox.drawing import CARD, Bubble, draw
from sandbox.lettering import Run, lay, length, shortened
from sandbox.portrait import compose

SVG = "{http://www.w3.org/2000/svg}"


def picture(width: int, height: int, colour: str = "teal") -> bytes:
    """A plain picture."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "PNG")
    return out.getvalue()


PHOTO, SNOW, SNOWIER = picture(400, 300), picture(320, 180, "white"), picture(320, 180, "grey")


def drawn(*cards: list[Bubble]) -> ET.Element:
    """The drawing, read as XML."""
    return ET.fromstring(draw(cards, name="A & B", about="<bot>"))


def said(svg: ET.Element) -> str:
    """The words of a drawing, a line each."""
    return "\n".join("".join(text.itertext()) for text in svg.iter(f"{SVG}text"))


def message(number: int, **more: Any) -> dict[str, Any]:
    """A message as the local Telegram shows it to a person."""
    plain: dict[str, Any] = {
        "from_bot": True,
        "reply_to": None,
        "buttons": [],
        "force_reply": False,
    }
    return {"message_id": number, **plain, **more}


def canned() -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[int, bytes]]:
    """A conversation in which two photos are sent, and one album comes back."""
    photo = message(1, from_bot=False, photo={}, caption="make it snow /count 2")
    progress = message(2, reply_to=1, text="🎨 at it: 5%")
    album = {"reply_to": 1, "photo": {}, "media_group_id": "7"}
    italic = {"type": "italic", "offset": 0, "length": 12}
    snow = message(3, **album, caption="make it snow\n#1", caption_entities=[italic])
    snowier = message(4, **album)
    second = message(5, from_bot=False, photo={})
    question = message(6, reply_to=5, text="What shall I make of it?", force_reply=True)
    events = [
        {"kind": "new", "message": photo},
        {"kind": "new", "message": progress},
        {"kind": "edited", "message": {**progress, "text": "🎨 at it: 57%"}},
        {"kind": "edited", "message": {**progress, "text": "🎨 at it: 99%"}},
        *({"kind": "new", "message": m} for m in (snow, snowier)),
        {"kind": "deleted", "message": progress},
        *({"kind": "new", "message": m} for m in (second, question)),
    ]
    shown = [photo, snow, snowier, second, question]
    return events, shown, {1: PHOTO, 3: SNOW, 4: SNOWIER, 5: PHOTO}


def test_the_words_of_a_conversation_are_in_its_picture() -> None:
    """What was said is drawn, with the progress as it was halfway and the album in one bubble."""
    cards = compose(*canned())
    assert [len(card) for card in cards] == [3, 2]
    assert len(cards[0][2].pictures) == 2
    text = said(drawn(*cards))
    for words in ("make it snow /count 2", "🎨 at it: 57%", "#1", "What shall I make of it?"):
        assert words in text
    assert "5%\n" not in text.replace("57%", "")
    assert "99%" not in text


def test_a_reply_is_quoted_where_something_stands_between() -> None:
    """The album quotes the photo above the progress; the question right below its photo does not."""
    cards = compose(*canned())
    assert cards[0][2].quotes is cards[0][0]
    assert cards[1][1].quotes is None


def test_nothing_comes_from_outside() -> None:
    """Every reference leads into the file itself, and no address is in it but SVG's name."""
    text = draw(compose(*canned()), name="Bot", about="bot")
    svg = ET.fromstring(text)
    links = [value for e in svg.iter() for name, value in e.attrib.items() if name.endswith("href")]
    assert len(links) == 5  # the photos, the album, and one in a quotation
    assert all(link.startswith("data:image/jpeg;base64,") for link in links)
    assert text.count("http") == 1
    assert "script" not in text
    assert "@import" not in text
    assert "url(" not in text.replace("url(#", "")


def test_it_follows_the_screen_into_the_dark() -> None:
    """Each colour has one for dark screens."""
    style = drawn([Bubble(mine=True, text="hello")]).findtext(f"{SVG}style") or ""
    by_day, by_night = style.split("@media (prefers-color-scheme: dark)")
    selectors = [line.split(" {")[0] for line in by_night.splitlines() if line.startswith(".")]
    assert len(selectors) > 8
    assert all(f"\n{selector} {{" in by_day for selector in selectors)


@pytest.mark.parametrize(
    "text", ["<b>&amp; \"'", "]]>", "a\x00\x0b\ud800z", "שלום 👩‍👩‍👧 日本語", "\n\n"]
)
def test_any_text_can_be_drawn(text: str) -> None:
    """Markup, control characters, other scripts and emptiness give well-formed XML."""
    bubble = Bubble(mine=False, text=text, buttons=[[text, text]])
    svg = drawn([bubble, Bubble(mine=True, text="ok", quotes=bubble)])
    if text.isprintable():
        assert text in said(svg)
    assert "<bot>" in said(svg)


def test_formatting_is_drawn() -> None:
    """Italic and bold words are set so, counted in UTF-16 units as Telegram counts."""
    entities = [
        {"type": "italic", "offset": 3, "length": 4},
        {"type": "bold", "offset": 8, "length": 2},
    ]
    svg = drawn([Bubble(mine=False, text="🎨 snow #1", entities=entities)])
    spans = {span.text: span.get("class") for span in svg.iter(f"{SVG}tspan")}
    assert spans == {"snow": "i", "#1": "b"}


def test_buttons_are_drawn() -> None:
    """Each button of a message has its label and its own place."""
    svg = drawn([Bubble(mine=False, text="no", buttons=[["again", "other words"], ["help"]])])
    assert {"again", "other words", "help"} <= set(said(svg).splitlines())
    places = [
        (e.get("x"), e.get("y")) for e in svg.iter(f"{SVG}rect") if e.get("class") == "button"
    ]
    assert len(set(places)) == 3


def test_the_same_conversation_gives_the_same_picture() -> None:
    """Nothing in it comes from a clock or from chance."""
    assert draw(compose(*canned()), name="B", about="b") == draw(
        compose(*canned()), name="B", about="b"
    )


def test_bubbles_stay_on_the_card() -> None:
    """However long the words, no line and no picture leaves its card."""
    long = Bubble(mine=True, text="word " * 60 + "x" * 200)
    svg = drawn([long, Bubble(mine=False, pictures=[picture(4000, 300)], text="wide")])
    for image in svg.iter(f"{SVG}image"):
        assert float(image.get("x", 0)) + float(image.get("width", 0)) <= CARD
    for text in svg.iter(f"{SVG}text"):
        line = [Run("".join(text.itertext()))]
        assert float(text.get("x", 0)) + length(line, 14.5) <= CARD + 1


def test_lines_are_cut_at_words_and_keep_their_words() -> None:
    """A text is cut between words, a word that is too long within, and nothing is lost."""
    text = "one two three\n\nfour " + "x" * 100
    lines = lay(text, [], width=90, size=14)
    written = ["".join(run.text for run in line) for line in lines]
    assert all(length(line, 14) <= 90 for line in lines)
    assert "".join(written).replace(" ", "") == text.replace(" ", "").replace("\n", "")
    assert "" in written


def test_a_quotation_is_one_short_line() -> None:
    """A quoted text is cut with dots; one that fits stays as it is."""
    assert shortened("one\ntwo", width=200, size=12) == Run("one two")
    cut = shortened("word " * 50, width=120, size=12)
    assert cut.text.endswith("…")
    assert length([cut], 12) <= 120
