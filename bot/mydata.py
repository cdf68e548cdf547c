"""What is kept on a person, as files that they can read: JSON, with the names that people use for things.

Rows come as the store gives them and are written as they come, so that a long history takes no more
memory than one file. Pure.
"""

import json
import textwrap
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from storage.people import senders_own

MOST: Final = 20 * 2**20
"""Bytes of one file: Telegram takes 50 MB, and a small machine should not hold as much."""

Piece = tuple[str, Mapping[str, Any]]
"""A row, and what it is."""

_SECTIONS: Final[Mapping[str, str]] = {
    "task": "pictures",
    "draft": "waiting_for_words_or_a_tap",
    "album_part": "photos_of_albums_being_gathered",
    "update": "messages_not_worked_off",
    "view": "lists_shown",
    "preference": "settings_chosen",
}
"""Where in the file a row stands; what belongs to a task stands with it."""
_OF_TASKS: Final[Mapping[str, str]] = {
    "image": "results",
    "submission": "sent_to_hidream",
    "step": "deliveries",
    "message": "messages_in_chats",
}
_NAMES: Final[Mapping[str, str]] = {
    "accepted_at": "taken_by_hidream_at",
    "as_file": "wanted_as_file",
    "caption": "words",
    "created_at": "asked_at",
    "data": "content",
    "ended_at": "over_at_hidream_at",
    "file_id": "telegram_file_id",
    "file_unique_id": "telegram_unique_file_id",
    "hidream_task_id": "hidream_number",
    "id": "number",
    "negative": "must_not_be_in_it",
    "origin": "telegram_update",
    "parent_id": "made_from_number",
    "photos": "your_photos",
    "place": "where",
    "pressed": "button_pressed",
    "prompt": "words",
    "question_id": "our_question",
    "raw": "content",
    "request_id": "our_number_at_hidream",
    "silent": "wanted_without_sound",
    "sub_task_id": "hidream_number",
    "user_id": "your_telegram_id",
    "vendor_code": "hidream_last_code",
    "vendor_message": "hidream_last_words",
    "withdrawn": "stopped_by_you",
}
"""What a field is called where its name in the store says little; the others keep theirs."""


def file_name(part: int | None = None) -> str:
    """Give the name of the file, or of one of several."""
    return "mydata.json" if part is None else f"mydata-{part}.json"


async def files(
    pieces: AsyncIterator[Piece], heading: Mapping[str, object], *, most: int = MOST
) -> AsyncIterator[bytes]:
    """Write the rows down, each file under this heading and of about so many bytes at most.

    Gives nothing where there are no rows.
    """
    part = _Part(heading)
    async for section, entry in _entries(pieces):
        text = json.dumps(entry, ensure_ascii=False, indent=2)
        # Lone surrogates are no UTF-8: what Telegram never sends, and a row could have.
        written = text.encode("utf-8", "replace")
        if part.size and part.size + len(written) > most:
            yield part.whole()
            part = _Part(heading)
        part.add(section, written.decode(), len(written))
    if part.size:
        yield part.whole()


class _Part:
    """One file, as it grows."""

    def __init__(self, heading: Mapping[str, object]) -> None:
        self.size = 0
        self._heading = heading
        self._sections: dict[str, list[str]] = {}

    def add(self, section: str, entry: str, size: int) -> None:
        self._sections.setdefault(section, []).append(entry)
        self.size += size

    def whole(self) -> bytes:
        lines = [
            f"{_json(name)}: {json.dumps(value, ensure_ascii=False)}"
            for name, value in self._heading.items()
        ]
        for section in _SECTIONS.values():
            if entries := self._sections.get(section):
                listed = textwrap.indent(",\n".join(entries), "  ")
                lines.append(f"{_json(section)}: [\n{listed}\n]")
        body = textwrap.indent(",\n".join(lines), "  ")
        return f"{{\n{body}\n}}\n".encode()


async def _entries(pieces: AsyncIterator[Piece]) -> AsyncIterator[tuple[str, Mapping[str, Any]]]:
    """Put what belongs to tasks with them: the store gives some tasks, and then all of theirs."""
    tasks: dict[int, dict[str, Any]] = {}
    complete = False
    async for kind, row in pieces:
        if kind in _OF_TASKS:
            complete = True
            belonging = {name: value for name, value in row.items() if name != "task_id"}
            tasks[row["task_id"]].setdefault(_OF_TASKS[kind], []).append(_readable(belonging))
            continue
        if complete or kind != "task":
            for task in tasks.values():
                yield _SECTIONS["task"], task
            tasks, complete = {}, False
        if kind == "task":
            tasks[row["id"]] = _readable(row)
        else:
            yield _SECTIONS[kind], {**_readable(row), **_content(kind, row)}
    for task in tasks.values():
        yield _SECTIONS["task"], task


def _readable(row: Any) -> Any:
    """Give a row with the names that people use, and without what is not known."""
    if isinstance(row, Mapping):
        return {
            _NAMES.get(name, name): _readable(value)
            for name, value in row.items()
            if value is not None
        }
    if isinstance(row, list | tuple):
        return [_readable(one) for one in row]
    return row


def _content(kind: str, row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give what a row has as JSON itself; of an update, as Telegram calls it, what is the sender's."""
    if kind == "album_part":
        return {"content": _readable(json.loads(row["data"]))}
    if kind != "update":
        return {}
    return {"content": senders_own(row["raw"])}


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
