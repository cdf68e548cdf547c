"""The table of sentences: complete, used, well-formed, and free of jargon."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from string import Formatter
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bot
from bot import texts, values
from bot.captions import parse
from bot.commands import COMMANDS
from bot.directions import CONTROLS, RLM, right_to_left, with_marks
from bot.errors import CaptionError
from bot.handlers.start import help_lines
from bot.languages import LANGUAGES
from bot.options import OPTIONS
from bot.pictures import PictureRequest
from bot.sentences import SENTENCES, Plural
from bot.stats import OUTCOMES
from bot.texts import Ago, Day, Lasting, Moment, Percent, Say, shorten
from sandbox.telegram.markup import formatted, units
from storage.tasks import TaskState

SPEAKERS: Final = frozenset({"Say", "Failure", "UserError", "CaptionError", "ImageError"})
FAMILIES: Final[Mapping[str, Sequence[str]]] = {
    "stats-{}": OUTCOMES,
    "state-{}": [state.value for state in TaskState],
    **dict.fromkeys(
        ("progress-{}", "progress-{}-usual", "progress-{}-longer"), ("running", "percent")
    ),
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
    """A notice has at most 200 characters, a command's description 256, a button 40."""
    for id_ in SENTENCES:
        if id_.startswith("pressed-"):
            assert len(texts.plain(_example(id_))) <= 200, id_
        if id_.startswith("button-"):
            assert len(texts.plain(_example(id_))) <= 40, id_
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


@given(st.text(), st.sampled_from(["en", "ar"]))
def test_data_are_shown_as_they_are(text: str, language: str) -> None:
    """Whatever a person wrote is neither markup nor a placeholder, and is shown unchanged.

    But for controls of direction, which nobody sees.
    """
    say = Say("not-an-image-file", {"name": text})
    nested = Say("help-option", {"example": "x", "about": say, "also": "b"})
    # Telegram, and so the sandbox, leaves these out of any text
    kept = f"“{_seen(text)}”".replace("\r", "")
    for one in (say, nested):
        html = texts.words(one, language=language)
        assert kept in _seen(formatted(html, parse_mode="HTML", entities=None).text)


def _seen(text: str) -> str:
    return CONTROLS.sub("", text).replace(RLM, "")


# --- directions -----------------------------------------------------------------------------------

