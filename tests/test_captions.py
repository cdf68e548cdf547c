"""Captions: options are read wherever they stand, and everything else is prompt, untouched."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.captions import mentions_option, parse, write
from bot.errors import CaptionError
from bot.options import OPTIONS, Extent, help_rows
from bot.pictures import AspectRatio, PictureRequest

BOT = "our_bot"
PLAIN = PictureRequest(prompt="")
OWN = PictureRequest(prompt="", negative="blur\n/no text", ratio=AspectRatio("3:2"), count=2)


def read(caption: str, defaults: PictureRequest = PLAIN) -> PictureRequest:
    """Parse as our_bot does."""
    return parse(caption, defaults=defaults, bot_username=BOT)


def refusal(caption: str) -> tuple[str, dict[str, object]]:
    """The id and data with which a caption is refused."""
    with pytest.raises(CaptionError) as caught:
        read(caption)
    return caught.value.say.id, dict(caught.value.say.data)


@pytest.mark.parametrize("ratio", AspectRatio)
@pytest.mark.parametrize(
    "form",
    [
        "/ratio {}",
        "/ar {}",
        "--ratio {}",
        "--ar {}",
        "ratio={}",
        "/RATIO {}",
        "Ratio={}",
        "/ratio@our_bot {}",
        "/ratio@OUR_Bot {}",
        "—ratio {}",
        "–ar {}",
        "——ratio {}",
        "--ratio={}",
        "/ratio={}",
        "/ratio: {}",
        "/ratio:{}",
        "/ratio＝{}",
        "／ratio　{}",
        "\u200f/ratio {}\u200e",
        "/ratio \u200f{}\u200e",
        "ratio= {}",
        "/ratio {},",
        "/ratio {}.",
    ],
)
def test_a_ratio_is_read_in_every_spelling(form: str, ratio: AspectRatio) -> None:
    """Each spelling of the ratio option sets the ratio and leaves the prompt clean."""
    expected = PictureRequest(prompt="a cat at night", ratio=ratio)
    assert read(f"a cat {form.format(ratio)} at night") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("16x9", "16:9"),
        ("16X9", "16:9"),
        ("16：9", "16:9"),
        ("１６：９", "16:9"),
        ("16×9", "16:9"),
        ("16х9", "16:9"),
        ("16/9", "16:9"),
        ("١٦:٩", "16:9"),
        ("03:02", "3:2"),
        ("landscape", "16:9"),
        ("Portrait", "9:16"),
        ("SQUARE", "1:1"),
        ("square!", "1:1"),
    ],
)
def test_a_ratio_can_be_written_otherwise(value: str, expected: str) -> None:
    """Ratios are read with other signs, full-width, in other digits, and as words."""
    assert read(f"/ratio {value}").ratio == expected


def test_auto_is_the_photos_own_ratio() -> None:
    """`auto` takes back a default ratio."""
    assert read("snow /ratio auto", OWN).ratio is None


@pytest.mark.parametrize(
    "form", ["/count {}", "/n {}", "--count {}", "--n {}", "count={}", "—n={}"]
)
@pytest.mark.parametrize(("value", "count"), [("1", 1), ("4", 4), ("３", 3), ("02", 2)])
def test_a_count_is_read_in_every_spelling(form: str, value: str, count: int) -> None:
    """Each spelling of the count option sets the count."""
    expected = PictureRequest(prompt="snow", count=count)
    assert read(f"{form.format(value)} snow") == expected


@pytest.mark.parametrize(
    ("caption", "prompt", "negative"),
    [
        ("a street /no text, people", "a street", "text, people"),
        ("/no text, people\na street", "a street", "text, people"),
        ("a street --no text, people /count 1 at night", "a street at night", "text, people"),
        ("—no cars\r\na street", "a street", "cars"),
        ("/negative cars", "", "cars"),
        ("/no: cars", "", "cars"),
        ("negative=cars and/or 1:2", "", "cars and/or 1:2"),
        ("/no  a  b  ", "", "a  b"),
        ("/no cars\n/no dogs", "", "dogs"),
        ("/no /usr/bin --x", "", "/usr/bin --x"),
    ],
)
def test_a_negative_goes_to_the_next_option_or_the_lines_end(
    caption: str, prompt: str, negative: str
) -> None:
    """What is not wanted goes up to the next option or the end of the line, and no further."""
    assert read(caption) == PictureRequest(prompt=prompt, negative=negative)


def test_none_takes_back_a_default_negative() -> None:
    """`/no none` asks for nothing to be avoided, though the defaults avoid something."""
    assert read("snow /no None", OWN).negative == ""


def test_defaults_hold_for_what_is_not_said() -> None:
    """Options that the caption doesn't mention keep the defaults; the prompt never does."""
    assert read("snow /count 3", PictureRequest(prompt="old", negative="x", count=2)) == (
        PictureRequest(prompt="snow", negative="x", count=3)
    )


