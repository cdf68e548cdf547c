"""The demo: a local Telegram, a local HiDream, the real bot between them, and a person at a terminal.

A first photo is sent by itself. After that, `python -m bot demo --photo FILE "words"` in another
terminal talks to the demo that is running, until Ctrl-C ends it.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from sandbox.conversation import Conversation
from sandbox.hidream.app import create_app as create_hidream
from sandbox.hidream.settings import Settings
from sandbox.sample import draw_sample
from sandbox.serving import serve
from sandbox.telegram.app import TOKEN
from sandbox.telegram.app import create_app as create_telegram

CAPTION: Final = "make it snow /ratio 16:9 /count 2"
PICTURES: Final = 2
_SECONDS: Final = 7.0
"""What a task takes at the demo's HiDream."""
_PATIENCE: Final = 90.0
"""Seconds after which the demo has failed."""
_HIDREAM_TOKEN: Final = "sandbox"  # noqa: S105 - not a secret
_ADDRESS: Final = ".running.json"
"""In the output folder: where a demo that is running can be reached."""


class DemoFailed(Exception):
    """The main job did not work; the message says what was seen."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """A demo as another terminal reaches it."""

    telegram: str
    chat_id: int


async def demo(*, once: bool, output: Path) -> None:
    """Run the demo; with `once` only until the main job has worked.

    Raises:
        DemoFailed: it has not worked.
    """
    output.mkdir(parents=True, exist_ok=True)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    log = output / "bot.log"
    log.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="hidream-bot-demo-") as folder:
        async with (
            serve(create_telegram()) as telegram,
            serve(
                create_hidream(
                    token=_HIDREAM_TOKEN, settings=Settings(seconds=_SECONDS, parallel=2)
                )
            ) as hidream,
            httpx.AsyncClient(timeout=60, trust_env=False, verify=False) as http,  # noqa: S501 - loopback
        ):
            config = _configuration(Path(folder), telegram, hidream)
            print(f"A local Telegram at {telegram} and a local HiDream at {hidream}; now the bot.")
            user = (await http.post(f"{telegram}/person/users", json={"first_name": "You"})).json()
            conversation = Conversation(
                http=http, telegram=telegram, chat_id=user["id"], output=output
            )
            running = Running(telegram=telegram, chat_id=user["id"])
            try:
                await _unless(stop, _tell(conversation, config, log, running, stop, once=once))
            finally:
                (output / _ADDRESS).unlink(missing_ok=True)


async def _tell(
    conversation: Conversation,
    config: Path,
    log: Path,
    running: Running,
    stop: asyncio.Event,
    *,
    once: bool,
) -> None:
    following = asyncio.create_task(conversation.follow())
    try:
        async with _bot(config, log):
            await _main_job(conversation, log)
            await _ask_status(conversation)
        print("\n— The bot is stopped and started again. What it knows is in its database. —\n")
        async with _bot(config, log):
            await _ask_status(conversation)
            if once:
                return
            _write_address(conversation.output, running)
            print(
                "\nThe bot stays up. Talk to it from another terminal, in this folder:\n"
                f'  {_python()} -m bot demo --photo my.jpg "as a pencil sketch"\n'
                f'  {_python()} -m bot demo "/status"\n'
                "Ctrl-C ends it."
            )
            await stop.wait()
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def _main_job(conversation: Conversation, log: Path) -> None:
    started = time.monotonic()
    await conversation.send_photo(draw_sample(), "sample.jpg", CAPTION)
    try:
        async with asyncio.timeout(_PATIENCE):
            saved = await conversation.pictures(PICTURES)
    except TimeoutError as exc:
        raise DemoFailed(f"no pictures within {_PATIENCE:.0f} s; the bot's log: {log}") from exc
    seconds = time.monotonic() - started
    print(f"\nThe pictures, {seconds:.0f} s after the photo was sent:")
    for path in (conversation.output / "sample.jpg", *saved):
        print(f"  {path}")
    print()


async def _ask_status(conversation: Conversation) -> None:
    await conversation.send_text("/status")
    try:
        async with asyncio.timeout(_PATIENCE):
            await conversation.answer("#1")
    except TimeoutError as exc:
        raise DemoFailed("no answer to /status") from exc


# --- another terminal -----------------------------------------------------------------------------


async def talk(*, photo: Path | None, words: str, output: Path) -> None:
    """Say something to the demo that is running, and follow the conversation to the answer.

    Raises:
        DemoFailed: no demo is running, or it did not answer.
    """
    try:
        running = Running(**json.loads((output / _ADDRESS).read_text()))
    except (OSError, ValueError, TypeError) as exc:
        raise DemoFailed(
            "no demo is running in this folder: start one with `make demo`, and leave it running"
        ) from exc
    async with httpx.AsyncClient(timeout=60, trust_env=False, verify=False) as http:  # noqa: S501 - loopback
        conversation = Conversation(
            http=http, telegram=running.telegram, chat_id=running.chat_id, output=output
        )
        try:
            await conversation.skip_to_end()
            following = asyncio.create_task(conversation.follow())
            try:
                async with asyncio.timeout(_PATIENCE):
                    if photo is None:
                        await conversation.send_text(words)
                        await conversation.answer("")
                    else:
                        await conversation.send_photo(photo.read_bytes(), photo.name, words)
                        saved = await conversation.end_of_task()
                        for path in saved:
                            print(f"  {path}")
            finally:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)
        except (httpx.HTTPError, TimeoutError) as exc:
            raise DemoFailed(f"the demo did not answer: {type(exc).__name__}") from exc


# --- the bot --------------------------------------------------------------------------------------


def _configuration(folder: Path, telegram: str, hidream: str) -> Path:
    settings: dict[str, dict[str, Any]] = {
        "telegram": {"token": TOKEN, "api_url": telegram},
        "hidream": {
            "token": _HIDREAM_TOKEN,
            "base_url": hidream,
            "parallel_requests": 2,
            "allow_local_results": True,
        },
        "storage": {"url": f"sqlite:///{folder}/bot.db"},
    }
    config = folder / "config.toml"
    config.write_text(
        "\n".join(
            f"[{section}]\n"
            + "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
            for section, keys in settings.items()
        )
    )
    return config


@asynccontextmanager
async def _bot(config: Path, log: Path) -> AsyncIterator[None]:
    """Run the real bot as a process of its own."""
    # what the machine is set up for must not steer the demo
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BOT_")}
    with log.open("a") as sink:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "run", "--config", str(config),
            stdout=sink, stderr=sink, env=environment,
            start_new_session=True,  # Ctrl-C is for the demo, which then stops the bot
        )  # fmt: skip
    watching = asyncio.create_task(_died(process, log, asyncio.current_task()))
    try:
        yield
    except asyncio.CancelledError:
        if process.returncode is not None:
            raise DemoFailed(f"the bot ended by itself; its log: {log}") from None
        raise
    finally:
        watching.cancel()
        if process.returncode is None:
            process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 10)
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _died(
    process: asyncio.subprocess.Process, log: Path, waiting: asyncio.Task[Any] | None
) -> None:
    await process.wait()
    print("".join(log.read_text().splitlines(keepends=True)[-15:]), file=sys.stderr)
    if waiting is not None:
        waiting.cancel()


async def _unless(stop: asyncio.Event, work: Any) -> None:
    """Do the work until it is done or the stop comes."""
    doing = asyncio.ensure_future(work)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not doing.done():
        doing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await doing


def _write_address(output: Path, running: Running) -> None:
    content = {"telegram": running.telegram, "chat_id": running.chat_id}
    (output / _ADDRESS).write_text(json.dumps(content))


def _python() -> str:
    """Give the Python to call, as one would type it from here."""
    python = Path(sys.executable)
    with contextlib.suppress(ValueError):
        return str(python.relative_to(Path.cwd()))
    return str(python)
