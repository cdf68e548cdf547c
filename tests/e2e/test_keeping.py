"""Saved while it runs, and put back: each task of the backup ends in a picture."""

import asyncio
import json
import re
import shutil
import sys
from pathlib import Path

from sandbox.hidream.settings import Settings
from storage.tasks import TaskState
from tests.e2e.world import World, opened, until


async def command(world: World, *arguments: str, code: int = 0) -> str:
    """Run a subcommand with the bot's settings; returns what it says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *arguments, "--config", str(world.path / "config.toml"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=world.environment,
    )  # fmt: skip
    said, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == code, said
    return said.decode()


async def test_back_to_a_backup_each_of_its_tasks_ends_in_a_picture(tmp_path: Path) -> None:
    """In line, running, or made and not yet delivered when it was saved: after the way back each is brought, and what came later is not known."""
    settings = Settings(seconds=0.2, jitter=0.0, parallel=10)
    async with opened(tmp_path, settings=settings) as world:
        await world.start(hidream={"parallel_requests": 1})
        ada = await world.person()
        await world.fault("telegram", "sendPhoto", "status", status=502, times=None)
        await ada.photo("made")
        await world.task_is("ready", task=1)
        await world.set_hidream(seconds=4.0)
        await ada.photo("running")
        await ada.photo("in line")
        await world.task_is("running", task=2)
        await world.task_is("queued", task=3)
        saved = tmp_path / "backups"
        saved.mkdir()
        said = await command(world, "backup", str(saved), "--keep", "3")
        assert re.search(r"3 tasks \(3 unfinished\), 1 picture\.$", said.strip()), said
        [file] = saved.iterdir()

        # it goes on: all three are brought, and a fourth, and then their files go
        await world.set_hidream(seconds=0.2)
        await world.no_faults()
        await ada.photo("later")
        await world.task_is(*TaskState, task=4)
        said, _ = await asyncio.gather(
            command(world, "export", "-"),
            command(world, "restore", str(file), "--yes", code=74),
        )
        lines = [json.loads(line) for line in said.splitlines()]
        assert [line["kind"] for line in lines].count("task") == 4
        await ada.gets(4)
        await world.task_is("delivered", task=4)
        said = await command(world, "prune", "--older-than", "0")
        assert "picture files of 4 tasks" in said
        assert "the bot is running" in said
        assert [row["prompt"] for row in world.rows("SELECT prompt FROM tasks")] == [""] * 4
        assert await world.stop() == 0

        # the way back
        said = await command(world, "restore", str(file), "--yes")
        assert said.count("is kept: ") == 2
        assert [row["prompt"] for row in world.rows("SELECT prompt FROM tasks ORDER BY id")] == [
            "made",
            "running",
            "in line",
        ]
        await world.start()
        await ada.gets(7)

        async def over() -> bool:
            return {row["state"] for row in world.rows("SELECT state FROM tasks")} == {"delivered"}

        await until(over, "each task of the backup is delivered")
        made = (await world.made())["tasks"]
        assert len(made) == 5, "only what was in line is made again"
        assert await world.stop() == 0

        # a second way back, and the file of the picture that is to be brought is gone: a reason
        await command(world, "restore", str(file), "--yes")
        shutil.rmtree(world.database.parent / "bot-pictures")
        await world.start()
        await ada.reads("no longer on the disk")
        await world.task_is("failed", task=1)
