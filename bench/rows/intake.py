"""From an update being given out to its row: 100 a second.

That its row is there is known for sure when the bot confirms it, by asking for later ones: it does so
only after the row was written. So what is measured is a little more than what it takes.
"""

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from bench.arithmetic import percentile
from bench.figures import Figure, Measured, Row, Target
from bench.players import bot
from bench.processes import NotMeasured
from bench.services import Telegram, services
from bench.session import Session

A_SECOND: Final = 100
CHATS: Final = 250
_PATIENCE: Final = 20.0


async def _intake(session: Session) -> Measured:
    count = session.effort.intake_updates
    async with (
        services(session.folder / "intake") as at,
        bot(at, slots=5) as player,
    ):
        people = await at.telegram.people(min(CHATS, count))
        begins = time.monotonic()
        await _all_write(at.telegram, people, count)
        took = time.monotonic() - begins
        given = await at.telegram.given()
        async with asyncio.timeout(_PATIENCE):
            while len(given) < count:
                player.check()
                await asyncio.sleep(0.1)
                given = await at.telegram.given()
        # one more, so that the call which confirmed the last of them is answered, and written down
        await at.telegram.text(people[0], "hello")
        confirmed = await _confirmed(at.telegram, given)
        database = at.folder / "data" / "bot.db"
        kept = _kept(database)
    delays = [(confirmed[id_] - at_) * 1000 for id_, at_ in given.items()]
    stamps = [(kept[id_] - at_) * 1000 for id_, at_ in given.items() if id_ in kept]
    return Measured(
        row=INTAKE.name,
        figures=[
            Figure(
                name="given out to confirmed, p99",
                unit="ms",
                bot=percentile(delays, 0.99),
                target=Target(limit=50),
                digits=1,
            ),
            Figure(
                name="given out to the row's own time, p99",
                unit="ms",
                bot=percentile(stamps, 0.99),
                digits=1,
            ),
            Figure(
                name="lost",
                unit="updates",
                bot=count - len(given.keys() & kept.keys()),
                target=Target(limit=0),
                digits=0,
            ),
        ],
        notes=[f"{count} texts of {len(people)} people within {took:.1f} s"],
    )


async def _all_write(telegram: Telegram, people: list[int], count: int) -> None:
    """Let people write, at a steady pace, whether or not the one before has been taken."""
    begins = time.monotonic()
    async with asyncio.TaskGroup() as writing:
        for number in range(count):
            await asyncio.sleep(max(0.0, begins + number / A_SECOND - time.monotonic()))
            writing.create_task(telegram.text(people[number % len(people)], "hello"))


async def _confirmed(telegram: Telegram, given: dict[int, float]) -> dict[int, float]:
    """Say when each update was confirmed: by the first call for later ones."""
    async with asyncio.timeout(_PATIENCE):
        while True:
            polls = sorted(
                (call.at, int(call.params["offset"]))
                for call in await telegram.named("getUpdates")
                if "offset" in call.params
            )
            if polls and max(offset for _, offset in polls) > max(given):
                break
            await asyncio.sleep(0.1)
    confirmed: dict[int, float] = {}
    waiting = sorted(given)
    for at, offset in polls:
        while waiting and waiting[0] < offset:
            confirmed[waiting.pop(0)] = at
    if waiting:
        raise NotMeasured(f"{len(waiting)} updates were never confirmed")
    return confirmed


def _kept(database: Path) -> dict[int, float]:
    """Give each update's row, and the time that is written in it."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)) as connection:
        rows = connection.execute("SELECT update_id, received_at FROM inbox").fetchall()
    return {update_id: received_at / 1e6 for update_id, received_at in rows}


INTAKE: Final = Row(
    name="intake",
    about="100 updates a second for 10 s: from given out to kept",
    measure=_intake,
    seconds=90,
)
