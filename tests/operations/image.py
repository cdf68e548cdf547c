"""Plays the Dockerfile on a machine that has nothing yet: its steps, then the bot as the image would run it.

What the base image brings is this machine's own system. The rest is real: the steps as they stand, what
.dockerignore lets in, the environment, the user, a root that is read-only, and no rights at all.
"""

import asyncio
import json
import re
import shlex
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from tests.e2e.world import HIDREAM_TOKEN, TELEGRAM_TOKEN, opened
from tests.operations.machine import INSTALLING, build, copy_source, do, packages, run, show, within
from tests.operations.page import ROOT

DOCKERFILE: Final = ROOT / "Dockerfile"
_PRINTED: Final = 3000
_WRITABLE: Final = ("data", "backups", "tmp")
"""What compose.yaml mounts."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """One line of a Dockerfile, with those that it goes on in."""

    name: str
    value: str


def stages() -> list[list[Instruction]]:
    """Read the Dockerfile: the instructions of each stage."""
    text = re.sub(r"(?m)^\s*#.*\n", "", DOCKERFILE.read_text(encoding="utf-8"))
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    read: list[list[Instruction]] = []
    for name, _, value in (line.partition(" ") for line in lines if line.strip()):
        if name == "FROM":
            read.append([])
        if read:
            read[-1].append(Instruction(name, value))
    return read


def environment_of(stage: list[Instruction]) -> dict[str, str]:
    """Give the variables that a stage sets."""
    pairs = [shlex.split(one.value) for one in stage if one.name == "ENV"]
    return dict(pair.split("=", 1) for line in pairs for pair in line)


def one_of(stage: list[Instruction], name: str) -> str:
    """Give the value of the only instruction of a kind."""
    [found] = [one.value for one in stage if one.name == name]
    return found


def let_in(name: str) -> bool:
    """Say whether .dockerignore lets a file into the image's making. The last rule that fits counts."""
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = True
    parts = name.split("/")
    paths = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    for rule in (line for line in rules if line and not line.startswith("#")):
        pattern = rule.removeprefix("!")
        if any(fnmatchcase(path, form) for form in _forms(pattern) for path in paths):
            allowed = rule.startswith("!")
    return allowed


def _forms(pattern: str) -> Iterator[str]:
    yield pattern
    if pattern.startswith("**/"):
        yield pattern.removeprefix("**/")


async def play(root: Path, tell: Callable[[str], None]) -> None:
    """Make what the image would have, and let the bot in it make a picture.

    Raises:
        AssertionError: a step failed, or what it was for is not so.
    """
    build(root)
    builder, final = stages()
    source = one_of(builder, "WORKDIR")
    copy_source(root / source.lstrip("/"), let_in)
    await _steps(root, source, INSTALLING | environment_of(builder), builder, tell)
    await _steps(root, "/", INSTALLING, final, tell)
    installed = next((root / "opt/hidream-bot/lib").glob("python3*/site-packages"))
    for name in ("bot", "storage", "sandbox"):
        for file in (root / source.lstrip("/") / name).rglob("*"):
            where = installed / file.relative_to(root / source.lstrip("/"))
            assert where.exists(), f"{where.name} is not in the wheel"
    # only what the second stage copies is left of the first
    kept = [one.value.split()[1:] for one in final if one.value.startswith("--from=builder")]
    assert kept == [["/opt/hidream-bot", "/opt/hidream-bot"]]
    do("rm", "-rf", str(root / source.lstrip("/")))
    for name in _WRITABLE:
        made = root / name
        owner = made.stat()
        mode = f"mode={owner.st_mode & 0o7777:o},uid={owner.st_uid},gid={owner.st_gid}"
        do("mount", "-t", "tmpfs", "-o", mode, name, str(made))
        for path in packages():
            if path.is_relative_to(f"/{name}"):  # where the clone lies there, they would be covered
                show(path, root)
    do("mount", "-o", "remount,ro", str(root))
    do("mount", "-o", "remount,ro", str(root / "usr/local"))
    await _a_photo_comes_back(root, final, tell)


async def _steps(
    root: Path,
    folder: str,
    environment: Mapping[str, str],
    stage: list[Instruction],
    tell: Callable[[str], None],
) -> None:
    for step in (one.value for one in stage if one.name == "RUN"):
        ended = await run(root, folder, environment, step)
        tell(f"RUN {step}\n{ended.output[-_PRINTED:]}")
        assert ended.code == 0, f"RUN {step} ended with {ended.code}:\n{ended.output}"


async def _a_photo_comes_back(
    root: Path, final: list[Instruction], tell: Callable[[str], None]
) -> None:
    number = one_of(final, "USER").partition(":")[0]
    as_user = (
        "setpriv", f"--reuid={number}", f"--regid={number}", "--clear-groups", "--no-new-privs",
        "--bounding-set=-all", "--inh-caps=-all",
    )  # fmt: skip
    folder, own = one_of(final, "WORKDIR"), environment_of(final)
    program = [*json.loads(one_of(final, "ENTRYPOINT")), *json.loads(one_of(final, "CMD"))]
    with tempfile.TemporaryDirectory() as path:
        async with opened(Path(path)) as world:
            given = own | {
                "HOME": "/data",
                "BOT_TELEGRAM__TOKEN": TELEGRAM_TOKEN,
                "BOT_HIDREAM__TOKEN": HIDREAM_TOKEN,
                "BOT_TELEGRAM__API_URL": world.telegram,
                "BOT_HIDREAM__BASE_URL": world.hidream,
                "BOT_HIDREAM__ALLOW_LOCAL_RESULTS": "true",
            }
            world.process = await asyncio.create_subprocess_exec(
                *within(root, folder, given, *as_user, *program)
            )
            person = await world.person()
            await person.photo("make it snow")
            await person.gets(1)
            tell("a picture came")
            look = """
                hidream-bot --version
                test "$(stat -c %U:%a /data/bot.db)" = hidream-bot:600
                for place in /opt/hidream-bot /etc /usr/local; do ! touch $place/x || exit 1; done
                # the tests' own packages, which are seen there, have a pip; the image must not
                test -z "$(find /opt/hidream-bot -name 'pip*')"
            """
            looked = await run(
                root, folder, given, f"{shlex.join(as_user)} bash -ec {shlex.quote(look)}"
            )
            tell(looked.output)
            assert looked.code == 0, looked.output
            assert await world.stop() == 0
