"""What the tests of the local HiDream share: a client, and photos to send."""

import asyncio
import base64
import functools
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from PIL import Image

from sandbox.hidream.app import create_app
from sandbox.hidream.service import HiDream
from sandbox.hidream.settings import Settings
from sandbox.sample import draw_sample
from sandbox.serving import serve

JSON = dict[str, Any]
V2 = "/api-pub/gw/v2/image/img2img/async"
V3 = "/api-pub/gw/v3/image/img2img/async"
HEADERS = {"Authorization": "Bearer sandbox", "API-User-ID": "7"}
QUICK = Settings(seconds=0.1, parallel=50, images_per_minute=1000)
SLOW = Settings(seconds=600, parallel=50, images_per_minute=1000)


@functools.cache
def photo(width: int = 160, height: int = 120) -> str:
    """Draw the sample photo at this size, as Base64."""
    return base64.b64encode(draw_sample(width, height)).decode()


def ask(**fields: Any) -> JSON:
    """Make the body of a v2 submission."""
    return {"image": photo(), "prompt": "sepia", **fields}


def opened(data: bytes) -> Image.Image:
    """Open a picture that came."""
    return Image.open(io.BytesIO(data))


class Client(httpx.AsyncClient):
    """Speaks to a local HiDream as a bot would; `hidream` is the service itself."""

    hidream: HiDream

    async def submitted(self, path: str = V2, **fields: Any) -> JSON:
        """Submit a task, which must be accepted, and return its `result`."""
        body = ask(**fields)
        if path == V3 and isinstance(body["image"], str):
            body["image"] = [body["image"]]
        answer = (await self.post(path, json=body)).json()
        assert answer["code"] == 0, answer
        result: JSON = answer["result"]
        return result

    async def results(self, task_id: str, path: str = V2) -> list[JSON]:
        """Ask for one task's `sub_task_results`."""
        answer = (await self.get(f"{path}/results", params={"task_id": task_id})).json()
        assert answer["code"] == 0, answer
        found: list[JSON] = answer["result"]["sub_task_results"]
        return found

    async def ended(self, task_id: str, path: str = V2) -> list[JSON]:
        """Ask for one task's results until all of them are final."""
        async with asyncio.timeout(20):
            while True:
                found = await self.results(task_id, path)
                if all(one["task_status"] not in {0, 2} for one in found):
                    return found
                await asyncio.sleep(0.02)

    async def calls(self, **query: Any) -> list[JSON]:
        """Read the journal."""
        found: list[JSON] = (await self.get("/sandbox/calls", params=query)).json()["calls"]
        return found


@asynccontextmanager
async def running(settings: Settings = QUICK) -> AsyncIterator[Client]:
    """Serve a local HiDream over HTTP, and give a client of it."""
    app = create_app(settings=settings)
    # Reading the certificates takes longer than a test, and nothing here is encrypted.
    async with (
        serve(app) as url,
        Client(base_url=url, headers=HEADERS, trust_env=False, verify=False) as client,
    ):
        client.hidream = app.state.hidream
        yield client
