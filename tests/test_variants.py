"""Variants: which prompts a prompt stands for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import CaptionError
from bot.variants import MOST, escaped, expand


@pytest.mark.parametrize(
    ("prompt", "stands_for"),
    [
        ("a car", ["a car"]),
        ("{red, blue} car", ["red car", "blue car"]),
        ("a {red,blue} {car,bus}", ["a red car", "a red bus", "a blue car", "a blue bus"]),
        ("{红，蓝}色的车", ["红色的车", "蓝色的车"]),
        ("｛红、蓝｝色", ["红色", "蓝色"]),
        ("{, very} big", ["big", "very big"]),
        ("{a, a, b}", ["a", "b"]),
        ("{red} car", ["{red} car"]),
        ("{} car", ["{} car"]),
        ("{red, blue car", ["{red, blue car"]),
        ("red, blue} car", ["red, blue} car"]),
        (r"\{red, blue\} car", ["{red, blue} car"]),
        (r"{red\, dark, blue} car", ["red, dark car", "blue car"]),
        ("{a {b, c}} d", ["{a b} d", "{a c} d"]),
        ("{1,2,3,4,5,6,7,8}", list("12345678")),
    ],
)
def test_what_a_prompt_stands_for(prompt: str, stands_for: list[str]) -> None:
    """Braces with a comma are a choice; all others are words, and a backslash makes words of any."""
    assert list(expand(prompt)) == stands_for


@pytest.mark.parametrize(("prompt", "count"), [("{1,2,3,4,5,6,7,8,9}", 9), ("{a,b}" * 40, 2**40)])
def test_too_many(prompt: str, count: int) -> None:
    """More than eight are refused, with their number, at once, however many there would be."""
    with pytest.raises(CaptionError) as caught:
        expand(prompt)
    assert caught.value.say.data == {"count": count, "most": MOST}


@given(st.text(alphabet=st.sampled_from("ab{},，\\｛｝ \n"), max_size=40))
def test_whatever_is_written(prompt: str) -> None:
    """Any text stands for one to eight prompts, or for too many."""
    try:
        found = expand(prompt)
    except CaptionError:
        return
    assert len(found) <= MOST
    assert len(set(found)) == len(found)


@given(st.text(alphabet=st.characters(blacklist_characters="\\", blacklist_categories=["Cs"])))
def test_an_escaped_prompt_stands_for_itself(prompt: str) -> None:
    """What `escaped` writes is read as the one prompt that it was."""
    assert expand(escaped(prompt)) == (prompt,)
