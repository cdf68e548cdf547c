"""The stage: a local Telegram, a local HiDream, the real bot as a process between them, and a person.

The demo plays on it at a terminal, and the picture of a conversation is taken on it.
"""

import asyncio
import contextlib
import json
import signal
import tempfile
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx

from sandbox.bot_process import BotProcess
from sandbox.guest import Guest
from sandbox.hidream.app import create_app as create_hidream
from sandbox.hidream.settings import Settings
from sandbox.page.app import Backstage
from sandbox.serving import serve
from sandbox.telegram.app import TOKEN
from sandbox.telegram.app import create_app as create_telegram

T = TypeVar("T")

SECONDS: Final = 7.0
"""What a task takes at this HiDream."""
_HIDREAM_TOKEN: Final = "sandbox-hidream-token-0123456789"  # noqa: S105 - opens only the sandbox


class DemoFailed(Exception):
    """It did not work; the message says what was seen, and what may help."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """Two servers that listen, a person who may write to the bot, and a bot that can be started."""

    telegram: str
    hidream: str
    guest: Guest
    bot: BotProcess
    backstage: Backstage

    async def with_bot(self, work: Coroutine[Any, Any, T]) -> T:
        """Run the real bot for as long as the work takes.

        Raises:
            DemoFailed: the bot has ended by itself.
        """
        try:
            await self.bot.start()
        except BaseException:
            work.close()  # it has not begun
            raise
        working = asyncio.ensure_future(work)
        dying = asyncio.create_task(self.bot.ended_by_itself())
        try:
            await asyncio.wait({working, dying}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise DemoFailed(
                    f"the bot ended by itself, with exit code {dying.result()}. "
                    f"The last of its log:{self.bot.last_words()}"
                )
            return working.result()
        finally:
            working.cancel()
            dying.cancel()
            # First: as long as the page is there, it can start the bot again.
            await asyncio.gather(working, dying, return_exceptions=True)
            await self.bot.stop()


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
        # Other users of this machine reach the ports, too, and a fault can kill any process of ours.
        telegram_app = create_telegram(controls=False)
        hidream_app = create_hidream(token=_HIDREAM_TOKEN, settings=settings, controls=False)
        async with (
            serve(telegram_app) as telegram,
            serve(hidream_app) as hidream,
            Guest.arriving(telegram) as guest,
        ):
            database = folder / "bot.db"
            config = _configuration(folder / "config.toml", database, telegram, hidream)
            bot = BotProcess(config=config, log=log or folder / "bot.log")
            backstage = Backstage(
                telegram=telegram_app, hidream=hidream_app, bot=bot, database=database
            )
            yield Stage(
                telegram=telegram, hidream=hidream, guest=guest, bot=bot, backstage=backstage
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


def _configuration(config: Path, database: Path, telegram: str, hidream: str) -> Path:
    settings: dict[str, dict[str, Any]] = {
        "telegram": {"token": TOKEN, "api_url": telegram},
        "hidream": {
            "token": _HIDREAM_TOKEN,
            "base_url": hidream,
            "parallel_requests": 2,
            "allow_local_results": True,
        },
        "storage": {"url": f"sqlite:///{database}"},
        "run": {"stop_seconds": 1},
    }
    config.write_text(
        "\n".join(
            f"[{section}]\n"
            + "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
            for section, keys in settings.items()
        )
    )
    return config
