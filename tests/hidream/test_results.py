"""Asking for results over real HTTP: one, many, and each open point both ways."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bot.hidream.batch import joined
from bot.hidream.client import Asked, HiDreamClient
from bot.hidream.errors import (
    ContentRefused,
    GatewayIll,
    HiDreamError,
    Refused,
    TokenRefused,
    TooFast,
    UnknownTask,
)
from bot.hidream.wire import ApiVersion, SubTaskStatus, TaskResult, read_results
from tests.hidream.crooked import Request, Script, Wire, answers, crooked
from tests.hidream.making import TOKEN, UNHURRIED, client, sub, submission, told


def asked(name: str, user: str = "1") -> Asked:
    """Task `t-<name>` with the one sub-task `s-<name>`."""
    return Asked(task_id=f"t-{name}", sub_task_ids=(f"s-{name}",), user_id=user)


def entry(name: str, *, named: bool = True, **fields: object) -> dict[str, object]:
    """What HiDream says of `asked(name)`."""
    made: dict[str, object] = {"sub_task_results": [sub(sub_task_id=f"s-{name}", **fields)]}
    return made | ({"task_id": f"t-{name}"} if named else {})


def task_of(request: Request) -> str:
    """The name of the task that a single question is about."""
    return request.target.split("task_id=t-")[1].split("&")[0]


def gateway(batch: Any, single: Any = None, batch_status: int = 200) -> Script:
    """A script that answers batch calls with `batch`, and `single(name)` each single one."""

    async def script(wire: Wire) -> None:
        request = await wire.request()
        if request.target.endswith("/results/batch"):
            await wire.reply(batch, batch_status)
        else:
            name = task_of(request)
            told_ = single(name) if single else told(entry(name))
            status, body = told_ if isinstance(told_, tuple) else (200, told_)
            await wire.reply(body, status)

    return script


def paths(requests: list[Request]) -> list[str]:
    """Which calls were made: batch, or the name of a single task."""
    return ["batch" if each.target.endswith("batch") else task_of(each) for each in requests]


@pytest.mark.parametrize("version", list(ApiVersion))
async def test_one_question_is_asked_as_documented(version: ApiVersion) -> None:
    """Path, query and headers are the documented ones, and ids are escaped."""
    script = answers(told({"sub_task_results": [sub()]}, request_id="r-1"))
    async with crooked(script) as server, client(server.url, version) as hidream:
        result = await hidream.result("t 1&x", user_id="9")
    (request,) = server.requests
    assert request.method == "GET"
    path, _, query = request.target.partition("?")
    assert path == f"/api-pub/gw/v{version.value}/image/img2img/async/results"
    assert query in {"task_id=t+1%26x", "task_id=t%201%26x"}
    assert request.headers["api-user-id"] == "9"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert result.task_id == "t 1&x"
    assert result.request_id == "r-1"
    assert result.sub_tasks[0].image == "https://images.example/1.jpg"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (told({"task_id": "t-other", "sub_task_results": [sub()]}), GatewayIll),
        (told("x"), GatewayIll),
        (told({"sub_task_results": [3]}), GatewayIll),
        (b'{"code": 0, ', GatewayIll),
        (b"<html>", GatewayIll),
        ({"code": 3, "message": "任务不存在"}, UnknownTask),
        ({"code": 3, "message": "token过期"}, TokenRefused),
        ({"code": 3, "message": "违规"}, ContentRefused),
    ],
)
async def test_a_bad_answer_about_one_task_is_an_error(body: object, error: type) -> None:
    """An answer about another task is never taken for the one asked about."""
    async with crooked(answers(body)) as server, client(server.url) as hidream:
        with pytest.raises(HiDreamError) as caught:
            await hidream.result("t-1", user_id="1")
    assert type(caught.value) is error


@pytest.mark.parametrize(
    "body",
    [
        told({"task_id": "t-1", "request_id": "r-1", "sub_task_results": [sub()]}, request_id="z"),
        told({"task_id": "t-1", "sub_task_results": [sub()]}, request_id="r-1"),
    ],
)
async def test_a_submission_of_ours_is_found_by_its_request_id(body: object) -> None:
    """Where HiDream answers by request id, the task it made is found."""
    async with crooked(answers(body)) as server, client(server.url) as hidream:
        result = await hidream.result_by_request("r-1", user_id="1")
    assert result is not None
    assert result.task_id == "t-1"
    assert server.requests[0].target.endswith("/results?request_id=r-1")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"code": 3, "message": "task not found"}),
        (200, {"code": 3, "message": "参数缺失"}),
        (200, {"code": 3, "message": "违规"}),
        (200, told(None)),
        (200, told({})),
        (200, told([])),
        (200, told({"task_id": None, "sub_task_results": []})),
        (200, told({"task_id": "t-1", "sub_task_results": [sub()]}, request_id="r-2")),
        (200, told({"task_id": "t-1", "sub_task_results": [sub()]})),
        (404, b"<html>"),
        (400, {"code": 400, "message": "task_id required"}),
    ],
)
async def test_a_request_that_is_not_known_is_none(status: int, body: object) -> None:
    """Where it doesn't, or names no request or another, the answer is None, and harmless."""
    async with crooked(answers(body, status)) as server, client(server.url) as hidream:
        assert await hidream.result_by_request("r-1", user_id="1") is None


