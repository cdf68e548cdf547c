"""Small talk: what says nothing to make, in any language."""

import pytest

from bot import talk
from bot.languages import LANGUAGES


@pytest.mark.parametrize(
    "text",
    [
        "Hi!",
        "thanks!!",
        "Thank you so much",
        "Gracias",
        "谢谢！",
        "شكرًا",
        "धन्यवाद",
        "ça va ?",
        "👍🏽",
        "❤️",
        "???",
        "Wow! Thanks 😊",
    ],
)
def test_politeness_is_known(text: str) -> None:
    """In whichever language, however it is written; so is what has no word in it at all."""
    assert talk.kind_of(text) == "talk-polite"


@pytest.mark.parametrize("text", ["Cancel, please", "STOP", "отмена", "取消", "abbrechen"])
def test_stop_is_known(text: str) -> None:
    """In whichever language."""
    assert talk.kind_of(text) == "talk-stop"


@pytest.mark.parametrize(
    "text",
    [
        "make it snow",
        "stop motion",
        "hi there, make it snow",
        "nice hat",
        "🌧",
        "snow ❄️",
        "1",
        "/no people",
        "ओक",  # an oak; "ok" but for a vowel sign
    ],
)
def test_words_are_words(text: str) -> None:
    """Only a whole message is small talk: what says anything beside it is an order."""
    assert talk.kind_of(text) is None


def test_nothing_is_both() -> None:
    """Every language has its own small talk, and no word is of both kinds."""
    polite, stop = talk.listed("talk-polite"), talk.listed("talk-stop")
    assert not polite & stop
    assert len(polite) > 10 * len(LANGUAGES)
    assert len(stop) > 2 * len(LANGUAGES)
