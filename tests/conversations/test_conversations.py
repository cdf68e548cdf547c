"""Every conversation, in each of its places, with and without a restart: as the document shows it."""

from pathlib import Path

import pytest

from tests.conversations.document import DOCUMENT, document, section
from tests.conversations.scripts import CONVERSATIONS
from tests.conversations.stage import Played, play_all


# one test, since all of them are played side by side: nobody has to wait for another's
@pytest.mark.timeout(300)
async def test_they_go_as_the_document_shows(tmp_path: Path) -> None:
    """Each goes so in each of its places, and killing the bot in its middle makes no difference.

    Mend: python -m tests.conversations --write
    """
    played = await play_all(tmp_path)
    shown = DOCUMENT.read_text()
    wrong = []
    for one in CONVERSATIONS:
        own = {(play.scene, play.killed): play for play in played if play.title == one.title}
        assert set(own) == {(scene.name, killed) for scene in one.scenes for killed in (0, 1)}
        wrong += [_named(play, play.error) for play in own.values() if play.error]
        for scene in one.scenes:
            undisturbed, killed = own[scene.name, False], own[scene.name, True]
            if not killed.restarts:
                wrong.append(_named(killed, "the bot is not killed in its middle"))
            if killed.records != undisturbed.records:
                wrong.append(_named(killed, "the restart makes a difference"))
        if section(one, list(own.values())) not in shown:
            wrong.append(f"{one.title}: the document shows it otherwise")
    assert not wrong, "\n".join(wrong)
    assert shown == document(played)


def _named(play: Played, what: str) -> str:
    return f"{play.title}, {play.scene}{', killed' if play.killed else ''}: {what}"


def test_titles_are_their_own() -> None:
    """No two conversations share a title, and each says what it shows."""
    assert len({one.title for one in CONVERSATIONS}) == len(CONVERSATIONS)
    assert all(one.title and one.about for one in CONVERSATIONS)
