"""The worlds in which the fault matrix is played, side by side."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from sandbox.hidream.settings import Settings
from tests.e2e.fault_matrix import Row, chosen, row_of
from tests.e2e.fault_play import FILES, PARALLEL, Seen, Stage
from tests.e2e.world import HIDREAM_TOKEN, opened, said

_EDITED_AT_ONCE: Final = 9
_HOLD_UP_ALL: Final = frozenset({"getFile: HTTP 401", "getFile: HTTP 404", "file: HTTP 401"})
"""Rows after which no photo is fetched for a minute: each is the last of its world."""


async def _talk(stage: Stage) -> None:
    """Answers, and reasons why there is no picture; updates come in, one fault after the other."""
    await stage.start()
    await stage.world.set_hidream(seconds=4.0)
    talk = await stage.play(chosen("reason") + chosen("answer"))
    await asyncio.gather(stage.settled(*talk), _updates(stage))
    await stage.settled()


async def _presses(stage: Stage) -> None:
    """Presses of buttons; one after the other, as their answers name no person."""
    await stage.start()
    # what closes the way for all answers comes last
    rows = sorted(chosen("press"), key=lambda row: "429" in row.fault)
    played = [await stage.begin(row) for row in [*chosen("menu"), *rows]]
    for one in played:
        await stage.send(one)
    for one in played:
        await one.person.reads(said("preferences-own").splitlines()[0])
    for one in played:
        await stage.plant(one)
        await stage.press(one)
        if one.row.step == "press":
            await stage.struck(one)
    await stage.settled()


async def _updates(stage: Stage) -> None:
    someone = await stage.world.person()
    for row in chosen("getUpdates"):
        played = await stage.begin(row)
        await stage.plant(played)
        await someone.text("/help")  # the call that waits already comes to its end
        await stage.struck(played)
        await stage.send(played)
        await stage.known(played)


def _photos(part: int, *others: Row) -> list[Row]:
    """Give a third of the photos' rows among others: three at a time, as a fault holds all photos up."""
    rows = [row for step in FILES for row in chosen(step) if row.id not in _HOLD_UP_ALL]
    # those that end at once come first: nothing that comes back into the line goes before them
    rows.sort(key=lambda row: row.end != "failed")
    photos, rest = iter(rows[part::3]), iter(others)
    mixed: list[Row] = []
    while some := [*itertools.islice(photos, 3), *itertools.islice(rest, 1)]:
        mixed += some
    return mixed


async def _pictures_out(stage: Stage) -> None:
    """Single pictures brought; at the end, a photo after which no other is fetched for a minute."""
    await stage.play(_photos(0, *chosen("sendPhoto")))
    await stage.start()
    await stage.settled()
    await stage.settled(await stage.play_alone(row_of("getFile: HTTP 401")))


async def _albums_out(stage: Stage) -> None:
    """Albums brought; at the end, as above."""
    await stage.play(_photos(1, *chosen("sendMediaGroup"), *chosen("buttons")))
    await stage.start()
    await stage.settled()
    await stage.settled(await stage.play_alone(row_of("file: HTTP 401")))


async def _progress(stage: Stage) -> None:
    """Progress messages; edits are few a second, and go to the oldest tasks: so some at a time."""
    await stage.start()
    await stage.world.set_hidream(seconds=10.0, jitter=0.0)
    edits = chosen("editMessageText")
    for at in range(0, len(edits), _EDITED_AT_ONCE):
        for played in await stage.play(edits[at : at + _EDITED_AT_ONCE]):
            await stage.struck(played)
    await stage.world.set_hidream(seconds=4.0)
    await stage.play(chosen("progress") + chosen("deleteMessage"))
    await stage.settled()


async def _batch(stage: Stage) -> None:
    """A batch call is about all tasks: one row after the other."""
    await stage.start()
    for row in chosen("batch", but=["HTTP 404"]):
        played = await stage.play_alone(row)
        await stage.settled(played, seconds=15)
    await stage.play_alone(row_of("getFile: HTTP 404"))
    await stage.settled()


async def _handing_in(stage: Stage) -> None:
    """Submissions, and questions for those that got no answer."""
    token = stage.world.path / "token"
    token.write_text(HIDREAM_TOKEN)
    del stage.world.settings["hidream"]["token"]
    await stage.start(token_file=str(token))
    for_ever = [row_of(f"submit: {fault}, for ever") for fault in _DOWN]
    refused = [row_of(f"submit: {fault}") for fault in ("HTTP 401", "HTTP 403")]
    rows = [row for row in chosen("submit") if row not in for_ever + refused]
    await stage.play(rows + chosen("lookup"))
    await stage.settled()
    for row in refused:
        # the account's token is refused, until the operator puts another one into its file
        played = await stage.play_alone(row)
        await stage.struck(played)
        await stage.new_token(f"{HIDREAM_TOKEN}-after-{row.fault[-3:]}", token)
        await stage.settled(played)
    for row in for_ever:
        await stage.settled(await stage.play_alone(row))


async def _results(stage: Stage) -> None:
    """Results asked for singly, as the account has no batch call, and the pictures themselves."""
    no_batch, *_ = await stage.play([row_of("batch: HTTP 404, for ever"), *_photos(2)])
    await stage.start()
    await stage.settled(no_batch)
    await stage.forget(no_batch)
    await stage.world.set_hidream(batch=False)
    await stage.play(chosen("results") + chosen("image"))
    await stage.settled()


_DOWN: Final = ("HTTP 503", "HTTP 429 (30 s)")
"""Faults that hold up every submission."""
_STAGES: Final[Sequence[Callable[[Stage], Awaitable[None]]]] = (
    _talk,
    _pictures_out,
    _albums_out,
    _progress,
    _handing_in,
    _batch,
    _results,
    _presses,
)


async def play_all(path: Path) -> dict[str, Seen]:
    """Play every row; say what came of each, by its id."""
    found = await asyncio.gather(*(_play(stage, path / stage.__name__) for stage in _STAGES))
    return {name: seen for some in found for name, seen in some.items()}


async def _play(rows: Callable[[Stage], Awaitable[None]], path: Path) -> dict[str, Seen]:
    path.mkdir()
    settings = Settings(seconds=0.5, parallel=PARALLEL, images_per_minute=10_000)
    async with opened(path, settings=settings) as world:
        stage = Stage(world)
        await rows(stage)
        await world.stop()  # from now on nothing moves
        return await stage.seen()
