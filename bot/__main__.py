"""`python -m bot`: the same as the command `hidream-bot`."""

import signal
import sys

# Until there is something to clean up, Ctrl-C ends this process without a word.
signal.signal(signal.SIGINT, signal.SIG_DFL)

# The way to have the settings reread must not end the bot while it starts.
if sys.argv[1:2] == ["run"]:
    from bot.hangups import HANGUPS

    HANGUPS.listen()

from bot.cli import main  # noqa: E402 - importing takes long enough to be interrupted

if __name__ == "__main__":
    main(prog_name="hidream-bot")