@pytest.mark.parametrize(
    ("status", "error"), [(401, TokenRefused), (429, TooFast), (502, GatewayIll)]
)
async def test_no_answer_about_a_request_is_not_none(status: int, error: type) -> None:
    """A failure to ask does not count as HiDream not knowing the request."""
    async with crooked(answers(b"", status)) as server, client(server.url) as hidream:
        with pytest.raises(error):
            await hidream.result_by_request("r-1", user_id="1")


@pytest.mark.parametrize("named", [True, False], ids=["task ids repeated", "sub-task ids only"])
async def test_many_are_asked_about_in_one_call(named: bool) -> None:
    """Each entry finds its task by either id, in whatever order they come."""
    body = told([entry("b", named=named, task_status=3), entry("a", named=named)])
    async with crooked(gateway(body)) as server, client(server.url) as hidream:
        found = await hidream.results([asked("a", "7"), asked("b", "8")])
    (request,) = server.requests
    assert request.method == "POST"
    assert request.target == "/api-pub/gw/v2/image/img2img/async/results/batch"
    assert request.json == {"task_id_list": ["t-a", "t-b"]}
    assert request.headers["api-user-id"] == "7"
    a, b = found["t-a"], found["t-b"]
    assert isinstance(a, TaskResult)
    assert isinstance(b, TaskResult)
    assert (a.task_id, a.sub_tasks[0].status) == ("t-a", SubTaskStatus.DONE)
    assert (b.task_id, b.sub_tasks[0].status) == ("t-b", SubTaskStatus.FAILED)


def test_an_entry_of_two_tasks_is_nobodys() -> None:
    """Sub-tasks of two tasks in one entry without a name are given to neither."""
    both = {"sub_task_results": [sub(sub_task_id="s-a"), sub(sub_task_id="s-b")]}
    assert joined([asked("a"), asked("b")], read_results(told([both]))) == {}


async def test_nothing_asked_is_nothing_sent() -> None:
    """No task, no call."""
    async with crooked(gateway(told([]))) as server, client(server.url) as hidream:
        assert await hidream.results([]) == {}
    assert server.requests == []


