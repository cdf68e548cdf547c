"""The command line: how each way of ending is told, and what a token file does meanwhile."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.config import HiDream
from bot.token import TokenSource
from storage.clock import SystemClock
from storage.sqlite import open_store

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


def as_stranger(*arguments: str | Path) -> tuple[int, str]:
    """Run the program as somebody for whom what has no rights cannot be read: root too."""
    limited = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    ended = subprocess.run(
        [*limited, sys.executable, "-m", "bot", *map(str, arguments)],
        env={name: value for name, value in os.environ.items() if not name.startswith("BOT_")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ended.returncode, ended.stderr


def test_settings_that_may_not_be_read(tmp_path: Path) -> None:
    """Another user's settings are told as such, with the code after which no service is started again."""
    config = tmp_path / "config.toml"
    config.touch(mode=0)
    code, said = as_stranger("run", "--config", config)
    assert said == f"The settings can't be used:\n{config}: cannot be read: Permission denied.\n"
    assert code == 78


@pytest.mark.parametrize(
    "command",
    [["run"], ["backup", "x.db"], ["restore"]],
)
def test_a_database_in_a_folder_of_somebody_else(tmp_path: Path, command: list[str]) -> None:
    """A folder that may not be looked into is a sentence and 74, for every subcommand, and no traceback."""
    config, folder = tmp_path / "config.toml", tmp_path / "data"
    config.write_text(
        f'[telegram]\ntoken = "{TOKEN}"\n[hidream]\ntoken = "hidream-token"\n'
        f'[storage]\nurl = "sqlite:///{folder}/bot.db"\n'
    )
    extra: list[Path] = []
    if command == ["restore"]:
        asyncio.run(made(tmp_path / "old.db"))
        extra = [tmp_path / "old.db"]
    folder.mkdir(mode=0)
    code, said = as_stranger(*command, *extra, "--config", config)
    folder.chmod(0o700)
    assert f"{folder}/bot.db cannot be looked for: Permission denied. Run this as" in said
    assert "Traceback" not in said
    assert code == 74


async def made(path: Path) -> None:
    """Make a database."""
    await (await open_store(path, clock=SystemClock())).close()


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
