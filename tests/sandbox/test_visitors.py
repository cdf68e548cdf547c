"""Whom the sandbox's servers let in: programs, and no page of a browser."""

import httpx
import pytest

from sandbox.hidream.app import create_app as create_hidream
from sandbox.serving import serve
from sandbox.stage import set_up
from sandbox.telegram.app import TOKEN
from sandbox.telegram.app import create_app as create_telegram

KILL = b'{"call": "*", "action": "kill_before", "pid": 1}'


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:1"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Host": "evil.example:80:80"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Host": "["}, 403),
    ],
)
async def test_pages_of_others_are_kept_out(headers: dict[str, str], status: int) -> None:
    """A page in a browser can neither call nor steer the two services, nor read of them by a name that leads here."""
    paths = (f"/bot{TOKEN}/getMe", "/person/commands", "/sandbox/calls")
    async with (
        serve(create_telegram()) as telegram,
        serve(create_hidream()) as hidream,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        for url in (*(f"{telegram}{path}" for path in paths), f"{hidream}/sandbox/tasks"):
            assert (await http.get(url, headers=headers)).status_code == status, url
        for service in (telegram, hidream):
            # what any page may send without asking first
            simple = {"Content-Type": "text/plain", **headers}
            planted = await http.post(f"{service}/sandbox/faults", content=KILL, headers=simple)
            assert planted.status_code == status


async def test_the_demo_has_no_controls() -> None:
    """Whoever else is on the machine can plant no faults in a demo, one of which could kill any process."""
    async with set_up() as stage, httpx.AsyncClient(trust_env=False) as http:
        for service in (stage.telegram, stage.hidream):
            assert (await http.post(f"{service}/sandbox/faults", content=KILL)).status_code == 404
            assert (await http.get(f"{service}/sandbox/calls")).status_code == 404