def test_of_an_option_said_twice_the_last_counts() -> None:
    """The last of two counts, whatever the spelling."""
    assert read("/n 2 --count 4 snow count=3") == PictureRequest(prompt="snow", count=3)


@pytest.mark.parametrize(
    ("caption", "prompt"),
    [
        ("  a  cat\tand\n\n a dog ", "a  cat\tand\n\n a dog"),
        ("a cat   /n 2   at night", "a cat at night"),
        ("a cat\n/n 2\nat night", "a cat\nat night"),
        ("a cat\n\n/n 2 /ratio 1:1\nat night", "a cat\n\nat night"),
        ("a cat /n 2\n\nat night", "a cat\n\nat night"),
        ("a cat /n 2 and /ratio 1:1 a dog", "a cat and a dog"),
        ("a cat\u2028/n 2 at night", "a cat\u2028at night"),
        ("/n 2", ""),
        ("", ""),
        (" \n ", ""),
    ],
)
def test_a_cut_leaves_one_space_or_the_line_breaks(caption: str, prompt: str) -> None:
    """Where an option stood one space remains, or the line breaks; other white space is kept."""
    assert read(caption).prompt == prompt


@pytest.mark.parametrize(
    "prompt",
    [
        "cats and/or dogs, 1/2 each, 3:2 in a sentence",
        "a landscape painting of a square, in portrait",
        "e = mc² where n=4, xn=4 and ar=1",
        "like https://example.org/n/4?ratio=16:9&count=9#/count",
        "example.org/count 4",
        "file /usr/bin/env or /count/of/monte or C:/n",
        "coffee w/o milk /s /start /status /help@our_bot / // /",
        "-- a dash – another — last -ratio -n",
        "/ratio@other_bot 5:7 /n@other_bot 9 --ratio@our_bot 9",
        "/ratio-like /count_dracula /notes --north —noon",
        "ratio 16:9, ratio: 16:9, count 4, the ratio = 3",
        "price=4 a=b x=y =4 ratio",
        "👩‍👩‍👧 🎉 emoji ❄️",
        "حوّل هذه الصورة إلى مشهد شتوي 3:2",
        "הפוך את זה לחורף\nעם שלג",
        "line one\n\n\tline two\r\nline three",
        "(/ratio 16:9)",
        "/1 --2 /_x /~ /é",
        "<b>bold</b> & \u202eevil\u202c",
    ],
)
def test_all_else_is_prompt_untouched(prompt: str) -> None:
    """Whatever is not an option at the start of a word stays as it was typed."""
    assert read(prompt) == PictureRequest(prompt=prompt)


def test_an_address_is_nobodys_while_our_name_is_unknown() -> None:
    """Without our username an addressed option can't be known as ours, and stays prompt."""
    assert parse("/n@our_bot 4", defaults=PLAIN) == PictureRequest(prompt="/n@our_bot 4")


RATIOS = (
    *("9:16", "2:3", "4:3", "1:1", "3:4", "3:2", "16:9"),
    *("landscape", "portrait", "square", "auto"),
)
COUNTS = ("1", "2", "3", "4")


