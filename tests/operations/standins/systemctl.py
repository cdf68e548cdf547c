"""`systemctl`: a small service manager, for a machine where systemd cannot run.

It heeds of a unit: ExecStart, ExecReload, Type (notify waits for READY=1), User, Environment, UMask,
WorkingDirectory, StateDirectory, CacheDirectory, ConfigurationDirectory and their modes, WatchdogSec,
TimeoutStopSec, and what enables it. Not: what confines a process, and starting it anew.
`daemon-reload` has the real `systemd-analyze verify` look at the units.
"""

import json
import os
import pwd
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NoReturn

OURS: Final = "hidream-bot"
UNITS: Final = Path("/etc/systemd/system")
STATE: Final = Path("/run/units")
LOGS: Final = Path("/var/log/units")
_LENGTHS: Final = {"": 1, "s": 1, "min": 60}
_PATIENCE: Final = 40.0
_FOLDERS: Final = {
    "StateDirectory": "/var/lib",
    "CacheDirectory": "/var/cache",
    "ConfigurationDirectory": "/etc",
}


class Unit:
    """A unit's file, and what has become of it here."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.file = UNITS / name
        if not self.file.exists():
            sys.exit(f"Unit {name} not found.")
        self._settings: dict[str, list[str]] = {}
        section = ""
        for line in self.file.read_text(encoding="utf-8").splitlines():
            if line.startswith("["):
                section = line.strip("[]")
            elif line and line[0] not in "#;":
                key, _, value = line.partition("=")
                self._settings.setdefault(f"{section}.{key}", []).append(value)

    def all(self, key: str) -> list[str]:
        """Give all values of a key, `Section.Key`."""
        return self._settings.get(key, [])

    def get(self, key: str, default: str = "") -> str:
        """Give the last value of a key of its service."""
        return [default, *self.all(f"Service.{key}")][-1]

    def seconds(self, key: str) -> float:
        """Read a length of time; 0 where none is given."""
        text = self.get(key, "0")
        number = text.rstrip("smin")
        return float(number) * _LENGTHS[text[len(number) :]]

    @property
    def process(self) -> int:
        """The main process; 0: there is none."""
        state = STATE / self.name
        return int(json.loads(state.read_text(encoding="utf-8"))["pid"]) if state.exists() else 0

    def note(self, process: int) -> None:
        """Write down the main process."""
        (STATE / self.name).write_text(json.dumps({"pid": process}), encoding="utf-8")


def start(unit: Unit) -> None:
    """Start it, and wait until it is up; one that is to end, until it has ended well."""
    if unit.name.endswith(".timer"):
        Unit(unit.name.replace(".timer", ".service"))
        return
    if unit.process:
        return
    user = pwd.getpwnam(unit.get("User", "root"))
    _make_folders(unit, user)
    environment = _environment(unit, user)
    if unit.get("Type") == "oneshot":
        if code := _spawn(unit, user, environment).wait():
            sys.exit(f"Job for {unit.name} failed with {code}: see journalctl --unit {unit.name}")
        return
    ear, mouth = socket.socketpair()
    if os.fork() == 0:
        os.setsid()
        _watch(unit, user, environment, mouth)
    mouth.close()
    ear.settimeout(_PATIENCE)
    word = ear.recv(200).decode()
    if word != "ready":
        sys.exit(f"Job for {unit.name} failed: {word}; see journalctl --unit {unit.name}")


def stop(unit: Unit) -> None:
    """Stop it as its settings say, and wait for its end."""
    if not (process := unit.process):
        return
    os.kill(process, signal.SIGTERM)
    end = time.monotonic() + unit.seconds("TimeoutStopSec")
    while unit.process:
        if time.monotonic() > end:
            os.kill(process, signal.SIGKILL)
            sys.exit(f"{unit.name} did not stop in time and was killed")
        time.sleep(0.02)


def restart(unit: Unit) -> None:
    """Stop and start it."""
    stop(unit)
    start(unit)


def reload(unit: Unit) -> None:
    """Have it read its settings again."""
    if not (process := unit.process):
        sys.exit(f"{unit.name} is not active, cannot reload.")
    command = unit.get("ExecReload").replace("$MAINPID", str(process))
    subprocess.run(shlex.split(command), check=True)


def status(unit: Unit) -> None:
    """Say whether it runs, by the exit code too."""
    print(f"{unit.name}: {'active (running)' if unit.process else 'inactive (dead)'}")
    if not unit.process:
        sys.exit(3)


def enable(unit: Unit) -> None:
    """Have it started with the machine."""
    if not (wanted := unit.all("Install.WantedBy")):
        sys.exit(f"{unit.name} has nothing to be enabled by")
    link = UNITS / f"{wanted[-1]}.wants" / unit.name
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(unit.file)


def disable(unit: Unit) -> None:
    """Have it started no longer."""
    for link in UNITS.glob(f"*.wants/{unit.name}"):
        link.unlink()


def verify() -> None:
    """Have the units looked at; whatever is found wrong ends it."""
    units = sorted(map(str, UNITS.glob(f"{OURS}*.*")))
    if units:
        found = subprocess.run(
            ["/usr/bin/systemd-analyze", "verify", "--man=no", *units],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if found.returncode or found.stderr:
            sys.exit(f"systemd-analyze verify: {found.stderr}")


# --- the process ----------------------------------------------------------------------------------


def _make_folders(unit: Unit, user: pwd.struct_passwd) -> None:
    for key, parent in _FOLDERS.items():
        for name in unit.get(key).split():
            path = Path(parent, name)
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(int(unit.get(f"{key}Mode", "0755"), 8))
            if key != "ConfigurationDirectory":
                os.chown(path, user.pw_uid, user.pw_gid)


def _environment(unit: Unit, user: pwd.struct_passwd) -> dict[str, str]:
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin",
        "HOME": user.pw_dir,
        "USER": user.pw_name,
        "LANG": "C.UTF-8",
        # what leads the bot to the sandbox, and nothing else of the caller's
        **{key: value for key, value in os.environ.items() if key.startswith("BOT_")},
    }
    for line in unit.all("Service.Environment"):
        environment |= dict(pair.split("=", 1) for pair in shlex.split(line))
    return environment


def _spawn(
    unit: Unit, user: pwd.struct_passwd, environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    LOGS.mkdir(parents=True, exist_ok=True)
    with (LOGS / unit.name).open("ab") as log:
        return subprocess.Popen(
            shlex.split(unit.get("ExecStart")),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[],
            umask=int(unit.get("UMask", "0022"), 8),
            cwd=unit.get("WorkingDirectory", "/"),
            env=environment,
        )


def _watch(
    unit: Unit, user: pwd.struct_passwd, environment: dict[str, str], mouth: socket.socket
) -> NoReturn:
    """Start a service, say when it is up, and see its end: a process of its own, which never returns."""
    address = STATE / f"{unit.name}.notify"
    address.unlink(missing_ok=True)
    ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    ear.bind(str(address))
    address.chmod(0o777)
    ear.settimeout(0.1)
    up = unit.get("Type") != "notify"
    if not up:
        environment["NOTIFY_SOCKET"] = str(address)
        environment["WATCHDOG_USEC"] = str(int(unit.seconds("WatchdogSec") * 1_000_000))
    process = _spawn(unit, user, environment)
    unit.note(process.pid)
    # whoever has called waits for the end of what may write there
    for stream in range(3):
        os.dup2(os.open(os.devnull, os.O_RDWR), stream)
    if up:
        mouth.send(b"ready")
    while process.poll() is None:
        try:
            words = ear.recv(4096).decode().splitlines()
        except TimeoutError:
            continue
        if "READY=1" in words and not up:
            up = True
            mouth.send(b"ready")
    if not up:
        mouth.send(f"it ended with {process.returncode} before it was up".encode())
    unit.note(0)
    os._exit(0)


VERBS: Final[Mapping[str, Callable[[Unit], None]]] = {
    "start": start,
    "stop": stop,
    "restart": restart,
    "reload": reload,
    "status": status,
    "enable": enable,
    "disable": disable,
}
NOW: Final = {"enable": start, "disable": stop}


def main() -> None:
    """Do what is asked for."""
    STATE.mkdir(parents=True, exist_ok=True)
    verb, *names = [word for word in sys.argv[1:] if not word.startswith("--")]
    if verb == "daemon-reload":
        verify()
    for name in names:
        if not name.startswith(OURS):
            print(f"systemctl (stand-in): {verb} {name}: it is not the bot's, and is not played")
            continue
        unit = Unit(name)
        VERBS[verb](unit)
        if "--now" in sys.argv:
            NOW[verb](unit)


if __name__ == "__main__":
    main()
