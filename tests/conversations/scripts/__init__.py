"""The conversations, in the order of the document.

To add one, write a script in a module of this folder: a function of a talk, under `@conversation()`. Its
docstring's first line is the title, the rest says what it shows; `await talk.restart()` is where the bot
is killed in the second run. Then `python -m tests.conversations --write`.
"""

from typing import Final

from tests.conversations.conversation import Conversation, conversations_of
from tests.conversations.scripts import (
    albums,
    groups,
    languages,
    photos,
    privacy,
    progress,
    replies,
    results,
    settings,
    start,
    stats,
)

CONVERSATIONS: Final[tuple[Conversation, ...]] = conversations_of(
    start, photos, albums, replies, results, progress, groups, settings, languages, privacy, stats
)