WILD: Final = st.text(
    st.sampled_from("aא1#/ \n<&\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
)


def _left_open(line: str) -> list[str]:
    """Give what a line's controls leave open, by the rules of Unicode's algorithm (UAX #9, X1-X8)."""
    opened: list[str] = []
    for sign in line:
        if sign in "\u2066\u2067\u2068\u202a\u202b\u202d\u202e":
            opened.append(sign)
        elif sign == "\u202c" and opened and opened[-1] in "\u202a\u202b\u202d\u202e":
            opened.pop()
        elif sign == "\u2069" and set(opened) & set("\u2066\u2067\u2068"):
            while opened.pop() not in "\u2066\u2067\u2068":
                pass
    return opened


@given(WILD, st.sampled_from(["en", "ar"]))
def test_no_direction_spills_over(text: str, language: str) -> None:
    """However a datum's controls are nested, what follows it runs as if it were not there."""
    for say in (
        Say("not-an-image-file", {"name": text}),
        Say("status-hidream", {"id": text}),
        Say("help-option", {"example": text, "about": text, "also": (text, text)}),
    ):
        lines = re.split("[\n\r]", texts.plain(say, language=language))
        assert _left_open(lines[-1]) == []
        if say.id == "not-an-image-file":
            assert [line for line in lines if _left_open(line)] == []
            assert _left_open(lines[-1].rpartition("”")[0]) == []


@given(WILD.filter(lambda text: len(CONTROLS.findall(text)) < 8), st.sampled_from(["en", "ar"]))
def test_what_is_to_be_copied_is_exact(text: str, language: str) -> None:
    """Within <code> a datum is what it is, to the last sign."""
    html = texts.words(Say("status-hidream", {"id": text}), language=language)
    assert f"<code>{escape(text, quote=False)}</code>" in html


@pytest.mark.parametrize(
    ("language", "name", "shown"),
    [
        ("en", "a.txt", "a.txt"),
        ("en", "שלום.txt", "\u2068שלום.txt\u2069"),
        ("en", "\u202etxt.exe", "\u2068\u202etxt.exe\u2069"),
        ("en", "a\u2067b", "\u2068ab\u2069"),
        ("en", "a\u2069b", "\u2068ab\u2069"),
        ("en", "\u2067a\u2069", "\u2068\u2067a\u2069\u2069"),
        ("en", "א\nב", "\u2068א\u2069\n\u2068ב\u2069"),
        ("ar", "a.txt", "\u2068a.txt\u2069"),
        ("ar", "صورة", "\u2068صورة\u2069"),
        ("ar", "17", "17"),
        ("ar", "16:9", "16:9"),
    ],
)
def test_foreign_directions_stand_apart(language: str, name: str, shown: str) -> None:
    """What runs the other way, or could, is isolated; numbers and shapes need not be."""
    assert f"“{shown}”" in texts.words(Say("not-an-image-file", {"name": name}), language=language)


@pytest.mark.parametrize(
    ("line", "marked"),
    [
        ("مرحبا", "مرحبا"),
        ("", ""),
        ("🎉 مرحبا", "🎉 مرحبا"),
        ("#17 · 16:9", "\u200f#17 · 16:9"),
        ("<i>\u2068snow\u2069</i>", "\u200f<i>\u2068snow\u2069</i>"),
        ("HiDream مرحبا", "\u200fHiDream مرحبا"),
        ("a\n\nب", "\u200fa\n\nب"),
        ("ب <code>a\nb</code>\nc", "ب <code>a\nb</code>\n\u200fc"),
        ("&lt; ب", "&lt; ب"),
    ],
)
def test_lines_run_from_the_right(line: str, marked: str) -> None:
    """A line whose first letter does not say so is marked; one within <code> is left alone."""
    assert right_to_left(line) == marked


def test_commands_keep_their_stroke() -> None:
    """In a right-to-left sentence a command's / stays at its left; an address and a tag stay whole."""
    assert with_marks("اكتب /help أو /status 17") == "اكتب \u200e/help أو \u200e/status 17"
    assert with_marks("</b> https://a.b/c <a@/x") == "</b> https://a.b/c <a@/x"


# --- numbers, times, lists ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("span", "said"),
    [
        *((timedelta(seconds=-5), "just now"), (timedelta(seconds=59), "just now")),
        *((timedelta(seconds=60), "1 minute ago"), (timedelta(seconds=3599), "59 minutes ago")),
        *((timedelta(hours=1), "1 hour ago"), (timedelta(hours=23.9), "23 hours ago")),
        *((timedelta(days=1), "1 day ago"), (timedelta(days=13), "1 week ago")),
        *((timedelta(days=30), "1 month ago"), (timedelta(days=364), "12 months ago")),
        (timedelta(days=4000), "10 years ago"),
    ],
)
def test_how_long_ago(span: timedelta, said: str) -> None:
    """It is said in the largest unit that is over, never rounded up."""
    assert texts.words(Say("status-times", {"age": Ago(span)})) == f"Sent {said}."


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        *((0.2, "1 sec"), (99.4, "99 sec"), (100, "1 min 40 sec"), (3600, "60 min")),
        *((6000, "1 hr 40 min"), (7200, "2 hr")),
    ],
)
def test_how_long(seconds: float, said: str) -> None:
    """It is said in seconds, then in minutes, then in hours, and nothing is said of none."""
    say = Say("status-took", {"time": Lasting(timedelta(seconds=seconds))})
    assert texts.words(say) == f"Done in {said}."


MOMENT: Final = datetime(2030, 1, 2, 13, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "value", "shown"),
    [
        *(("en", 1234, "1,234"), ("de", 1234.5, "1.234,5"), ("fr", 1234, "1\u202f234")),
        *(("hi", 1234567, "12,34,567"), ("en", 40.0, "40"), ("pt-br", 1234, "1.234")),
        *(("en", "1234", "1234"), ("en", Percent(0.4), "40%"), ("de", Percent(0.4), "40\xa0%")),
        *(("en", Day(MOMENT), "2 Jan 2030"), ("en", Moment(MOMENT), "2 Jan 2030, 13:04")),
        *(("de", Day(MOMENT), "02.01.2030"), ("zh-hans", Moment(MOMENT), "2030年1月2日 13:04")),
        *(("en", ("a", "b", "c"), "a, b or c"), ("en", ["a"], "a"), ("de", ["a", "b"], "a oder b")),
        *(("ru", Ago(timedelta(hours=2)), "2 часа назад"), ("en", (), "")),
        *(
            ("es", Lasting(timedelta(seconds=125)), "2 min 5 s"),
            ("de", Ago(timedelta()), "gerade eben"),
        ),
    ],
)
def test_values_in_each_language(language: str, value: Any, shown: str) -> None:
    """Numbers, shares, times and lists are shown as a language's readers write them."""
    said = texts.words(Say("not-an-image-file", {"name": value}), language=language)
    assert re.search(rf"[“„«]\s?{re.escape(shown)}\s?[”“»]", said)


