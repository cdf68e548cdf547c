"""The rows that the bot's store has of a message, read and never written, from the demo's database."""

import asyncio
import contextlib
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

_QUERY: Final = """
  SELECT * FROM tasks WHERE id = coalesce(
    (SELECT task_id FROM messages WHERE chat_id = :chat AND message_id = :message),
    (SELECT max(id) FROM tasks WHERE chat_id = :chat AND message_id = :message),
    (SELECT max(id) FROM tasks WHERE chat_id = :chat AND progress_message_id = :message))
"""
_PARTS: Final = ("submissions", "images", "steps")
_SECRET: Final = ("hash",)
"""Columns with such a name are not shown: they are good for nothing but to be compared."""


class Rows:
    """The store's rows of a message's task."""

    def __init__(self, database: Path) -> None:
        self._database = database

    async def of_message(self, chat_id: int, message_id: int) -> dict[str, Any]:
        """Give the task of a message and its parts; {} where it belongs to none."""
        return await asyncio.to_thread(self._read, chat_id, message_id)

    def _read(self, chat_id: int, message_id: int) -> dict[str, Any]:
        address = f"file:{quote(str(self._database))}?mode=ro"
        try:
            with contextlib.closing(sqlite3.connect(address, uri=True, timeout=2)) as connection:
                connection.row_factory = sqlite3.Row
                given = {"chat": chat_id, "message": message_id}
                task = connection.execute(_QUERY, given).fetchone()
                if task is None:
                    return {}
                parts = {
                    part: [
                        _shown(row)
                        for row in connection.execute(
                            f"SELECT * FROM {part} WHERE task_id = ?",  # noqa: S608 - of our own
                            (task["id"],),
                        )
                    ]
                    for part in _PARTS
                }
                return {"task": _shown(task)} | parts
        except sqlite3.Error as error:
            # the bot may be making it just now
            return {"error": f"the database cannot be read: {error}"}


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    return {
        name: _value(name, row[name])
        for name in row.keys()  # noqa: SIM118 - a row gives its values otherwise
        if row[name] is not None and not any(word in name for word in _SECRET)
    }


def _value(name: str, value: Any) -> Any:
    """Write times so that they can be read."""
    if isinstance(value, int) and (name.endswith(("_at", "_until", "_since"))):
        return datetime.fromtimestamp(value / 1e6, tz=UTC).isoformat(timespec="milliseconds")
    return value