@pytest.mark.parametrize(
    ("caption", "sentence", "data"),
    [
        ("/ratio 5:7 x", "ratio-wrong", {"option": "/ratio", "value": "5:7", "allowed": RATIOS}),
        ("--AR wide", "ratio-wrong", {"option": "--ar", "value": "wide", "allowed": RATIOS}),
        (
            "/ratio 16:9:1",
            "ratio-wrong",
            {"option": "/ratio", "value": "16:9:1", "allowed": RATIOS},
        ),
        ("/n ,", "count-wrong", {"option": "/n", "value": ",", "allowed": COUNTS}),
        ("count=5", "count-wrong", {"option": "count=", "value": "5", "allowed": COUNTS}),
        ("/n 0", "count-wrong", {"option": "/n", "value": "0", "allowed": COUNTS}),
        ("/n -1", "count-wrong", {"option": "/n", "value": "-1", "allowed": COUNTS}),
        ("/n 2.5", "count-wrong", {"option": "/n", "value": "2.5", "allowed": COUNTS}),
        (
            "/n " + "9" * 5000,
            "count-wrong",
            {"option": "/n", "value": "9" * 39 + "…", "allowed": COUNTS},
        ),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_allowed(
    caption: str, sentence: str, data: dict[str, object]
) -> None:
    """A value that isn't allowed is refused with the option, the value (shortened), and what is."""
    assert refusal(caption) == (sentence, data)


@pytest.mark.parametrize(
    ("caption", "name", "written"),
    [
        ("snow /ratio", "ratio", "/ratio"),
        ("/ratio\n16:9", "ratio", "/ratio"),
        ("/ratio /count 2", "ratio", "/ratio"),
        ("ratio=", "ratio", "ratio="),
        ("what is /count?", "count", "/count"),
        ("--n --n 3", "count", "--n"),
        ("a street /no", "negative", "/no"),
        ("/no\npeople", "negative", "/no"),
        ("/no=/n 3", "negative", "/no"),
        ("/no /n 3", "negative", "/no"),
    ],
)
def test_a_missing_value_is_refused_with_an_example(caption: str, name: str, written: str) -> None:
    """An option without a value on its line is refused with an example and what is allowed."""
    row = next(option for option in OPTIONS if option.name == name)
    assert refusal(caption) == (
        f"{name}-missing",
        {"option": written, "example": row.usage(), "allowed": row.values},
    )


@pytest.mark.parametrize(
    ("caption", "word", "meant"),
    [
        ("snow /rtaio 16:9", "/rtaio", "/ratio"),
        ("/raito 16:9", "/raito", "/ratio"),
        ("/ratoi@our_bot 16:9", "/ratoi", "/ratio"),
        ("/ratios 16:9", "/ratios", "/ratio"),
        ("/ratio16:9", "/ratio16", "/ratio"),
        ("--cout 4", "--cout", "--count"),
        ("—conut 4", "--conut", "--count"),
        ("/count4", "/count4", "/count"),
        ("ration=16:9", "ration=", "ratio="),
        ("/negativ text", "/negativ", "/negative"),
        ("/RAATIO 3:2", "/raatio", "/ratio"),
        ("/no people /cuont 2", "/cuont", "/count"),
        ("/what /cuont?", "/cuont", "/count"),
    ],
)
def test_a_nearly_known_option_is_asked_about(caption: str, word: str, meant: str) -> None:
    """A word that begins like an option and is within two edits of one gets "did you mean"."""
    assert refusal(caption) == ("option-unknown", {"word": word, "meant": meant})


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("/ratio 16:9", True),
        ("snow /N 4", True),
        ("snow /no", True),
        ("/count@our_bot 4", True),
        ("/count=4", True),
        ("/count@other_bot 4", False),
        ("--ratio 16:9", False),
        ("ratio=16:9", False),
        ("/rtaio 16:9", False),
        ("and/or, a/n 4", False),
        ("", False),
    ],
)
def test_only_slash_options_of_ours_address_the_bot(caption: str, expected: bool) -> None:
    """In a group, an option in slash form addresses the bot; other forms and bots don't."""
    assert mentions_option(caption, BOT) is expected


def test_help_has_a_row_for_each_option_and_each_example_works() -> None:
    """Each option is in the help with all its spellings, and its example parses."""
    rows = help_rows()
    assert [(row.name, row.example, row.about) for row in rows] == [
        ("ratio", "/ratio 16:9", "ratio-about"),
        ("count", "/count 4", "count-about"),
        ("negative", "/no text, people", "negative-about"),
    ]
    assert rows[0].spellings == ("/ratio", "/ar", "--ratio", "--ar", "ratio=")
    assert read(" ".join(row.example for row in rows)) == PictureRequest(
        prompt="", ratio=AspectRatio("16:9"), count=4, negative="text, people"
    )


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_every_spelling_and_value_in_the_table_is_read(option: object) -> None:
    """What the table shows to people, the parser takes."""
    row = next(each for each in OPTIONS if each is option)
    for spelling in row.spellings():
        for value in row.values or (row.example,):
            assert read(f"a {spelling} {value}\nb").prompt == "a\nb"


def test_write_leaves_out_the_defaults_and_puts_the_line_option_last() -> None:
    """A written request is the prompt and what differs from the defaults."""
    request = PictureRequest(prompt="snow", ratio=AspectRatio("16:9"), count=2, negative="text")
    assert write(request, defaults=PLAIN) == "snow /ratio 16:9 /count 2 /no text"
    assert write(PLAIN, defaults=PLAIN) == ""
    assert write(PLAIN, defaults=OWN) == "/ratio auto /count 1 /no none"
    assert [option.extent for option in OPTIONS].count(Extent.LINE) == 1


