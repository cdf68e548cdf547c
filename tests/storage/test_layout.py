"""The layout's numbered steps."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from storage.database import APPLICATION_ID
from storage.layout import Migration, migrate, migrations, statements
from storage.sqlite import open_store
from storage.tasks import AlbumPart, Origin, Photo, Settings
from tests.storage.database_files import make
from tests.storage.making import START, HandClock


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


async def test_rows_of_an_older_layout_are_kept(path: Path) -> None:
    """A database of the second layout, with a task, a draft, an album and an update in it, opens with all of them."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        migrate(connection, migrations()[:2])
        connection.executescript(
            "INSERT INTO tasks (bot_id, update_id, n, user_id, chat_id, chat_type, message_id,"
            " photos, prompt, negative, count, turn, created_at, state, finished_at,"
            " progress_message_id) VALUES (1, 1, 0, 5, 5, 'private', 9,"
            ' \'[{"file_id": "f", "file_unique_id": "u", "kind": "photo", "width": 4, "height": 3,'
            " \"size\": null}]', 'snow', '', 1, 1, 0, 'delivered', 1, 7);"
            "INSERT INTO drafts (bot_id, update_id, n, user_id, chat_id, chat_type, message_id,"
            " photos, caption, created_at) VALUES (1, 2, 0, 5, 5, 'private', 10, '[]', 'x', 0);"
            "INSERT INTO albums VALUES (5, 'g', 1, 2, 0, 0);"
            "INSERT INTO inbox (bot_id, update_id, chat_id, raw, received_at)"
            " VALUES (1, 3, 5, '{}', 0);"
        )
    path.chmod(0o600)
    store = await open_store(path, clock=HandClock())
    try:
        [task] = await store.tasks_of(5, limit=9)
        assert task.photos == (Photo(file_id="f", file_unique_id="u", width=4, height=3),)
        assert task.settings == Settings(prompt="snow")
        assert (task.withdrawn, task.pruned, task.pressed) == (False, False, None)
        draft = await store.draft(1)
        assert draft is not None
        assert (draft.kind, draft.caption) == ("words", "x")
        part = AlbumPart(
            origin=Origin(bot_id=1, update_id=4),
            chat_id=5,
            media_group_id="g",
            message_id=11,
            data="{}",
        )
        assert not await store.album_part(part, now=START, due_at=START), "it was answered then"
        assert await store.albums_due(START, 9) == []
        assert [row.update_id for row in await store.inbox_heads(START, 9)] == [3]
        assert (await store.counts())["delivered"] == 1
    finally:
        await store.close()
