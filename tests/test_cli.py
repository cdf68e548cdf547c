"""The command line: how each way of ending is told, and what a token file does meanwhile."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.config import HiDream
from bot.token import TokenSource

TOKEN = "123456789:AAE5-secret_half_of_the_token"
# What the bot's work may end with is raised in its place: to provoke each for real takes a minute.
PROGRAM = """
import sys
from bot.cli import main, running
from bot.errors import ConfigurationError, TokenInUse
from bot.supervisor import GivenUp
from storage.store import DatabaseRefused

async def run(config, add_secret, reread, take_over):
    raise {error}

running.run = run
sys.argv = ["hidream-bot", "run"]
main()
"""


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        ("ConfigurationError('mend it')", 78, "The settings can't be used:\nmend it"),
        ("TokenInUse('stop one')", 78, "The bot can't run: stop one"),
        ("DatabaseRefused('it is old')", 74, "The database can't be used: it is old"),
        ("GivenUp('it kept failing')", 70, "Given up: it kept failing."),
        ("KeyboardInterrupt", 130, "Interrupted."),
        ("RuntimeError('with ' + config.telegram.read_token())", 70, "the log has it"),
    ],
)
def test_each_end_has_its_code(tmp_path: Path, error: str, code: int, says: str) -> None:
    """Whatever ends the bot, there is a code and a sentence; only the unexpected has a traceback."""
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(error=error)],
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("BOT_")},
            "BOT_TELEGRAM__TOKEN": TOKEN,
            "BOT_HIDREAM__TOKEN": "hidream-token",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == code, ended.stderr
    assert says in ended.stderr
    assert ("Traceback" in ended.stderr) is error.startswith("RuntimeError")
    assert TOKEN not in ended.stderr


def test_ctrl_c_at_the_very_beginning_has_no_traceback() -> None:
    """Interrupted while it is still being imported, the program ends without a word."""
    program = [sys.executable, "-X", "importtime", "-m", "bot", "--version"]
    with subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as bot:
        assert bot.stderr is not None
        told = ""
        while "click" not in told:  # the first of many libraries
            told = bot.stderr.readline()
            assert told, "it ended before"
        bot.send_signal(signal.SIGINT)
        out, err = bot.communicate(timeout=20)
    assert bot.returncode == -signal.SIGINT
    assert (out, "Traceback" in err) == ("", False)


@pytest.mark.parametrize("option", ["--help", "--once --help"])
def test_the_demos_help_is_that_of_the_sandbox(option: str) -> None:
    """What is asked of the demo is asked of the sandbox, its help too."""
    program = [sys.executable, "-m", "bot", "demo", *option.split()]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=60, check=True)
    assert "--once" in ended.stdout
    assert "--photo" in ended.stdout


def test_the_last_token_stays_while_its_file_cannot_be_read(tmp_path: Path) -> None:
    """A token file that is gone for a moment changes nothing; a new token is told as a secret."""
    file = tmp_path / "token"
    file.write_text("first")
    secrets: list[str] = []
    source = TokenSource(lambda: HiDream(token_file=file), on_new=secrets.append)
    assert source() == "first"
    file.unlink()
    assert source() == "first"
    file.write_text("second")
    assert source() == "second"
    assert secrets == ["second"]
    assert source.changed() is False
    file.write_text("third")
    assert source.changed() is True
    assert source() == "third"
