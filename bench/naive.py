"""The naive client: each task on its own, asked about every 5 s, as a vendor's sample does.

It hands in tasks as its slots allow, waits for each with calls of its own, and fetches the picture.
"""

import asyncio
import base64
from typing import Any, Final

import click
import httpx

from sandbox.sample import draw_sample

EVERY: Final = 5.0
"""Seconds between two questions about a task."""
_PATH: Final = "/api-pub/gw/v2/image/img2img/async"
_DONE: Final = 1


@click.command()
@click.option("--hidream", required=True)
@click.option("--hidream-token", required=True)
@click.option("--slots", type=int, required=True)
@click.option("--tasks", type=int, required=True)
def main(*, hidream: str, hidream_token: str, slots: int, tasks: int) -> None:
    """Make pictures until all are there."""
    asyncio.run(_run(hidream, hidream_token, slots, tasks))


async def _run(url: str, token: str, slots: int, tasks: int) -> None:
    photo = base64.b64encode(draw_sample(640, 480)).decode()
    places = asyncio.Semaphore(slots)
    async with httpx.AsyncClient(
        timeout=60,
        trust_env=False,
        verify=False,  # noqa: S501 - loopback
        headers={"Authorization": f"Bearer {token}"},
    ) as http:

        async def one(user: int) -> None:
            async with places:
                picture = await _made(http, url, user, photo)
            (await http.get(picture)).raise_for_status()

        await asyncio.gather(*(one(user) for user in range(1, tasks + 1)))


async def _made(http: httpx.AsyncClient, url: str, user: int, photo: str) -> str:
    """Hand a task in and wait until it is done; gives the picture's address."""
    headers = {"API-User-ID": str(user)}
    task: dict[str, Any] = {"image": photo, "prompt": "make it snow", "img_count": 1}
    answer = await http.post(f"{url}{_PATH}", json=task, headers=headers)
    task_id = answer.raise_for_status().json()["result"]["task_id"]
    while True:
        await asyncio.sleep(EVERY)
        asked = {"task_id": task_id}
        answer = await http.get(f"{url}{_PATH}/results", params=asked, headers=headers)
        sub_tasks = answer.raise_for_status().json()["result"].get("sub_task_results")
        if sub_tasks and sub_tasks[0]["task_status"] == _DONE:
            return str(sub_tasks[0]["image"])


if __name__ == "__main__":
    main()
