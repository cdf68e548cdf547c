"""A machine that has nothing yet: this one's system, read-only, round empty folders of its own.

Made of namespaces, it needs root and Linux: its own mounts (a new root folder), processes (none outlives
it) and network (its ports are free, and nothing else can be reached). Everything that the page does to
`/etc`, `/opt` and `/var` happens there for real, and is gone with it.
"""

import asyncio
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.operations.page import ROOT

STANDINS: Final = Path(__file__).parent / "standins"
SECONDS: Final = 60.0
"""So long may one block take."""
_SYSTEM: Final = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32")
_ETC: Final = (
    "group", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "login.defs", "nsswitch.conf", "pam.d", "passwd",
    "security", "shadow", "ssl", "alternatives", "debian_version", "os-release",
)  # fmt: skip
_PROGRAMS: Final = (
    "bash",
    "chroot",
    "curl",
    "git",
    "mount",
    "runuser",
    "setpriv",
    "unshare",
    "useradd",
)
_DEVICES: Final = ("full", "null", "random", "urandom", "zero")
_EMPTY: Final = (
    "dev/shm", "etc/systemd/system", "home", "opt", "proc", "run", "tmp", "usr", "var/cache",
    "var/lib", "var/log",
)  # fmt: skip
UNSHARE: Final = (
    "unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--kill-child", "--mount-proc",
)  # fmt: skip
"""What a program is started by to be on a machine of its own; it must then `build` the rest."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a block ended."""

    code: int
    output: str


def obstacle() -> str | None:
    """Say why no such machine can be made here; None: it can."""
    if sys.platform != "linux":
        return "it takes Linux's namespaces"
    if os.geteuid() != 0:
        return "it takes root"
    if not (ROOT / ".git").exists():
        return "this is no clone"
    for name in _PROGRAMS:
        if shutil.which(name) is None:
            return f"there is no {name}"
    try:
        packages()
    except importlib.metadata.PackageNotFoundError as exc:
        return f"{exc.name} is not installed: `make test` does that"
    tried = subprocess.run([*UNSHARE, "true"], capture_output=True, text=True, check=False)
    return None if tried.returncode == 0 else f"namespaces are refused: {tried.stderr.strip()}"


@contextmanager
def mount_point() -> Iterator[Path]:
    """Give an empty folder for a machine; it is empty again once the machine's namespaces are gone."""
    root = Path(tempfile.mkdtemp())
    try:
        yield root
    finally:
        root.rmdir()  # and never more than that: see `build`


def build(root: Path) -> None:
    """Make the machine's folders under `root`; to be called within namespaces of its own.

    What is mounted there ends with them. Never remove `root` before: with it would go what it shows.
    """
    do("ip", "link", "set", "lo", "up") if shutil.which("ip") else _loopback_up()
    do("mount", "-t", "tmpfs", "-o", "mode=0755", "machine", str(root))
    for name in _EMPTY:
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in _SYSTEM:
        path = Path("/", name)
        if path.is_symlink():
            (root / name).unlink(missing_ok=True)
            (root / name).symlink_to(path.readlink())
        elif path.is_dir():
            show(path, root)
    for name in _ETC:
        path = Path("/etc", name)
        if path.is_dir():
            shutil.copytree(path, root / "etc" / name, symlinks=True)
        elif path.exists():
            shutil.copy2(path, root / "etc" / name)
    (root / "etc" / "hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
    (root / "etc" / "hostname").write_text("server\n")
    for name in _DEVICES:
        (root / "dev" / name).touch()
        do("mount", "--bind", f"/dev/{name}", str(root / "dev" / name))
    do("mount", "-t", "proc", "proc", str(root / "proc"))
    (root / "tmp").chmod(0o1777)
    # where an administrator's own commands go: what is written there is this machine's alone
    for name in ("local", "work"):
        (root / ".written" / name).mkdir(parents=True)
    layers = f"lowerdir=/usr/local,upperdir={root}/.written/local,workdir={root}/.written/work"
    do("mount", "-t", "overlay", "-o", layers, "local", str(root / "usr/local"))
    for path in {Path(sys.base_prefix), *packages()}:
        if not path.is_relative_to("/usr"):
            show(path, root)
    (root / "stand-ins").mkdir()
    for file in STANDINS.glob("[a-z]*.py"):
        program = "#!/stand-ins/python\n" + file.read_text(encoding="utf-8")
        (root / "stand-ins" / file.stem.replace("_", "-")).write_text(program, encoding="utf-8")
    (root / "stand-ins" / "python3").write_text(_PYTHON)
    for path in (root / "stand-ins").iterdir():
        path.chmod(0o755)
    (root / "stand-ins" / "python").symlink_to(Path(sys.executable).resolve())
    (root / "stand-ins" / "packages.pth").write_text("\n".join(map(str, packages())))


INSTALLING: Final = {
    "PATH": "/stand-ins:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "PIP_NO_INDEX": "1",
    "PIP_NO_BUILD_ISOLATION": "0",  # by which pip means: without
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_ROOT_USER_ACTION": "ignore",
}
"""The environment of whoever installs something there."""
_PYTHON: Final = """#!/bin/sh
# The machine's Python. Each environment that it makes sees what the tests have installed, so that pip
# finds everything there already: the tests download nothing.
set -eu
/stand-ins/python "$@"
if [ "${1:-} ${2:-}" = "-m venv" ]; then cp /stand-ins/packages.pth "$3"/lib/python3*/site-packages/; fi
"""


def packages() -> list[Path]:
    """Give the folders of the packages that the tests have installed, the build backend's too."""
    named = ("pydantic", "hatchling")
    found = [importlib.metadata.distribution(name).locate_file("") for name in named]
    return [*dict.fromkeys(Path(str(path)).resolve() for path in found)]


def within(root: Path, folder: str, environment: Mapping[str, str], *command: str) -> list[str]:
    """Give what runs a command there as root, in a folder, with nothing but this environment."""
    variables = (f"{name}={value}" for name, value in environment.items())
    return ["chroot", str(root), "/usr/bin/env", "-i", f"--chdir={folder}", *variables, *command]


async def run(
    root: Path, folder: str, environment: Mapping[str, str], block: str, *, says: str = ""
) -> Ended:
    """Run commands there; `says` is what is typed meanwhile. The first that fails ends it."""
    process = await asyncio.create_subprocess_exec(
        *within(root, folder, environment, "bash", "-euo", "pipefail", "-c", block),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(says.encode()), SECONDS)
    assert process.returncode is not None
    return Ended(process.returncode, output.decode())


def copy_source(to: Path, wanted: Callable[[str], bool]) -> None:
    """Copy what a clone of the project has, as far as it is wanted."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file() and wanted(name):
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)


def show(path: Path, root: Path) -> None:
    """Let a folder of this machine be seen there, read-only, at the same place."""
    there = root / str(path).lstrip("/")
    there.mkdir(parents=True, exist_ok=True)
    do("mount", "--bind", str(path), str(there))
    do("mount", "-o", "remount,bind,ro", str(there))


def _loopback_up() -> None:
    import fcntl  # noqa: PLC0415 - not on every system
    import socket  # noqa: PLC0415 - as above
    import struct  # noqa: PLC0415 - as above

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        up = struct.pack("16sh", b"lo", 0x1 | 0x40)  # IFF_UP, IFF_RUNNING
        fcntl.ioctl(any_socket, 0x8914, up)  # SIOCSIFFLAGS


def do(*command: str) -> None:
    """Run a command of this machine that must not fail."""
    subprocess.run(command, check=True, capture_output=True)
