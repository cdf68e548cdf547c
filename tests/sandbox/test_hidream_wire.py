"""Tests that the local HiDream refuses what the vendor has not documented, over real HTTP."""

import base64
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
from PIL import Image

from tests.sandbox.hidream_client import HEADERS, SLOW, V2, V3, Client, ask, photo, running


@pytest.fixture
async def hidream() -> AsyncIterator[Client]:
    """A local HiDream whose tasks outlast the test."""
    async with running(SLOW) as client:
        yield client


def encoded(width: int, height: int, kind: str) -> str:
    """Write an empty image of this kind, as Base64."""
    data = io.BytesIO()
    Image.new("1", (width, height)).save(data, kind)
    return base64.b64encode(data.getvalue()).decode()


V2_BREACHES: list[tuple[str, Any]] = [
    ("unknown field", {"seed": 1}),
    ("field of v3", {"resolution": "2048*2048"}),
    ("ratio not in the list", {"aspect_ratio": "5:4"}),
    ("ratio of another type", {"aspect_ratio": ["1:1"]}),
    ("empty ratio", {"aspect_ratio": ""}),
    ("count of 0", {"img_count": 0}),
    ("count of 5", {"img_count": 5}),
    ("count as text", {"img_count": "1"}),
    ("count as truth value", {"img_count": True}),
    ("count as fraction", {"img_count": 1.0}),
    ("prompt of another type", {"prompt": 5}),
    ("prompt of null", {"prompt": None}),
    ("negative prompt of null", {"negative_prompt": None}),
    ("request id of another type", {"request_id": 17}),
    ("callback that is no URL", {"notify_url": "example.com/x"}),
    ("callback of another scheme", {"notify_url": "ftp://example.com/x"}),
    ("callback of null", {"notify_url": None}),
    ("image of null", {"image": None}),
    ("empty image", {"image": ""}),
    ("no images", {"image": []}),
    ("an empty image among others", {"image": [photo(), ""]}),
    ("image that is no Base64", {"image": "not base64!"}),
    ("Base64 of no image", {"image": base64.b64encode(b"hello there").decode()}),
    ("image with a data prefix", {"image": "data:image/jpeg;base64," + photo()}),
    ("image cut short", {"image": photo()[: len(photo()) // 8 * 4]}),
    ("image of a kind that is not taken", {"image": encoded(8, 8, "TIFF")}),
    ("image of too many pixels", {"image": encoded(9000, 9000, "PNG")}),
    ("image by a file URL", {"image": "file:///etc/passwd"}),
    ("image by a URL without a host", {"image": "http:///a.jpg"}),
]

V3_BREACHES: list[tuple[str, Any]] = [
    ("image that is no list", {"image": photo()}),
    ("ratio of v2", {"aspect_ratio": "1:1"}),
    ("resolution not in the list", {"resolution": "1024*1024"}),
    ("another version", {"version": "v2"}),
    ("version of another type", {"version": 1}),
]


@pytest.mark.parametrize(
    ("path", "change"),
    [
        *[pytest.param(V2, change, id=f"v2 {name}") for name, change in V2_BREACHES],
        *[pytest.param(V3, change, id=f"v3 {name}") for name, change in V3_BREACHES],
    ],
)
async def test_breach_is_refused(hidream: Client, path: str, change: dict[str, Any]) -> None:
    """A body that is not as documented is refused in the vendor's way, and noted as a breach."""
    image: Any = photo() if path == V2 else [photo()]
    answer = await hidream.post(path, json=ask(image=image) | change)
    assert answer.status_code == 200
    assert answer.json()["code"] != 0
    assert any("\u4e00" <= letter <= "\u9fff" for letter in answer.json()["message"])
    [call] = await hidream.calls(outcome="strict")
    assert call["call"] == "submit"
    assert call["detail"]
    assert (await hidream.get("/sandbox/tasks")).json()["tasks"] == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"{}", b"\xff"])
async def test_body_that_is_no_submission_is_refused(hidream: Client, body: bytes) -> None:
    """A body that is no JSON object, or has no image, is refused and noted as a breach."""
    headers = {"Content-Type": "application/json"}
    answer = await hidream.post(V2, content=body, headers=headers)
    assert answer.status_code == 200
    assert answer.json()["code"] != 0
    assert len(await hidream.calls(outcome="strict")) == 1


async def test_headers_are_required(hidream: Client) -> None:
    """JSON must be called JSON, and a submission and a question must say whose they are."""
    task = await hidream.submitted()
    hidream.headers.pop("API-User-ID")
    anonymous = [
        await hidream.post(V2, json=ask()),
        await hidream.get(f"{V2}/results", params={"task_id": task["task_id"]}),
    ]
    mislabelled = await hidream.post(
        V2, content=b"{}", headers=HEADERS | {"Content-Type": "text/plain"}
    )
    assert all(answer.json()["code"] != 0 for answer in [*anonymous, mislabelled])
    details = [call["detail"] for call in await hidream.calls(outcome="strict")]
    assert ["API-User-ID" in detail for detail in details] == [True, True, False]
    assert "Content-Type" in details[2]


@pytest.mark.parametrize(
    "query", [{}, {"task_id": ""}, {"task": "x"}, {"task_id": "x", "verbose": "1"}]
)
async def test_question_must_be_as_documented(hidream: Client, query: dict[str, str]) -> None:
    """Results are asked for by task_id and request_id, and by nothing else."""
    answer = await hidream.get(f"{V2}/results", params=query)
    assert answer.json()["code"] != 0
    assert len(await hidream.calls(call="results", outcome="strict")) == 1


@pytest.mark.parametrize(
    "body", [{}, {"task_id_list": []}, {"task_id_list": "x"}, {"task_id_list": [1]}, {"ids": ["x"]}]
)
async def test_batch_must_be_as_documented(hidream: Client, body: dict[str, Any]) -> None:
    """A batch is a list of ids under its one name."""
    answer = await hidream.post(f"{V2}/results/batch", json=body)
    assert answer.json()["code"] != 0
    assert len(await hidream.calls(call="batch", outcome="strict")) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", V2),
        ("POST", f"{V2}/results"),
        ("POST", V2.replace("v2", "v4")),
        ("POST", V2.replace("img2img", "txt2img")),
        ("GET", "/images/none.jpg"),
    ],
)
async def test_what_does_not_exist_is_not_found(hidream: Client, method: str, path: str) -> None:
    """A path or a method that the API does not have answers 404, and is noted as a breach."""
    assert (await hidream.request(method, path)).status_code == 404
    assert len(await hidream.calls(outcome="strict")) == 1


