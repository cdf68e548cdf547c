"""Every conversation, in each of its places, with and without a restart: as the document shows it."""

import asyncio
import fcntl
import json
import os
from dataclasses import asdict
from typing import Any

import pytest

from tests.conversations.conversation import Conversation
from tests.conversations.document import DOCUMENT, document, section
from tests.conversations.scripts import CONVERSATIONS
from tests.conversations.shown import Record
from tests.conversations.stage import Played, play_all

# whoever comes first plays all of it, and the others wait for that
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> list[Played]:
    """Play all conversations, once for all processes that run tests."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    kept = shared / "conversations.json"
    with (shared / "conversations.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            found = asyncio.run(play_all(tmp_path_factory.mktemp("conversations")))
            kept.write_text(json.dumps([asdict(one) for one in found]))
    return [_read(**values) for values in json.loads(kept.read_text())]


def _read(*, records: list[dict[str, Any]], **values: Any) -> Played:
    read = tuple(Record(one["who"], tuple(one["lines"]), one["to"]) for one in records)
    return Played(records=read, **values)


@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda one: one.title)
def test_conversation(conversation: Conversation, played: list[Played]) -> None:
    """It goes as the document shows, in each place (mend: python -m tests.conversations --write)."""
    own = [one for one in played if one.title == conversation.title]
    for one in own:
        assert not one.error, f"in {one.scene}{', killed' if one.killed else ''}: {one.error}"
    assert section(conversation, own) in DOCUMENT.read_text()


@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda one: one.title)
def test_a_restart_changes_nothing(conversation: Conversation, played: list[Played]) -> None:
    """It is played in each of its places twice, and killing the bot in its middle makes no difference."""
    own = {(one.scene, one.killed): one for one in played if one.title == conversation.title}
    assert set(own) == {(scene.name, killed) for scene in conversation.scenes for killed in (0, 1)}
    for scene in conversation.scenes:
        undisturbed, killed = own[scene.name, False], own[scene.name, True]
        assert killed.restarts, "the bot is killed in its middle"
        assert killed.records == undisturbed.records


def test_the_document_is_up_to_date(played: list[Played]) -> None:
    """docs/conversations.md is what was played (mend: python -m tests.conversations --write)."""
    assert DOCUMENT.read_text() == document(played)


def test_titles_are_their_own() -> None:
    """No two conversations share a title, and each says what it shows."""
    assert len({one.title for one in CONVERSATIONS}) == len(CONVERSATIONS)
    assert all(one.title and one.about for one in CONVERSATIONS)
