"""/start and /help, made from the tables of commands and options."""

from collections.abc import Sequence
from typing import Any

from telegram import Update

from bot.commands import COMMANDS
from bot.handlers.desk import Desk
from bot.options import help_rows
from bot.texts import Say


class StartHandlers:
    """Says what the bot does and how to talk to it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def start(self, update: Update, context: Any) -> None:
        """Greet, and say what to do first."""
        del context
        message = await self._desk.read(update)
        if message is not None and await self._desk.let_in(message):
            await self._desk.answer(message, Say("start" if message.private else "start-group"))

    async def help(self, update: Update, context: Any) -> None:
        """Say everything that can be said."""
        del context
        message = await self._desk.read(update)
        if message is not None and await self._desk.let_in(message):
            await self._desk.answer(message, *help_lines(group=not message.private))


def help_lines(*, group: bool = False) -> Sequence[Say]:
    """Give the lines of /help: an option, a command each; a `group` has its own way to call the bot."""
    options = [
        Say(
            "help-option",
            {
                "example": row.example,
                "about": Say(row.about, {"values": row.values}),
                "also": row.spellings[1:],
            },
        )
        for row in help_rows()
    ]
    commands = [
        Say("help-command", {"command": f"/{command.name}", "about": Say(command.about)})
        for command in COMMANDS
    ]
    ways = [Say("help-group" if group else "help"), Say("help-replies")]
    return [*ways, Say("help-options"), *options, Say("help-commands"), *commands]
