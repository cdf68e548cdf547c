#!/stand-ins/python
"""A small service manager that heeds what it can of a unit, for a machine where systemd cannot run.

Heeded: ExecStart, ExecReload, Type (notify waits for READY=1), User, Environment, UMask,
WorkingDirectory, StateDirectory, CacheDirectory, ConfigurationDirectory and their modes, TimeoutStartSec,
TimeoutStopSec, WATCHDOG_USEC from WatchdogSec. Not: what confines a process, and starting it anew.
`daemon-reload` has the real `systemd-analyze` verify the units, where there is one.
"""

import json
import os
import pwd
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

UNITS = Path("/etc/systemd/system")
STATE = Path("/run/units")
LOGS = Path("/var/log/units")
UNITS_OF_TIME = {"s": 1, "min": 60, "h": 3600}


def read(name):
    """Give a unit's settings: a list for each key."""
    path = UNITS / name
    if not path.exists():
        sys.exit(f"Unit {name} not found.")
    settings, section = {}, ""
    for line in path.read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and line[0] not in "#;":
            key, _, value = line.partition("=")
            settings.setdefault(f"{section}.{key}", []).append(value)
    return settings


def one(settings, key, default=""):
    return settings.get(f"Service.{key}", [default])[-1]


def seconds(text):
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    return float(number) * UNITS_OF_TIME[text[len(number) :] or "s"]


def directories(settings, user):
    for key, parent, mine in (
        ("StateDirectory", "/var/lib", True),
        ("CacheDirectory", "/var/cache", True),
        ("ConfigurationDirectory", "/etc", False),
    ):
        for name in one(settings, key).split():
            path = Path(parent, name)
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(int(one(settings, f"{key}Mode", "0755"), 8))
            if mine:
                os.chown(path, user.pw_uid, user.pw_gid)


def start(name):
    if running(name):
        return
    settings = read(name)
    if name.endswith(".timer"):
        read(name.replace(".timer", ".service"))
        Path(STATE, name).write_text(json.dumps({"pid": 0}))
        return
    user = pwd.getpwnam(one(settings, "User", "root"))
    directories(settings, user)
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin",
        "HOME": user.pw_dir,
        "USER": user.pw_name,
        "LANG": "C.UTF-8",
        # what leads the bot to the sandbox, and nothing else of the caller's
        **{key: value for key, value in os.environ.items() if key.startswith("BOT_")},
    }
    for line in settings.get("Service.Environment", []):
        environment |= dict(pair.split("=", 1) for pair in shlex.split(line))
    if one(settings, "Type") == "oneshot":
        ended = spawn(name, settings, user, environment).wait()
        if ended:
            sys.exit(f"Job for {name} failed with {ended}: see journalctl --unit {name}")
        return
    ear, told = socket.socketpair()
    if os.fork() == 0:
        os.setsid()
        watch(name, settings, user, environment, told)
    told.close()
    ear.settimeout(40)
    word = ear.recv(200).decode()
    if word != "ready":
        sys.exit(f"Job for {name} failed: {word}; see journalctl --unit {name}")


def spawn(name, settings, user, environment):
    LOGS.mkdir(parents=True, exist_ok=True)
    with Path(LOGS, name).open("a") as log:
        return subprocess.Popen(
            shlex.split(one(settings, "ExecStart")),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            user=user.pw_uid, group=user.pw_gid, extra_groups=[],
            umask=int(one(settings, "UMask", "0022"), 8),
            cwd=one(settings, "WorkingDirectory", "/"), env=environment,
        )


def watch(name, settings, user, environment, told):
    """Start a service, say when it is ready, and keep its end: a process of its own."""
    address = STATE / f"{name}.notify"
    address.unlink(missing_ok=True)
    notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notified.bind(str(address))
    address.chmod(0o777)
    if one(settings, "Type") == "notify":
        environment["NOTIFY_SOCKET"] = str(address)
    if one(settings, "WatchdogSec"):
        environment["WATCHDOG_USEC"] = str(int(seconds(one(settings, "WatchdogSec")) * 1e6))
    process = spawn(name, settings, user, environment)
    Path(STATE, name).write_text(json.dumps({"pid": process.pid}))
    for stream in (0, 1, 2):
        os.dup2(os.open("/dev/null", os.O_RDWR), stream)
    ready = one(settings, "Type") != "notify"
    if ready:
        told.send(b"ready")
    notified.settimeout(0.1)
    while process.poll() is None:
        try:
            words = notified.recv(4096).decode().splitlines()
        except TimeoutError:
            continue
        if "READY=1" in words and not ready:
            ready = True
            told.send(b"ready")
    if not ready:
        told.send(f"it ended with {process.returncode} before it was ready".encode())
    Path(STATE, name).write_text(json.dumps({"pid": 0, "code": process.returncode}))
    os._exit(0)


def running(name):
    state = Path(STATE, name)
    return json.loads(state.read_text())["pid"] if state.exists() else 0


def stop(name):
    pid = running(name)
    if not pid:
        Path(STATE, name).unlink(missing_ok=True)
        return
    os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + seconds(one(read(name), "TimeoutStopSec", "90s"))
    while running(name):
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
            sys.exit(f"{name} did not stop in time and was killed")
        time.sleep(0.02)


def reload(name):
    pid = running(name) or sys.exit(f"{name} is not active")
    command = one(read(name), "ExecReload").replace("$MAINPID", str(pid))
    subprocess.run(shlex.split(command), check=True)


def restart(name):
    stop(name)
    start(name)


def status(name):
    print(f"{name}: {'active (running)' if running(name) else 'inactive (dead)'}")
    sys.exit(0 if running(name) else 3)


def enable(name):
    wanted = read(name).get("Install.WantedBy") or sys.exit(f"{name} has nothing to be enabled by")
    link = UNITS / f"{wanted[-1]}.wants" / name
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(UNITS / name)


def disable(name):
    for link in UNITS.glob(f"*.wants/{name}"):
        link.unlink()


def daemon_reload():
    if shutil.which("systemd-analyze"):
        units = sorted(str(unit) for unit in UNITS.glob("hidream-bot*.*"))
        if units:
            subprocess.run(["/usr/bin/systemd-analyze", "verify", "--man=no", *units], check=True)


def main():
    STATE.mkdir(parents=True, exist_ok=True)
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    verb, names = words[0], [n if "." in n else f"{n}.service" for n in words[1:]]
    if verb == "daemon-reload":
        return daemon_reload()
    for name in names:
        if not name.startswith("hidream-bot"):
            print(f"systemctl (stand-in): {verb} {name}: it is not the bot's, and is not played")
            continue
        {
            "start": start, "stop": stop, "restart": restart, "reload": reload, "status": status,
            "enable": enable, "disable": disable,
        }[verb](name)
        if "--now" in sys.argv:
            {"enable": start, "disable": stop}[verb](name)
    return None


main()
