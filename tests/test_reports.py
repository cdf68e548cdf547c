"""What is said of a task: true to its row, and within Telegram's limits whatever the row holds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import copies, keyboards, pages, reports, texts
from bot.account import Trouble
from bot.captions import parse
from bot.errors import CaptionError
from bot.estimates import Span
from bot.languages import LANGUAGES
from bot.pictures import AspectRatio, PictureRequest
from bot.texts import Percent, Say
from bot.values import between
from sandbox.telegram.markup import formatted, units
from storage.tasks import (
    FINAL,
    PLACE_LIMIT,
    Failure,
    Image,
    ImageState,
    Origin,
    Photo,
    Place,
    Settings,
    Task,
    TaskState,
)

NOW: Final = datetime(2030, 1, 1, tzinfo=UTC)
CAPTION: Final = 1024
TEXT: Final = 4096

HUGE: Final = st.one_of(
    st.sampled_from(["🎉", "<b>&", "👩‍👩‍👧‍👦", "e\u0301", "שלג ", "a\n", "/x @abcde "]).map(
        lambda sign: sign * 4000
    ),
    st.text(max_size=50).map(lambda text: text * 200),
    st.text(),
)


def task(state: TaskState = TaskState.QUEUED, **more: Any) -> Task:
    """Make a task's row."""
    known: dict[str, Any] = {
        "id": 17,
        "origin": Origin(bot_id=1, update_id=1),
        "user_id": 5,
        "place": Place(chat_id=5, chat_type="private", message_id=9),
        "photos": (Photo(file_id="f", file_unique_id="u"),),
        "settings": Settings(prompt="make it snow"),
        "state": state,
        "created_at": NOW - timedelta(seconds=90),
    }
    return Task(**{**known, **more})


def images(*states: ImageState) -> list[Image]:
    """Make a task's images."""
    return [
        Image(task_id=17, n=n, sub_task_id=f"s{n}", state=state) for n, state in enumerate(states)
    ]


def shown(*lines: Say, language: str | None = None) -> str:
    """Give the text as Telegram shows it, which is what its limits count."""
    return formatted(texts.words(*lines, language=language), parse_mode="HTML", entities=None).text


@given(
    prompt=HUGE,
    negative=HUGE,
    vendor_id=HUGE,
    states=st.lists(st.sampled_from(ImageState), min_size=4, max_size=4),
    state=st.sampled_from(TaskState),
    failed=st.booleans(),
    language=st.sampled_from(sorted(LANGUAGES)),
)
def test_telegrams_limits(
    prompt: str,
    negative: str,
    vendor_id: str,
    states: list[ImageState],
    state: TaskState,
    failed: bool,
    language: str,
) -> None:
    """However long the words are, captions keep to 1024 and texts to 4096 UTF-16 units."""
    one = task(
        state,
        id=10**12,
        settings=Settings(prompt=prompt, negative=negative, ratio="16:9", count=4),
        hidream_task_id=vendor_id,
        completion=0.123,
        failure=Failure(id="submission-uncertain") if failed else None,
        created_at=NOW - timedelta(days=4000, seconds=3),
        ended_at=NOW,
        parent_id=10**12,
    )
    made = images(*states)
    far = PLACE_LIMIT + 1
    assert units(shown(*reports.result(one, made, standing=negative), language=language)) <= CAPTION
    assert units(shown(*reports.late(one), language=language)) <= CAPTION
    assert units(shown(*reports.in_full(one, made, place=far, now=NOW), language=language)) <= TEXT
    page = pages.status_lines([(one, far)] * pages.LISTED, others=999, now=NOW)
    assert units(shown(*page, language=language)) <= TEXT
    which = pages.which_lines([(one, far)] * 10, others=99)
    assert units(shown(*[pages.stopped(one)] * 10, *which, language=language)) <= TEXT
    spots = (pages.Spot(task_id=one.id, n=0),) * 4
    picture = pages.Shown(task=one, image=made[0], picture=4, spots=spots, n=4999, count=5000)
    caption = pages.history_caption(picture, standing=negative, now=NOW)
    assert units(shown(caption, language=language)) <= CAPTION
    assert units(shown(pages.history_lost(picture), language=language)) <= CAPTION
    assert units(shown(pages.nothing_found(prompt, private=True), language=language)) <= TEXT
    assert (
        units(shown(Say("ask-other-words", {"settings": reports.settings(one)}), language=language))
        <= TEXT
    )


@pytest.mark.parametrize("state", list(TaskState))
def test_every_state_has_a_name(state: TaskState) -> None:
    """/status has words for each state, and the progress message for each that is not final."""
    assert shown(reports.state(task(state), place=3))
    if state not in FINAL:
        assert shown(reports.progress(task(state), place=3))


