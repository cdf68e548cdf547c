"""Other ways to both services: proxies, a Bot API server of one's own in local mode, other hosts."""

import base64
import io
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from PIL import Image

from sandbox.telegram.rules import UNHURRIED
from tests.e2e.world import opened, said, until
from tests.proxy import GIVEN, PASSWORD, USER, proxying

ELSEWHERE = dict.fromkeys(
    ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"), "http://127.0.0.1:1"
)


def _large() -> bytes:
    """A picture in a file that only a Bot API server in local mode gives."""
    out = io.BytesIO()
    Image.new("RGB", (2900, 2900), (200, 30, 30)).save(out, "BMP")
    assert 25_000_000 < out.tell() < 26_000_000
    return out.getvalue()


async def test_through_proxies_and_from_a_disk(tmp_path: Path) -> None:
    """Each service is reached through its own proxy alone, also after it was away; large files come from the disk."""
    folder = tmp_path / "server"
    rules = replace(UNHURRIED, local_folder=folder)
    async with opened(tmp_path, rules=rules) as world, AsyncExitStack() as first:
        world.environment |= ELSEWHERE
        telegrams = [await first.enter_async_context(proxying(password=True))]
        hidreams = [await first.enter_async_context(proxying(password=True))]
        await world.start(
            telegram={
                "proxy": telegrams[0].url("http"),
                "local_mode": True,
                "local_folder": str(folder),
                "max_file_megabytes": 26,
            },
            hidream={"proxy": hidreams[0].url("socks5h")},
        )
        ada, bob = await world.person("Ada"), await world.person("Bob")
        await ada.file(_large(), "large.bmp", "image/bmp")
        await bob.file(b"x" * 26_000_001, "larger.jpg", "image/jpeg")
        await bob.reads(said("file-over-limit", megabytes=26))
        await ada.gets(1)

        # both proxies go, and come back
        await first.aclose()
        await bob.photo("make it snow")

        async def away() -> bool:
            return "proxy_fails" in world.log and "setting=telegram.proxy" in world.log

        await until(away, "the proxy is missed")
        for proxies in (telegrams, hidreams):
            again = proxying(password=True, port=int(proxies[0].address.rpartition(":")[2]))
            proxies.append(await first.enter_async_context(again))
        await bob.gets(1)
        await world.stop()

        for service, proxies in (("telegram", telegrams), ("hidream", hidreams)):
            ports = {port for proxy in proxies for port in proxy.ports}
            calls = await world.calls(service)
            assert calls, service
            assert {call["peer"] for call in calls} <= ports, (
                f"{service} was reached round its proxy"
            )
            assert {target.rpartition(":")[2] for proxy in proxies for target in proxy.targets} == {
                getattr(world, service).rpartition(":")[2]
            }
        assert len((await world.made())["tasks"]) == 2
        basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        for secret in (PASSWORD, GIVEN, GIVEN.partition(":")[2], basic):
            assert secret not in world.log
