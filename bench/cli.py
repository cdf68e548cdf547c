"""The command line: which rows, how printed, where written."""

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from bench.figures import Measured, Row
from bench.machine import Machine
from bench.rows import ROWS
from bench.session import SHORT, Effort, Session
from bench.table import NoMarkers, as_json, as_text, put_into

WHOLE: Final = 14.5 * 60
"""Seconds for all rows together; what is tidied up afterwards has the rest of 15 minutes."""


@click.command()
@click.argument("names", nargs=-1, metavar="[ROW]...")
@click.option("--json", "in_json", is_flag=True, help="Print JSON in place of the table.")
@click.option(
    "--write",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Also put the table between the markers of this paper.",
)
@click.option("--short", is_flag=True, help="To see that it works: the figures mean nothing.")
def main(*, names: tuple[str, ...], in_json: bool, write: Path | None, short: bool) -> None:
    """Measure the bot, and print what was found; all rows, or those named.

    The exit code says whether everything was measured, not whether targets were reached.
    """
    rows = _chosen(names)
    machine = Machine.this_one()
    measured = asyncio.run(_measured(rows, SHORT if short else Effort()))
    click.echo(as_json(machine, measured) if in_json else as_text(machine, measured))
    if write is not None:
        try:
            write.write_text(put_into(write.read_text(), machine, measured))
        except NoMarkers as error:
            raise click.ClickException(f"{write}: {error}") from error
    sys.exit(any(one.error is not None for one in measured))


def _chosen(names: Sequence[str]) -> list[Row]:
    known = {row.name: row for row in ROWS}
    if unknown := [name for name in names if name not in known]:
        there_are = "\n".join(f"  {row.name:16} {row.about}" for row in ROWS)
        raise click.UsageError(f"There is no row {unknown[0]!r}. There are:\n{there_are}")
    return [row for row in ROWS if not names or row.name in names]


async def _measured(rows: Sequence[Row], effort: Effort) -> list[Measured]:
    measured = []
    with tempfile.TemporaryDirectory(prefix="hidream-bench-") as folder:
        session = Session(folder=Path(folder), effort=effort)
        end = time.monotonic() + WHOLE
        for row in rows:
            began = time.monotonic()
            click.echo(f"{row.name}: {row.about} …", err=True)
            measured.append(await measure(row, session, seconds=end - began))
            click.echo(f"{row.name}: {time.monotonic() - began:.0f} s", err=True)
    return measured


async def measure(row: Row, session: Session, *, seconds: float = WHOLE) -> Measured:
    """Measure a row, within so many seconds; one that cannot be says why, and the others go on."""
    most = max(0.0, min(row.seconds, seconds))
    try:
        async with asyncio.timeout(most) as limit:
            return await row.measure(session)
    except Exception as error:
        # Whatever it was: the next row has services and processes of its own.
        if limit.expired():
            return Measured(row=row.name, error=f"it took longer than {most:.0f} s")
        return Measured(row=row.name, error=_words(error))


def _words(error: BaseException) -> str:
    """Say what went wrong; of several things that did at once, the first."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) or type(error).__name__
