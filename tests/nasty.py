"""What people write, at its worst: for properties of all that is said."""

import json
from typing import Final

from hypothesis import strategies as st

from bot import updates

_PIECES: Final = (
    *("🎉", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪", "🇩", "👋🏿", "1️⃣", "\ufe0f", "\U000e0067\U000e007f"),
    *(
        "<b>",
        "</b>",
        "<",
        ">",
        "&",
        "&amp;",
        "&#0;",
        "&lt",
        "<a href='x",
        "<!--",
        "<tg-emoji>",
        '"',
    ),
    *("*", "_", "__", "`", "```", "[a](b)", "||", "\\", "~", "#", "{prompt}", "{0}", "%s", "{{"),
    *("\u202e", "\u202c", "\u2066", "\u2067", "\u2069", "\u200f", "\u061c", "שלג", "ثلج", "हिम"),
    *("\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u034f", "e\u0301", "\u0301", "\u20e3"),
    *(
        "\n",
        "\r\n",
        "\n\n",
        "\t",
        " ",
        "\u2028",
        "\x85",
        "\x01",
        "\x1b[0m",
        "\x7f",
        "\ufffe",
        "\uffff",
    ),
    *("\ud83d", "\ude00", "\udfff", "/start", "@someone", "https://example.org/?a=1&b=2", "word"),
)
NASTY: Final = st.one_of(
    st.sampled_from(_PIECES).map(lambda piece: piece * 1000),
    st.lists(st.sampled_from(_PIECES), min_size=1, max_size=30).map("".join),
    st.lists(st.sampled_from(_PIECES), min_size=1, max_size=9).map(
        lambda some: "".join(some) * 400
    ),
    st.text(st.characters(exclude_characters="\0"), max_size=30).map(lambda text: text * 140),
).map(lambda text: _as_it_comes(text[:4096]))


def _as_it_comes(text: str) -> str:
    """Give a text as the handlers get it: an update carries it, and half a pair is in no text."""
    words: str = json.loads(updates.written({"text": text}))["text"]
    return words
