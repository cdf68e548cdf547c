"""Databases of every layout that has landed, with rows in every table and in every state.

Rows are made from the tables as they are: a column that comes later is filled by itself. What no rule
can guess (which columns go together in a state) stands in `_TASKS` and `_OTHERS`.
"""

import itertools
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from storage.database import APPLICATION_ID
from storage.layout import migrate, migrations

NEWEST: Final = migrations()[-1].number
LAYOUTS: Final = tuple(range(1, NEWEST + 1))
_PHOTO: Final = (
    '[{"file_id": "f", "file_unique_id": "u", "kind": "photo", "width": 4, "height": 3,'
    ' "size": null}]'
)
_FINISHED: Final = {"finished_at": 9}
_CLAIMED: Final = {"claimed_by": "x", "lease_until": 9}
_TASKS: Final[Mapping[str, Mapping[str, Any]]] = {
    "queued": {},
    "waiting": {"due_at": 5},
    "submitting": {"request_id": "r", **_CLAIMED},
    "uncertain": {"request_id": "r", "due_at": 5},
    "running": {"deadline_at": 7},
    "ready": {"ready_at": 6},
    "delivering": {"ready_at": 6, **_CLAIMED},
    **dict.fromkeys(("delivered", "failed", "gone", "cancelled"), _FINISHED),
}
"""What a task has in each state; of the columns that may be empty, those that are not named are."""
_OTHERS: Final[Mapping[tuple[str, str], Any]] = {
    ("inbox", "state"): {"new": {"handled_at": None}, "done": {}, "aside": {}},
    ("albums", "closed"): {1: {"due_at": None}},
}
_JSON: Final[Mapping[str, str]] = {
    "photos": _PHOTO,
    "message_ids": "[7]",
    "failure_data": "{}",
    "raw": '{"update_id": 1}',
    "data": "{}",
}
_OUR_OWN: Final = frozenset({"meta", "tallies"})
"""Filled by the layout itself."""
_FLAGS: Final = re.compile(r"CHECK \((\w+) IN \(0, 1\)")
_CHOICES: Final = re.compile(r"CHECK \((\w+) IN \(([^)]*'[^)]*)\)\)")


def build(path: Path, layout: int) -> None:
    """Make a database of this layout, with rows in all its tables."""
    path.parent.mkdir(exist_ok=True, parents=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        migrate(connection, tuple(step for step in migrations() if step.number <= layout))
        connection.execute("PRAGMA journal_mode = WAL")
        fill(connection)
    path.chmod(0o600)


def fill(connection: sqlite3.Connection) -> None:
    """Put rows into all tables: tasks in every state, and every choice of every column elsewhere."""
    numbers = itertools.count(1)
    names = [name for name in tables(connection) if name not in _OUR_OWN]
    for name in sorted(names, key=lambda one: one != "tasks"):
        for fixed in _shapes(connection, name):
            _insert(connection, name, fixed, next(numbers))


def tables(connection: sqlite3.Connection) -> list[str]:
    """Give the names of our tables."""
    rows = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    return [name for (name,) in rows]


def rows_of(connection: sqlite3.Connection) -> dict[str, list[dict[str, Any]]]:
    """Give all rows of all tables."""
    connection.row_factory = sqlite3.Row
    return {
        name: [dict(row) for row in connection.execute(f'SELECT * FROM "{name}"')]
        for name in tables(connection)
    }


def _shapes(connection: sqlite3.Connection, table: str) -> Iterator[Mapping[str, Any]]:
    """Give what is fixed of each row that is to be made."""
    if table == "tasks":
        for state, columns in _TASKS.items():
            yield {"state": state, **columns}
        return
    choices = dict(_choices(connection, table))
    yield from _others(table, {})
    for column, values in choices.items():
        for value in values:
            yield from _others(table, {column: value})


def _others(table: str, fixed: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    known = {column: more for (one, column), more in _OTHERS.items() if one == table}
    for column, more in known.items():
        for value, columns in more.items():
            if fixed.get(column, value) == value:
                yield {**fixed, column: value, **columns}
    if not known:
        yield fixed


def _choices(connection: sqlite3.Connection, table: str) -> Iterator[tuple[str, list[str]]]:
    for column, listed in _CHOICES.findall(_sql(connection, table)):
        yield column, re.findall(r"'([^']*)'", listed)


def _sql(connection: sqlite3.Connection, table: str) -> str:
    (sql,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    return re.sub(r"\s+", " ", sql)


def _insert(
    connection: sqlite3.Connection, table: str, fixed: Mapping[str, Any], number: int
) -> None:
    flags = set(_FLAGS.findall(_sql(connection, table)))
    choices = dict(_choices(connection, table))
    values: dict[str, Any] = {}
    for _, name, kind, required, default, key in connection.execute(f"PRAGMA table_info({table})"):
        if name in fixed:
            values[name] = fixed[name]
        elif name == "task_id":
            values[name] = 1 + number % len(_TASKS)
        elif name in flags:
            values[name] = 0
        elif table == "tasks" and not required and not key and name != "hidream_task_id":
            continue  # what goes together in a state is fixed
        elif name in choices:
            values[name] = choices[name][0]
        elif name in _JSON:
            values[name] = _JSON[name]
        elif kind == "TEXT" and default is None:
            values[name] = f"{name} {number}"
        elif default is None:
            values[name] = number
    columns, places = ", ".join(values), ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({places})", [*values.values()])
