"""Rows as lines: all of them, as of one moment, and of one person what `/mydata` has."""

import json
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from storage.keeping.export import KINDS, Export
from storage.people import senders_own
from storage.sqlite import open_store
from storage.store import DatabaseRefused
from storage.tasks import NewUpdate
from tests.storage.database_files import change, everything, make
from tests.storage.filling import LAYOUTS, NEWEST, build, rows_of
from tests.storage.making import BOT, START, HandClock, add, new_draft

_TABLES = {
    "task": "tasks",
    "image": "images",
    "step": "steps",
    "message": "messages",
    "submission": "submissions",
    "draft": "drafts",
    "view": "views",
    "preference": "preferences",
    "album": "albums",
    "album_part": "album_parts",
    "update": "inbox",
}
_NOBODYS = {"meta", "tallies", "durations", "notices", "facts"}
"""What is no row about people or tasks. A table that a new layout brings belongs here, or into the export."""


def read(path: Path, user_id: int | None = None) -> list[dict[str, Any]]:
    """Give what the lines say."""
    return [json.loads(line) for line in Export(path, user_id=user_id).lines({"version": "1"})]


async def filled(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Make a database with rows in all tables, and in the newest layout."""
    build(path, NEWEST)
    await (await open_store(path, clock=HandClock())).close()
    with closing(sqlite3.connect(path)) as connection:
        return rows_of(connection)


async def test_every_row_about_people_and_tasks_is_a_line(path: Path) -> None:
    """Each row of each table is there once, in a line that says its kind; what is nobody's is not."""
    rows = await filled(path)
    first, *lines, last = read(path)
    assert first == {"kind": "export", "version": "1", "layout": NEWEST, "user_id": None}
    assert last == {"kind": "end", "rows": len(lines)}
    assert set(_TABLES) == set(KINDS)
    assert {*_TABLES.values(), *_NOBODYS} == set(rows)
    for kind, table in _TABLES.items():
        assert len([line for line in lines if line["kind"] == kind]) == len(rows[table]), kind


async def test_nothing_secret_is_in_a_line(path: Path) -> None:
    """No hash and no key is written, and each time is in ISO 8601 with its zone."""
    rows = await filled(path)
    lines = [*Export(path).lines({})]
    secrets = [row["callback_hash"] for row in rows["submissions"]]
    secrets += [row["value"] for row in rows["facts"]]
    assert all(secrets)
    for secret in secrets:
        assert secret not in "\n".join(lines)
    assert not any('"person_hash"' in line for line in lines)
    times = [
        value
        for line in lines
        for name, value in json.loads(line).get("row", {}).items()
        if name.endswith(("_at", "_until")) and value is not None
    ]
    assert len(times) > 30
    assert all(datetime.fromisoformat(time).utcoffset() is not None for time in times)


async def test_the_lines_of_a_person_are_those_of_mydata(path: Path) -> None:
    """With a person's id there is what the store knows of them, in the same words, and no one else's."""
    store = await open_store(path, clock=HandClock())
    reply = {"reply_to_message": {"text": "somebody else's"}}
    for user_id in (5, 6):
        task = await add(store, user_id, user_id=user_id)
        await store.cancel_queued(user_id, task.place.chat_id, START)
        await store.add_draft(new_draft(10 + user_id, user_id=user_id, chat_id=user_id), START)
        raw = json.dumps({"message": {"from": {"id": user_id}, "text": "\ud800 snow", **reply}})
        await _receive(store, 20 + user_id, user_id, raw)
    expected = [(kind, dict(row)) async for kind, row in store.everything_of(5)]
    for _, row in expected:
        if "raw" in row:
            row["raw"] = json.dumps(senders_own(row["raw"]))
    _, *lines, _ = read(path, user_id=5)
    await store.close()
    assert {line["kind"] for line in lines} == {"task", "draft", "update"}
    found = [
        (line["kind"], {name: line["row"][name] for name in row})
        for line, (_, row) in zip(lines, expected, strict=True)
    ]
    assert found == expected
    assert "somebody else's" not in json.dumps(lines)
    _, *everybodys, _ = read(path)
    assert [line for line in everybodys if line in lines] == [
        line for line in lines if line["kind"] != "update"
    ]
    assert json.dumps(everybodys).count("somebody else's") == 2, "everybody's rows are whole"


async def _receive(store: Any, update_id: int, chat_id: int, raw: str) -> None:
    update = NewUpdate(update_id=update_id, chat_id=chat_id, raw=raw)
    await store.receive(BOT, [update], START)


async def test_all_lines_are_of_one_moment(path: Path) -> None:
    """What is written while the lines are read is not in them, and who writes does not wait."""
    store = await open_store(path, clock=HandClock())
    for number in range(1, 4):
        await add(store, number)
    lines = Export(path).lines({})
    heading = json.loads(next(lines))
    await add(store, 4)
    await add(store, 5)
    kinds = [json.loads(line)["kind"] for line in lines]
    await store.close()
    assert heading["kind"] == "export"
    assert kinds.count("task") == 3
    assert [line["kind"] for line in read(path)].count("task") == 5


async def test_what_cannot_be_read_is_told(path: Path) -> None:
    """No database, an older layout and a newer one have their sentences, and nothing is changed."""
    path.parent.mkdir()
    with pytest.raises(DatabaseRefused, match="There is no database"):
        read(path)
    build(path, LAYOUTS[-2])
    change(path)
    before = everything(path.parent)
    with pytest.raises(DatabaseRefused, match="Start the bot once"):
        read(path)
    assert everything(path.parent) == before
    path.unlink()
    await make(path)
    change(path, "PRAGMA user_version = 999")
    with pytest.raises(DatabaseRefused, match="newer version"):
        read(path)
