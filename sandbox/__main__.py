"""`python -m sandbox`: a local Telegram or a local HiDream, the demo, the picture of a conversation."""

import signal

# Until there is something to clean up, Ctrl-C ends this process without a word.
signal.signal(signal.SIGINT, signal.SIG_DFL)

from sandbox.cli import main  # noqa: E402 - importing takes long enough to be interrupted

if __name__ == "__main__":
    main()
