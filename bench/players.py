"""Who is measured: the bot, the floor, the naive client, each a process between the services."""

import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from bench.processes import Process, started
from bench.services import Services


@asynccontextmanager
async def bot(
    services: Services,
    *,
    slots: int,
    callbacks: bool = False,
    images_per_minute: int = 100,
    access: Mapping[str, Any] | None = None,
) -> AsyncIterator[Process]:
    """Run the bot as it is run by anybody: `python -m bot run --config …`."""
    listen = f"127.0.0.1:{free_port()}"
    settings: dict[str, Mapping[str, Any]] = {
        "telegram": {"token": services.telegram.token, "api_url": services.telegram.url},
        "hidream": {
            "token": services.hidream.token,
            "base_url": services.hidream.url,
            "parallel_requests": slots,
            "images_per_minute": images_per_minute,
            "allow_local_results": True,
        },
        "storage": {"url": f"sqlite:///{services.folder}/data/bot.db"},
        "web": {"listen": listen, "public_url": f"http://{listen}"} if callbacks else {},
        "access": access or {},
    }
    config = services.folder / "config.toml"
    config.write_text(
        "\n".join(
            f"[{section}]\n" + "".join(f"{key} = {json.dumps(v)}\n" for key, v in keys.items())
            for section, keys in settings.items()
        )
    )
    log = services.folder / "bot.log"
    async with started("the bot", "bot", "run", "--config", str(config), log=log) as process:
        await process.says("started")
        yield process


@asynccontextmanager
async def floor(
    services: Services,
    *,
    slots: int,
    callbacks: bool = False,
    poll: float = 0.5,
    edit: float = 0.25,
) -> AsyncIterator[Process]:
    """Run the bare script; `poll` and `edit` are the seconds between two such calls."""
    arguments = ["bench.floor", *_addresses(services), "--slots", str(slots)]
    arguments += ["--poll", str(poll), "--edit", str(edit)]
    if callbacks:
        arguments.append("--callbacks")
    log = services.folder / "floor.log"
    async with started("the floor", *arguments, log=log) as process:
        await process.says("started")
        yield process


@asynccontextmanager
async def naive(services: Services, *, slots: int, tasks: int) -> AsyncIterator[Process]:
    """Run the client that asks about each task on its own; it ends by itself."""
    hidream = services.hidream
    arguments = ["--hidream", hidream.url, "--hidream-token", hidream.token]
    arguments += ["--slots", str(slots), "--tasks", str(tasks)]
    log = services.folder / "naive.log"
    async with started("the naive client", "bench.naive", *arguments, log=log) as process:
        yield process


def _addresses(services: Services) -> list[str]:
    telegram, hidream = services.telegram, services.hidream
    return [
        *("--telegram", telegram.url, "--telegram-token", telegram.token),
        *("--hidream", hidream.url, "--hidream-token", hidream.token),
    ]


def free_port() -> int:
    """Give a port that nobody listens at now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
