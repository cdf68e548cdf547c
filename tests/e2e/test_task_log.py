"""The log of a task: its id is in each line of its way, and in no line of another's."""

import json
from pathlib import Path
from typing import Any

from sandbox.hidream.settings import Settings
from tests.e2e.world import World, opened

WAY = (
    "queued",
    "prepared",
    "submitting",
    "accepted",
    "fetched",
    "made",
    "delivering",
    "finished",
)
"""What is logged of every task that ends well, in this order, at INFO."""


def lines_of(world: World, task: int) -> list[dict[str, Any]]:
    """Follow a task, as docs/logs.md says."""
    lines = [json.loads(line) for line in world.log.splitlines()]
    return [line for line in lines if line.get("task") == task]


async def test_following_one_task(tmp_path: Path) -> None:
    """Two photos side by side: what has the id of the one tells its whole way, and nothing of the other's."""
    async with opened(tmp_path, settings=Settings(seconds=1.2, parallel=10)) as world:
        await world.start(run={"log_level": "DEBUG", "log_format": "json"})
        ada, bob = await world.person("Ada"), await world.person("Bob")
        await ada.photo("make it snow")
        await bob.photo("as a pencil sketch")
        await ada.gets(1)
        await bob.gets(1)
        await world.task_is("delivered", task=1)
        await world.task_is("delivered", task=2)
        assert await world.stop() == 0
        hidream = {row["task_id"]: row["hidream_task_id"] for row in world.rows(
            "SELECT task_id, hidream_task_id FROM submissions"
        )}  # fmt: skip
        for task, other, person in ((1, 2, ada), (2, 1, bob)):
            found = lines_of(world, task)
            events = [line["event"] for line in found if line["level"] != "debug"]
            assert [event for event in events if event in WAY] == list(WAY), events
            text = "\n".join(map(json.dumps, found))
            assert hidream[task] in text
            assert hidream[other] not in text
            info = [line for line in found if line["level"] != "debug"]
            assert not any(word in json.dumps(info) for word in ("snow", "pencil", str(person.id)))
            # a library's own lines are among them: what Telegram was asked for this task
            endpoints = " ".join(
                line["event"] for line in found if line["logger"].startswith("telegram")
            )
            for endpoint in ("getFile", "sendPhoto"):
                assert endpoint in endpoints, endpoints
            own = f"'chat_id': {person.id}"
            assert all(
                own in line["event"]
                for line in found
                if "with parameters `{'chat_id'" in line["event"]
            )
        # nor does a binding outlive its work: what is nobody's has no task
        loose = [json.loads(line) for line in world.log.splitlines()]
        assert not any("task" in line for line in loose if "getUpdates" in line["event"])