async def test_a_long_list_is_asked_in_pieces() -> None:
    """More than 50 tasks are more than one call, and all are answered."""

    async def script(wire: Wire) -> None:
        request = await wire.request()
        listed = request.json["task_id_list"]
        assert isinstance(listed, list)
        await wire.reply(told([entry(each.removeprefix("t-")) for each in listed]))

    async with crooked(script) as server, client(server.url) as hidream:
        found = await hidream.results([asked(str(n)) for n in range(120)])
    assert len(found) == 120
    assert [len(each.json["task_id_list"]) for each in server.requests] == [50, 50, 20]  # type: ignore[arg-type]  # a list


@pytest.mark.parametrize(
    "strange",
    [
        {"sub_task_results": []},
        {"sub_task_results": [sub(sub_task_id="s-stranger")]},
        {"sub_task_results": [sub(sub_task_id="s-a"), sub(sub_task_id="s-b")]},
        {"task_id": "t-stranger", "sub_task_results": [sub(sub_task_id="s-b")]},
    ],
    ids=["no ids", "a stranger's", "two tasks'", "a stranger's name"],
)
async def test_what_a_batch_leaves_open_is_asked_singly(strange: dict[str, object]) -> None:
    """An entry that belongs to no task, or to two, is given to none by guessing."""
    body = told([entry("a"), strange])
    single = lambda name: told(entry(name, task_status=2))  # noqa: E731 - beside its use
    async with crooked(gateway(body, single)) as server, client(server.url) as hidream:
        found = await hidream.results([asked("a"), asked("b", "8")])
    assert paths(server.requests) == ["batch", "b"]
    assert server.requests[1].headers["api-user-id"] == "8"
    b = found["t-b"]
    assert isinstance(b, TaskResult)
    assert b.sub_tasks[0].status is SubTaskStatus.RUNNING


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b"<html>"),
        (405, {"code": 405}),
        (200, {"code": 2031, "message": "not offered"}),
        (200, {"code": 1, "message": "illegal"}),
    ],
)
async def test_without_a_batch_call_each_is_asked_singly_from_then_on(
    status: int, body: object
) -> None:
    """The fall-back is tried once and then remembered."""
    script = gateway(body, batch_status=status)
    async with crooked(script) as server, client(server.url) as hidream:
        first = await hidream.results([asked("a", "7"), asked("b", "8")])
        second = await hidream.results([asked("a")])
    assert sorted(paths(server.requests)) == ["a", "a", "b", "batch"]
    assert paths(server.requests)[0] == "batch"
    users = {task_of(r): r.headers["api-user-id"] for r in server.requests[1:3]}
    assert users == {"a": "7", "b": "8"}
    assert all(isinstance(each, TaskResult) for each in [*first.values(), *second.values()])


async def test_one_bad_task_does_not_end_batch_calls() -> None:
    """A batch that is refused for one task is tried again, since the next may be without it."""
    refused = {"code": 3, "message": "task not found"}
    script = gateway(refused, lambda name: refused if name == "b" else told(entry(name)))
    async with crooked(script) as server, client(server.url) as hidream:
        found = await hidream.results([asked("a"), asked("b")])
        await hidream.results([asked("a")])
        await hidream.results([asked("a")])
    assert isinstance(found["t-a"], TaskResult)
    assert isinstance(found["t-b"], UnknownTask)
    # The second refusal, with good tasks only, is for the call itself.
    assert sorted(paths(server.requests)[:3]) == ["a", "b", "batch"]
    assert paths(server.requests)[3:] == ["batch", "a", "a"]


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, b"", TokenRefused),
        (200, {"code": 1, "message": "令牌过期"}, TokenRefused),
        (429, b"", TooFast),
        (502, b"<html>", GatewayIll),
        (200, b'{"code": 0, "res', GatewayIll),
    ],
)
async def test_a_batch_call_that_fails_raises(status: int, body: object, error: type) -> None:
    """A failure of the whole call is not turned into many more calls."""
    script = gateway(body, batch_status=status)
    async with crooked(script) as server, client(server.url) as hidream:
        with pytest.raises(error):
            await hidream.results([asked("a"), asked("b")])
    assert paths(server.requests) == ["batch"]


