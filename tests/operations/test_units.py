"""What stands in deploy/ for systemd and for reverse proxies: sound, strict, and in step with the program."""

import re
import subprocess
from pathlib import Path

import pytest

from bot.cli.ends import BAD_CONFIGURATION, BAD_DATABASE
from bot.config import Config, Run
from bot.config_loading import load
from tests.hidream.certificates import make_certificate
from tests.operations.page import ROOT, there
from tests.programs import program

DEPLOY = ROOT / "deploy"
BOT, BACKUP = DEPLOY / "hidream-bot.service", DEPLOY / "hidream-bot-backup.service"
TOKENS = {"BOT_TELEGRAM__TOKEN": "123456:something", "BOT_HIDREAM__TOKEN": "something"}


def setting(unit: Path, key: str) -> str:
    """Give the last value of a key in a unit."""
    values: list[str] = re.findall(rf"(?m)^{key}=(.*)$", unit.read_text(encoding="utf-8"))
    return values[-1]


@pytest.mark.parametrize(("unit", "exposure"), [(BOT, 13), (BACKUP, 5)])
def test_a_unit_may_do_next_to_nothing(unit: Path, exposure: int) -> None:
    """Systemd's own judgement of what a unit leaves open, in tenths, is no worse than it was."""
    judged = subprocess.run(
        [program("systemd-analyze", "systemd"), "security", "--offline=true", "--no-pager",
         f"--threshold={exposure}", str(unit)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert judged.returncode == 0, judged.stdout + judged.stderr


@pytest.mark.parametrize("unit", sorted(DEPLOY.glob("*.service")) + sorted(DEPLOY.glob("*.timer")))
def test_a_unit_is_understood(unit: Path, tmp_path: Path) -> None:
    """Systemd finds nothing in a unit that it doesn't know or that can't be."""
    stand_in = tmp_path / "hidream-bot"
    stand_in.write_text("#!/bin/sh\n")
    stand_in.chmod(0o755)
    for one in DEPLOY.glob("hidream-bot*.*"):
        text = one.read_text(encoding="utf-8").replace("/opt/hidream-bot/bin", str(tmp_path))
        (tmp_path / one.name).write_text(text)
    verified = subprocess.run(
        [program("systemd-analyze", "systemd"), "verify", "--man=no", str(tmp_path / unit.name)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (verified.returncode, verified.stderr) == (0, "")


@pytest.mark.parametrize("unit", [BOT, BACKUP])
def test_a_unit_calls_what_there_is(unit: Path) -> None:
    """What a unit starts is a subcommand of the program, with the settings that the page puts there."""
    path, subcommand, *_ = setting(unit, "ExecStart").split()
    assert path == "/opt/hidream-bot/bin/hidream-bot"
    assert subcommand in there()
    assert "--config /etc/hidream-bot/config.toml" in setting(unit, "ExecStart")


def test_the_service_knows_the_programs_ways() -> None:
    """It waits for a stop longer than the bot takes, and doesn't try again what trying doesn't mend."""
    assert float(setting(BOT, "TimeoutStopSec")) > Run().stop_seconds + 10
    codes = {int(code) for code in setting(BOT, "RestartPreventExitStatus").split()}
    assert codes == {BAD_CONFIGURATION, BAD_DATABASE}


def test_the_settings_to_begin_with_are_settings() -> None:
    """deploy/settings.toml is taken as it is, and keeps things where the unit lets the bot write."""
    text = (DEPLOY / "settings.toml").read_text(encoding="utf-8")
    config: Config = load(DEPLOY / "settings.toml", TOKENS)
    assert str(config.storage.path.parent) == f"/var/lib/{setting(BOT, 'StateDirectory')}"
    assert not config.access.everyone
    assert config.web.monitor is not None
    assert set(re.findall(r'token_file = "(.*)"', text)) == {
        "/etc/hidream-bot/telegram-token",
        "/etc/hidream-bot/hidream-token",
    }


def test_the_operators_command_runs_as_the_bots_user(tmp_path: Path) -> None:
    """Each subcommand gets the settings and the bot's user; the sandbox and --version get none."""
    script = DEPLOY / "hidream-bot.sh"
    (tmp_path / "runuser").write_text('#!/bin/sh\necho "$@"\n')
    (tmp_path / "runuser").chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    there = "-u hidream-bot -- /opt/hidream-bot/bin/hidream-bot"
    for given, handed_on in {
        ("backup", "a b"): f"{there} backup --config /etc/hidream-bot/config.toml a b",
        ("--version",): f"{there} --version",
        (): f"{there}",
        ("demo", "--once"): f"{there} demo --once",
    }.items():
        ended = subprocess.run(
            [str(script), *given], env=environment, capture_output=True, text=True, check=True
        )
        assert ended.stdout.strip() == handed_on


def test_nginx_takes_its_example(tmp_path: Path) -> None:
    """nginx, where there is one, finds nothing wrong with deploy/nginx.conf."""
    nginx = program("nginx", "nginx-light")
    make_certificate(tmp_path, "bot.example.org")
    text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    for name, made in {
        "fullchain.pem": "bot.example.org.pem",
        "privkey.pem": "bot.example.org.key",
    }.items():
        text = text.replace(f"/etc/letsencrypt/live/bot.example.org/{name}", str(tmp_path / made))
    # no port is taken: it would be by the mere test of it
    for number, address in enumerate(("443", "[::]:443")):
        text = text.replace(f"listen {address} ", f"listen unix:{tmp_path}/{number} ")
    (tmp_path / "site.conf").write_text(text)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "".join(f"{kind}_temp_path {tmp_path}/{kind}; " for kind in kinds)
    whole = f"pid {tmp_path}/pid; events {{}} http {{ {places} include {tmp_path}/site.conf; }}"
    (tmp_path / "nginx.conf").write_text(whole)
    tested = subprocess.run(
        [nginx, "-t", "-p", str(tmp_path), "-c", "nginx.conf"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert tested.returncode == 0, tested.stderr


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile"])
def test_a_reverse_proxy_hands_on_what_the_bot_answers_and_nothing_else(name: str) -> None:
    """Both examples name the two places of the bot, the address that it listens at, and 404 for the rest."""
    text = re.sub(r"#.*", "", (DEPLOY / name).read_text(encoding="utf-8"))
    assert set(re.findall(r"telegram|hidream", text)) == {"telegram", "hidream"}
    assert re.findall(r"127\.0\.0\.1:\d+", text) == [load(None, TOKENS).web.listen]
    assert "404" in text
