"""`run` and `demo`."""

import asyncio
import os
import sys
from pathlib import Path

import click
import structlog

from bot import logs
from bot.app import run
from bot.cli.ends import (
    BAD_CONFIGURATION,
    BAD_DATABASE,
    GAVE_UP,
    INTERRUPTED,
    bad_settings,
    config_option,
    end,
    settings,
)
from bot.config_loading import load
from bot.errors import ConfigurationError, TokenInUse
from bot.supervisor import GivenUp
from storage.store import DatabaseRefused

log = structlog.get_logger(__name__)


@click.command("run")
@config_option
@click.option(
    "--take-over",
    is_flag=True,
    help="Replace a webhook that another process has set for this bot.",
)
def run_command(path: Path | None, *, take_over: bool) -> None:
    """Run the bot until it is told to stop (SIGTERM or Ctrl-C).

    It ends with 0 after a stop, with 78 where the settings cannot be used or somebody else receives
    the bot's updates, with 74 where the database cannot be used, and with 70 where it keeps failing.
    """
    # durations from Telegram as timedelta, which python-telegram-bot will make the rule
    os.environ.setdefault("PTB_TIMEDELTA", "true")
    config = settings(path)
    try:
        add_secret = logs.set_up(
            level=config.run.log_level,
            log_format=config.run.log_format,
            secrets=config.secrets(),
        )
    except ConfigurationError as exc:
        bad_settings(exc)
    try:
        asyncio.run(run(config, add_secret, lambda: load(path), take_over=take_over))
    except TokenInUse as exc:
        end(f"The bot can't run: {exc}", BAD_CONFIGURATION)
    except ConfigurationError as exc:
        bad_settings(exc)
    except DatabaseRefused as exc:
        end(f"The database can't be used: {exc}", BAD_DATABASE)
    except GivenUp as exc:
        end(f"Given up: {exc}. The log above says more.", GAVE_UP)
    except KeyboardInterrupt:
        end("Interrupted.", INTERRUPTED)
    except Exception:
        # by way of the log, which takes secrets out of the traceback
        log.critical("ended_unexpectedly", exc_info=True)
        end("The bot ended for a reason that it was not made for; the log has it.", GAVE_UP)


@click.command("demo", context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def demo(arguments: tuple[str, ...]) -> None:
    """Show the bot at work on a local Telegram and a local HiDream; needs no account."""
    # The sandbox is a program of its own; whatever is said here, --help too, is said to it.
    os.execv(sys.executable, [sys.executable, "-m", "sandbox", "demo", *arguments])  # noqa: S606 - our own Python
