"""The languages and their catalogues: each is up to date, sound, and as complete as it is said to be."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from gettext import c2py
from pathlib import Path
from string import Formatter
from typing import Final

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po

from bot import texts
from bot.catalogues import FOLDER, catalogue, is_translated, path_of
from bot.languages import LANGUAGES, SOURCE, resolve, telegram_code
from bot.locales import files
from bot.locales.__main__ import main
from bot.sentences import SENTENCES, Plural
from bot.texts import Say
from sandbox.telegram.markup import formatted

TRANSLATIONS: Final = tuple(language for language in LANGUAGES if language != SOURCE)

TAG: Final = re.compile(r"<[^>]*>")
COMMAND: Final = re.compile(r"(?<![\w</])/[a-z]+(?: \d+)?")
CODE: Final = re.compile(r"<code>(.*?)</code>", re.DOTALL)


@cache
def read(language: str) -> Catalog:
    """Read a language's file."""
    with path_of(language).open("rb") as file:
        return read_po(file, locale=language, domain="bot")


def translated(language: str) -> Iterator[Message]:
    """Give the messages of a language that are translated."""
    return (message for message in read(language) if message.id and is_translated(message))


def forms_of(words: object) -> tuple[str, ...]:
    """Give a message's forms, of which most have one."""
    return (words,) if isinstance(words, str) else tuple(words)  # type: ignore[arg-type]


def places(form: str) -> set[str]:
    """Give the names of what a form takes."""
    return {name for _, name, _, _ in Formatter().parse(form) if name is not None}


def numbers_of(language: str) -> Mapping[int, list[int]]:
    """Give the numbers that choose each plural form, as gettext does it."""
    rule = get_plural(language)
    header = f"nplurals={rule.num_plurals}; plural={rule.plural_expr}"
    assert str(read(language).plural_forms).rstrip(";") == header
    chosen: dict[int, list[int]] = {}
    for number in range(1000):
        chosen.setdefault(c2py(rule.plural_expr)(number), []).append(number)
    return chosen


def faults(message: Message, chosen: Mapping[int, list[int]]) -> list[str]:
    """Say what is wrong with a translation; nothing, if it is sound."""
    found = []
    english, forms = forms_of(message.id), forms_of(message.string)
    if len(forms) != (len(chosen) if len(english) > 1 else 1):
        found.append(f"{len(forms)} forms")
    if message.fuzzy:
        found.append("a guess")
    wanted = set().union(*map(places, english))
    limit = files.limit_of(str(message.context))
    model = english[-1]
    for n, form in enumerate(forms):
        try:
            taken = places(form)
        except ValueError:
            found.append(f"braces: {form}")
            continue
        # a form for one number alone may say it in words
        spare = {"count"} if len(english) > 1 and len(chosen.get(n, ())) == 1 else set()
        if not wanted - spare <= taken <= wanted:
            found.append(f"places: {taken ^ wanted}")
        if Counter(TAG.findall(form)) != Counter(TAG.findall(model)):
            found.append(f"tags: {TAG.findall(form)}")
        if _ends(form) != _ends(model):
            found.append("white space at its ends")
        if form.count("\n") != model.count("\n"):
            found.append("lines")
        if Counter(CODE.findall(form)) != Counter(CODE.findall(model)):
            found.append(f"what is to be copied: {CODE.findall(form)}")
        if Counter(COMMAND.findall(form)) != Counter(COMMAND.findall(model)):
            found.append(f"commands: {COMMAND.findall(form)}")
        if "  " in form:
            found.append("two spaces")
        if limit is not None and len(form) > limit:
            found.append(f"{len(form)} characters of {limit}")
    return found


def _ends(form: str) -> tuple[str, str]:
    return form[: len(form) - len(form.lstrip())], form[len(form.rstrip()) :]


# --- the languages --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "language"),
    [
        *((code, code) for code in LANGUAGES),
        *(("en-GB", "en"), ("zh", "zh_Hans"), ("zh-hans", "zh_Hans"), ("zh-CN", "zh_Hans")),
        *(("zh-hant", "zh_Hans"), ("zh-TW", "zh_Hans"), ("yue", "zh_Hans"), ("pt", "pt_BR")),
        *(("pt-br", "pt_BR"), ("PT-pt", "pt_BR"), ("es-419", "es"), ("in", "id"), ("de-AT", "de")),
        *((None, "en"), ("", "en"), ("it", "en"), ("x", "en"), ("-", "en"), ("deutsch", "en")),
        *(("🎉", "en"), ("d" * 10_000, "en"), ("../de", "en")),
    ],
)
def test_codes(code: str | None, language: str) -> None:
    """Whatever Telegram says is one of ours: the same language, else the nearest, else English."""
    assert resolve(code) == language


def test_ten_languages() -> None:
    """Each has a name of its own for itself, and two letters by which Telegram knows it."""
    assert len(LANGUAGES) == len(set(LANGUAGES.values())) == 10
    codes = {telegram_code(language) for language in LANGUAGES}
    assert len(codes) == 10
    assert all(re.fullmatch(r"[a-z]{2}", code) for code in codes)


# --- the files ------------------------------------------------------------------------------------


def test_catalogues_are_up_to_date() -> None:
    """`make catalogues` would change nothing: every file follows the table of sentences."""
    wanted = files.files()
    assert {path for path in FOLDER.rglob("*.po*") if path.is_file()} == wanted.keys()
    for path, content in wanted.items():
        assert path.read_bytes() == content, f"{path.name} of {path.parent.parent.name}"