def test_progress_line() -> None:
    """It tells the place, then the percentage, then that it is on its way here; or what is wrong."""
    queued, running = task(), task(TaskState.RUNNING, completion=0.4)
    table = (
        (reports.progress(queued, place=1), "you are next"),
        (reports.progress(queued, place=7), "number 7"),
        (reports.progress(queued, place=PLACE_LIMIT + 1), "more than 500 are before you"),
        (reports.progress(queued, place=7, trouble=Trouble.TOKEN), "keeps its place"),
        (reports.progress(task(TaskState.WAITING), place=1), "trying again"),
        (reports.progress(task(TaskState.SUBMITTING), place=0), "Handing it"),
        (reports.progress(task(TaskState.UNCERTAIN), place=0), "not answered"),
        (reports.progress(task(TaskState.RUNNING), place=0), "is at it."),
        (reports.progress(running, place=0), "40%"),
        (reports.progress(running, place=0), "40%"),
        (reports.progress(replace(running, ended_at=NOW), place=0), "bringing it here"),
        (reports.progress(queued, place=7, usual=Span(low=80, high=130)), "in about 1–2 min"),
        (reports.progress(queued, place=1, usual=Span(low=80, high=130)), "you are next"),
        (reports.progress(running, place=0, usual=Span(low=12, high=20.2)), "takes 12–20 sec"),
        (reports.progress(running, place=0, longer=True), "40%. It takes longer than usual"),
        (reports.progress(task(TaskState.SUBMITTING, withdrawn=True), place=0), "Stopping"),
    )
    for line, words in table:
        assert words in shown(line)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        *((0.2, 0.4, "1 sec"), (4, 4.2, "4 sec"), (12, 99, "12–99 sec")),
        *((50, 100, "1–2 min"), (170, 190, "3 min"), (600, 3000, "10–50 min")),
    ],
)
def test_span(low: float, high: float, said: str) -> None:
    """Between which durations something lies is said in one unit, and as one number where it is one."""
    assert between(reports.span(Span(low=low, high=high)), "en") == said


def test_what_a_stopped_task_cost() -> None:
    """What HiDream never had cost nothing; what it has, or may have, may count there."""
    over = task(TaskState.CANCELLED)
    assert "cost nothing" in shown(reports.cancelled(over))
    assert "may still count" in shown(reports.cancelled(replace(over, hidream_task_id="a")))
    assert "may still count" in shown(reports.cancelled(replace(over, uncertain=1)))


def test_state_names() -> None:
    """/status tells place and percentage, and a task that is only fetched as done."""
    running = task(TaskState.RUNNING, completion=0.4)
    assert shown(reports.state(task(), place=2)) == "in line, number 2"
    assert "more than 500" in shown(reports.state(task(), place=PLACE_LIMIT + 1))
    assert shown(reports.state(running, place=0)) == "being made, 40%"
    assert "being fetched" in shown(reports.state(replace(running, ended_at=NOW), place=0))


def test_result_caption() -> None:
    """It has the words, the effective settings and the time taken, and what is missing, with why."""
    done = task(
        settings=Settings(prompt="make it <i>snow</i>", negative="text", count=4),
        ratio_used="4:3",
        ended_at=NOW,
    )
    whole = shown(*reports.result(done, images(*[ImageState.STORED] * 4)))
    assert whole == "make it <i>snow</i> /ratio 4:3 /count 4 /no text\n#17 · 90 sec"
    states = (ImageState.STORED, ImageState.REFUSED, ImageState.FAILED, ImageState.REFUSED)
    partly = shown(*reports.result(done, images(*states)))
    assert partly.removeprefix(whole).strip().splitlines() == [
        "1 of 4 pictures came out.",
        "2 did not pass HiDream's review.",
        "1 failed at HiDream.",
    ]


@given(
    prompt=st.text(max_size=120).filter(str.strip),
    negative=st.sampled_from(["", "text", "people, text"]),
    ratio=st.sampled_from(list(AspectRatio)),
    count=st.integers(1, 4),
    standing=st.sampled_from(["", "text", "other"]),
)
def test_a_copied_caption_does_the_same(
    prompt: str, negative: str, ratio: AspectRatio, count: int, standing: str
) -> None:
    """Whatever a person's settings are, the caption under a result asks for that very result."""
    try:
        asked = parse(prompt, defaults=PictureRequest(prompt="", negative=negative, count=count))
    except CaptionError:
        return
    done = task(
        settings=Settings(prompt=asked.prompt, negative=asked.negative, count=asked.count),
        ratio_used=ratio.value,
    )
    usual = PictureRequest(prompt="", negative=standing, ratio=AspectRatio.R2_3, count=2)
    again = parse(copies.whole(done, standing=standing), defaults=usual)
    assert again == replace(asked, ratio=ratio)


