"""Tests of the local HiDream's API over real HTTP."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from sandbox.hidream.wire import RATIOS
from tests.sandbox.hidream_client import (
    HEADERS,
    QUICK,
    SLOW,
    V2,
    V3,
    Client,
    ask,
    opened,
    photo,
    running,
)


@pytest.fixture
async def hidream() -> AsyncIterator[Client]:
    """A local HiDream whose tasks take a tenth of a second."""
    async with running(QUICK) as client:
        yield client


@pytest.fixture
async def slow() -> AsyncIterator[Client]:
    """A local HiDream whose tasks outlast the test."""
    async with running(SLOW) as client:
        yield client


async def test_task_goes_all_the_way(hidream: Client) -> None:
    """A submitted photo becomes pictures in the ratio asked for, one for each sub-task."""
    task = await hidream.submitted(aspect_ratio="16:9", img_count=2, prompt="make it snow")
    assert len(task["sub_task_ids"]) == 2
    found = await hidream.ended(task["task_id"])
    assert [one["sub_task_id"] for one in found] == task["sub_task_ids"]
    assert [one["task_status"] for one in found] == [1, 1]
    pictures = []
    for one in found:
        async with httpx.AsyncClient(trust_env=False, verify=False) as anybody:
            answer = await anybody.get(one["image"])
        assert answer.headers["content-type"] == "image/jpeg"
        pictures.append(answer.content)
        width, height = opened(answer.content).size
        assert max(width, height) == 1024
        assert abs(width * 9 / 16 - height) <= 1
    assert pictures[0] != pictures[1]


async def test_one_picture_can_serve_all_tasks(hidream: Client) -> None:
    """Where pictures are drawn once, those of a ratio are the same; each task still names its own."""
    await hidream.post("/sandbox/settings", json={"drawn": "once", "scale": 0.2})
    tasks = [await hidream.submitted(prompt=prompt) for prompt in ("make it snow", "sepia")]
    addresses = []
    for task in tasks:
        [found] = await hidream.ended(task["task_id"])
        addresses.append(found["image"])
    first, second = [(await hidream.get(address)).content for address in addresses]
    assert first == second
    assert opened(first).size == (205, 205)
    told = (await hidream.get("/sandbox/tasks")).json()["tasks"]
    names = [name for task in told for name in task["images"]]
    assert [address.rpartition("/")[2] for address in addresses] == names
    assert len(set(names)) == 2


@pytest.mark.parametrize("ratio", RATIOS)
async def test_every_ratio_is_taken(slow: Client, ratio: str) -> None:
    """Each of the seven ratios is accepted, and noted as it was asked for."""
    await slow.submitted(aspect_ratio=ratio)
    [task] = (await slow.get("/sandbox/tasks")).json()["tasks"]
    assert task["ratio"] == ratio


async def test_v3_makes_exactly_the_resolution(hidream: Client) -> None:
    """v3 gives a picture of the very resolution asked for, and the same form of results."""
    task = await hidream.submitted(V3, resolution="2048*1152", version="v1")
    [found] = await hidream.ended(task["task_id"], V3)
    answer = await hidream.get(found["image"])
    assert opened(answer.content).size == (2048, 1152)


async def test_defaults_are_the_documented_ones(slow: Client) -> None:
    """Only the image is required: one square picture by default, with a request_id made up."""
    answer = (await slow.post(V2, json={"image": photo()})).json()
    assert answer["request_id"]
    [task] = (await slow.get("/sandbox/tasks")).json()["tasks"]
    assert (task["ratio"], task["count"], task["prompt"]) == ("1:1", 1, "")
    assert task["request_id"] == answer["request_id"]


async def test_request_id_is_echoed(slow: Client) -> None:
    """The caller's request_id comes back, and finds the task on its own."""
    answer = (await slow.post(V2, json=ask(request_id="r-1"))).json()
    assert answer["request_id"] == "r-1"
    found = (await slow.get(f"{V2}/results", params={"request_id": "r-1"})).json()
    assert found["request_id"] == "r-1"
    assert found["result"]["task_id"] == answer["result"]["task_id"]
    await slow.post("/sandbox/settings", json={"lookup_by_request_id": False})
    refused = (await slow.get(f"{V2}/results", params={"request_id": "r-1"})).json()
    assert refused["code"] != 0
    assert (await slow.calls(call="results"))[-1]["outcome"] == "refused"


async def test_unknown_task_is_refused(slow: Client) -> None:
    """A task that does not exist is refused, which is no breach."""
    answer = (await slow.get(f"{V2}/results", params={"task_id": "none"})).json()
    assert answer["code"] != 0
    assert await slow.calls(outcome="strict") == []


