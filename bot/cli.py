"""The command line: run · demo."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Final, NoReturn

import click
import structlog

from bot import logs
from bot.app import run
from bot.config_loading import load
from bot.errors import ConfigurationError
from bot.supervisor import GivenUp
from storage.store import DatabaseRefused

BAD_CONFIGURATION: Final = 78
"""Exit code where the operator must mend something first (EX_CONFIG of sysexits.h)."""
BAD_DATABASE: Final = 74
"""Exit code where the database cannot be used (EX_IOERR)."""
GAVE_UP: Final = 70
"""Exit code where the program kept failing (EX_SOFTWARE)."""
INTERRUPTED: Final = 130
"""Exit code after Ctrl-C where the program could not end in good order (128 + SIGINT)."""

log = structlog.get_logger(__name__)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hidream-bot")
def main() -> None:
    """A photo and a few words in, pictures out: a Telegram bot on HiDream's API."""


@main.command("run")
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    help="The settings, as TOML; without it they come from the environment alone.",
)
def run_command(path: Path | None) -> None:
    """Run the bot until it is told to stop (SIGTERM or Ctrl-C).

    It ends with 0 after a stop, with 78 where the settings, with 74 where the database cannot be
    used, and with 70 where it keeps failing.
    """
    # durations from Telegram as timedelta, which python-telegram-bot will make the rule
    os.environ.setdefault("PTB_TIMEDELTA", "true")
    try:
        config = load(path)
        add_secret = logs.set_up(
            level=config.run.log_level,
            log_format=config.run.log_format,
            secrets=(config.telegram.read_token(), config.hidream.read_token()),
        )
    except ConfigurationError as exc:
        _end(f"The settings can't be used:\n{exc}", BAD_CONFIGURATION)
    try:
        asyncio.run(run(config, add_secret))
    except ConfigurationError as exc:
        _end(f"The settings can't be used:\n{exc}", BAD_CONFIGURATION)
    except DatabaseRefused as exc:
        _end(f"The database can't be used: {exc}", BAD_DATABASE)
    except GivenUp as exc:
        _end(f"Given up: {exc}. The log above says more.", GAVE_UP)
    except KeyboardInterrupt:
        _end("Interrupted.", INTERRUPTED)
    except Exception:
        # by way of the log, which takes secrets out of the traceback
        log.critical("ended_unexpectedly", exc_info=True)
        _end("The bot ended for a reason that it was not made for; the log has it.", GAVE_UP)


@main.command("demo", context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def demo(arguments: tuple[str, ...]) -> None:
    """Show the bot at work on a local Telegram and a local HiDream; needs no account."""
    # The sandbox is a program of its own; whatever is said here, --help too, is said to it.
    os.execv(sys.executable, [sys.executable, "-m", "sandbox", "demo", *arguments])  # noqa: S606 - our own Python


def _end(message: str, code: int) -> NoReturn:
    click.echo(message, err=True)
    raise SystemExit(code)
