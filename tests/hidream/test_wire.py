"""JSON and types: every documented field there and back, and what is open both ways."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.hidream import wire
from bot.hidream.reading import as_number, as_text, as_whole
from bot.hidream.wire import (
    RESOLUTIONS,
    STATUSES,
    Accepted,
    ApiVersion,
    Submission,
    SubTask,
    SubTaskStatus,
    TaskResult,
    WrongShape,
    read_accepted,
    read_code,
    read_message,
    read_result,
    read_results,
    submission_body,
)
from tests.hidream.making import UNHURRIED, accepted, sub, submission, told

words = st.text(max_size=40)
base64_texts = st.binary(min_size=1, max_size=60).map(lambda data: base64.b64encode(data).decode())
ids = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp", "Cs"]), min_size=1
)


@UNHURRIED
@given(
    images=st.lists(base64_texts | st.just("https://a.example/x.png"), min_size=1, max_size=3),
    prompt=words,
    negative=words,
    ratio=st.sampled_from(sorted(RESOLUTIONS)),
    count=st.integers(1, 4),
    request_id=ids,
    notify=st.none() | st.just("https://bot.example/callback/abc"),
    version=st.sampled_from(ApiVersion),
)
def test_every_documented_field_of_a_submission_survives(
    images: list[str],
    prompt: str,
    negative: str,
    ratio: str,
    count: int,
    request_id: str,
    notify: str | None,
    version: ApiVersion,
) -> None:
    """What is put into a submission can be read back out of its JSON, in both versions."""
    body = json.loads(
        json.dumps(
            submission_body(
                version,
                Submission(
                    images=tuple(images),
                    prompt=prompt,
                    negative_prompt=negative,
                    aspect_ratio=ratio,
                    count=count,
                    request_id=request_id,
                    notify_url=notify,
                ),
            )
        )
    )
    expected: dict[str, object] = {
        "image": images,
        "prompt": prompt,
        "negative_prompt": negative,
        "img_count": count,
        "request_id": request_id,
    }
    if notify:
        expected["notify_url"] = notify
    if version is ApiVersion.V2:
        expected["aspect_ratio"] = ratio
        if len(images) == 1:
            expected["image"] = images[0]
    else:
        expected |= {"version": "v1", "resolution": RESOLUTIONS[ratio]}
    assert body == expected


def test_the_seven_ratios_have_the_documented_resolutions() -> None:
    """Each ratio has a resolution of that ratio, within a pixel's rounding."""
    assert set(RESOLUTIONS) == {"9:16", "2:3", "4:3", "1:1", "3:4", "3:2", "16:9"}
    for ratio, resolution in RESOLUTIONS.items():
        (a, b), (width, height) = ratio.split(":"), resolution.split("*")
        assert int(width) / int(height) == pytest.approx(int(a) / int(b), rel=1e-3)
        assert max(int(width), int(height)) == 2048


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"images": ()}, "images"),
        ({"images": ("",)}, r"images\[0\]"),
        ({"images": ("aGVsbG8=", "not base64!")}, r"images\[1\]"),
        ({"images": ("ftp://a.example/x",)}, r"images\[0\]"),
        ({"images": ("http://user:pass@a.example/x",)}, r"images\[0\]"),
        ({"images": ("https://api.telegram.org/file/bot12:AbC/photos/1.jpg",)}, "bot token"),
        ({"aspect_ratio": "5:4"}, "aspect_ratio: '5:4'.*16:9"),
        ({"count": 0}, "count: 0.*1 to 4"),
        ({"count": 5}, "count: 5.*1 to 4"),
        ({"count": True}, "count: True"),
        ({"count": 2.0}, "count: 2.0"),
        ({"request_id": " "}, "request_id"),
        ({"notify_url": "bot.example/secret"}, "notify_url"),
    ],
)
def test_a_wrong_field_is_named_with_what_is_allowed(changes: dict[str, Any], named: str) -> None:
    """A submission that HiDream would not take is not made, and the message helps."""
    with pytest.raises(ValueError, match=named) as caught:
        submission(**changes)
    assert "allowed" in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"images": ("https://api.telegram.org/file/bot12:AbC/photos/1.jpg",)},
        {"images": ("AbC!",)},
        {"notify_url": "bot.example/AbC"},
    ],
)
def test_a_wrong_image_or_callback_is_not_repeated(changes: dict[str, Any]) -> None:
    """What may be secret does not get into the message of an error."""
    with pytest.raises(ValueError) as caught:
        submission(**changes)
    assert "AbC" not in str(caught.value)