@pytest.mark.parametrize("language", LANGUAGES)
def test_numbers_of_any_size(language: str) -> None:
    """Braces multiply: a number that is longer than any that was thought of is shown all the same."""
    assert len(values.number(2**1365, language)) > 411


def test_numbers_that_name_something() -> None:
    """The number of a task, a person or a chat is not grouped."""
    assert "number 1234 here" in texts.words(Say("status-unknown", {"task": 1234}))
    assert "<code>1234567</code>" in texts.words(Say("not-allowed", {"user": 1234567}))


def test_what_cannot_be_shown_is_an_error() -> None:
    """A datum of another kind, and a number of things that is none, are mistakes in the program."""
    nothing: Any = None
    with pytest.raises(TypeError):
        texts.words(Say("status-times", {"age": nothing}))
    with pytest.raises(TypeError):
        texts.words(Say("pictures", {"count": "two"}))


# --- nothing is said but by the table -------------------------------------------------------------

PROSE: Final = re.compile(r"[^\W\d_]{2,}(?:[,.!?]* |[,!?]+)[^\W\d_]{2,}")
"""Two words with what stands between words; `web.listen` is none, but a setting's name."""
NOT_FOR_PEOPLE: Final = frozenset(
    {"calls.py", "changing.py", "chat.py", "intake.py", "outcomes.py", "sent_files.py"}
)
"""Modules that know Telegram's own words, to tell its answers apart."""
FOR_OPERATORS: Final = frozenset({"checking", "cli"})
"""Packages that write to a terminal."""
FOR_THE_LOG: Final = frozenset(
    {
        *("again in ", "internal error", "no longer wanted", "not fit for a photo"),
        "it has not come within ",
        # and for the terminal of whoever starts a second bot
        "This bot's token has a webhook at ",
        "an address that is not known",
        (
            ", which this installation has not set: another process receives its updates. Stop that one, "
            "or use another bot's token. To take the bot over on purpose: hidream-bot run --take-over"
        ),
    }
)


def _prose(source: str) -> set[str]:
    """Give the strings of a module that read like words for a person."""
    tree = ast.parse(source)
    aside: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            aside.add(node.value)
        # a type that is named in a cast is no more prose than one in an annotation
        logs = isinstance(node, ast.Call) and re.match(r"log\.|cast$", ast.unparse(node.func))
        if logs or isinstance(node, ast.Raise):
            aside.update(ast.walk(node))
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node not in aside
        and PROSE.search(node.value)
    }


def test_no_sentence_stands_in_the_code() -> None:
    """What talks to people has no words of its own: docstrings, errors and the log aside."""
    speaking = 0
    for path in sorted(Path(bot.__file__).parent.rglob("*.py")):
        source = path.read_text()
        speaks = re.search(r"\bbot\.(?:texts|messages|chat)\b|\bfrom telegram\b", source)
        if path.name in NOT_FOR_PEOPLE or path.parent.name in FOR_OPERATORS or not speaks:
            continue
        speaking += 1
        assert _prose(source) - FOR_THE_LOG == set(), path.name
    assert speaking > 15


def test_sentences_in_code_are_found() -> None:
    """The search sees a sentence wherever it stands, and takes no id for one."""
    assert _prose('chat.say(target, "Hello, Ada")') == {"Hello, Ada"}
    assert _prose('Button(label=f"Try {x} again now", data="again:17")') == {" again now"}
    assert _prose('"""A docstring of it."""\nlog.info("not this one")\nSay("ask-words")') == set()


# --- lengths --------------------------------------------------------------------------------------


@given(st.text(), st.integers(2, 60))
def test_shorten(text: str, limit: int) -> None:
    """A shortened text is one line, within its limit in UTF-16 units, and a beginning of the original."""
    short = shorten(text, limit)
    flat = " ".join(text.split())
    assert units(short) <= limit
    assert "\n" not in short
    assert short == flat or (short.endswith("…") and flat.startswith(short[:-1]))