@pytest.mark.parametrize("path", [V2, V3])
async def test_batch_tells_of_many(slow: Client, path: str) -> None:
    """A batch gives an entry for each task that it knows, with or without the task's id."""
    tasks = [await slow.submitted(path) for _ in range(2)]
    body = {"task_id_list": [task["task_id"] for task in tasks] + ["none"]}
    found = (await slow.post(f"{path}/results/batch", json=body)).json()["result"]
    assert [entry["task_id"] for entry in found] == body["task_id_list"][:2]
    await slow.post("/sandbox/settings", json={"batch_repeats_task_id": False})
    found = (await slow.post(f"{path}/results/batch", json=body)).json()["result"]
    assert ["task_id" in entry for entry in found] == [False, False]
    told = [[one["sub_task_id"] for one in entry["sub_task_results"]] for entry in found]
    assert told == [task["sub_task_ids"] for task in tasks]
    await slow.post("/sandbox/settings", json={"batch": False})
    assert (await slow.post(f"{path}/results/batch", json=body)).status_code == 404
    assert await slow.calls(outcome="strict") == []


@pytest.mark.parametrize("style", ["refusal", "429"])
async def test_limits_are_refused(slow: Client, style: str) -> None:
    """Too much is refused in either style, with a message that speaks of the limit."""
    limit = {"parallel": 1, "over_limit_style": style}
    await slow.post("/sandbox/settings", json=limit)
    await slow.submitted()
    answer = await slow.post(V2, json=ask())
    assert answer.status_code == (429 if style == "429" else 200)
    assert answer.json()["code"] != 0
    assert "并发" in answer.json()["message"]
    await slow.post("/sandbox/settings", json={"parallel": 5, "images_per_minute": 4})
    answer = await slow.post(V2, json=ask(img_count=4))
    assert "每分钟" in answer.json()["message"]
    assert [call["outcome"] for call in await slow.calls()] == ["ok", "refused", "refused"]


async def test_content_is_refused(slow: Client) -> None:
    """A prompt with an illegal word is refused, which is no breach."""
    answer = (await slow.post(V2, json=ask(prompt="naked people"))).json()
    assert answer["code"] != 0
    assert [call["detail"] for call in await slow.calls(outcome="refused")] == ["content"]


async def test_outcomes_on_demand(hidream: Client) -> None:
    """What a test queues decides how the next task ends, over HTTP too."""
    await hidream.post("/sandbox/outcomes", json={"statuses": [1, 3], "description": "no luck"})
    task = await hidream.submitted(img_count=2)
    found = await hidream.ended(task["task_id"])
    assert [one["task_status"] for one in found] == [1, 3]
    assert found[1]["description"] == "no luck"


async def test_outcomes_of_one_user(hidream: Client) -> None:
    """What is queued for a user is for their next task alone; "never" lasts until it is released."""
    await hidream.post("/sandbox/outcomes", json={"statuses": [1, "never"], "user_id": "8"})
    other = await hidream.submitted(img_count=2)
    found = await hidream.ended(other["task_id"])
    assert [one["task_status"] for one in found] == [1, 1]
    hidream.headers["API-User-ID"] = "8"
    held = await hidream.submitted(img_count=2)
    assert (await hidream.post("/sandbox/release", json={"user_id": "7"})).json() == {"released": 0}
    assert (await hidream.get("/sandbox/tasks")).json()["tasks"][1]["state"] == "running"
    assert (await hidream.post("/sandbox/release", json={"user_id": "8"})).json() == {"released": 1}
    found = await hidream.ended(held["task_id"])
    assert [one["task_status"] for one in found] == [1, 1]


async def test_mistakes_in_the_controls_are_told(slow: Client) -> None:
    """The sandbox's own controls answer 400 and say what was wrong."""
    for path, body in (
        ("settings", {"secnods": 1}),
        ("settings", [1]),
        ("outcomes", {"statuses": "x"}),
        ("outcomes", {"statuses": [1], "user_id": 7}),
    ):
        answer = await slow.post(f"/sandbox/{path}", json=body)
        assert answer.status_code == 400
        assert answer.json()["error"]
    assert (await slow.get("/sandbox/settings")).json()["seconds"] == 600


