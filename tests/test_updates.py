"""Updates as they come in: whatever they hold, they can be kept, or are known not to be."""

import json
from typing import Any

import pytest

from bot import updates
from storage.tasks import NewUpdate


@pytest.mark.parametrize(
    "update",
    [
        *(None, 7, "update", [], {}, {"update_id": "7"}, {"update_id": None}),
        *({"update_id": True}, {"update_id": 1.5}, {"update_id": 2**63}, {"update_id": -(2**64)}),
    ],
)
def test_what_is_no_update(update: object) -> None:
    """What has no number that a database can keep is not taken for an update."""
    assert updates.read(update) is None


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b'{"update_id": 5, "message": {"chat": {"id": 7}}}', (5, 7, True)),
        (b'{"update_id":5,\n"message":{"text":"cut off', (5, None, False)),
        (b' { "update_id" : 5, "message": {"text": "\xff"}}', (5, None, False)),
        (b'{"update_id":5' + b"[" * 100_000, (5, None, False)),
        *((body, None) for body in (b"", b"null", b"[]", b"{", b'{"update_id":"5"}', b"\xff")),
        *((b'{"update_id":' + number, None) for number in (b"99999999999999999999", b"5.5", b"-1")),
        (b'{"message":{"update_id":5', None),
    ],
)
def test_what_a_request_brings(body: bytes, kept: tuple[int, int | None, bool] | None) -> None:
    """What begins as an update is kept, by its number alone where the rest cannot be read."""
    found = updates.parsed(body)
    assert (found and (found.update_id, found.chat_id, found.raw != "")) == kept


@pytest.mark.parametrize(
    ("content", "chat"),
    [
        ({"message": {"chat": {"id": -5}, "from": {"id": 9}}}, -5),
        ({"callback_query": {"from": {"id": 9}, "message": {"chat": {"id": -5}}}}, 9),
        ({"callback_query": {"from": 9, "message": {"chat": {"id": -5}}}}, -5),
        ({"callback_query": {"from": {"id": 9}}}, 9),
        ({"message": {"chat": {"id": 2**63}}}, None),
        ({"message": {"chat": {"id": 2**70}, "from": {"id": 9}}}, 9),
        ({"message": {"chat": {"id": True}}}, None),
        ({"message": {"chat": 5}}, None),
        ({"poll": {}}, None),
        ({"message": "text"}, None),
    ],
)
def test_whose_update_it_is(content: dict[str, Any], chat: int | None) -> None:
    """It belongs to its chat (a press to whoever pressed), else to its person, as far as they have ids that can be kept."""
    update = {"update_id": 2**63 - 1, **content}
    assert updates.read(update) == NewUpdate(
        update_id=2**63 - 1, chat_id=chat, raw=json.dumps(update)
    )


def test_half_a_surrogate_pair() -> None:
    """What is in no text becomes the sign for that, wherever it stands; all else stays as it was."""
    sent = (
        '{"update_id": 1, "message": {"text": "\\ud83d 🎉\\u0000 \\ud83c\\udf89 \\ude00\\ud83d"}}'
    )
    kept = updates.read(json.loads(sent))
    assert kept is not None
    kept.raw.encode()  # any database can keep it
    assert json.loads(kept.raw)["message"]["text"] == "\ufffd 🎉\x00 🎉 \ufffd\ufffd"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ('{"update_id": 1, "message": {"from": {"language_code": "de"}}}', "de"),
        ('{"update_id": 1, "callback_query": {"from": {"language_code": "pt-br"}}}', "pt-br"),
        ('{"update_id": 1, "message": {"from": {"language_code": 7}}}', None),
        *(('{"message": {"from": 7}}', None), ('{"message": 7}', None)),
        *(("[]", None), ("", None), ("{", None)),
    ],
)
def test_whose_language_it_is(raw: str, code: str | None) -> None:
    """Also an update that nobody can handle says what language its sender reads."""
    assert updates.language_in(raw) == code
