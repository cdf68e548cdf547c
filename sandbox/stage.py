"""The stage: a local Telegram, a local HiDream, the real bot as a process between them, and a person.

The demo plays on it at a terminal, and the picture of a conversation is taken on it.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx

from sandbox.guest import Guest
from sandbox.hidream.app import create_app as create_hidream
from sandbox.hidream.settings import Settings
from sandbox.serving import serve
from sandbox.telegram.app import TOKEN
from sandbox.telegram.app import create_app as create_telegram

T = TypeVar("T")

SECONDS: Final = 7.0
"""What a task takes at this HiDream."""
_HIDREAM_TOKEN: Final = "sandbox"  # noqa: S105 - not a secret
_STOP_SECONDS: Final = 1.2
"""How long the bot may take to stop; Ctrl-C is to end everything within two seconds."""
_LAST_LINES: Final = 15
"""Of the bot's log, where it ended by itself."""


class DemoFailed(Exception):
    """It did not work; the message says what was seen, and what may help."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """Two servers that listen, a person who may write to the bot, and a bot that can be started."""

    telegram: str
    hidream: str
    guest: Guest
    config: Path
    log: Path

    async def with_bot(self, work: Coroutine[Any, Any, T]) -> T:
        """Run the real bot as a process of its own, for as long as the work takes.

        Raises:
            DemoFailed: the bot has ended by itself.
        """
        try:
            process = await self._start()
        except BaseException:
            work.close()  # it has not begun
            raise
        working = asyncio.ensure_future(work)
        dying = asyncio.create_task(process.wait())
        try:
            await asyncio.wait({working, dying}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise DemoFailed(self._last_words(process.returncode))
            return working.result()
        finally:
            working.cancel()
            await _end(process)
            await asyncio.gather(working, dying, return_exceptions=True)

    async def _start(self) -> asyncio.subprocess.Process:
        with self.log.open("a") as sink:
            return await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run", "--config", str(self.config),
                stdin=asyncio.subprocess.DEVNULL, stdout=sink, stderr=sink, env=_environment(),
                start_new_session=True,  # Ctrl-C is for us, who then stop the bot
            )  # fmt: skip

    def _last_words(self, code: int | None) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-_LAST_LINES:]
        said = "".join(f"\n  {line}" for line in lines) or " nothing"
        return f"the bot ended by itself, with exit code {code}. The last of its log:{said}"


@asynccontextmanager
async def set_up(*, log: Path | None = None, seconds: float = SECONDS) -> AsyncIterator[Stage]:
    """Start both servers and let a person appear; the bot's database is empty, and temporary.

    Args:
        log: where the bot's log goes; by default it is temporary too.
        seconds: what a task takes at HiDream.
    """
    settings = Settings(seconds=seconds, parallel=2)
    with tempfile.TemporaryDirectory(prefix="hidream-bot-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        async with (
            serve(create_telegram()) as telegram,
            serve(create_hidream(token=_HIDREAM_TOKEN, settings=settings)) as hidream,
            Guest.arriving(telegram) as guest,
        ):
            yield Stage(
                telegram=telegram,
                hidream=hidream,
                guest=guest,
                config=_configuration(folder, telegram, hidream),
                log=log or folder / "bot.log",
            )


async def until_stopped(work: Coroutine[Any, Any, None]) -> bool:
    """Do the work until it is done, or Ctrl-C or another signal to stop comes.

    Returns whether it got done. What it has to clean up it cleans up, however often one presses.
    """
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    doing = asyncio.ensure_future(work)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    doing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await doing
    return not doing.cancelled()


async def patiently(waiting: Coroutine[Any, Any, T], seconds: float, failure: str) -> T:
    """Wait for something that should happen.

    Raises:
        DemoFailed: it did not happen in time, or the sandbox can't be reached.
    """
    try:
        async with asyncio.timeout(seconds):
            return await waiting
    except (TimeoutError, httpx.HTTPError) as exc:
        raise DemoFailed(failure) from exc


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
        "run": {"stop_seconds": 1},
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


def _environment() -> dict[str, str]:
    """Leave out what steers a bot, or sends it through a proxy: this machine is set up for others."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith("BOT_") and not name.upper().endswith("_PROXY")
    }


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        if process.returncode is None:
            process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), _STOP_SECONDS)
        if process.returncode is None:
            process.kill()
            await process.wait()
