"""Reads a page: its commands, block by block, with the heading that they stand under."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from click import Context

from bot.cli import main

ROOT: Final = Path(__file__).parent.parent.parent
OPERATIONS: Final = ROOT / "docs" / "operations.md"


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """Commands that stand together."""

    heading: str
    line: int
    text: str


def there() -> set[str]:
    """Give the subcommands that the program has."""
    return set(main.list_commands(Context(main)))


def blocks(page: Path = OPERATIONS) -> Iterator[Block]:
    """Give every block of commands, in order."""
    heading, inside, begun, lines = "", "", 0, list[str]()
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith("```"):
            if inside == "sh":
                yield Block(heading=heading, line=begun, text="\n".join(lines) + "\n")
            inside = "" if inside else line.removeprefix("```") or "plain"
            begun, lines = number + 1, []
        elif inside:
            lines.append(line)
        elif line.startswith("#"):
            heading = line.lstrip("# ")


def files_named(block: Block) -> Iterator[str]:
    """Give the files of the project that a block's commands name."""
    for word in shlex.split(block.text, comments=True):
        if re.fullmatch(
            r"(?:\./)?(?:deploy|requirements|docs)/[\w./-]+|config\.example\.toml", word
        ):
            yield word.removeprefix("./")
