"""All rows that are kept about people and tasks, written out one by one, as of one moment.

The names are those of the store's own types, and of `Privacy.everything_of`, from which `/mydata` is
made. What is nobody's to read (hashes of callbacks and of people, the key of those) is left out.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from storage.keeping.reading import check_own_layout, check_source, snapshot
from storage.people import has_a_chat, is_by, is_from, plain, senders_own
from storage.soundness import refusing
from storage.sqlite.privacy import OF_TASKS
from storage.sqlite.rows import (
    album_part_of,
    draft_of,
    inbox_row_of,
    moment,
    task_of,
    view_of,
)

Row = Mapping[str, Any]


class _Kind(NamedTuple):
    name: str
    all_rows: str
    ones_rows: str | None
    """Those of a person, by `?1`; None where a person has none."""
    written: Callable[[sqlite3.Row], Row]
    is_ones: Callable[[sqlite3.Row, int], bool] = lambda _row, _user_id: True
    """Whether a row is a person's, where SQL can't tell."""


def _of_task(name: str, sql: str, written: Callable[[sqlite3.Row], Row]) -> _Kind:
    return _Kind(
        name,
        sql.format("SELECT id FROM tasks"),
        sql.format("SELECT id FROM tasks WHERE user_id = ?1"),
        written,
    )


def _album(row: sqlite3.Row) -> Row:
    return {
        **dict(row),
        "created_at": _iso(row["created_at"]),
        "due_at": _iso(row["due_at"]),
        "closed": bool(row["closed"]),
    }


def _update(row: sqlite3.Row) -> Row:
    more = {"state": row["state"], "error": row["error"], "handled_at": _iso(row["handled_at"])}
    return {**plain(inbox_row_of(row)), **more}


def _iso(time: int | None) -> str | None:
    return None if time is None else moment(time).isoformat()


_TASKS: Final = "SELECT * FROM tasks{} ORDER BY id"
_DRAFTS: Final = "SELECT * FROM drafts{} ORDER BY id"
_VIEWS: Final = "SELECT * FROM views{} ORDER BY id"
_PREFERENCES: Final = "SELECT * FROM preferences{} ORDER BY scope, owner_id, name"
_OF_USER: Final = " WHERE user_id = ?1"
_KINDS: Final = (
    _Kind("task", _TASKS.format(""), _TASKS.format(_OF_USER), lambda row: plain(task_of(row))),
    *(_of_task(*one) for one in OF_TASKS),
    _Kind("draft", _DRAFTS.format(""), _DRAFTS.format(_OF_USER), lambda row: plain(draft_of(row))),
    _Kind("view", _VIEWS.format(""), _VIEWS.format(_OF_USER), lambda row: plain(view_of(row))),
    _Kind(
        "preference",
        _PREFERENCES.format(""),
        _PREFERENCES.format(" WHERE owner_id = ?1"),
        dict,
        lambda row, user_id: row["scope"] == "user" or has_a_chat(user_id),
    ),
    _Kind("album", "SELECT * FROM albums ORDER BY chat_id, media_group_id", None, _album),
    _Kind(
        "album_part",
        "SELECT * FROM album_parts ORDER BY bot_id, update_id",
        (
            "SELECT part.* FROM albums CROSS JOIN album_parts AS part ON part.chat_id ="
            " albums.chat_id AND part.media_group_id = albums.media_group_id WHERE closed = 0"
            " AND data <> '' AND ?1 ORDER BY part.bot_id, part.update_id"
        ),
        lambda row: plain(album_part_of(row)),
        lambda row, user_id: is_by(row["data"], user_id),
    ),
    _Kind(
        "update",
        "SELECT * FROM inbox ORDER BY id",
        "SELECT * FROM inbox WHERE state <> 'done' AND ?1 ORDER BY id",
        _update,
        lambda row, user_id: is_from(row["raw"], user_id),
    ),
)
KINDS: Final = tuple(kind.name for kind in _KINDS)
"""What a line's "kind" can be, but for the first line and the last."""


class Export:
    """The rows of a database, of everybody or of one person."""

    def __init__(self, database: Path, *, user_id: int | None = None) -> None:
        """Look whether there is a database.

        Raises:
            DatabaseRefused: there is none that can be read.
        """
        check_source(database)
        self._database = database
        self._user_id = user_id

    def lines(self, heading: Mapping[str, Any]) -> Iterator[str]:
        """Give each row as a line of JSON, all as they are at this moment; no more than a few are held.

        The first says what this is (`heading`), the last how many rows there were.

        Raises:
            DatabaseRefused: it cannot be read, or is of another layout than this program's.
        """
        count = 0
        with refusing(self._database), snapshot(self._database) as connection:
            layout = check_own_layout(connection, self._database)
            yield _line("export", {**heading, "layout": layout, "user_id": self._user_id})
            connection.row_factory = sqlite3.Row
            for kind in _KINDS:
                for row in self._rows(connection, kind):
                    count += 1
                    # apart: a draft, or a view, has a kind of its own
                    yield _line(kind.name, {"row": self._written(kind, row)})
        yield _line("end", {"rows": count})

    def _rows(self, connection: sqlite3.Connection, kind: _Kind) -> Iterator[sqlite3.Row]:
        if self._user_id is None:
            yield from connection.execute(kind.all_rows)
        elif kind.ones_rows is not None:
            for row in connection.execute(kind.ones_rows, (self._user_id,)):
                if kind.is_ones(row, self._user_id):
                    yield row

    def _written(self, kind: _Kind, row: sqlite3.Row) -> Row:
        written = kind.written(row)
        if self._user_id is None or "raw" not in written:
            return written
        # what they reply to, or forward, may be somebody else's
        return {**written, "raw": json.dumps(senders_own(written["raw"]))}

    def count(self) -> int:
        """Say how many rows there are, about: for a bar.

        Raises:
            DatabaseRefused: as `lines` does.
        """
        tables = {"tasks": "id", "images": "n", "messages": "message_id", "inbox": "id"}
        with refusing(self._database), snapshot(self._database) as connection:
            check_own_layout(connection, self._database)
            return sum(
                connection.execute(f"SELECT count({key}) FROM {table}").fetchone()[0]  # noqa: S608 - ours
                for table, key in tables.items()
            )


def _line(kind: str, row: Row) -> str:
    # Lone surrogates are no UTF-8: as escapes they pass.
    return json.dumps({"kind": kind, **row}, ensure_ascii=True)
