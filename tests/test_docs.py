"""The papers are complete: whatever can be said, set or called is written down somewhere."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.cli import COMMANDS as SUBCOMMANDS
from bot.commands import COMMANDS
from bot.config import every_key
from bot.handlers.orders import IDEAS
from bot.options import OPTIONS
from bot.texts import Say, plain

ROOT = Path(__file__).parent.parent
PAPERS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
NO_PATHS = re.compile(r"/(?:home|Users|work|root)/\w|/tmp/(?!\s)\w|[A-Z]:\\\\")
README, IN_CHINESE = ROOT / "README.md", ROOT / "README.zh-CN.md"
TYPED = re.compile(r"^make [a-z-]+$|(?<!\S)(?:[/-]\S+|[\w/.-]*[._:=@][\w/.:=,@-]*)(?!\S)", re.ASCII)
BLOCK = re.compile(r"(?ms)^```(\w+)\n(.*?)^```$")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")


def everything() -> str:
    """Give all that README.md and docs say."""
    readme = [path for path in PAPERS if path.name == "README.md" or path.parent.name == "docs"]
    return "\n".join(path.read_text(encoding="utf-8") for path in readme)


def mentioned(words: str) -> bool:
    """Say whether the papers have these words, not as a part of longer ones."""
    return re.search(rf"(?<![\w/-]){re.escape(words)}(?![\w-])", everything()) is not None


def test_every_option_is_written_down() -> None:
    """Each spelling of each option of a caption is in the papers."""
    for option in OPTIONS:
        for spelling in option.spellings():
            assert mentioned(spelling), spelling


def test_every_command_is_written_down() -> None:
    """Each command of the bot is in the papers."""
    for command in COMMANDS:
        assert mentioned(f"/{command.name}"), command.name


@pytest.mark.parametrize(("section", "key"), [*every_key()])
def test_every_key_is_written_down(section: str, key: str) -> None:
    """Each key of the configuration is in the papers."""
    assert mentioned(f"{section}.{key}")


def test_every_make_target_is_written_down() -> None:
    """Each target of the Makefile that has an explanation is in the papers."""
    targets = re.findall(r"(?m)^([a-z-]+):.*## ", (ROOT / "Makefile").read_text())
    assert targets
    for target in targets:
        assert mentioned(f"make {target}"), target


def test_every_subcommand_is_written_down() -> None:
    """Each subcommand of the command line is in the papers."""
    assert SUBCOMMANDS
    for name in SUBCOMMANDS:
        assert mentioned(f"python -m bot {name}") or mentioned(f"hidream-bot {name}"), name


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: path.name)
def test_links_lead_somewhere(paper: Path) -> None:
    """Each relative link leads to a file that exists, and to a heading that it has."""
    for target in LINK.findall(paper.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, heading = target.partition("#")
        file = paper.parent / name if name else paper
        assert file.exists(), target
        if heading:
            assert heading in headings(file), target


def test_every_module_has_its_place() -> None:
    """Each module of the program stands among the folders of docs/architecture.md."""
    paper = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    modules = [
        path.name
        for path in (ROOT / "bot").glob("**/*.py")
        if path.parent.name in {"bot", "handlers"}
    ]
    assert modules
    for name in modules:
        assert name.startswith(("__", "config")) or re.search(rf"(?<!\w){name}", paper), name


def outline(paper: Path) -> dict[str, object]:
    """Give what a paper and its translation have in common, whatever the language."""
    text = paper.read_text(encoding="utf-8")
    other = {README: IN_CHINESE.name, IN_CHINESE: README.name}[paper]
    assert f"]({other})" in text.partition("\n## ")[0], "the other language is linked at the top"
    prose = BLOCK.sub("", text)
    code = re.findall(r"`([^`\n]+)`", prose)
    return {
        "headings": re.findall(r"(?m)^#+(?= )", prose),
        "points and rows": [
            line[:2] for line in prose.splitlines() if re.match(r"- |\d\. |\| ", line)
        ],
        "links": sorted(link for link in LINK.findall(prose) if link != other),
        # examples are translated; what one types is not
        "code": sorted(word for one in code for word in TYPED.findall(one)),
        "blocks": [language for language, _ in BLOCK.findall(text)],
        "commands": [
            re.sub(r"\s*#.*", "", body) for name, body in BLOCK.findall(text) if name == "sh"
        ],
        "turns": [
            re.findall(r"(?m)^\w+: |\[", body)
            for name, body in BLOCK.findall(text)
            if name == "text"
        ],
    }


def test_the_translated_readme_says_the_same() -> None:
    """Both have the same headings, points, rows, links, commands and settings, and lead to each other."""
    english, chinese = outline(README), outline(IN_CHINESE)
    for part, expected in english.items():
        assert chinese[part] == expected, part


def test_the_readme_shows_what_was_said() -> None:
    """What a conversation in it says is, turn by turn, in the conversations that the tests have played."""
    played = (ROOT / "docs" / "conversations.md").read_text(encoding="utf-8")
    turns = {turn for _, body in BLOCK.findall(played) for turn in body.strip().split("\n\n")}
    shown = [body for name, body in BLOCK.findall(README.read_text("utf-8")) if name == "text"]
    assert shown
    for body in shown:
        for turn in body.strip().split("\n\n"):
            assert turn in turns, turn


@pytest.mark.parametrize(("paper", "language"), [(README, "en"), (IN_CHINESE, "zh_Hans")])
def test_a_readme_speaks_as_the_bot_does(paper: Path, language: str) -> None:
    """What the bot says in a README, and on its buttons, is what it says in that language."""

    def said(*sentences: str) -> list[str]:
        return [plain(Say(one), language=language) for one in sentences]

    [shown] = [body for name, body in BLOCK.findall(paper.read_text("utf-8")) if name == "text"]
    assert said("ask-words")[0] in re.sub(r"\n {5}", " ", shown)
    labels = [*said(*IDEAS), *said(*(f"button-{one}" for one in ("repeat", "ratio")))]
    labels += [plain(Say("button-count", {"count": 4}), language=language)]
    labels += said(*(f"button-{one}" for one in ("words", "use", "file", "delete")))
    buttons = re.findall(r"(?<=\[)[^\]]+(?=\])", "".join(re.findall(r"(?m)^ {5}\[.*$", shown)))
    assert [one for one in buttons if "4:3" not in one] == labels


def test_every_guard_is_there() -> None:
    """Each test that a paper names as the guard of a promise exists."""
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", everything())
    assert len(named) > 50
    for file, test in named:
        text = (ROOT / file).read_text(encoding="utf-8")
        assert not test or re.search(rf"def {test}\(|{test} = ", text), (file, test)


def headings(paper: Path) -> set[str]:
    """Give the anchors of a paper's headings, as GitHub makes them."""
    titles = re.findall(r"(?m)^#+ (.+?)\s*$", paper.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize(
    "file", [*PAPERS, ROOT / "config.example.toml", ROOT / "Makefile"], ids=lambda path: path.name
)
def test_no_paper_names_a_place_on_somebodys_machine(file: Path) -> None:
    """No paper has a path that exists only where it was written."""
    assert NO_PATHS.search(file.read_text(encoding="utf-8")) is None


WORSE = {"warning", "error", "exception", "critical"}


def events() -> Iterator[tuple[str, str]]:
    """Give every event that the program logs, with how it is logged."""
    for path in [*ROOT.glob("bot/**/*.py"), *ROOT.glob("storage/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="log"), attr=how),
                    args=[ast.Constant(value=str(event)), *_],
                ):
                    yield event, how
                case ast.Call(
                    func=ast.Name(id="say_once"), args=[ast.Constant(value=str(event)), *_]
                ):
                    yield event, "warning"
                case ast.Return(value=ast.Constant(value=str(event))) if event.startswith(
                    "hidream."
                ):
                    yield event, "warning"


def test_every_event_that_is_worse_is_explained() -> None:
    """docs/logs.md has a row for each event at WARNING and above, with its level, and none that is not logged."""
    logged: dict[str, set[str]] = {}
    for event, how in events():
        logged.setdefault(event, set()).add("error" if how == "exception" else how)
    text = (ROOT / "docs" / "logs.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"(?m)^\| `([\w.]+)` \| (warning|error|critical) \|", text))
    del rows["log_line_lost"]  # said where a line cannot be written
    worse = {event: hows & WORSE for event, hows in logged.items() if hows & WORSE}
    assert sorted(rows) == sorted(worse), "docs/logs.md, “Events worth knowing”"
    assert list(rows) == sorted(rows), "it is in the order of the alphabet"
    for event, level in rows.items():
        assert {level} == worse[event], event
    named = set(re.findall(r"(?m)^\| ((?:`[\w.]+`(?:, )?)+) \|", text))
    for event in re.findall(r"`([\w.]+)`", " ".join(named)):
        assert event in {*logged, "log_line_lost"}, f"nothing logs {event}"