@pytest.mark.parametrize("authorization", ["", "Bearer wrong", "sandbox", "Basic sandbox"])
async def test_bad_token_is_refused(hidream: Client, authorization: str) -> None:
    """A bad token is refused with 401, or in the vendor's way if so set; neither is a breach."""
    headers = {"Authorization": authorization}
    answer = await hidream.post(V2, json=ask(), headers=headers)
    assert answer.status_code == 401
    await hidream.post("/sandbox/settings", json={"token_style": "refusal"})
    answer = await hidream.post(V2, json=ask(), headers=headers)
    assert answer.status_code == 200
    assert answer.json()["code"] != 0
    assert "token" in answer.json()["message"]
    assert [call["outcome"] for call in await hidream.calls()] == ["refused", "refused"]


async def test_token_can_be_changed(hidream: Client) -> None:
    """After a change of the token only the new one is taken."""
    await hidream.post("/sandbox/token", json={"token": "fresh"})
    assert (await hidream.post(V2, json=ask())).status_code == 401
    hidream.headers["Authorization"] = "Bearer fresh"
    assert (await hidream.post(V2, json=ask())).json()["code"] == 0


@pytest.mark.parametrize(
    "image", [photo(), [photo()], [photo(), photo(40, 30)], "https://example.com/a.jpg"]
)
async def test_image_is_taken_in_each_form(hidream: Client, image: Any) -> None:
    """v2 takes one image or a list, as Base64 or by URL."""
    await hidream.submitted(image=image)
    [call] = await hidream.calls(outcome="ok")
    assert len(call["params"]["images"]) == (len(image) if isinstance(image, list) else 1)


async def test_journal_tells_what_was_asked(hidream: Client) -> None:
    """The journal holds every field of a submission, and the images' sizes, not the images."""
    fields = {
        "prompt": "make it snow",
        "negative_prompt": "people",
        "img_count": 3,
        "request_id": "r-1",
        "notify_url": "http://127.0.0.1:9/x",
    }
    task = await hidream.submitted(V3, resolution="2048*1365", version="v1", **fields)
    [call] = await hidream.calls(call="submit")
    size = len(base64.b64decode(photo()))
    shape = {"ratio": "3:2", "resolution": "2048*1365"}
    images = [{"bytes": size, "width": 160, "height": 120}]
    assert call["params"] == fields | shape | {
        "version": 3,
        "images": images,
        "user_id": "7",
        "task_id": task["task_id"],
    }
    assert call["headers"] == {"api-user-id": "7"}
