"""docs/conversations.md, made of what was played."""

import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from tests.conversations.conversation import Conversation
from tests.conversations.notes import GROUP, PRIVATE, TOPICS, Scene
from tests.conversations.scripts import CONVERSATIONS
from tests.conversations.shown import Record
from tests.conversations.someone import ADDRESS
from tests.conversations.stage import Played

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "conversations.md"
_WIDTH: Final = 92
_INDENT: Final = 5
_QUOTED: Final = 60
"""So many characters of a message are shown where another replies to it."""

_INTRODUCTION: Final = f"""\
# What it is like to talk to it

Conversations that the tests have played, with the bot as a process and a Telegram and a HiDream that speak
HTTP, and written down as a person would read them. Written by `python -m tests.conversations --write`; a
test fails when the bot says anything else.

Each is played in a private chat, in a group, and in a topic of a supergroup, or where else it makes sense, and
all of that once more with the bot killed (`kill -9`) and started again at the marked place; nothing may differ
by that. In groups the bot listens only to what is meant for it: words begin with `{ADDRESS}`, or reply to one
of its messages.

`↳` begins what replies to the message before it, `↳ (…)` what replies to an earlier one; `[ ]` are pictures
and buttons; `…` stands for what differs from one time to the next. The messages that tell how it goes are
deleted in the end, and are noted only where the conversation is about them.
"""


def document(played: Iterable[Played]) -> str:
    """Write all conversations as Markdown."""
    everything = list(played)
    contents = [f"- [{c.title}](#{_anchor(c.title)})" for c in CONVERSATIONS]
    sections = [section(c, everything) for c in CONVERSATIONS]
    return "\n".join([_INTRODUCTION, *contents, "", *sections])


def section(conversation: Conversation, played: Iterable[Played]) -> str:
    """Write one conversation: in the first of its places, and in others what is different there."""
    by_scene = {
        one.scene: one.records
        for one in played
        if one.title == conversation.title and not one.killed
    }
    parts = [f"## {conversation.title}", conversation.about]
    told: list[tuple[Scene, ...]] = []
    shown: list[tuple[Record, ...]] = []
    for scene in conversation.scenes:
        records = by_scene[scene.name]
        if records in shown:
            told[shown.index(records)] += (scene,)
        else:
            told.append((scene,))
            shown.append(records)
    for scenes, records in zip(told, shown, strict=True):
        where = _where(scenes)
        if shown[0] is not records and _unaddressed(records) == _unaddressed(shown[0]):
            parts.append(f"{where}: the same, with `{ADDRESS}` before the words.")
        else:
            parts.append(f"{where}:\n\n{_block(records)}")
    return "\n\n".join(part for part in parts if part) + "\n"


def _where(scenes: Sequence[Scene]) -> str:
    if set(scenes) == {PRIVATE, GROUP, TOPICS}:
        return "In a private chat, in a group and in a topic"
    where = " and ".join(f"in {scene.name}" for scene in scenes)
    return where[0].upper() + where[1:]


def _unaddressed(records: Iterable[Record]) -> list[list[str]]:
    return [
        [line.replace(ADDRESS, "").replace("  ", " ").strip() for line in r.lines] for r in records
    ]


def _block(records: Iterable[Record]) -> str:
    return "\n".join(["```text", "\n\n".join(_spoken(record) for record in records), "```"])


def _spoken(record: Record) -> str:
    if not record.who:
        return "".join(record.lines)
    indent = " " * _INDENT
    lines = [*record.lines] or [""]
    deed = lines[0].startswith("(")  # what is done to the message before needs no mark
    if record.to is not None and not (deed and not record.to):
        quote = f"({textwrap.shorten(record.to, _QUOTED, placeholder=' …')})" if record.to else ""
        # a short one stands before the words
        lines = [f"↳ {quote}", *lines] if quote else [f"↳ {lines[0]}", *lines[1:]]
    wrapped = [
        part
        for line in lines
        for part in textwrap.wrap(line, _WIDTH - _INDENT, break_on_hyphens=False) or [""]
    ]
    first, *rest = wrapped or [""]
    return "\n".join([f"{record.who}: {first}", *(f"{indent}{line}".rstrip() for line in rest)])


def _anchor(title: str) -> str:
    kept = "".join(sign for sign in title.lower() if sign.isalnum() or sign in " -")
    return kept.replace(" ", "-")
