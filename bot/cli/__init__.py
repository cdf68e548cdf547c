"""The command line: one module here for each kind of subcommand."""

import click

from bot.cli import checking, running


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hidream-bot")
def main() -> None:
    """A photo and a few words in, pictures out: a Telegram bot on HiDream's API."""


for _command in (running.run_command, running.demo, checking.check_command):
    main.add_command(_command)
