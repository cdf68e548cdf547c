"""The command line: telegram · hidream · demo · portrait."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, NoReturn

import click
from starlette.types import ASGIApp

from sandbox.demo import OUTPUT, talk
from sandbox.demo import demo as run_demo
from sandbox.hidream.app import create_app as create_hidream
from sandbox.hidream.settings import Settings
from sandbox.portrait import portray
from sandbox.serving import serve
from sandbox.stage import SECONDS, DemoFailed
from sandbox.telegram.app import TOKEN
from sandbox.telegram.app import create_app as create_telegram

_PORT = click.option("--port", type=click.IntRange(0, 65535), default=0, help="0 picks a free one.")
_READY_FILE = click.option(
    "--ready-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write the URL and the token as JSON, once listening.",
)


@click.group()
def main() -> None:
    """Stand in for the services that the bot talks to, on this machine only."""


@main.command()
@_PORT
@click.option("--token", default=TOKEN, show_default=True, help="The bot's token.")
@_READY_FILE
def telegram(*, port: int, token: str, ready_file: Path | None) -> None:
    """Run a local Telegram."""
    try:
        app = create_telegram(token=token)
    except ValueError as error:
        raise click.BadParameter("it begins with digits and a colon", param_hint="token") from error
    _run(app, "Telegram", port, token, ready_file)


@main.command()
@_PORT
@click.option("--token", default="sandbox", show_default=True, help="The account's token.")
@click.option("--seconds", type=float, default=8.0, show_default=True, help="What a task takes.")
@click.option("--parallel", type=int, default=1, show_default=True, help="Tasks at once.")
@click.option("--images-per-minute", type=int, default=100, show_default=True)
@_READY_FILE
def hidream(
    *,
    port: int,
    token: str,
    seconds: float,
    parallel: int,
    images_per_minute: int,
    ready_file: Path | None,
) -> None:
    """Run a local HiDream."""
    try:
        settings = Settings(seconds=seconds, parallel=parallel, images_per_minute=images_per_minute)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    app = create_hidream(token=token, settings=settings)
    _run(app, "HiDream", port, token, ready_file)


def _run(app: ASGIApp, name: str, port: int, token: str, ready_file: Path | None) -> None:
    try:
        asyncio.run(_until_stopped(app, name, port, token, ready_file))
    except OSError as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.argument("words", required=False)
@click.option("--photo", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--once", is_flag=True, help="End by itself, with an exit code that tells.")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=OUTPUT,
    show_default=True,
    help="Where the pictures go.",
)
@click.option("--browser/--no-browser", default=True, help="Open the chat page, where one can.")
@click.option("--seconds", type=click.FloatRange(min=0), default=SECONDS, hidden=True)
def demo(
    *,
    words: str | None,
    photo: Path | None,
    once: bool,
    output: Path,
    browser: bool,
    seconds: float,
) -> None:
    """Show the bot at work; with WORDS or a photo, talk to the demo that is running."""
    if words is None and photo is None:
        _perform(run_demo(once=once, output=output, seconds=seconds, browser=browser))
    else:
        _perform(talk(photo=photo, words=words or "", output=output))


@main.command()
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("docs/conversation.svg"),
    show_default=True,
)
def portrait(*, output: Path) -> None:
    """Draw the picture of a conversation that the README shows, from a real one."""
    _perform(portray(output=output))


def _perform(work: Coroutine[Any, Any, None]) -> NoReturn:
    """Do the work, and leave with exit code 0 if it worked, else 1 and the reason."""

    async def perform() -> NoReturn:
        code = 0
        try:
            await work
        except DemoFailed as error:
            click.secho(f"It did not work: {error}", err=True, fg="red")
            code = 1
        sys.stdout.flush()
        # At once: threads may still be painting for somebody who no longer waits.
        os._exit(code)

    # whatever the terminal can't write is not worth an error
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace", line_buffering=True)
    asyncio.run(perform())
    raise AssertionError("unreachable")


async def _until_stopped(
    app: ASGIApp, name: str, port: int, token: str, ready_file: Path | None
) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serve(app, port=port) as url:
        print(f"{name} listens at {url}, and takes the token {token}", flush=True)
        if ready_file is not None:
            half = ready_file.with_name(f"{ready_file.name}.{os.getpid()}")
            half.write_text(json.dumps({"url": url, "token": token}))
            half.replace(ready_file)
        await stop.wait()
