"""The pages for whoever runs the bot: what they name is there, and what they quote is said."""

import ast
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.operations import play
from tests.operations.page import OPERATIONS, ROOT, Block, blocks, files_named, there

PAGES = [OPERATIONS, *sorted((ROOT / "docs").glob("install-*.md"))]
BLOCKS = [(page, block) for page in PAGES for block in blocks(page)]


@pytest.mark.parametrize(
    ("page", "block"), BLOCKS, ids=[f"{page.name}:{block.line}" for page, block in BLOCKS]
)
def test_a_block_can_be_read(page: Path, block: Block) -> None:
    """Each block of commands is a script that a shell can read, and the files that it names are there."""
    read = subprocess.run(
        ["bash", "-n"], input=block.text, capture_output=True, text=True, check=False
    )
    assert read.returncode == 0, read.stderr
    for name in files_named(block):
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_subcommand_that_is_named_is_there(page: Path) -> None:
    """`hidream-bot NAME` of a page, in a block or in a line, is a subcommand."""
    text = page.read_text(encoding="utf-8")
    named = set(
        re.findall(
            r"`hidream-bot ([a-z][a-z-]*)|(?m:^)hidream-bot ([a-z][a-z-]*)|exec (?:--\S+ )?bot hidream-bot ([a-z][a-z-]*)",
            text,
        )
    )
    for name in {part for found in named for part in found if part}:
        assert name in there(), name


def test_the_container_page_speaks_of_services_that_there_are() -> None:
    """Each `docker compose` line has a verb that Compose knows, and names the bot."""
    text = (ROOT / "docs" / "install-container.md").read_text(encoding="utf-8")
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    verbs = re.findall(r"docker compose (?:--profile (\w+) )?(\w+)", text)
    assert len(verbs) > 10
    for profile, verb in verbs:
        assert verb in {"build", "cp", "down", "exec", "kill", "logs", "run", "start", "stop", "up"}
        assert not profile or profile in compose["services"]["prometheus"]["profiles"]
    for service in re.findall(
        r"docker compose (?:exec|run|stop|start|kill|logs)(?: --\S+(?: \d+| HUP)?)* (\w+)", text
    ):
        assert service in compose["services"], service


def test_each_look_belongs_to_a_part_of_the_page() -> None:
    """What is looked at while the page is played stands after a heading that it has."""
    assert play.AFTER.keys() <= {block.heading for block in blocks()}


def test_what_the_page_says_that_the_bot_says_is_what_it_says() -> None:
    """Each sentence that the table of symptoms quotes stands in the program."""
    page = OPERATIONS.read_text(encoding="utf-8")
    table = page.partition("## When something is wrong")[2].partition("\n## ")[0]
    quoted = re.findall(r"(?m)^\| .*?“([^”]+)”", table)
    assert len(quoted) > 8
    said = "\n".join(
        _texts(file) for name in ("bot", "storage") for file in (ROOT / name).rglob("*.py")
    )
    for sentence in quoted:
        parts = [part.strip() for part in sentence.split("…")]
        assert all(part in said for part in parts), sentence


def _texts(file: Path) -> str:
    """Give all that a module can say, with … in the place of what is put in."""
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            found.append(
                "".join(
                    str(one.value) if isinstance(one, ast.Constant) else "…" for one in node.values
                )
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
    return "\n".join(found)
