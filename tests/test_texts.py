"""The table of sentences: complete, used, well-formed, and free of jargon."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Formatter
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bot
from bot import texts
from bot.captions import parse
from bot.commands import COMMANDS
from bot.errors import CaptionError
from bot.handlers.start import help_lines
from bot.options import OPTIONS
from bot.pictures import PictureRequest
from bot.sentences import SENTENCES, Plural
from bot.texts import Say, shorten
from sandbox.telegram.markup import formatted, units
from storage.tasks import TaskState

SPEAKERS: Final = frozenset({"Say", "Failure", "UserError", "CaptionError", "ImageError"})
FAMILIES: Final = {
    "state-{}": [state.value for state in TaskState],
    "{}-missing": [option.name for option in OPTIONS],
    "{}-wrong": [option.name for option in OPTIONS],
    "{}-about": [option.name for option in OPTIONS],
}
"""How ids are put together where they are not written out, and of what."""
NEVER_SAID: Final = frozenset(
    {
        "negative-wrong",  # any words can be left out of a picture
        "state-delivering",  # as "state-ready"
    }
)
BAD_CAPTIONS: Final = (
    *("a /ratio 5:7", "a /ratio", "a /n 9", "a /n", "a --cuont 2", "a ratio=<b>"),
    *("a /no", "a /n &amp;"),
)


def _calls() -> Iterator[ast.Call]:
    for path in sorted(Path(bot.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in SPEAKERS
            ):
                yield node


def _id_of(call: ast.Call) -> ast.expr | None:
    named = [keyword.value for keyword in call.keywords if keyword.arg == "id"]
    return call.args[0] if call.args else named[0] if named else None


def _literals(node: ast.expr | None) -> set[str]:
    """Give the ids that an expression can be, as far as they are written out in it."""
    found = ast.walk(node) if node is not None else ()
    return {
        part.value
        for part in found
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    }


def _said() -> set[str]:
    """Give the ids that are written where something is said."""
    return {
        id_
        for call in _calls()
        if not isinstance(_id_of(call), ast.JoinedStr)
        for id_ in _literals(_id_of(call))
    }


def _written() -> set[str]:
    """Give all strings in the program, the table of sentences aside."""
    return {
        node.value
        for path in Path(bot.__file__).parent.rglob("*.py")
        if path.name != "sentences.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def _family() -> set[str]:
    built = {form.format(part) for form, parts in FAMILIES.items() for part in parts}
    return built - NEVER_SAID


def _places(id_: str) -> set[str]:
    """Give the names of what a sentence takes; of a plural also the number that chooses its form."""
    sentence = SENTENCES[id_]
    forms = (sentence.one, sentence.other) if isinstance(sentence, Plural) else (sentence,)
    found = {name for form in forms for _, name, _, _ in Formatter().parse(form) if name}
    return found | ({"count"} if isinstance(sentence, Plural) else set())


def _example(id_: str, value: Any = "x<y") -> Say:
    return Say(id_, {name: 1 if name == "count" else value for name in _places(id_)})


def test_every_sentence_that_is_said_exists() -> None:
    """Each id in the code, written out or put together, is in the table."""
    assert _said() - SENTENCES.keys() == set()
    assert _family() - SENTENCES.keys() == set()


def test_every_sentence_is_said() -> None:
    """Nothing in the table is left over."""
    # A word without a hyphen may stand in the code for something else: it must be said outright.
    written = {id_ for id_ in _written() if "-" in id_}
    assert SENTENCES.keys() - _said() - written - _family() == set()


def test_sentences_get_what_they_take() -> None:
    """Where data are written out beside an id, they are exactly the sentence's own."""
    checked = 0
    for call in _calls():
        id_node = _id_of(call)
        if not (isinstance(id_node, ast.Constant) and id_node.value in SENTENCES):
            continue
        data = next(
            (keyword.value for keyword in call.keywords if keyword.arg == "data"),
            call.args[1] if len(call.args) > 1 else None,
        )
        if isinstance(data, ast.Dict):
            if not all(isinstance(key, ast.Constant) for key in data.keys):
                continue
            given_names = {key.value for key in data.keys if isinstance(key, ast.Constant)}
        elif data is None:
            given_names = {keyword.arg for keyword in call.keywords if keyword.arg != "id"}
            if None in given_names:
                continue
        else:
            continue
        assert given_names == _places(str(id_node.value)), ast.unparse(call)
        checked += 1
    assert checked > 50


