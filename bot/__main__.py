"""`python -m bot`: the same as the command `hidream-bot`."""

from bot.cli import main

main(prog_name="hidream-bot")
