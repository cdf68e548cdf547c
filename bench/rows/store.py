"""The store after years: a million finished tasks, and a line of a hundred thousand."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any, Final

from bench.arithmetic import percentile
from bench.figures import Figure, Measured, Row, Target
from bench.processes import started
from bench.session import Effort, Session
from bench.storing.building import build

_MEGABYTE: Final = 1_000_000
_LIMITS: Final = (("claim", "claim", 5), ("place", "place in line", 5), ("status", "/status", 20))


async def _of(path: Path, name: str) -> dict[str, Any]:
    log = path.with_name(f"{name}.log")
    async with started(name, "bench.storing.measuring", str(path), log=log) as process:
        found: dict[str, Any] = json.loads(await process.ends())
    return found


async def _store(session: Session) -> Measured:
    folder = session.folder / "store"
    folder.mkdir()
    effort = session.effort
    begins = time.monotonic()
    await asyncio.to_thread(
        build, folder / "full.db", finished=effort.finished, queued=effort.queued
    )
    built = time.monotonic() - begins
    size = (folder / "full.db").stat().st_size / _MEGABYTE
    empty = await _of(folder / "empty.db", "an empty store")
    full = await _of(folder / "full.db", "a full store")
    figures = [
        Figure(
            name=f"{words}, p99",
            unit="ms",
            bot=percentile(full["taken"][name], 0.99),
            target=Target(limit=limit),
        )
        for name, words, limit in _LIMITS
    ]
    figures += [
        Figure(name="start-up", unit="s", bot=full["opened"], target=Target(limit=1), digits=3),
        Figure(
            name="memory over an empty one",
            unit="MB",
            bot=(full["resident"] - empty["resident"]) / _MEGABYTE,
            target=Target(limit=30),
            digits=1,
        ),
    ]
    return Measured(
        row=STORE.name,
        figures=figures,
        notes=[_facts(effort, size=size, built=built, full=full, empty=empty)],
    )


def _facts(
    effort: Effort, *, size: float, built: float, full: dict[str, Any], empty: dict[str, Any]
) -> str:
    return (
        f"{effort.finished:,} finished and {effort.queued:,} queued tasks, {size:.0f} MB,"
        f" built in {built:.0f} s; {len(full['taken']['claim'])} calls of each kind;"
        f" start-up of an empty one {empty['opened']:.3f} s"
    )


STORE: Final = Row(
    name="store",
    about="the store with a million finished tasks and a hundred thousand in line",
    measure=_store,
    seconds=180,
)
