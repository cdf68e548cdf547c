"""The pieces that both sandbox servers share: serving, faults, the journal."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sandbox.faults import Fault, Faults
from sandbox.journal import KEPT, Journal
from sandbox.serving import Answer, control_routes, perform, serve

BROKEN = (httpx.NetworkError, httpx.RemoteProtocolError)


class Counter:
    """An application with one call, "add", that counts how often it took effect."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.journal = Journal()
        self.total = 0
        self.app = Starlette(
            routes=[
                Route("/add", self.add, methods=["POST"]),
                Route("/never", self.never),
                *control_routes(faults=self.faults, journal=self.journal),
            ]
        )

    async def add(self, request: Request) -> Response:
        params = await request.json()

        async def act() -> Answer:
            self.total += 1
            strict = "by" not in params
            return Answer(
                response=JSONResponse({"total": self.total}, 400 if strict else 200),
                outcome="strict" if strict else "ok",
            )

        return await perform(
            request,
            call="add",
            params=params,
            faults=self.faults,
            journal=self.journal,
            act=act,
            say=lambda fault: PlainTextResponse("its own words", fault.status),
        )

    async def never(self, _request: Request) -> Response:
        await asyncio.Event().wait()
        raise AssertionError


@pytest.fixture
def counter() -> Counter:
    """An application that counts."""
    return Counter()


@pytest.fixture
async def client(counter: Counter) -> AsyncIterator[httpx.AsyncClient]:
    """A client of that application, served over real HTTP."""
    async with (
        serve(counter.app) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, verify=False) as client,
    ):
        yield client


async def plant(client: httpx.AsyncClient, **fault: object) -> int:
    """Plant a fault over HTTP, and give its id."""
    answer = await client.post("/sandbox/faults", json={"call": "add", **fault})
    assert answer.status_code == 200, answer.text
    fault_id: int = answer.json()["id"]
    return fault_id


async def calls(client: httpx.AsyncClient, **query: str) -> list[dict[str, object]]:
    """Read the journal over HTTP."""
    answer = await client.get("/sandbox/calls", params=query)
    found: list[dict[str, object]] = answer.json()["calls"]
    return found


async def test_journal_keeps_calls_in_order(client: httpx.AsyncClient) -> None:
    """The journal tells name, parameters, interesting headers, status and outcome."""
    await client.post("/add", json={"by": 1}, headers={"API-User-ID": "7", "Cookie": "secret"})
    await client.post("/add", json={})
    first, second = await calls(client)
    assert (first["call"], first["params"], first["status"], first["outcome"]) == (
        "add",
        {"by": 1},
        200,
        "ok",
    )
    assert first["headers"] == {"api-user-id": "7"}
    assert await calls(client, after=str(first["n"])) == [second]
    assert await calls(client, outcome="strict") == [second]
    assert await calls(client, call="other") == []


def test_journal_cuts_files_out_and_is_bounded() -> None:
    """Encoded images are told by their size only, and the oldest calls are forgotten."""
    journal = Journal()
    journal.record(
        call="a",
        params={"image": ["QUJD" * 100], "raw": b"123", "text": "x" * 4096},
        status=200,
        outcome="ok",
    )
    (entry,) = journal.entries()
    assert entry.params == {"image": ["<300 bytes>"], "raw": "<3 bytes>", "text": "x" * 4096}
    for _ in range(KEPT):
        journal.record(call="b", params={}, status=200, outcome="ok")
    assert journal.entries(call="a") == []
    assert len(journal.entries()) == KEPT


async def test_reset_before_has_no_effect(client: httpx.AsyncClient, counter: Counter) -> None:
    """A call reset before its effect fails as a broken connection and changes nothing."""
    await plant(client, action="reset_before")
    with pytest.raises(BROKEN):
        await client.post("/add", json={"by": 1})
    assert counter.total == 0
    assert [c["outcome"] for c in await calls(client)] == ["fault"]
    assert (await client.post("/add", json={"by": 1})).json() == {"total": 1}


async def test_reset_after_takes_effect(client: httpx.AsyncClient, counter: Counter) -> None:
    """A call reset after its effect is done, though its caller sees a broken connection."""
    await plant(client, action="reset_after")
    with pytest.raises(BROKEN):
        await client.post("/add", json={"by": 1})
    assert counter.total == 1


async def test_reset_does_not_hide_a_breach(client: httpx.AsyncClient) -> None:
    """A call that breaks the contract counts as strict, whatever fault strikes it."""
    await plant(client, action="reset_after")
    with pytest.raises(BROKEN):
        await client.post("/add", json={})
    assert [c["outcome"] for c in await calls(client)] == ["strict"]


@pytest.mark.parametrize(("action", "effect"), [("kill_before", 0), ("kill_after", 1)])
async def test_kill(client: httpx.AsyncClient, counter: Counter, action: str, effect: int) -> None:
    """The named process dies by SIGKILL, before or after the call's effect."""
    victim = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    await plant(client, action=action, pid=victim.pid)
    with pytest.raises(BROKEN):
        await client.post("/add", json={"by": 1})
    assert await asyncio.to_thread(victim.wait) == -signal.SIGKILL
    assert counter.total == effect


