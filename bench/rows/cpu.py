"""Processor time for each picture: of the whole process, one after the other, with nothing beside them."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final

from bench.figures import Figure, Measured, Row, Target
from bench.players import bot, floor
from bench.processes import Process
from bench.rows.slots import Run, seen, sends
from bench.services import RESULTS, Services, services
from bench.session import Session

SLOTS: Final = 10
_SETTLED: Final = 1.0
"""Seconds for which a process that has started is left alone before its time is taken."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Used:
    seconds: float
    """Of a processor, for each picture."""
    lasted: float
    run: Run

    def between(self, *calls: str) -> float:
        """Give the seconds between two calls of these names."""
        return self.lasted / max(1, sum(self.run.calls[name] for name in calls))


async def _cpu(session: Session) -> Measured:
    tasks = session.effort.cpu_tasks

    async def used(
        name: str, playing: Callable[[Services], AbstractAsyncContextManager[Process]]
    ) -> _Used:
        folder = session.folder / f"cpu-{name}"
        async with services(folder, parallel=SLOTS, **session.effort.task) as at:
            async with playing(at) as player:
                await asyncio.sleep(_SETTLED)
                before, begins = player.cpu_seconds(), time.monotonic()
                await sends(at, player, session.photo, tasks)
                seconds = player.cpu_seconds() - before
                lasted = time.monotonic() - begins
            return _Used(seconds=seconds / tasks, lasted=lasted, run=await seen(at))

    of_bot = await used("bot", lambda at: bot(at, slots=SLOTS))
    # the floor is to make as many calls as the bot has made, no more and no fewer
    poll, edit = of_bot.between(*RESULTS), of_bot.between("editMessageText")
    of_floor = await used("floor", lambda at: floor(at, slots=SLOTS, poll=poll, edit=edit))
    return Measured(
        row=CPU.name,
        figures=[
            Figure(
                name="processor time",
                unit="s a picture",
                bot=of_bot.seconds,
                floor=of_floor.seconds,
                target=Target(limit=1.5 * of_floor.seconds, because="floor × 1.5"),
                digits=4,
            )
        ],
        notes=[of_bot.run.note("bot"), of_floor.run.note("floor")],
    )


CPU: Final = Row(
    name="cpu",
    about="processor time for each picture, of the whole process",
    measure=_cpu,
    seconds=240,
)
