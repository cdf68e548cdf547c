"""How what a person sees is written down."""

from typing import Any

import pytest

from tests.conversations.shown import Normal, Record, lines_of, pattern_of
from tests.e2e.world import JSON


def message(text: str = "", **more: Any) -> JSON:
    """Give a message as a person's side of the sandbox shows it."""
    return {"message_id": 9, "text": text, "buttons": [], "force_reply": False, **more}


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("#7004 · done in 12 s", "#1 · done in … s"),
        ("HiDream is at it: 34 %", "HiDream is at it: … %"),
        ("/status 7004, #7009, #7004", "/status 1, #2, #1"),
        ("your id is 1000000012", "your id is …"),
        ("4 pictures, number 17, 16:9, 2 minutes ago", "4 pictures, number 17, 16:9, just now"),
        ("id: 0b6c5a0e-0000-4000-8000-00000000abcd", "id: …"),
    ],
)
def test_what_differs_from_time_to_time_is_left_out(text: str, normal: str) -> None:
    """Tasks are counted as they come up, times and ids become dots, and the rest stays."""
    assert Normal()(text) == normal


def test_a_sentence_is_known_by_its_form() -> None:
    """A sentence is found with any data, or with those that are named."""
    shown = "3 of 4 pictures came out."
    assert pattern_of("partly").fullmatch(shown)
    assert pattern_of("partly", {"asked": 4}).fullmatch(shown)
    assert not pattern_of("partly", {"asked": 3}).fullmatch(shown)


def test_a_message_is_written_as_it_is_seen() -> None:
    """Pictures with their shape, then the words, the buttons in their rows, and the reply that is asked for."""
    photo = {"width": 160, "height": 90, "url": "/x"}
    rows = [[{"text": "a"}, {"text": "b"}], [{"text": "c"}]]
    one = message(caption="snow\nin May", photo=photo, buttons=rows, spoiler=True)
    assert lines_of([one], Normal()) == [
        *("[picture, 16:9, covered]", "snow", "in May", "[a] [b]", "[c]"),
    ]
    files = [message(document={"url": "/x"})] * 2
    assert lines_of(files, Normal()) == ["[2 files]"]
    assert lines_of([message("Well?", force_reply=True)], Normal()) == ["Well?", "[your reply: …]"]


def test_a_reply_names_what_it_answers() -> None:
    """A message is named by its first words, a picture by what is under it too."""
    assert Record("Bot", ("Well?", "Or not?")).quoted == "Bot: Well?"
    assert Record("Bot", ("(changed)", "[picture, 1:1]", "snow", "#1")).quoted == (
        "Bot: [picture, 1:1] snow"
    )
