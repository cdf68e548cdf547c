"""Settings that change while the bot runs: which, what they change, and what SIGHUP means."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.account import Account, Minute, Trouble
from bot.config import Config, HiDream, every_key
from bot.live import LIVE, House, Live, differing, with_live
from bot.slots import PROBE, Slots
from tests.storage.making import HandClock

ROOT = Path(__file__).parent.parent


def config(**sections: Mapping[str, Any]) -> Config:
    """Give settings."""
    tokens = {"telegram": {"token": "1:a"}, "hidream": {"token": "h"}}
    return Config.model_validate(
        {name: tokens.get(name, {}) | dict(sections.get(name, {})) for name in tokens | sections}
    )


def test_what_can_change_does_and_nothing_else() -> None:
    """Of other settings those are taken that can change live; the others keep their values, and are named."""
    old = config()
    new = config(
        access={"allowed_users": [5]},
        hidream={"token": "other", "images_per_minute": 7, "base_url": "https://vivago.ai"},
        storage={"retention_days": 3, "url": "sqlite:///other.db"},
        run={"log_level": "ERROR", "log_format": "json"},
    )
    mixed = with_live(old, new)
    assert differing(old, mixed) == [
        *("hidream.token", "hidream.images_per_minute", "storage.retention_days"),
        *("access.allowed_users", "run.log_level"),
    ]
    assert differing(mixed, new) == ["hidream.base_url", "storage.url", "run.log_format"]
    live = Live(old)
    house = live.house()
    live.take(mixed)
    assert (house.access.everyone, live.house().access.everyone) == (True, False)
    assert live.images_per_minute() == 7
    assert live.house() == House.of(mixed)


def test_the_papers_name_what_changes() -> None:
    """docs/configuration.md lists the keys that SIGHUP changes, all of them and no others."""
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    part = text.partition("## Changing settings while it runs")[2].partition("\n## ")[0]
    row = next(line for line in part.splitlines() if line.startswith("| at once |"))
    known = {f"{section}.{key}" for section, key in every_key()}
    promised = {f"{section}.{key}" for section, keys in LIVE.items() for key in keys}
    told = set(re.findall(r"`([\w.*]+)`", row))
    spread = {key for key in known if key in told or f"{key.partition('.')[0]}.*" in told}
    assert spread == promised


def test_the_account_s_limits_follow() -> None:
    """Another tier and another pace hold from the next look on; what HiDream was found to take is kept."""
    clock, tier = HandClock(), [5]
    heard: list[int] = []
    slots = Slots(lambda: tier[0], clock, on_change=heard.append)
    tier[0] = 7
    assert slots.limit == slots.found == 7
    slots.accepted(7)
    assert heard == [7]
    slots.refused(3, says_so=True)
    tier[0] = 10
    assert (slots.limit, heard) == (3, [7, 3])
    tier[0] = 2
    assert slots.limit == slots.found == 2
    slots.accepted(3)  # from before: it says that there are two at least
    assert (slots.found, heard) == (2, [7, 3, 2])
    tier[0] = 4
    clock.move(PROBE)
    assert slots.limit == 4
    slots.accepted(4)
    tier[0] = 9
    assert slots.limit == 9, "all that were configured were there: so may be more"

    pace = [4]
    minute = Minute(lambda: pace[0], clock)
    minute.sent(4)
    minute.answered(4)
    assert minute.wait_for(2) > 0
    pace[0] = 6
    assert minute.wait_for(2) == 0


def test_a_refused_token_is_tried_again() -> None:
    """After SIGHUP the pause for a refused token is over; that of an outage goes on."""
    account = Account(HandClock())
    for trouble, over in ((Trouble.TOKEN, True), (Trouble.BUSY, False)):
        account.in_trouble(trouble)
        account.look_again()
        assert (account.pause() == 0) is over
        assert account.trouble is trouble


def test_no_host_is_built_in() -> None:
    """Which host HiDream has is said in the settings' default, and nowhere else."""
    built_in = re.compile("hidreamai|vivago")
    files = [*ROOT.glob("bot/**/*.py"), *ROOT.glob("storage/**/*.py")]
    assert len(files) > 100
    found = [
        line.strip()
        for file in files
        for line in file.read_text(encoding="utf-8").splitlines()
        if built_in.search(line)
    ]
    assert found == [
        f'base_url: HostUrl = "{HiDream.model_fields["base_url"].default}"',
    ]


# --- SIGHUP ---------------------------------------------------------------------------------------

_HEARD = """
import asyncio, os, signal
from bot.hangups import HANGUPS
HANGUPS.listen()
os.kill(os.getpid(), signal.SIGHUP)
async def main():
    HANGUPS.attend()
    await asyncio.wait_for(HANGUPS.wait(), 5)
    os.kill(os.getpid(), signal.SIGHUP)
    os.kill(os.getpid(), signal.SIGHUP)
    await asyncio.wait_for(HANGUPS.next(), 5)
    await asyncio.wait_for(HANGUPS.wait(), 5)
asyncio.run(main())
os.kill(os.getpid(), signal.SIGHUP)
print("fine")
"""
_TERMINAL = """
import os, pty, signal, sys, time
ready, ended = os.pipe()
child, terminal = pty.fork()
if child == 0:
    {before}
    from bot.hangups import HANGUPS
    HANGUPS.listen()
    os.write(ended, b"x")
    time.sleep({seconds})
    os._exit(0)
os.read(ready, 1)
os.close(terminal)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def _said_by(program: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=True,
    )
    return ended.stdout.strip()


def test_a_hangup_is_heard_whenever_it_comes() -> None:
    """Before there is a loop, within it, and after it: it ends nothing, and is not lost."""
    assert _said_by(_HEARD) == "fine"


@pytest.mark.parametrize(
    ("before", "seconds", "code"),
    [("", 30, -signal.SIGTERM), ("signal.signal(signal.SIGHUP, signal.SIG_IGN)", 0.3, 0)],
    ids=["plain", "nohup"],
)
def test_a_terminal_that_goes(before: str, seconds: float, code: int) -> None:
    """A bot whose terminal is closed stops as by SIGTERM, unless it was started to stay."""
    assert _said_by(_TERMINAL.format(before=before, seconds=seconds)) == str(int(code))