FRAGMENTS = st.sampled_from(
    [
        *(spelling for option in OPTIONS for spelling in option.spellings()),
        *(value for option in OPTIONS for value in option.values),
        *("/ratio@our_bot", "/n@other_bot", "—no", "–ar", "/rat", "／no", "=", ":", "@our_bot"),
        *(" ", "  ", "\n", "\r\n", "\u2028", "\x85", "\t", "\u3000", "\xa0", "\u200f", "\ufeff"),
        *("none", "16：9", "text, people", "and/or", "/", "-", "--", "—", ",", "=/no", "4"),
    ]
)
TEXTS = st.one_of(
    st.text(max_size=200),
    st.lists(FRAGMENTS | st.text(max_size=4), max_size=30).map("".join),
    st.lists(FRAGMENTS | st.text(max_size=4), max_size=30).map(" ".join),
)


@settings(deadline=None)
@given(TEXTS, st.sampled_from([PLAIN, OWN]), st.sampled_from([None, "our_bot", "@our_bot"]))
@example("/no=/ratio 3:2", PLAIN, None)
@example("/no none /no =x", OWN, None)
@example("\ud800 /n \udfff", PLAIN, None)
def test_any_text_is_read_or_refused_and_written_texts_read_the_same(
    caption: str, defaults: PictureRequest, bot: str | None
) -> None:
    """Parsing raises only the caption error; what it gives, written out, parses to the same."""
    try:
        request = parse(caption, defaults=defaults, bot_username=bot)
    except CaptionError:
        return
    written = write(request, defaults=defaults)
    assert parse(written, defaults=defaults, bot_username=bot) == request
    assert write(parse(written, defaults=defaults, bot_username=bot), defaults=defaults) == written
    mentions_option(caption, bot)


REQUESTS = st.builds(
    PictureRequest,
    prompt=st.sampled_from(["", "snow", "a\n\nb  c", "and/or 3:2", "/start x"]),
    negative=st.sampled_from(["", "text", "text, people", "none of it", "=x", ": y"]),
    ratio=st.none() | st.sampled_from(AspectRatio),
    count=st.integers(1, 4),
)


@given(REQUESTS, REQUESTS)
def test_any_settings_survive_writing_over_any_defaults(
    request_: PictureRequest, defaults: PictureRequest
) -> None:
    """Every combination of settings is written so that it reads back, whatever the defaults."""
    assert parse(write(request_, defaults=defaults), defaults=defaults) == request_


@given(st.lists(st.text(st.characters(exclude_characters="/／-—–―－=＝"), min_size=1)))
def test_text_without_option_signs_is_never_touched(parts: list[str]) -> None:
    """A caption without slash, dash or equals sign is the prompt, outer white space aside."""
    caption = " ".join(parts)
    assert read(caption) == PictureRequest(prompt=caption.strip())


def test_a_very_long_caption_is_read_in_one_pass() -> None:
    """A megabyte of what looks like options is read like any other, without deep recursion."""
    caption = "/no a/no ratio=x " * 4 + "/n 2 " * 20_000 + "é" * 500_000 + " -" * 100_000
    with pytest.raises(CaptionError):
        read(caption)
    caption = re.sub(r"ratio=x", "", caption)
    assert read(caption).count == 2


@pytest.mark.parametrize(
    ("caption", "prompt", "ratio", "count"),
    [
        ("下雪／ratio 16:9", "下雪", "16:9", 1),
        ("下雪／ratio　１６：９／n ２", "下雪", "16:9", 2),
        ("下雪／比例", "下雪／比例", None, 1),
        ("1／2 cup /ratio 16／9", "1／2 cup", "16:9", 1),
    ],
)
def test_options_in_scripts_without_spaces(
    caption: str, prompt: str, ratio: str | None, count: int
) -> None:
    """A full-width slash with a known name after it begins an option in the middle of a word."""
    found = read(caption)
    assert (found.prompt, found.ratio, found.count) == (prompt, ratio, count)


def test_every_mistake_is_told() -> None:
    """A caption error has all that is wrong, once each, in the order in which it was written."""
    with pytest.raises(CaptionError) as caught:
        read("snow /ratio 5:7 /n 9 /cuont 2 /n 9")
    assert [say.id for say in caught.value.says] == ["ratio-wrong", "count-wrong", "option-unknown"]