def test_the_documented_answer_to_a_submission_is_read() -> None:
    """Task id, sub-task ids and the echoed request id are all there."""
    assert read_accepted(accepted("t", ("a", "b"))) == Accepted(
        task_id="t", sub_task_ids=("a", "b"), request_id="r-1"
    )


@pytest.mark.parametrize("result", [None, [], "x", {}, {"task_id": ""}, {"task_id": None}])
def test_an_acceptance_without_a_task_id_is_none(result: object) -> None:
    """Nothing is made up in place of a task id."""
    assert read_accepted(told(result)) is None


def test_an_acceptance_without_sub_tasks_is_one() -> None:
    """The task id is enough; strange sub-task ids are dropped."""
    assert read_accepted(told({"task_id": 7})) == Accepted(
        task_id="7", sub_task_ids=(), request_id=None
    )
    only = read_accepted(told({"task_id": "t", "sub_task_ids": ["a", None, ["b"]]}))
    assert only is not None
    assert only.sub_task_ids == ("a",)


@UNHURRIED
@given(
    task_id=ids,
    request_id=ids,
    entries=st.lists(
        st.tuples(
            ids,
            st.sampled_from(sorted(STATUSES)),
            st.floats(0, 1),
            st.none() | ids,
            st.none() | ids,
        ),
        max_size=4,
    ),
)
def test_every_documented_field_of_a_result_survives(
    task_id: str, request_id: str, entries: list[tuple[str, int, float, str | None, str | None]]
) -> None:
    """What HiDream says about a task is all there in the type."""
    reply = told(
        {
            "task_id": task_id,
            "unknown_field": [1],
            "sub_task_results": [
                sub(sub_task_id=a, task_status=b, task_completion=c, image=d, description=e)
                for a, b, c, d, e in entries
            ],
        },
        request_id=request_id,
    )
    expected = TaskResult(
        task_id=task_id,
        request_id=request_id,
        sub_tasks=tuple(
            SubTask(
                sub_task_id=a,
                status=(SubTaskStatus.WAITING if b == 1 and d is None else STATUSES[b]),
                raw_status=b,
                completion=c,
                image=d,
                description=e,
            )
            for a, b, c, d, e in entries
        ),
    )
    assert read_result(json.loads(json.dumps(reply))) == expected


@pytest.mark.parametrize(
    ("raw", "status", "final"),
    [
        (0, "waiting", False),
        (1, "done", True),
        (2, "running", False),
        (3, "failed", True),
        (4, "refused", True),
        (1004, "empty", True),
        (1005, "empty", True),
        (1006, "empty", True),
        (-1, "waiting", False),
        (-5, "waiting", False),
        (-6, "waiting", False),
        (5, "waiting", False),
        (99999, "waiting", False),
        ("1", "done", True),
        (1.0, "done", True),
        (True, "waiting", False),
        (None, "waiting", False),
        ("done", "waiting", False),
        (10**30, "waiting", False),
    ],
)
def test_each_status_means_what_is_documented(raw: object, status: str, final: bool) -> None:
    """Known statuses are final or not as documented; anything else means: go on asking."""
    read = read_result(told({"sub_task_results": [sub(task_status=raw)]}))
    assert read.sub_tasks[0].status == status
    assert read.sub_tasks[0].status.final is final
    assert read.final is final


@pytest.mark.parametrize(
    ("changes", "oddity"),
    [
        ({}, None),
        ({"task_status": -3}, None),
        ({"task_status": 77}, "hidream.status_unknown"),
        ({"task_status": None}, "hidream.status_unreadable"),
        ({"image": ""}, "hidream.done_without_image"),
        ({"image": None}, "hidream.done_without_image"),
    ],
)
def test_what_is_strange_about_a_status_is_named(
    changes: dict[str, object], oddity: str | None
) -> None:
    """An unknown status, or a finished image without its URL, is reported and not final."""
    read = read_result(told({"sub_task_results": [sub(**changes)]})).sub_tasks[0]
    assert read.oddity == oddity
    assert oddity is None or not read.status.final


