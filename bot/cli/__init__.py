"""The command line: one module here for each kind of subcommand."""

from collections.abc import Mapping
from importlib import import_module
from typing import Final

import click

COMMANDS: Final[Mapping[str, str]] = {
    "run": "running:run_command",
    "demo": "running:demo",
    "health": "health:health",
    "check": "checking:check_command",
    "backup": "keeping:backup",
    "restore": "keeping:restore_command",
    "export": "rows:export",
    "prune": "rows:prune_command",
}
"""Every subcommand: its module here, and its name there."""


class _Group(click.Group):
    """Imports what was asked for and no more: `health` is asked every few seconds, by a container."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the names, as they stand in the table."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Give a subcommand."""
        del ctx
        if (where := COMMANDS.get(cmd_name)) is None:
            return None
        module, _, name = where.partition(":")
        command: click.Command = getattr(import_module(f"bot.cli.{module}"), name)
        return command


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hidream-bot")
def main() -> None:
    """A photo and a few words in, pictures out: a Telegram bot on HiDream's API."""
