"""From an update being given out to its row: 100 a second.

The time in a row was taken before it was written. So the row counts from when it can be seen: another
process looks for it all the time.
"""

import asyncio
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from bench.arithmetic import percentile
from bench.figures import Figure, Measured, Row, Target
from bench.players import bot
from bench.processes import NotMeasured, Process
from bench.services import Telegram, services
from bench.session import Session

A_SECOND: Final = 100
CHATS: Final = 250
_PATIENCE: Final = 20.0
_LOOK: Final = 0.002
"""Seconds between two looks at the database."""


async def _intake(session: Session) -> Measured:
    count = session.effort.intake_updates
    async with (
        services(session.folder / "intake") as at,
        bot(at, slots=5) as player,
    ):
        people = await at.telegram.people(min(CHATS, count))
        seen: dict[int, float] = {}
        enough = threading.Event()
        watching = asyncio.create_task(
            asyncio.to_thread(_watch, at.folder / "data" / "bot.db", seen, enough)
        )
        try:
            given, confirmed, took = await _written(at.telegram, player, people, count)
        finally:
            enough.set()
            await watching
    kept = given.keys() & seen.keys()
    return Measured(
        row=INTAKE.name,
        figures=[
            Figure(
                name="given out to row there, p99",
                unit="ms",
                bot=percentile([(seen[id_] - given[id_]) * 1000 for id_ in kept], 0.99),
                target=Target(limit=50),
                digits=1,
            ),
            Figure(
                name="given out to confirmed, p99",
                unit="ms",
                bot=percentile([(confirmed[id_] - given[id_]) * 1000 for id_ in given], 0.99),
                digits=1,
            ),
            Figure(
                name="lost",
                unit="updates",
                bot=count - len(kept),
                target=Target(limit=0),
                digits=0,
            ),
        ],
        notes=[f"{count} texts of {len(people)} people within {took:.1f} s"],
    )


async def _written(
    telegram: Telegram, player: Process, people: list[int], count: int
) -> tuple[dict[int, float], dict[int, float], float]:
    """Let people write; says when each update was given out and confirmed, and how long it took."""
    begins = time.monotonic()
    await _all_write(telegram, people, count)
    took = time.monotonic() - begins
    given = await telegram.given()
    async with asyncio.timeout(_PATIENCE):
        while len(given) < count:
            player.check()
            await asyncio.sleep(0.1)
            given = await telegram.given()
    # one more, so that the call which confirmed the last of them is answered, and written down
    await telegram.text(people[0], "hello")
    return given, await _confirmed(telegram, given), took


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


def _watch(database: Path, seen: dict[int, float], enough: threading.Event) -> None:
    """Note when each update's row can be seen for the first time."""
    uri = f"file:{database}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=10)) as connection:
        last = 0
        over = False
        while not over:
            over = enough.wait(_LOOK)  # and then once more
            rows = connection.execute(
                "SELECT id, update_id FROM inbox WHERE id > ? ORDER BY id", (last,)
            ).fetchall()
            now = time.time()
            for last, update_id in rows:  # noqa: B007 - the last one is where to go on
                seen[update_id] = now


INTAKE: Final = Row(
    name="intake",
    about="100 updates a second for 10 s: from given out to kept",
    measure=_intake,
    seconds=90,
)
