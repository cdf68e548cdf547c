"""The file of all that is kept on a person: readable, theirs alone, and never too large."""

import json
from collections.abc import AsyncIterator
from typing import Any

from bot.mydata import Piece, file_name, files

HEADING = {"about": "All of it: 我", "your_telegram_id": 5}


async def _given(*pieces: Piece) -> AsyncIterator[Piece]:
    for piece in pieces:
        yield piece


async def _written(*pieces: Piece, most: int = 10_000) -> list[dict[str, Any]]:
    return [json.loads(content) async for content in files(_given(*pieces), HEADING, most=most)]


async def test_what_belongs_to_a_picture_stands_with_it() -> None:
    """Rows have the names that people use, nothing unknown, and what is a picture's is in it."""
    [file] = await _written(
        ("task", {"id": 1, "settings": {"prompt": "snow", "negative": ""}, "due_at": None}),
        ("task", {"id": 2, "photos": [{"file_id": "f"}]}),
        ("image", {"task_id": 2, "n": 0, "file_id": "r"}),
        ("message", {"task_id": 1, "message_id": 9}),
        ("task", {"id": 3, "parent_id": 2}),
        ("draft", {"id": 1, "caption": "rain"}),
        ("preference", {"scope": "user", "name": "ratio", "value": "1:1"}),
    )
    assert file == {
        **HEADING,
        "pictures": [
            {
                "number": 1,
                "settings": {"words": "snow", "must_not_be_in_it": ""},
                "messages_in_chats": [{"message_id": 9}],
            },
            {
                "number": 2,
                "your_photos": [{"telegram_file_id": "f"}],
                "results": [{"n": 0, "telegram_file_id": "r"}],
            },
            {"number": 3, "made_from_number": 2},
        ],
        "waiting_for_words_or_a_tap": [{"number": 1, "words": "rain"}],
        "settings_chosen": [{"scope": "user", "name": "ratio", "value": "1:1"}],
    }


async def test_what_somebody_else_said_is_not_theirs() -> None:
    """Of a message that was not worked off only what its sender wrote is given, not what it replies to."""
    raw = {
        "update_id": 7,
        "message": {
            "text": "mine",
            "from": {"id": 5},
            "chat": {"id": -1, "title": "Friends"},
            "reply_to_message": {"text": "theirs"},
            "forward_origin": {"sender_user": {"first_name": "Bob"}},
        },
    }
    part = {"user_id": 5, "text": "mine"}
    [file] = await _written(
        ("album_part", {"message_id": 3, "data": json.dumps(part)}),
        ("update", {"update_id": 7, "raw": json.dumps(raw)}),
    )
    assert file["messages_not_worked_off"] == [
        {"update_id": 7, "content": {"message": {"text": "mine", "from": {"id": 5}}}}
    ]
    assert file["photos_of_albums_being_gathered"] == [
        {"message_id": 3, "content": {"your_telegram_id": 5, "text": "mine"}}
    ]


async def test_it_can_be_read_by_people() -> None:
    """It is indented UTF-8, with letters as they were written; what is no letter spoils nothing."""
    pieces = _given(("task", {"id": 1, "prompt": "下雪"}), ("draft", {"caption": "\ud800"}))
    [content] = [content async for content in files(pieces, HEADING)]
    text = content.decode()
    assert '\n    "words": "下雪"' in text.replace("      ", "    ")
    assert text.startswith('{\n  "about": "All of it: 我",\n')
    assert json.loads(text)["waiting_for_words_or_a_tap"] == [{"words": "?"}]


async def test_much_becomes_several_files() -> None:
    """Each is a whole one, with the heading, and all together have each row once; nothing gives none."""
    rows = [("task", {"id": n, "prompt": "x" * 100}) for n in range(1, 30)]
    written = await _written(*rows, most=1000)
    assert len(written) > 3
    numbers = [entry["number"] for file in written for entry in file["pictures"]]
    assert numbers == list(range(1, 30))
    assert all(file["about"] == HEADING["about"] for file in written)
    assert await _written() == []
    assert [file_name(), file_name(2)] == ["mydata.json", "mydata-2.json"]
