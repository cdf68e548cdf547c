"""Nothing that is said of a task is ever refused by Telegram, whatever people write.

Every function that gives lines to say is found, and the table of sentences is walked, so what is added is
said here too: by the real port, over HTTP, to a Telegram that takes nothing that the Bot API does not take.
"""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any, Final, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bot
from bot import languages, pages
from bot.account import Trouble
from bot.estimates import Span
from bot.messages import Button
from bot.sentences import SENTENCES, Plural
from bot.texts import Say, shorten
from storage.figures import DayFigures, Figures, SlotUse, Spread
from storage.tasks import PLACE_LIMIT, Failure, Forgotten, ImageState, Settings, TaskState
from tests.nasty import NASTY
from tests.profiles import examples
from tests.saying import Line
from tests.test_reports import NOW, images, task

LANGUAGES: Final[tuple[str | None, ...]] = (None, *languages.LANGUAGES)
"""Those that the bot speaks."""
CAPTIONS: Final = frozenset(
    {
        "bot.pages.history_caption",
        "bot.pages.history_lost",
        "bot.reports.result",
        "bot.reports.late",
        "bot.stats.stats_lines",
    }
)
"""Reports that stand under pictures, and may be shorter; all others are texts of their own."""
_FAILURES: Final = (
    *("photo-", "file-", "image-", "content-", "hidream-", "submission-", "review-", "nothing-"),
    *("took-", "result-unfetched", "pictures-lost", "telegram-refused"),
)
"""How the sentences begin that can be the reason why there is no picture."""
_PLACE: Final = re.compile(r"\{(\w+)")
_TOGETHER: Final = 8
"""So many sentences in one message: each call takes its time."""
_DATUM: Final = 60
"""UTF-16 units of what is put into a sentence alone; whoever says it shortens it too."""


@pytest.fixture(scope="module")
def line() -> Iterator[Line]:
    """Open a line for all examples: a server takes longer than many of them."""
    opened_line = Line()
    yield opened_line
    opened_line.close()


# --- the reports ----------------------------------------------------------------------------------


def filled(id: str, datum: str, *, count: int = 3) -> Say:  # noqa: A002 - a sentence's
    """Give a sentence with this wherever there is a place in it."""
    sentence = SENTENCES[id]
    forms = [sentence.one, sentence.other] if isinstance(sentence, Plural) else [sentence]
    names = {name for form in forms for name in _PLACE.findall(form)}
    data: dict[str, Any] = dict.fromkeys(names, datum)
    return Say(id, {**data, "count": count} if isinstance(sentence, Plural) else data)


def _failure(id: str, datum: str) -> Failure:  # noqa: A002 - a sentence's
    data: Any = filled(id, shorten(datum, _DATUM)).data
    return Failure(id=id, data=data)


