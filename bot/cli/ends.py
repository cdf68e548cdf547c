"""What all subcommands share: the settings, and how each way of ending is told."""

from pathlib import Path
from typing import Final, NoReturn

import click

from bot.config import Config
from bot.config_loading import load
from bot.errors import ConfigurationError

BAD_CONFIGURATION: Final = 78
"""Exit code where the operator must mend something first (EX_CONFIG of sysexits.h)."""
BAD_DATABASE: Final = 74
"""Exit code where the database cannot be used (EX_IOERR)."""
GAVE_UP: Final = 70
"""Exit code where the program kept failing (EX_SOFTWARE)."""
INTERRUPTED: Final = 130
"""Exit code after Ctrl-C where the program could not end in good order (128 + SIGINT)."""

config_option = click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path, readable=False),  # said by whoever reads it
    help="The settings, as TOML; without it they come from the environment alone.",
)
"""`--config FILE`, given to the subcommand as `path`."""


def settings(path: Path | None) -> Config:
    """Read the settings; where they can't be used, end the program with what is wrong."""
    try:
        return load(path)
    except ConfigurationError as exc:
        bad_settings(exc)


def bad_settings(error: ConfigurationError) -> NoReturn:
    """End the program for the sake of its settings."""
    end(f"The settings can't be used:\n{error}", BAD_CONFIGURATION)


def end(message: str, code: int) -> NoReturn:
    """End the program with a sentence and a code."""
    click.echo(message, err=True)
    raise SystemExit(code)