def test_a_long_caption_says_where_it_is_whole() -> None:
    """What is cut are the words, never the settings; and /status has them all."""
    long = task(
        settings=Settings(prompt="snow " * 190, negative="text " * 100, count=4), ratio_used="4:3"
    )
    said = shown(*reports.result(long, images(*[ImageState.STORED] * 4)))
    assert "… /ratio 4:3 /count 4 /no text" in said
    assert "/status 17" in said
    assert "snow " * 189 in shown(*reports.in_full(long, (), place=0, now=NOW))
    assert "/status 17" in shown(*reports.late(long))
    braces = replace(long, settings=Settings(prompt="{,}" * 700, count=4))
    under = shown(*reports.result(braces, images(*[ImageState.STORED] * 4)))
    assert len(under) <= 1024, "nothing makes it longer once it is cut"


def test_lineage() -> None:
    """A result says from which task it was made."""
    child = task(parent_id=12, ratio_used="1:1")
    assert shown(*reports.late(child)).splitlines()[-1] == "↳ made from #12"
    assert "made from #12" in shown(*reports.in_full(child, (), place=0, now=NOW))
    assert "made from" not in shown(*reports.late(task()))


@pytest.mark.parametrize(
    "state", sorted(set(ImageState) - {ImageState.STORED, ImageState.PENDING, ImageState.MADE})
)
def test_every_missing_image_has_a_reason(state: ImageState) -> None:
    """Whatever an image without a picture ended in is told."""
    said = shown(*reports.partly(images(ImageState.STORED, state)))
    assert len(said.splitlines()) == 2


def test_settings_before_the_photo_is_known() -> None:
    """A ratio that is left to the photo is said so until it is known."""
    assert shown(reports.settings(task())) == "shape of the photo · 1 picture"


def test_in_full() -> None:
    """A failure is told; what was never made has no time that it took."""
    failed = task(TaskState.FAILED, failure=Failure(id="photo-gone"))
    said = shown(*reports.in_full(failed, (), place=0, now=NOW))
    assert said.startswith("#17 · no picture\nmake it snow /count 1\n")
    assert "Sent 1 minute ago." in said
    assert "no longer has that photo" in said
    cancelled = shown(*reports.in_full(task(TaskState.CANCELLED), (), place=0, now=NOW))
    assert "Done in" not in cancelled
    done = task(TaskState.DELIVERED, ended_at=NOW, hidream_task_id="abc")
    said = shown(*reports.in_full(done, images(ImageState.STORED), place=0, now=NOW))
    assert said.endswith("Done in 90 sec.\nHiDream's id for it: abc")


def test_buttons_that_can_help() -> None:
    """A failure has both buttons, unless the photo itself is of no use."""
    (row,) = keyboards.failure(task(failure=Failure(id="review-refused")))
    assert [button.data for button in row] == ["again:17", "words:17"]
    assert keyboards.failure(task(failure=Failure(id="image-broken"))) == ()


def test_result_buttons() -> None:
    """A result leads on in each way; four pictures offer one, and a file is the original already."""
    rows = [[button.data for button in row] for row in keyboards.result(task(), as_file=False)]
    assert rows == [
        ["again:17", "ratio:17", "count:17:4"],
        ["words:17", "use:17"],
        ["file:17", "delete:17"],
    ]
    four = task(settings=Settings(prompt="snow", count=4))
    rows = [[button.data for button in row] for row in keyboards.result(four, as_file=True)]
    assert rows[0][2] == "count:17:1"
    assert rows[2] == ["delete:17"]
    gone = [
        button.data for row in keyboards.result(four, as_file=False, kept=False) for button in row
    ]
    assert gone == ["again:17", "ratio:17", "count:17:1", "words:17"], "the picture is no more"


def test_progress_button() -> None:
    """What is not over can be stopped, once."""
    assert keyboards.progress(task())[0][0].data == "cancel:17"
    assert keyboards.progress(task(TaskState.SUBMITTING, withdrawn=True)) == ()
    assert keyboards.progress(task(TaskState.CANCELLED)) == ()


def test_callback_data_keeps_to_its_limit() -> None:
    """However large a task's number is, what a button brings back is 1 to 64 bytes."""
    one = task(id=10**15)
    boards = keyboards.result(one, as_file=False), keyboards.failure(one), keyboards.progress(one)
    for button in (button for board in boards for row in board for button in row):
        assert 1 <= len(button.data.encode()) <= 64


@pytest.mark.parametrize(
    ("completion", "percent"), [(0.0, 0), (0.004, 0), (0.999, 99), (1.0, 100), (1.5, 100)]
)
def test_percent(completion: float, percent: int) -> None:
    """It is 100 only when it is over."""
    assert reports.percent(completion) == Percent(percent / 100)