async def test_a_failed_piece_does_not_lose_the_others() -> None:
    """With more than one call, those that worked count; the rest have their error."""

    async def script(wire: Wire) -> None:
        request = await wire.request()
        listed = request.json["task_id_list"]
        assert isinstance(listed, list)
        if "t-0" in listed:
            await wire.reply(b"", 502)
        else:
            await wire.reply(told([entry(each.removeprefix("t-")) for each in listed]))

    async with crooked(script) as server, client(server.url) as hidream:
        found = await hidream.results([asked(str(n)) for n in range(51)])
    assert isinstance(found["t-0"], GatewayIll)
    assert isinstance(found["t-50"], TaskResult)


async def test_an_unreadable_batch_is_asked_singly_this_time_only() -> None:
    """A success of another form is worked round, and the call tried again later."""
    async with crooked(gateway(told({"a": 1}))) as server, client(server.url) as hidream:
        for _ in range(2):
            found = await hidream.results([asked("a")])
            assert isinstance(found["t-a"], TaskResult)
    assert paths(server.requests) == ["batch", "a", "batch", "a"]


async def test_one_refusal_does_not_spoil_the_other_answers() -> None:
    """In single mode each task has its own answer or error."""

    def single(name: str) -> object:
        match name:
            case "bad":
                return {"code": 8, "message": "no"}
            case "ill":
                return 502, b""
            case _:
                return told(entry(name))

    async with crooked(gateway(b"", single, 404)) as server, client(server.url) as hidream:
        found = await hidream.results([asked("a"), asked("bad"), asked("ill"), asked("b")])
    assert [type(each) for each in found.values()] == [
        TaskResult,
        Refused,
        GatewayIll,
        TaskResult,
    ]


async def test_a_refused_token_ends_single_questions() -> None:
    """Once the account itself is refused, the rest are not asked, and it is raised."""
    script = gateway(b"", lambda _: (401, b""), 404)
    async with crooked(script) as server, client(server.url) as hidream:
        with pytest.raises(TokenRefused):
            await hidream.results([asked(str(n)) for n in range(30)])
    assert len(server.requests) <= 1 + 2 * 4


async def test_an_unknown_status_is_logged_once() -> None:
    """A status that is not documented means go on asking, and one line in the log."""
    body = told({"sub_task_results": [sub(task_status=4711, image="https://x.example/signed")]})
    with capture_logs() as logs:
        async with crooked(answers(body)) as server, client(server.url) as hidream:
            for _ in range(2):
                result = await hidream.result("t-1", user_id="1")
    assert not result.final
    assert logs == [
        {"event": "hidream.status_unknown", "task_status": 4711, "log_level": "warning"}
    ]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 2000) | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "result",
                    "task_id",
                    "sub_task_results",
                    "sub_task_id",
                    "task_status",
                    "image",
                    "code",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


@settings(UNHURRIED, max_examples=60)
@given(
    code=st.sampled_from([0, 0, 0, "0", 1, None]),
    result=json_values,
    status=st.sampled_from([200, 200, 200, 201, 302, 404, 500]),
)
async def test_whatever_json_comes_only_our_errors_come_out(
    code: object, result: object, status: int
) -> None:
    """No answer of HiDream's makes any method raise anything else."""
    body = json.dumps({"code": code, "message": "?", "result": result}).encode()
    async with crooked(answers(body, status)) as server, client(server.url) as hidream:
        await check_every_method(hidream)


async def check_every_method(hidream: HiDreamClient) -> None:
    """Call each method, and let pass what it may raise."""
    for call in (
        hidream.submit(submission(), user_id="1"),
        hidream.result("t-1", user_id="1"),
        hidream.result_by_request("r-1", user_id="1"),
        hidream.results([asked("a"), asked("b")]),
    ):
        try:
            await call
        except HiDreamError:
            continue