async def test_peaks_are_known(slow: Client) -> None:
    """The tasks tell whose they are, and the peaks how much ran at once."""
    await slow.submitted(img_count=3)
    slow.headers["API-User-ID"] = "8"
    await slow.submitted(prompt="night")
    seen = (await slow.get("/sandbox/tasks")).json()
    told = [(t["user_id"], t["prompt"], t["state"], t["ended_at"]) for t in seen["tasks"]]
    assert told == [("7", "sepia", "running", None), ("8", "night", "running", None)]
    assert (seen["peak_parallel"], seen["peak_images_per_minute"]) == (2, 4)


async def test_ended_task_has_an_end(hidream: Client) -> None:
    """A task that has ended says when."""
    task = await hidream.submitted()
    await hidream.ended(task["task_id"])
    [seen] = (await hidream.get("/sandbox/tasks")).json()["tasks"]
    assert seen["state"] == "ended"
    assert seen["ended_at"] > seen["submitted_at"]


async def test_service_can_be_down(slow: Client) -> None:
    """Down, every path of the API answers 503 with a page; up again, all goes on."""
    task = await slow.submitted()
    await slow.post("/sandbox/settings", json={"down": True})
    answers = [
        await slow.post(V2, json=ask()),
        await slow.get(f"{V2}/results", params={"task_id": task["task_id"]}),
        await slow.post(f"{V2}/results/batch", json={"task_id_list": [task["task_id"]]}),
    ]
    assert [answer.status_code for answer in answers] == [503] * 3
    assert all("<html>" in answer.text for answer in answers)
    await slow.post("/sandbox/settings", json={"down": False})
    assert len(await slow.results(task["task_id"])) == 1


async def test_dead_url_is_forbidden(hidream: Client) -> None:
    """A result's URL that has died answers 403."""
    await hidream.post("/sandbox/settings", json={"url_seconds": 0})
    task = await hidream.submitted()
    [found] = await hidream.ended(task["task_id"])
    await asyncio.sleep(0.01)
    assert (await hidream.get(found["image"])).status_code == 403


async def test_answer_can_be_lost(slow: Client) -> None:
    """After a reset the task exists, though nobody was told; before it, nothing happened."""
    for action, tasks in (("reset_before", 0), ("reset_after", 1)):
        fault = {"call": "submit", "action": action, "match": {"prompt": "snow"}}
        await slow.post("/sandbox/faults", json=fault)
        with pytest.raises(httpx.TransportError):
            await slow.post(V2, json=ask(prompt="snow", request_id="r-1"))
        assert len((await slow.get("/sandbox/tasks")).json()["tasks"]) == tasks
    found = (await slow.get(f"{V2}/results", params={"request_id": "r-1"})).json()
    assert found["code"] == 0


@pytest.mark.parametrize(
    ("status", "says"), [(401, "token"), (429, "频繁"), (502, "<html>"), (200, "系统繁忙")]
)
async def test_faults_speak_as_the_service(slow: Client, status: int, says: str) -> None:
    """A fault with a status and no body says what the service would; the next call works."""
    fault = {"call": "results", "action": "status", "status": status}
    await slow.post("/sandbox/faults", json=fault)
    task = await slow.submitted()
    answer = await slow.get(f"{V2}/results", params={"task_id": task["task_id"]})
    assert answer.status_code == status
    assert says in answer.text
    assert len(await slow.results(task["task_id"])) == 1


@pytest.mark.parametrize(
    ("call", "match"),
    [("submit", {"user_id": "7"}), ("results", {"task_id": "T"}), ("image", {"name": "x.jpg"})],
)
async def test_faults_find_their_calls(slow: Client, call: str, match: dict[str, str]) -> None:
    """Each call can be met by what it was asked with."""
    task = await slow.submitted()
    named = {k: task["task_id"] if v == "T" else v for k, v in match.items()}
    fault = {"call": call, "action": "status", "status": 500, "match": named}
    await slow.post("/sandbox/faults", json=fault)
    asking = {
        "submit": lambda: slow.post(V2, json=ask()),
        "results": lambda: slow.get(f"{V2}/results", params={"task_id": task["task_id"]}),
        "image": lambda: slow.get("/images/x.jpg"),
    }
    assert (await asking[call]()).status_code == 500


async def test_headers_of_two_users_are_kept_apart(slow: Client) -> None:
    """Tasks of two users that come at once keep their own API-User-ID."""
    answers = [
        slow.post(V2, json=ask(request_id=f"r-{user}"), headers=HEADERS | {"API-User-ID": user})
        for user in ("11", "12")
    ]
    await asyncio.gather(*answers)
    seen = (await slow.get("/sandbox/tasks")).json()["tasks"]
    assert {(t["request_id"], t["user_id"]) for t in seen} == {("r-11", "11"), ("r-12", "12")}