_STATES: Final = st.lists(st.sampled_from(ImageState), min_size=1, max_size=4)
_TASKS: Final = st.builds(
    task,
    st.sampled_from(TaskState),
    id=st.sampled_from([1, 17, 10**15]),
    settings=st.builds(
        Settings,
        prompt=NASTY,
        negative=st.one_of(st.just(""), NASTY),
        ratio=st.sampled_from([None, "16:9"]),
        count=st.integers(1, 4),
        as_file=st.booleans(),
        silent=st.booleans(),
    ),
    ratio_used=st.sampled_from([None, "4:3"]),
    hidream_task_id=st.one_of(st.none(), NASTY),
    completion=st.one_of(st.none(), st.floats(0, 1)),
    parent_id=st.sampled_from([None, 10**15]),
    uncertain=st.integers(0, 2),
    withdrawn=st.booleans(),
    failure=st.one_of(
        st.none(),
        st.builds(
            _failure,
            st.sampled_from([id_ for id_ in SENTENCES if id_.startswith(_FAILURES)]),
            NASTY,
        ),
    ),
    created_at=st.sampled_from([NOW, NOW - timedelta(hours=3), NOW - timedelta(days=4000)]),
    ended_at=st.sampled_from([None, NOW]),
)
_PLACED: Final = st.tuples(_TASKS, st.sampled_from([0, PLACE_LIMIT + 1]))
_SPOTS: Final = st.builds(pages.Spot, task_id=st.just(10**15), n=st.integers(0, 99))
_TURNED: Final = st.builds(
    pages.Shown,
    task=_TASKS,
    image=st.just(images(ImageState.STORED)[0]),
    picture=st.just(1),
    spots=st.lists(_SPOTS, min_size=1, max_size=4).map(tuple),
    n=st.just(4999),
    count=st.just(5000),
)
_LONG: Final = Spread(median=timedelta(hours=47, minutes=59), p90=timedelta(hours=47, minutes=59))
FIGURES: Final = Figures(
    days=(
        DayFigures(
            begins=NOW,
            states=dict.fromkeys(TaskState, 10**7),
            partly=10**6,
            failures=dict.fromkeys(
                ("content-refused", "hidream-failed", "telegram-refused"), 10**6
            ),
            pictures=10**8,
            waiting=_LONG,
            making=_LONG,
        ),
    )
    * 2,
    waiting=_LONG,
    making=_LONG,
    slots=(SlotUse(begins=NOW, mean=999.94, most=1000),),
)
"""Of /stats: the largest that one may think of."""
NOW_COUNTED: Final[dict[str, int]] = {
    **{str(state): 0 for state in TaskState},
    "unanswered": 5,
    "repeated": 6,
}


class Ten(list[Any]):
    """Ten of the same, which an example that failed shows once."""

    def __init__(self, one: object) -> None:
        super().__init__([one] * 10)

    def __repr__(self) -> str:
        return f"Ten({self[0]!r})"


_SPANS: Final = st.builds(Span, low=st.floats(0, 200), high=st.floats(200, 9000))
_ARGUMENTS: Final[dict[str, st.SearchStrategy[Any]]] = {
    "task": _TASKS,
    "images": _STATES.map(lambda states: images(*states)),
    "place": st.sampled_from([0, 1, 7, PLACE_LIMIT + 1]),
    "trouble": st.sampled_from([None, *Trouble]),
    "now": st.just(NOW),
    "count": st.sampled_from([1, 2, 101]),
    "counted": st.just(100),
    "completion": st.floats(0, 1),
    "standing": NASTY,
    **dict.fromkeys(("as_file", "kept", "private"), st.booleans()),
    "shown": st.sampled_from([(0, 1), (0, 2, 3)]),
    "usual": st.one_of(st.none(), _SPANS),
    "longer": st.booleans(),
    "one": _SPANS,
    "found": _PLACED.map(Ten),
    "tasks": _TASKS.map(Ten),
    "others": st.sampled_from([0, 1, 101]),
    "most": st.sampled_from([20 * 10**6, 2000 * 10**6]),
    "view_id": st.just(10**15),
    "page": st.sampled_from([0, 7]),
    "picture": _TURNED,
    "back": st.one_of(st.none(), _SPOTS),
    "on": st.one_of(st.none(), _SPOTS),
    "words": NASTY,
    "span": st.timedeltas(timedelta(seconds=-5), timedelta(days=5000)),
    "user_id": st.sampled_from([10**15, -(10**15)]),
    "keep_originals": st.timedeltas(timedelta(0), timedelta(days=36_500)),
    "retention": st.one_of(st.none(), st.timedeltas(timedelta(1), timedelta(days=36_500))),
    "figures": st.just(FIGURES),
    "counts": st.sampled_from([NOW_COUNTED, dict.fromkeys(NOW_COUNTED, 10**7)]),
    "slots": st.sampled_from([1, 1000]),
    "forgotten": st.builds(
        Forgotten,
        cancelled=st.sampled_from([0, 1, 10_000]),
        stopped=st.sampled_from([0, 1, 10_000]),
        task_ids=st.just(()),
        messages=st.just(()),
    ),
}
"""What they are made of, by the names of their parameters."""


