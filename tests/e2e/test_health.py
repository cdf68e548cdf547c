"""The real process says how it is: to who asks by HTTP, on the command line, and to the service manager."""

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.hidream.settings import Settings
from tests.e2e.world import HIDREAM_TOKEN, World, opened, until
from tests.ports import free_port
from tests.service_manager import Manager, listening


@pytest.fixture
def manager() -> Iterator[Manager]:
    """Give a service manager that listens."""
    with listening() as one:
        yield one


async def _ready(world: World, url: str) -> dict[str, Any] | None:
    answer = await world.http.get(f"{url}/readyz")
    said: dict[str, Any] = answer.json()
    assert answer.status_code == (200 if said["ready"] else 503)
    return said


async def _health(*arguments: str) -> tuple[int | None, str]:
    """Ask on the command line, where the environment has a proxy that leads nowhere."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("BOT_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "health", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env=environment | {"http_proxy": "http://127.0.0.1:1", "HTTP_PROXY": "http://127.0.0.1:1"},
    )  # fmt: skip
    out, _ = await asyncio.wait_for(process.communicate(), 20)
    return process.returncode, out.decode()


async def test_how_it_is_told_from_start_to_stop(tmp_path: Path, manager: Manager) -> None:
    """Green; red with its reason while HiDream refuses the token; green with a new one; and gone."""
    async with opened(tmp_path, settings=Settings(seconds=0.3, parallel=10)) as world:
        world.environment |= {
            "NOTIFY_SOCKET": manager.address,
            "WATCHDOG_USEC": "1000000",
        }
        token = tmp_path / "hidream.token"
        token.write_text("an-old-token")
        del world.settings["hidream"]["token"]
        url = f"http://127.0.0.1:{free_port()}"
        config = str(world.path / "config.toml")
        await world.start(
            hidream={"token_file": str(token)}, web={"monitor": url.removeprefix("http://")}
        )
        ada = await world.person()
        await ada.text("/help")
        await ada.reads("Send a photo with a caption")
        assert "listening" in world.log, "the log says where it can be asked"
        assert "uvicorn" not in world.log

        async def started() -> bool:
            return "READY=1" in manager.heard()

        await until(started, "the service manager knows that it is up")

        async def green() -> bool:
            said = await _ready(world, url)
            return said == {"ready": True, "reasons": [], "causes": []}

        await until(green, "all is well")
        assert (await world.http.get(f"{url}/healthz")).text == "ok"
        assert (await world.http.get(f"{url}/callback")).status_code == 404
        assert await _health("--config", config) == (0, "✓ ready\n")

        await ada.photo("sepia")

        async def refused() -> list[str]:
            said = await _ready(world, url)
            return said["reasons"] if said and said["causes"] == ["token"] else []

        (reason,) = await until(refused, "HiDream refuses the token")
        assert await _health("--url", url + "/") == (1, f"✗ {reason}\n")
        assert await _health("--url", url, "--alive") == (0, "✓ alive\n")

        async def told() -> bool:
            return "STATUS=Not ready: token. 1 in line, 0 at HiDream, 0 to be sent" in (
                manager.heard()
            )

        await until(told, "the service manager knows it")
        token.write_text(HIDREAM_TOKEN)
        await ada.gets(1)
        await until(green, "all is well again")
        assert manager.heard().count("READY=1") == 1
        assert manager.heard().count("WATCHDOG=1") > 5
        assert await world.stop() == 0
        assert "STOPPING=1" in manager.heard()
        code, said = await _health("--config", config)
        assert (code, "does not answer" in said) == (2, True)
        told_to_all = json.dumps(manager.heard()) + reason
        assert not any(word in told_to_all for word in ("sepia", "Ada", HIDREAM_TOKEN))
