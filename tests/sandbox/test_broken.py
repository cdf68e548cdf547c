"""Answers that go wrong on their way: each breaks as a real one does, after the call took effect."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sandbox.faults import Fault, Faults
from sandbox.journal import Journal
from sandbox.serving import Answer, perform, serve

WHOLE = {"total": 1, "words": "x" * 1000}


class Teller:
    """An application with one call, "tell", that counts how often it took effect."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.journal = Journal()
        self.told = 0
        self.app = Starlette(routes=[Route("/tell", self.tell)])

    async def tell(self, request: Request) -> Response:
        async def act() -> Answer:
            self.told += 1
            strict = "wrong" in request.query_params
            return Answer(response=JSONResponse(WHOLE), outcome="strict" if strict else "ok")

        return await perform(
            request,
            call="tell",
            params={},
            faults=self.faults,
            journal=self.journal,
            act=act,
            say=lambda fault: PlainTextResponse("", fault.status),
        )


@pytest.fixture
def teller() -> Teller:
    """An application that tells."""
    return Teller()


@pytest.fixture
async def client(teller: Teller) -> AsyncIterator[httpx.AsyncClient]:
    """A client of that application, served over real HTTP."""
    async with (
        serve(teller.app) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, verify=False) as client,
    ):
        yield client


async def test_truncated(teller: Teller, client: httpx.AsyncClient) -> None:
    """A truncated answer is whole to HTTP, and its JSON ends in the middle."""
    teller.faults.add(Fault(call="tell", action="truncate"))
    answer = await client.get("/tell")
    assert answer.status_code == 200
    assert 0 < len(answer.content) < len(json.dumps(WHOLE))
    with pytest.raises(ValueError):
        answer.json()
    assert (await client.get("/tell")).json() == WHOLE


async def test_broken_off(teller: Teller, client: httpx.AsyncClient) -> None:
    """An answer that breaks off announces more than it sends, and its connection closes."""
    teller.faults.add(Fault(call="tell", action="break_off"))
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        await client.get("/tell")
    assert teller.told == 1
    assert (await client.get("/tell")).json() == WHOLE


async def test_stalled(teller: Teller, client: httpx.AsyncClient) -> None:
    """A stalled answer begins, falls silent for the seconds given, and ends in a reset."""
    teller.faults.add(Fault(call="tell", action="stall", seconds=0.3))
    begun = time.monotonic()
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        await client.get("/tell")
    assert time.monotonic() - begun >= 0.3
    assert teller.told == 1


async def test_stalled_until_the_caller_gives_up(teller: Teller, client: httpx.AsyncClient) -> None:
    """A stall without an end ends when its caller goes away."""
    teller.faults.add(Fault(call="tell", action="stall", seconds=3600))
    with pytest.raises(httpx.ReadTimeout):
        await client.get("/tell", timeout=0.2)
    assert (await client.get("/tell")).json() == WHOLE


async def test_slow(teller: Teller, client: httpx.AsyncClient) -> None:
    """A slow answer comes whole, piece by piece, over the seconds given."""
    teller.faults.add(Fault(call="tell", action="slow", seconds=0.3))
    begun, pieces = time.monotonic(), 0
    async with client.stream("GET", "/tell") as answer:
        content = b""
        async for piece in answer.aiter_raw():
            content += piece
            pieces += 1
    assert json.loads(content) == WHOLE
    assert pieces > 1
    assert time.monotonic() - begun >= 0.25


async def test_huge(teller: Teller, client: httpx.AsyncClient) -> None:
    """A huge answer goes on long after its end, and says no length."""
    teller.faults.add(Fault(call="tell", action="huge", bytes=3_000_000))
    async with client.stream("GET", "/tell") as answer:
        assert "content-length" not in answer.headers
        content = b"".join([piece async for piece in answer.aiter_raw()])
    assert content.startswith(json.dumps(WHOLE, separators=(",", ":")).encode())
    assert len(content) > 3_000_000


async def test_redirects(teller: Teller, client: httpx.AsyncClient) -> None:
    """A redirect leads to the URL given, or to the same one again, and the call is not done."""
    teller.faults.add(Fault(call="tell", action="redirect", location="http://10.0.0.1/x"))
    teller.faults.add(Fault(call="tell", action="redirect", redirect_status=307))
    away, again = await client.get("/tell"), await client.get("/tell")
    assert (away.status_code, away.headers["location"]) == (302, "http://10.0.0.1/x")
    assert (again.status_code, again.headers["location"]) == (307, f"{client.base_url}/tell")
    assert teller.told == 0
    assert [entry.status for entry in teller.journal.entries(outcome="fault")] == [302, 307]


@pytest.mark.parametrize("action", ["truncate", "slow", "huge"])
async def test_a_breach_is_not_hidden(
    teller: Teller, client: httpx.AsyncClient, action: str
) -> None:
    """A call that breaks the contract counts as strict, whatever becomes of its answer."""
    teller.faults.add(Fault.from_json({"call": "tell", "action": action}))
    await client.get("/tell", params={"wrong": "yes"})
    assert [entry.outcome for entry in teller.journal.entries()] == ["strict"]


async def test_a_stall_does_not_outlive_its_server(teller: Teller) -> None:
    """Leaving the server cuts an answer that has fallen silent."""
    teller.faults.add(Fault(call="tell", action="stall", seconds=3600))
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        async with serve(teller.app) as url:
            stalled = asyncio.create_task(client.get(f"{url}/tell"))
            await asyncio.sleep(0.1)
            begun = time.monotonic()
        assert time.monotonic() - begun < 1
        with pytest.raises(httpx.TransportError):
            await stalled
