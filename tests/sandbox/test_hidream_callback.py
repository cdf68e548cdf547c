"""Tests of the local HiDream's callbacks, over real HTTP."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.loopback import is_loopback
from sandbox.serving import serve
from tests.sandbox.hidream_client import (
    QUICK,
    V2,
    V3,
    Client,
    running,
)


@pytest.fixture
async def hidream() -> AsyncIterator[Client]:
    """A local HiDream whose tasks take a tenth of a second."""
    async with running(QUICK) as client:
        yield client


class Receiver:
    """Stands where a callback goes, and answers with the statuses given, then with 200."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.bodies: list[dict[str, Any]] = []
        self.app = Starlette(routes=[Route("/cb/{secret}", self.take, methods=["POST"])])

    async def take(self, request: Request) -> Response:
        """Take one callback."""
        self.bodies.append(await request.json())
        return Response(status_code=self.statuses.pop(0) if self.statuses else 200)

    async def wait(self, count: int) -> None:
        """Wait until so many have come."""
        async with asyncio.timeout(10):
            while len(self.bodies) < count:
                await asyncio.sleep(0.02)


@pytest.mark.parametrize(("path", "key"), [(V2, "main_task_id"), (V3, "task_id")])
async def test_callback_comes_at_the_end(hidream: Client, path: str, key: str) -> None:
    """At the end the callback's URL is told the results, once, if it answers 200."""
    receiver = Receiver()
    async with serve(receiver.app) as url:
        await hidream.post("/sandbox/outcomes", json={"statuses": [3]})
        task = await hidream.submitted(path, notify_url=f"{url}/cb/secret")
        await receiver.wait(1)
    [body] = receiver.bodies
    assert body[key] == task["task_id"]
    assert [one["task_status"] for one in body["sub_task_results"]] == [3]
    assert [one["sub_task_id"] for one in body["sub_task_results"]] == task["sub_task_ids"]


async def test_callback_is_tried_again(hidream: Client) -> None:
    """A callback that is not answered with 200 is tried again a second later."""
    receiver = Receiver(204)
    async with serve(receiver.app) as url:
        await hidream.post("/sandbox/outcomes", json={"statuses": [3]})
        await hidream.submitted(notify_url=f"{url}/cb/secret")
        await receiver.wait(2)
        await asyncio.sleep(0.05)
    assert [call["status"] for call in await hidream.calls(call="callback")] == [204, 200]
    assert receiver.bodies[0] == receiver.bodies[1]


async def test_callback_never_leaves_the_machine(hidream: Client) -> None:
    """A callback to anywhere else is noted, and not made."""
    await hidream.post("/sandbox/outcomes", json={"statuses": [3]})
    await hidream.submitted(notify_url="http://example.com/cb")
    async with asyncio.timeout(5):
        while not (noted := await hidream.calls(call="callback")):
            await asyncio.sleep(0.02)
    assert noted[0]["outcome"] == "refused"


@pytest.mark.parametrize(
    ("url", "is_here"),
    [
        ("http://127.0.0.1:8080/x", True),
        ("http://[::1]/x", True),
        ("http://localhost/x", True),
        ("http://127.0.0.1.example.com/x", False),
        ("http://10.0.0.1/x", False),
        ("http://example.com/x", False),
    ],
)
def test_loopback_is_told_by_its_name(url: str, is_here: bool) -> None:
    """Only literal loopback addresses and localhost are this machine."""
    assert is_loopback(url) is is_here
