"""The layout of the database, and how it is brought up to date: numbered steps, each whole or not."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable


@dataclass(frozen=True, kw_only=True, slots=True)
class Migration:
    """One numbered change of the layout."""

    number: int
    name: str
    statements: tuple[str, ...]


def statements(script: str) -> Iterator[str]:
    """Split a script into its statements: sqlite3's own `executescript` would commit before it."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending.strip()
            pending = ""


def migrations() -> tuple[Migration, ...]:
    """Read the numbered SQL files that come with the program, in order."""
    folder = resources.files("storage") / "migrations"
    files = sorted((one for one in folder.iterdir() if one.name.endswith(".sql")), key=_file_name)
    return tuple(
        Migration(
            number=int(one.name.split("_", 1)[0]),
            name=one.name,
            statements=tuple(statements(one.read_text(encoding="utf-8"))),
        )
        for one in files
    )


def _file_name(file: Traversable) -> str:
    return file.name


def migrate(connection: sqlite3.Connection, steps: tuple[Migration, ...]) -> None:
    """Bring the layout up to date: each step in one transaction, together with its number."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for step in steps:
        if step.number <= version:
            continue
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in step.statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {step.number}")
            connection.execute("COMMIT")
        finally:
            connection.rollback()