async def test_status_with_the_services_words_or_ones_own(client: httpx.AsyncClient) -> None:
    """A status fault answers what the service would say, or the given body as it is."""
    await plant(client, action="status", status=503)
    await plant(client, action="status", status=429, body="<p>", content_type="text/html")
    answer = await client.post("/add", json={"by": 1})
    assert (answer.status_code, answer.text) == (503, "its own words")
    answer = await client.post("/add", json={"by": 1})
    assert (answer.status_code, answer.text) == (429, "<p>")
    assert answer.headers["content-type"].startswith("text/html")


async def test_delay(client: httpx.AsyncClient) -> None:
    """A delayed call answers as usual, only later."""
    await plant(client, action="delay", seconds=0.2)
    begun = time.monotonic()
    assert (await client.post("/add", json={"by": 1})).status_code == 200
    assert time.monotonic() - begun >= 0.2


def test_skip_times_and_match() -> None:
    """A fault lets `skip` matching calls pass, strikes `times` times, and only where it matches."""
    faults = Faults()
    faults.add(Fault(call="add", action="delay", skip=1, times=2, match={"chat_id": "5"}))
    calls: list[tuple[str, dict[str, object]]] = [
        ("add", {"chat_id": 6}),
        ("other", {"chat_id": 5}),
        ("add", {}),
        ("add", {"chat_id": 5}),
        ("add", {"chat_id": 5}),
        ("add", {"chat_id": "5"}),
        ("add", {"chat_id": 5}),
    ]
    struck = [bool(faults.strike(call, params)) for call, params in calls]
    assert struck == [False, False, False, False, True, True, False]
    assert faults.list() == {}


def test_a_fault_without_end_strikes_until_removed() -> None:
    """With `times` None, and "*" for any call, a fault stays until it is removed."""
    faults = Faults()
    fault_id = faults.add(Fault(call="*", action="delay", times=None))
    assert all(faults.strike(name, {}) for name in "abc")
    faults.remove(fault_id)
    assert faults.strike("a", {}) is None


async def test_faults_are_listed_and_removed_over_http(client: httpx.AsyncClient) -> None:
    """What waits can be read, and removed one by one or all together."""
    first = await plant(client, action="delay", seconds=1)
    second = await plant(client, action="reset_before")
    await client.delete("/sandbox/faults", params={"id": first})
    left = (await client.get("/sandbox/faults")).json()["faults"]
    assert [(f["id"], f["action"]) for f in left] == [(second, "reset_before")]
    await client.delete("/sandbox/faults")
    assert (await client.get("/sandbox/faults")).json() == {"faults": []}


@pytest.mark.parametrize(
    "fault",
    [
        [],
        {"call": "add"},
        {"call": "add", "action": "explode"},
        {"call": "add", "action": "kill_after"},
        {"call": "add", "action": "delay", "often": 3},
        {"call": "add", "action": "delay", "match": 5},
    ],
)
async def test_a_wrong_fault_is_refused(client: httpx.AsyncClient, fault: object) -> None:
    """A fault that could never strike as meant is refused with a sentence."""
    answer = await client.post("/sandbox/faults", json=fault)
    assert answer.status_code == 400
    assert answer.json()["error"]


async def test_leaving_cuts_what_is_under_way(counter: Counter) -> None:
    """A server that is left ends within a second, open calls included, and frees its port."""
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        async with serve(counter.app) as url:
            open_call = asyncio.create_task(client.get(f"{url}/never"))
            await asyncio.sleep(0.1)
            begun = time.monotonic()
        assert time.monotonic() - begun < 1
        with pytest.raises(BROKEN):
            await open_call
        async with serve(counter.app, port=int(url.rpartition(":")[2])) as again:
            assert again == url
            assert (await client.post(f"{again}/add", json={"by": 1})).status_code == 200


async def test_a_taken_port_is_an_error(counter: Counter) -> None:
    """Serving on a port that is taken raises OSError at once."""
    async with serve(counter.app) as url:
        with pytest.raises(OSError, match="in use"):
            async with serve(counter.app, port=int(url.rpartition(":")[2])):
                pass


async def test_a_caller_who_dies_while_sending(
    counter: Counter, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    """A request whose sender goes away has no effect, and is no error of the server."""
    _, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    writer.write(b"POST /add HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{")
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.close()
    await asyncio.sleep(0.05)
    assert (await client.get("/sandbox/calls")).json() == {"calls": []}
    assert (counter.total, caplog.records) == (0, [])


async def test_serving_leaves_signals_alone(counter: Counter) -> None:
    """The signal handlers stay what they were, while it serves and after."""
    before = signal.getsignal(signal.SIGINT)
    async with serve(counter.app):
        assert signal.getsignal(signal.SIGINT) is before
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_command_line(tmp_path: Path, number: signal.Signals) -> None:
    """`python -m sandbox telegram` says where it listens, and a signal stops it with code 0."""
    ready = tmp_path / "ready.json"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "sandbox", "telegram", "--port", "0"),
            *("--token", "5:abc", "--ready-file", str(ready)),
        ],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        for _ in range(200):
            if ready.exists():
                break
            time.sleep(0.05)
        told = json.loads(ready.read_text())
        assert told["token"] == "5:abc"
        answer = httpx.get(f"{told['url']}/bot5:abc/getMe", trust_env=False, verify=False)
        assert answer.json()["result"]["id"] == 5
        os.kill(process.pid, number)
        printed, _ = process.communicate(timeout=5)
        assert process.returncode == 0
        assert told["url"] in printed
        assert "5:abc" in printed
    finally:
        process.kill()
        process.wait()