def test_writing_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The command writes all files, and says what each language lacks."""
    monkeypatch.setattr("bot.catalogues.FOLDER", tmp_path)
    monkeypatch.setattr(files, "FOLDER", tmp_path)
    main()
    said = capsys.readouterr().out
    for language in TRANSLATIONS:
        assert f"{language}: {len(SENTENCES)} to translate\n" in said
    assert len([*tmp_path.rglob("*.po")]) == len(TRANSLATIONS)
    assert (tmp_path / "bot.pot").exists()


def test_a_changed_sentence_is_to_be_translated_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is still said word for word keeps its translation; order and text are the table's."""
    before = {
        "a": "One thing",
        "b": Plural(one="{count} day", other="{count} days"),
        "c": Plural(one="{count} hour", other="{count} hours"),
        "d": "gone",
        "e": "word",
        "f": "One thing",
    }
    monkeypatch.setattr(files, "SENTENCES", before)
    fresh = files.updated("de").decode()
    filled = re.sub(r'msgid "(.*)"\nmsgstr ""', r'msgid "\1"\nmsgstr "de: \1"', fresh)
    filled = re.sub(r'msgstr\[(.)\] ""', r'msgstr[\1] "{count} \1"', filled)
    filled = filled.replace('msgid ""\nmsgstr "de: "', 'msgid ""\nmsgstr ""')
    kept = files.updated("de", filled.encode()).decode()
    assert kept == filled
    after = {
        "c": Plural(one="{count} hour", other="{count} whole hours"),
        "a": "One thing",
        "b": before["b"],
        "e": Plural(one="word", other="words"),
        "f": "Another thing",
    }
    monkeypatch.setattr(files, "SENTENCES", after)
    updated = files.updated("de", kept.encode()).decode()
    found = re.findall(r'msgctxt "(.)"\nmsgid "(.*)"\n(?:.*\n)*?msgstr(?:\[0\])? "(.*)"', updated)
    assert found == [
        ("c", "{count} hour", ""),
        ("a", "One thing", "de: One thing"),
        ("b", "{count} day", "{count} 0"),
        ("e", "word", ""),
        ("f", "Another thing", ""),
    ]
    assert "fuzzy" not in updated
    assert "gone" not in updated


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_a_language_is_complete(language: str) -> None:
    """No sentence is missing in any of them."""
    assert not files.missing(language)


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_translations_are_sound(language: str) -> None:
    """Each has the English one's places, tags, commands and white space, all plural forms, and fits."""
    chosen = numbers_of(language)
    wrong = {str(m.context): faults(m, chosen) for m in translated(language)}
    assert {id_: why for id_, why in wrong.items() if why} == {}


@pytest.mark.parametrize(
    ("english", "translation", "fault"),
    [
        ("{a} is {b}", "{a}", "places"),
        ("{a}", "{a} {b}", "places"),
        ("{a}", "{", "braces"),
        ("<b>x</b>", "<b>x", "tags"),
        ("<b>x</b>", "<i>x</i>", "tags"),
        ('<a href="https://a.b">x</a>', '<a href="https://a.c">x</a>', "tags"),
        ("x\n", "x", "white space"),
        ("x", " x", "white space"),
        ("x\ny", "x y", "lines"),
        ("see /help", "see /hilfe", "commands"),
        ("see /status 17", "see /status 18", "commands"),
        ("<code>a.b</code>", "<code>a.c</code>", "copied"),
        ("x y", "x  y", "two spaces"),
        (("{count} x", "{count} xs"), ("{count} x", "xs"), "places"),
        (("{count} x", "{count} xs"), ("{count} x",), "1 forms"),
        ("x", "x" * 41, "41 characters"),
    ],
)
def test_unsound_translations(
    english: str | tuple[str, str], translation: str | tuple[str, ...], fault: str
) -> None:
    """The examination finds each kind of fault."""
    message = Message(english, translation, context="button-x")
    assert any(fault in found for found in faults(message, {0: [1], 1: [0, 2]}))
    message = Message(english, english, context="button-x")
    assert faults(message, {0: [1], 1: [0, 2]}) == []


def test_one_may_be_said_in_words() -> None:
    """A form for a single number need not show it; one for several must."""
    message = Message(("{count} x", "{count} xs"), ("an x", "{count} xs"), context="x")
    assert faults(message, {0: [1], 1: [0, 2]}) == []
    assert faults(message, {0: [1, 21], 1: [0, 2]}) == ["places: {'count'}"]


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_whatever_is_said_telegram_takes(language: str) -> None:
    """Every sentence, in every plural form, is HTML that Telegram takes, with its data in it."""
    chosen = numbers_of(language)
    for id_, sentence in SENTENCES.items():
        forms = forms_of(
            (sentence.one, sentence.other) if isinstance(sentence, Plural) else sentence
        )
        data = {name: "x<y" for form in forms for name in places(form) if name != "count"}
        for numbers in chosen.values():
            say = Say(id_, {**data, "count": numbers[0]})
            html = texts.words(say, language=language)
            shown = formatted(html, parse_mode="HTML", entities=None).text
            assert shown.count("x<y") >= len(data), id_
            if not isinstance(sentence, Plural):
                break


def test_what_is_not_translated_is_english() -> None:
    """Without a translation the English is said, with English plurals whatever the language's are."""
    assert catalogue("zh_Hans").npgettext("no such", "one", "many", 2) == "many"
    assert catalogue("de").pgettext("no such", "x") == "x"
    assert catalogue("de").npgettext("pictures", "{count} picture", "{count} pictures", 1) == (
        "{count} Bild"
    )
