"""The bench runs: what its figures are on this machine does not matter here."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.cli import main, measure
from bench.figures import Measured, Row
from bench.rows import ROWS
from bench.session import SHORT, Session
from bench.table import BEGIN, END

PERFORMANCE = Path(__file__).parent.parent.parent / "docs" / "performance.md"


def test_a_row_is_measured_and_written_down(tmp_path: Path) -> None:
    """The real bot takes in a burst of updates; the figures are printed, and put into a paper."""
    paper = tmp_path / "performance.md"
    paper.write_text(f"{BEGIN}\n{END}\n")
    ran = CliRunner().invoke(main, ["intake", "--short", "--json", "--write", str(paper)])
    assert ran.exit_code == 0, ran.output
    [row] = json.loads(ran.stdout)["rows"]
    figures = {figure["name"]: figure for figure in row["figures"]}
    assert figures["lost"]["bot"] == 0
    assert figures["given out to row there, p99"]["bot"] > 0
    assert "given out to row there, p99, ms" in paper.read_text()


async def test_bot_and_floor_do_the_same_work(tmp_path: Path) -> None:
    """In the row that compares processor time, both make the calls that each picture needs, once."""
    cpu = next(row for row in ROWS if row.name == "cpu")
    measured = await measure(cpu, Session(folder=tmp_path, effort=SHORT))
    assert measured.error is None
    [figure] = measured.figures
    assert figure.floor is not None
    assert min(figure.bot, figure.floor) > 0
    needed = ("getFile", "file", "submit", "image", "sendMessage", "sendPhoto", "deleteMessage")
    for player, note in zip(("bot", "floor"), measured.notes, strict=True):
        assert note.startswith(player)
        assert "refused: submit" not in note
        for call in needed:
            assert f" {call} 1.0" in note, note


async def test_a_row_that_breaks_says_why(tmp_path: Path) -> None:
    """What cannot be measured is a row with a reason, and no traceback."""

    async def breaks(_session: Session) -> Measured:
        raise ExceptionGroup("several", [RuntimeError("no disk")])

    row = Row(name="it", about="breaks", measure=breaks, seconds=1)
    measured = await measure(row, Session(folder=tmp_path))
    assert (measured.row, measured.error) == ("it", "no disk")


async def test_a_row_that_hangs_is_ended(tmp_path: Path) -> None:
    """A row has so many seconds, and then the next one has its turn."""

    async def hangs(_session: Session) -> Measured:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    row = Row(name="it", about="hangs", measure=hangs, seconds=0.01)
    assert "longer than" in str((await measure(row, Session(folder=tmp_path))).error)


async def test_a_run_that_was_broken_off_is_not_waited_for(tmp_path: Path) -> None:
    """Where rows share a run and the first one's time is up, the next says so, and the bench goes on."""

    async def shares(session: Session) -> Measured:
        return await session.once("it", lambda: asyncio.sleep(60, Measured(row="it")))

    session = Session(folder=tmp_path)
    row = Row(name="it", about="shares a run", measure=shares, seconds=0.01)
    assert "longer than" in str((await measure(row, session)).error)
    assert "broken off" in str((await measure(row, session)).error)


def test_unknown_row_is_told_which_there_are() -> None:
    """A misspelt row measures nothing, and the answer names every row."""
    ran = CliRunner().invoke(main, ["slots"])
    assert ran.exit_code == 2
    for row in ROWS:
        assert row.name in ran.stderr


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_is_written_down(row: Row) -> None:
    """The paper on performance says of each row what it measures."""
    assert f"`{row.name}`" in PERFORMANCE.read_text()
