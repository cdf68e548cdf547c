"""The most memory that the bot ever holds, while the largest files come one after another."""

import asyncio
import contextlib
from typing import Final

from bench.figures import Figure, Measured, Row, Target
from bench.large import large_jpeg, large_png
from bench.players import bot
from bench.processes import Process
from bench.services import services
from bench.session import Session

SLOTS: Final = 10
_LOOK: Final = 0.02
_MEGABYTE: Final = 1_000_000


async def _memory(session: Session) -> Measured:
    count = session.effort.large_files
    files = {
        "large.jpg": await asyncio.to_thread(large_jpeg),
        "large.png": await asyncio.to_thread(large_png),
    }
    async with (
        services(session.folder / "memory", parallel=SLOTS, **session.effort.task) as at,
        bot(at, slots=SLOTS) as player,
    ):
        people = await at.telegram.people(count)
        before = player.resident_bytes()
        seen = [before]
        watching = asyncio.create_task(_look(player, seen))
        names = sorted(files)
        for number, person in enumerate(people):
            name = names[number % len(names)]
            await at.telegram.file(person, name, files[name], "make it snow")
        await at.telegram.pictures(count, player)
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        # what the system has counted misses nothing; where it does not count, we have looked
        highest = player.peak_bytes() or max(seen)
    sizes = ", ".join(f"{len(files[name]) / 1e6:.1f} MB" for name in names)
    return Measured(
        row=MEMORY.name,
        figures=[
            Figure(
                name="peak resident memory",
                unit="MB",
                bot=highest / _MEGABYTE,
                target=Target(limit=300),
                digits=0,
            )
        ],
        notes=[
            f"{before / _MEGABYTE:.0f} MB before the first file",
            f"{count} files of 24 megapixels, JPEG and PNG in turn, of {sizes}",
        ],
    )


async def _look(player: Process, seen: list[int]) -> None:
    while True:
        seen.append(player.resident_bytes())
        await asyncio.sleep(_LOOK)


MEMORY: Final = Row(
    name="memory",
    about="peak memory, 10 slots, pictures of 24 megapixels and about 20 MB",
    measure=_memory,
    seconds=180,
)
