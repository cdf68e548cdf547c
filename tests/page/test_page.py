"""What the page's server lets in, shows and does, over HTTP."""

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.page import app
from storage.clock import SystemClock
from storage.sqlite import open_store
from tests.page.browsing import SAMPLE, Hall, hall

STATIC = Path(app.__file__).parent / "static"


@pytest.fixture
async def where() -> AsyncIterator[Hall]:
    """The page, without a bot."""
    async with hall(bot=False) as opened:
        yield opened


@pytest.fixture
async def http(where: Hall) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who asks, as a browser does at the page's own address."""
    async with httpx.AsyncClient(base_url=where.url, trust_env=False) as client:
        yield client


async def test_only_the_key_opens_it(where: Hall) -> None:
    """Without the key, with half of it or with another there is nothing; the answers are alike."""
    async with httpx.AsyncClient(base_url=where.origin, trust_env=False) as strange:
        for path in ("/", "/api/people", f"/{where.key[:-1]}/", "/x" * 20, "/person/users"):
            answer = await strange.get(path)
            assert (answer.status_code, answer.text) == (404, "Not Found"), path
        assert (await strange.get(f"/{where.key}/")).status_code == 200


async def test_other_pages_are_kept_out(where: Hall, http: httpx.AsyncClient) -> None:
    """Neither another page of the browser may do anything here, nor a name that leads here."""
    doing = {"first_name": "Eve"}
    for origin in ("https://evil.example", "null", "http://[", "http://127.0.0.1:1"):
        headers = {"Origin": origin}
        refused = await http.post("api/person/users", json=doing, headers=headers)
        assert refused.status_code == 404, headers
    assert (await http.get("", headers={"Host": "evil.example"})).status_code == 404
    own = await http.post("api/person/users", json=doing, headers={"Origin": where.origin})
    assert own.status_code == 200


async def test_browsers_are_told_to_be_strict(where: Hall, http: httpx.AsyncClient) -> None:
    """No script, frame or address of others; what people send is never run as a page of ours."""
    page = await http.get("")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["Referrer-Policy"] == "no-referrer"
    files = [("document", ("evil.html", b"<script>alert(1)</script>", "text/html"))]
    url = f"api/person/chats/{where.you}/document"
    sent = (await http.post(url, data={"user_id": where.you}, files=files)).json()
    file = await http.get(f"api{sent['messages'][0]['document']['url']}")
    assert file.headers["Content-Disposition"] == "attachment"
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    photos = [("photo", ("a.jpg", SAMPLE, "image/jpeg"))]
    url = f"api/person/chats/{where.you}/photo"
    sent = (await http.post(url, data={"user_id": where.you}, files=photos)).json()
    picture = await http.get(f"api{sent['messages'][0]['photo']['url']}")
    assert "Content-Disposition" not in picture.headers


def test_nothing_comes_from_outside() -> None:
    """No file of the page names another place, and no markup is made out of words."""
    files = sorted(STATIC.iterdir())
    assert len(files) >= 10
    for file in files:
        text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"(?:src|href|url|import|from|fetch)\W{1,3}(?:https?:)?//", text), file
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", text), file


async def test_what_happens_is_told(where: Hall, http: httpx.AsyncClient) -> None:
    """First everything there is, then each change, and only of the chats that this person is in."""
    async with http.stream("GET", f"api/events?user={where.you}") as answer:
        events = _events(answer)
        kind, everything = await anext(events)
        assert kind == "all"
        assert [chat["type"] for chat in everything["chats"]] == ["private", "group", "supergroup"]
        assert {user["first_name"] for user in everything["users"]} == {"You", "Mia"}
        assert [topic["name"] for topic in everything["chats"][2]["topics"]] == [
            "Winter",
            "Sketches",
        ]

        body = {"user_id": where.you, "text": "hello"}
        await http.post(f"api/person/chats/{where.you}/text", json=body)
        kind, told = await anext(events)
        assert (kind, told["chat"], told["kind"]) == ("message", where.you, "new")
        assert told["message"]["text"] == "hello"

        await http.post("api/switch", json={"name": "telegram-429"})
        kind, switches = await anext(events)
        assert kind == "switches"
        assert [one["name"] for one in switches["faults"] if one["on"]] == ["telegram-429"]
        await http.post("api/switch", json={"name": "telegram-429", "on": False})
        assert where.backstage.telegram.state.faults.list() == {}

        await http.post(f"api/person/users/{where.you}/language", json={"language_code": "de"})
        users = await anext(what async for kind, what in events if kind == "users")
        assert users[0]["language_code"] == "de"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("api/events?user=1", None),
        ("api/events", None),
        ("api/row?chat=1", None),
        ("api/switch", {"name": "no such switch"}),
        ("api/switch", {}),
        ("api/person/users/1/language", {"language_code": "de"}),
        ("api/person/users", {"first_name": "half \ud83d"}),
    ],
)
async def test_what_makes_no_sense_is_refused(
    http: httpx.AsyncClient, path: str, body: dict[str, Any] | None
) -> None:
    """A request that cannot be meant gets status 400, and says what is wrong."""
    # as ASCII: httpx itself would not send half of a character
    said = json.dumps(body)
    answer = await (http.get(path) if body is None else http.post(path, content=said))
    assert answer.status_code == 400
    assert answer.json()["error"]


async def test_the_store_is_shown_and_never_made(where: Hall, http: httpx.AsyncClient) -> None:
    """Where there is no database yet, looking at its rows says so, and makes none."""
    answer = await http.get(f"api/row?chat={where.you}&message=1")
    assert "cannot be read" in answer.json()["error"]
    assert not where.backstage.database.exists()


async def test_the_store_is_read_and_never_held(where: Hall, http: httpx.AsyncClient) -> None:
    """Looking changes no byte and keeps nobody from writing, whatever number is asked for."""
    database = where.backstage.database
    store = await open_store(database, clock=SystemClock())
    try:
        before = database.read_bytes()
        assert (await http.get(f"api/row?chat={where.you}&message=1")).json() == {}
        assert (await http.get(f"api/row?message=1&chat={2**70}")).status_code == 400
        assert database.read_bytes() == before
        assert await store.receive(1, [], datetime.now(UTC)) == 0
    finally:
        await store.close()


async def _events(answer: httpx.Response) -> AsyncIterator[tuple[str, Any]]:
    kind = ""
    async for line in answer.aiter_lines():
        name, _, value = line.partition(": ")
        if name == "event":
            kind = value
        elif name == "data":
            yield kind, json.loads(value)