def _said_by_functions() -> dict[str, Callable[..., Any]]:
    """Find every function of the program that gives lines to say, or buttons, and nothing else."""
    names = [module.name for module in pkgutil.walk_packages(bot.__path__, "bot.")]
    modules = [importlib.import_module(name) for name in names if not name.endswith("__main__")]
    return {
        f"{module.__name__}.{name}": function
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and _is_said(get_type_hints(function).get("return"))
    }


def _is_said(hint: Any) -> bool:
    inner = [one for one in get_args(hint) if one is not Ellipsis]
    return all(map(_is_said, inner)) if inner else hint in (Say, Button)


def _arguments(function: Callable[..., Any], known: dict[str, Any]) -> dict[str, Any]:
    """Choose what a report is made of.

    Raises:
        LookupError: nothing is known for a parameter of it.
    """
    chosen = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if name in known:
            chosen[name] = known[name]
        elif parameter.default is parameter.empty:
            raise LookupError(f"{function.__name__}({name}): add {name} to _ARGUMENTS of this test")
    return chosen


_SAID: Final = _said_by_functions()


def _parts(said: Any) -> Iterator[Any]:
    if isinstance(said, Sequence):
        for part in said:
            yield from _parts(part)
    else:
        yield said


async def _say(line: Line, name: str, said: Any, language: str | None) -> None:
    parts = list(_parts(said))
    buttons = [part for part in parts if isinstance(part, Button)]
    lines = [part for part in parts if isinstance(part, Say)]
    if name in CAPTIONS:
        await line.caption(lines, language)
    elif lines or buttons:
        rows = tuple((button,) for button in buttons)
        await line.text(lines or [Say("hidream-failed")], language, rows)


@given(known=st.fixed_dictionaries(_ARGUMENTS), language=st.sampled_from(LANGUAGES))
@examples(25)
def test_every_report_is_taken(line: Line, known: dict[str, Any], language: str | None) -> None:
    """Whatever the row of a task holds, in whatever state, what is said of it is sent and edited."""

    async def say_all() -> None:
        for name, function in _SAID.items():
            await _say(line, name, function(**_arguments(function, known)), language)

    line.run(say_all())


# --- the sentences --------------------------------------------------------------------------------


@given(datum=NASTY, language=st.sampled_from(LANGUAGES), count=st.integers(0, 5))
@examples(20)
def test_every_sentence_is_taken(line: Line, datum: str, language: str | None, count: int) -> None:
    """Whatever is put into it, each sentence of the table is sent."""
    says = [filled(id_, shorten(datum, _DATUM), count=count) for id_ in SENTENCES]

    async def say_all() -> None:
        for at in range(0, len(says), _TOGETHER):
            await line.text(says[at : at + _TOGETHER], language)

    line.run(say_all())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_notice_and_label_is_taken(line: Line, language: str | None) -> None:
    """What is said to a press has at most 200 characters, and each button has a label."""
    notices = [filled(id_, "🎉" * 20) for id_ in SENTENCES if id_.startswith("pressed-")]
    labels = [filled(id_, "<b>") for id_ in SENTENCES if id_.startswith("button-")]
    buttons = tuple((Button(label=one, data=f"again:{n}"),) for n, one in enumerate(labels))

    async def say_all() -> None:
        for notice in notices:
            await line.notice(notice, language)
        await line.text([Say("start")], language, buttons)

    line.run(say_all())


def test_what_is_said_is_found() -> None:
    """The reports are among the functions that were found, and /help, which is made of tables."""
    assert {"bot.reports.result", "bot.reports.in_full", "bot.handlers.start.help_lines"} <= set(
        _SAID
    )
    assert set(_SAID) >= CAPTIONS


def test_a_refusal_is_seen(line: Line) -> None:
    """What Telegram does not take, here a text that is too long, fails such a test."""
    with pytest.raises(AssertionError, match="too long"):
        line.run(line.text([filled("result", "long" * 2000)], None))