@pytest.mark.parametrize(
    ("values", "completions"),
    [
        ([0.0, 0.25, 1.0], [0.0, 0.25, 1.0]),
        ([0, 25, 100], [0.0, 0.25, 1.0]),
        ([1, 50], [0.01, 0.5]),
        ([1], [1.0]),
        ([0.5, 40], [0.005, 0.4]),
        ([-3, 250], [0.0, 1.0]),
        (["0.5"], [0.5]),
        (["50"], [0.5]),
        ([None, True, "half", [], 1e999, 0.5], [None, None, None, None, None, 0.5]),
    ],
)
def test_progress_is_taken_on_both_scales(values: list[object], completions: list[object]) -> None:
    """One value above 1 makes the whole answer a scale to 100, else it is one to 1."""
    read = read_result(
        told({"sub_task_results": [sub(task_completion=value, task_status=2) for value in values]})
    )
    assert [each.completion for each in read.sub_tasks] == completions


def test_a_batch_has_one_scale() -> None:
    """A percentage in one entry settles how the others are read."""
    one, two = read_results(
        told(
            [
                {"sub_task_results": [sub(task_completion=1, task_status=2)]},
                {"sub_task_results": [sub(task_completion=60, task_status=2)]},
            ]
        )
    )
    assert (one.sub_tasks[0].completion, two.sub_tasks[0].completion) == (0.01, 0.6)


@pytest.mark.parametrize(
    "result",
    [None, {}, [], [{}], {"sub_task_results": None}, {"sub_task_results": []}, {"task_id": None}],
)
def test_nothing_yet_is_no_sub_tasks_and_not_final(result: object) -> None:
    """Right after a submission there may be nothing to tell; that is not the end."""
    read = read_result(told(result))
    assert read.sub_tasks == ()
    assert not read.final


def test_a_mixed_end_is_final_only_when_every_part_is() -> None:
    """Done and refused together are final, done and waiting are not."""
    mixed = read_result(told({"sub_task_results": [sub(), sub(task_status=4)]}))
    assert mixed.final
    waiting = read_result(told({"sub_task_results": [sub(), sub(task_status=0)]}))
    assert not waiting.final


@pytest.mark.parametrize(
    "result",
    ["x", 3, [{}, {}], ["x"], {"sub_task_results": {}}, {"sub_task_results": ["x"]}],
)
def test_a_result_of_another_form_is_the_wrong_shape(result: object) -> None:
    """What is not of the documented form is not guessed at."""
    with pytest.raises(WrongShape):
        read_result(told(result))


@pytest.mark.parametrize("result", [None, {}, "x", [None], [{"sub_task_results": 1}]])
def test_a_batch_of_another_form_is_the_wrong_shape(result: object) -> None:
    """A batch answer is a list of objects or nothing."""
    with pytest.raises(WrongShape):
        read_results(told(result))


@pytest.mark.parametrize(
    ("value", "code"),
    [(0, 0), ("0", 0), ("2031", 2031), (2031.0, 2031), (None, None), ("x", None), (True, None)],
)
def test_a_code_may_be_a_number_or_a_numeric_text(value: object, code: int | None) -> None:
    """`code` is read in both forms."""
    assert read_code({"code": value}) == code


def test_a_message_is_cut() -> None:
    """The vendor's words are kept up to a length, from whichever field has them."""
    assert read_message({"message": "x" * 900}) == "x" * 500
    assert read_message({"message": "", "msg": "no"}) == "no"
    assert read_message({"message": {"a": 1}}) is None


def test_texts_can_always_be_stored() -> None:
    """Half a surrogate pair is replaced, numbers become digits, monsters nothing."""
    assert as_text(" a\ud83d ") == "a?"
    assert as_text(12) == "12"
    assert as_text(10**5000) is None
    assert as_text(True) is None
    assert as_number(10**400) is None
    assert as_whole(2.5) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "result",
                    "task_id",
                    "sub_task_results",
                    "task_status",
                    "task_completion",
                    "image",
                    "code",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@UNHURRIED
@given(st.dictionaries(st.sampled_from(["code", "result", "message", "request_id"]), json_values))
def test_reading_raises_nothing_but_the_wrong_shape(envelope: dict[str, object]) -> None:
    """Whatever JSON comes, it is read or is the wrong shape."""
    read_accepted(envelope)
    read_code(envelope)
    read_message(envelope)
    for read in (read_result, read_results):
        try:
            read(envelope)
        except WrongShape:
            continue


def test_the_module_offers_what_it_lists() -> None:
    """Every name in `__all__` is there."""
    assert all(hasattr(wire, name) for name in wire.__all__)
