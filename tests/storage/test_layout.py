"""The layout's numbered steps."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from storage.layout import Migration, migrate, migrations, statements
from tests.storage.database_files import make


def test_migrations_are_numbered_without_gaps() -> None:
    """The files that come with the program are 1, 2, 3, … in order, each with something to do."""
    steps = migrations()
    assert [step.number for step in steps] == list(range(1, len(steps) + 1))
    assert all(step.statements for step in steps)


def test_a_script_is_split_into_its_statements() -> None:
    """A semicolon in a string, a comment or a trigger ends nothing."""
    script = (
        "-- one; two\nCREATE TABLE a (b DEFAULT ';');\n"
        "CREATE TRIGGER t AFTER INSERT ON a\nBEGIN\n  DELETE FROM a;\n  SELECT 1;\nEND;\n"
    )
    first, second = statements(script)
    assert first.endswith("';');")
    assert second.startswith("CREATE TRIGGER")
    assert second.endswith("END;")


async def test_a_migration_goes_through_whole_or_not_at_all(path: Path) -> None:
    """A step that fails leaves layout and number as they were; those before it stay."""
    await make(path)
    newest = migrations()[-1].number
    good = Migration(number=newest + 1, name="good", statements=("CREATE TABLE two (x)",))
    bad = Migration(
        number=newest + 2, name="bad", statements=("CREATE TABLE three (x)", "nonsense")
    )
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection, (*migrations(), good, bad))
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        version = connection.execute("PRAGMA user_version").fetchone()
    assert version == (newest + 1,)
    assert "two" in names
    assert "three" not in names
