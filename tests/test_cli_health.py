"""`hidream-bot health`: each answer has its line and its code, and asking costs little."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from bot.config_loading import load


class Monitor(HTTPServer):
    """Something that answers; what it says can be set."""

    status = 200
    body = b"ok"

    @property
    def url(self) -> str:
        """Where."""
        return f"http://127.0.0.1:{self.server_port}"

    def says(self, status: int, said: object) -> None:
        """Set what it answers."""
        self.status, self.body = status, json.dumps(said).encode()


class _Handler(BaseHTTPRequestHandler):
    server: Monitor

    def do_GET(self) -> None:
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def monitor() -> Iterator[Monitor]:
    """Give something that answers until the end."""
    with Monitor(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(
    *arguments: str, colour: bool = False, environment: Mapping[str, str] | None = None
) -> Result:
    """Run the command, with nothing of the bot in the environment but what is given."""
    clean: dict[str, str | None] = {k: None for k in os.environ if k.startswith("BOT_")}
    runner = CliRunner(env=clean | dict(environment or {}))
    return runner.invoke(main, ["health", *arguments], color=colour)


def test_ready_and_not_ready(monitor: Monitor) -> None:
    """Ready is one green line and 0; each reason is a red one, and the code is 1."""
    monitor.says(200, {"ready": True, "reasons": []})
    ready = ask("--url", monitor.url)
    assert (ready.exit_code, ready.stdout) == (0, "✓ ready\n")
    monitor.says(503, {"ready": False, "reasons": ["The disk is full.", "The token is old."]})
    red = ask("--url", monitor.url)
    assert (red.exit_code, red.stdout) == (1, "✗ The disk is full.\n✗ The token is old.\n")
    assert (ask("--url", monitor.url, colour=True).stdout).startswith("\x1b[31m✗ The disk")


_ODD: Final[tuple[tuple[int, object], ...]] = (
    (200, {"ready": False, "reasons": ["x"]}),
    (404, {"ready": True, "reasons": []}),
    (503, {"ready": False, "reasons": "x"}),
    (200, []),
    (200, "ok"),
    (503, {}),
)


@pytest.mark.parametrize(("status", "said"), _ODD)
def test_what_is_no_answer_of_the_bot(monitor: Monitor, status: int, said: object) -> None:
    """Whatever else listens there is not taken for a bot that is well."""
    monitor.says(status, said)
    result = ask("--url", monitor.url)
    assert (result.exit_code, "web.monitor" in result.stderr, result.stdout) == (2, True, "")


def test_alive(monitor: Monitor) -> None:
    """Alive is another question: whether it is ready is no matter."""
    assert ask("--url", monitor.url, "--alive").exit_code == 0
    monitor.status = 404
    assert ask("--url", monitor.url, "--alive").exit_code == 2


def test_nobody_to_ask() -> None:
    """Where nobody listens, or no address is known, the code is 2 and the line says what to do."""
    tokens = {"BOT_TELEGRAM__TOKEN": "1:a", "BOT_HIDREAM__TOKEN": "t"}
    for result, says in (
        (ask("--url", "http://127.0.0.1:1"), "does not answer"),
        (ask("--url", "127.0.0.1:1"), "must be an http or https address"),
        (ask("--url", "http://127.0.0.1:port"), "does not answer"),
        (ask(environment=tokens), "web.monitor is not set"),
        (ask(), "telegram.token"),
        (ask("--config", "/nowhere.toml"), "/nowhere.toml"),
    ):
        assert (result.exit_code, result.stdout) == (2, "")
        assert says in result.stderr


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_the_settings_say_where(monitor: Monitor, tmp_path: Path, host: str) -> None:
    """The address is web.monitor; where that is every address, this machine is asked."""
    monitor.says(200, {"ready": True, "reasons": []})
    config = tmp_path / "config.toml"
    config.write_text(
        '[telegram]\ntoken = "1:a"\n[hidream]\ntoken = "t"\n'
        f'[web]\nmonitor = "{host}:{monitor.server_port}"\n'
    )
    assert load(config, {}).web.monitor == f"{host}:{monitor.server_port}"
    assert ask("--config", str(config)).exit_code == 0


def test_asking_imports_little() -> None:
    """What a container asks every few seconds loads neither the bot nor its libraries."""
    program = (
        "import sys; from bot.cli import main\n"
        "try: main(['health', '--url', 'http://127.0.0.1:1'])\n"
        "except SystemExit as end: print(end.code)\n"
        "print([m for m in ('bot.app', 'telegram', 'httpx', 'pydantic') if m in sys.modules])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stdout.split("\n")[:2] == ["2", "[]"]


def test_every_subcommand_is_there() -> None:
    """Each name of the table leads to a command with a help; another name is refused."""
    help_of_all = CliRunner().invoke(main, ["--help"])
    assert help_of_all.exit_code == 0
    assert all(name in help_of_all.stdout for name in ("run", "demo", "health"))
    assert "No such command 'helth'" in CliRunner().invoke(main, ["helth"]).stderr
