"""How what a person sees is written down."""

from typing import Any

import pytest

from tests.conversations.shown import Record, form_of, lines_of, normal, numbered, pattern_of
from tests.e2e.world import JSON


def message(text: str = "", **more: Any) -> JSON:
    """Give a message as a person's side of the sandbox shows it."""
    return {"message_id": 9, "text": text, "buttons": [], "force_reply": False, **more}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("#7004 · done in 12 s", "#7004 · done in … s"),
        ("usually 12–20 s, or 3 min 7 s", "usually … s, or … s"),
        ("HiDream is at it: 34 %", "HiDream is at it: … %"),
        ("your id is 1000000012", "your id is …"),
        ("4 pictures, number 17, 16:9, 2 minutes ago", "4 pictures, number 17, 16:9, just now"),
        ("as of 24 Nov 2026, 10:59 UTC.", "as of … UTC."),
        ("fertig in 3 Sek., in 3 秒", "fertig in … Sek., in … 秒"),
        ("id: 0b6c5a0e-0000-4000-8000-00000000abcd", "id: …"),
    ],
)
def test_what_differs_from_time_to_time_is_left_out(text: str, shown: str) -> None:
    """Times and ids become dots, and the rest stays."""
    assert normal(text) == shown


def test_tasks_are_numbered_from_one() -> None:
    """Tasks have numbers in their order, whichever is named first."""
    records = [
        Record("Bot", ("#7009", "made from #7004")),
        Record("Ada", ("/status 7004",), "#7009"),
    ]
    assert numbered(records) == (
        Record("Bot", ("#2", "made from #1")),
        Record("Ada", ("/status 1",), "#2"),
    )


def test_a_sentence_is_known_by_its_form() -> None:
    """A sentence is found with any data, or with those that are named."""
    shown = "3 of 4 pictures came out."
    assert pattern_of("partly").fullmatch(shown)
    assert pattern_of("partly", {"asked": 4}).fullmatch(shown)
    assert not pattern_of("partly", {"asked": 3}).fullmatch(shown)
    assert form_of("partly", {"asked": 4}) == "… of 4 pictures came out."


def test_a_message_is_written_as_it_is_seen() -> None:
    """Pictures with their shape, then the words, the buttons in their rows, and the reply that is asked for."""
    photo = {"width": 160, "height": 90, "url": "/x"}
    rows = [[{"text": "a"}, {"text": "b"}], [{"text": "c"}]]
    one = message(caption="snow\nin May", photo=photo, buttons=rows, spoiler=True)
    assert lines_of([one]) == [
        *("[picture, 16:9, covered]", "snow", "in May", "[a] [b]", "[c]"),
    ]
    files = [message(document={"url": "/x"})] * 2
    assert lines_of(files) == ["[2 files]"]
    assert lines_of([message("Well?", force_reply=True)]) == ["Well?", "[your reply: …]"]


def test_a_reply_names_what_it_answers() -> None:
    """A message is named by its first words, a picture by what is under it too."""
    assert Record("Bot", ("Well?", "Or not?")).quoted == "Bot: Well?"
    assert Record("Bot", ("(changed)", "[picture, 1:1]", "snow", "#1")).quoted == (
        "Bot: [picture, 1:1] snow"
    )