@pytest.mark.parametrize("caption", BAD_CAPTIONS)
def test_caption_errors_can_be_said(caption: str) -> None:
    """Whatever a caption error carries is enough for its sentence, which names what was written."""
    with pytest.raises(CaptionError) as error:
        parse(caption, defaults=PictureRequest(prompt=""))
    said = texts.words(error.value.say)
    assert formatted(said, parse_mode="HTML", entities=None).text.count("{") == 0
    assert "\n" not in said, "it is one of several lines"


@pytest.mark.parametrize("id_", sorted(SENTENCES))
def test_each_sentence_is_well_formed(id_: str) -> None:
    """It is HTML that Telegram takes, shows data as they were written, and reads well without tags."""
    for count in (1, 2):
        say = _example(id_)
        said = texts.words(
            Say(id_, {**say.data, **({"count": count} if "count" in say.data else {})})
        )
        shown = formatted(said, parse_mode="HTML", entities=None).text
        assert shown == texts.plain(Say(id_, {**say.data, **_count(say.data, count)})).strip()
        assert "  " not in shown
        assert not re.search(r"</?[bi]>|</?code>|&lt;|&amp;", shown)
        if say.data.keys() - {"count"}:
            assert "x<y" in shown


def _count(data: Mapping[str, object], count: int) -> dict[str, int]:
    return {"count": count} if "count" in data else {}


@pytest.mark.parametrize("id_", sorted(id_ for id_ in SENTENCES if not id_.startswith("admin-")))
def test_no_jargon(id_: str) -> None:
    """No sentence needs its reader to know how the bot is built; whoever runs it does."""
    said = texts.plain(_example(id_, "…"))
    assert not re.search(
        r"\b(tasks?|prompts?|queued?|tokens?|pars(e|ing)|API|HTTP|payload|JSON|timeout|invalid)\b",
        said,
    ), said


def test_notices_and_menu_keep_telegrams_limits() -> None:
    """A notice has at most 200 characters, a command's description 256, a button what fits on it."""
    for id_ in SENTENCES:
        if id_.startswith("pressed-"):
            assert len(texts.plain(_example(id_))) <= 200, id_
        if id_.startswith("button-"):
            assert len(texts.plain(_example(id_))) <= 20, id_
    for command in COMMANDS:
        assert 1 <= len(texts.plain(Say(command.about))) <= 256
    assert (
        units(formatted(texts.words(*help_lines()), parse_mode="HTML", entities=None).text) < 4096
    )


def test_plurals_and_numbers() -> None:
    """One is one and more are more; a whole number is written without a point."""
    assert texts.words(Say("pictures", {"count": 1})) == "1 picture"
    assert texts.words(Say("pictures", {"count": 2})) == "2 pictures"
    assert "up to 40;" in texts.words(Say("image-too-large", {"megapixels": 99.5, "allowed": 40.0}))


def test_missing_data_is_an_error() -> None:
    """A sentence without its data, or an unknown one, is a mistake in the program."""
    with pytest.raises(KeyError):
        texts.words(Say("result"))
    with pytest.raises(KeyError):
        texts.words(Say("no such sentence"))


@given(st.text())
def test_data_are_shown_as_they_are(text: str) -> None:
    """Whatever a person wrote is neither markup nor a placeholder, and plain text has it unchanged."""
    say = Say("not-an-image-file", {"name": text})
    # Telegram, and so the sandbox, leaves these out of any text
    kept = text.replace("\r", "")
    assert f"“{kept}”" in formatted(texts.words(say), parse_mode="HTML", entities=None).text
    nested = Say("help-option", {"example": say, "about": "a", "also": "b"})
    assert f"“{kept}”" in formatted(texts.words(nested), parse_mode="HTML", entities=None).text


@given(st.text(), st.integers(2, 60))
def test_shorten(text: str, limit: int) -> None:
    """A shortened text is one line, within its limit in UTF-16 units, and a beginning of the original."""
    short = shorten(text, limit)
    flat = " ".join(text.split())
    assert units(short) <= limit
    assert "\n" not in short
    assert short == flat or (short.endswith("…") and flat.startswith(short[:-1]))
