"""/stats, from the command to the picture, through the real process."""

import io
from pathlib import Path

from PIL import Image

from sandbox.hidream.settings import Settings
from tests.e2e.world import opened, said, text_of

QUICK = Settings(seconds=0.2, parallel=10)


async def test_an_admin_sees_how_it_has_been_doing(tmp_path: Path) -> None:
    """An admin gets a picture with the figures of what really became of the tasks; nobody else gets anything."""
    async with opened(tmp_path, settings=QUICK) as world:
        ada, bob = await world.person("Ada"), await world.person("Bob")
        group = await world.group(ada, bob)
        await world.start(access={"admins": [ada.id]})
        await bob.photo("make it snow")
        await bob.gets(1)
        await world.next_ends(1, 4)
        await bob.photo("make it rain /n 2")
        await bob.gets(2)
        await world.next_ends(4)
        await bob.photo("make it burn")
        await bob.reads(said("review-refused"))
        await world.next_ends("never")
        await bob.photo("make it wait")
        await world.task_is("running")
        for state, count in {"delivered": 2, "failed": 1, "running": 1}.items():
            rows = world.rows("SELECT id FROM tasks WHERE state = ?", state)
            assert len(rows) == count, state
        await ada.text("/stats 7")
        [shown] = await ada.gets(1)
        lines = text_of(shown).splitlines()
        assert lines[1:6] == [
            "Tasks: 4 · pictures brought: 2",
            *(f"• {what}: 1 (25%)" for what in ("brought whole", "brought in part")),
            *(f"• {what}: 1 (25%)" for what in ("words or photo not usable", "not over yet")),
        ]
        assert lines[6].startswith("Waiting in line: median ")
        assert lines[7].startswith("Making at HiDream: median ")
        assert lines[8].endswith("configured 3")
        assert lines[9] == said("stats-now", line=0, running=1)
        with Image.open(io.BytesIO(await world.picture(shown))) as picture:
            assert picture.size == (1024, 1280), "as large as Telegram shows photos"
        await ada.text("/stats 7", chat=group)
        await ada.reads("in private", chat=group)
        await bob.text("/stats")
        await bob.reads(said("unknown-command", command="/stats"))
        assert len(await bob.gets(2)) == 2
        assert "plot_not_drawn" not in world.log
