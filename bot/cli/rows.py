"""`export` and `prune`."""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, Final

import click

from bot.cli.bars import Bars
from bot.cli.ends import config_option, settings
from bot.cli.keeping import counted, told
from storage.clock import SystemClock
from storage.keeping.export import Export
from storage.keeping.places import check_target, draft_of, sized, taken, telling
from storage.keeping.pruning import count_old, give_back, prune
from storage.keeping.reading import check_source
from storage.lock import Lock
from storage.store import DatabaseRefused

_MANY: Final = 10_000
"""Rows from which on a bar is shown."""


@click.command("export")
@click.argument("target", metavar="FILE", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--user", "user_id", type=int, metavar="ID", help="Only what is kept on this person.")
@click.option("--force", is_flag=True, help="Overwrite FILE where it is there.")
@config_option
def export(target: Path, *, user_id: int | None, force: bool, path: Path | None) -> None:
    """Write all rows to FILE (- for the standard output) as JSON Lines, while the bot runs or not.

    What stands in a line is described in docs/backup.md. Exit code 74: nothing was written, and the
    sentence says why.
    """
    database = settings(path).storage.path
    heading = {"version": _version(), "made_at": datetime.now(UTC).isoformat()}
    with told("Nothing was exported"):
        rows = Export(database, user_id=user_id)
        with _opened(target, database, force=force) as file, Bars(shown=user_id is None) as bars:
            count, of = 0, rows.count()
            shown = of >= _MANY
            for count, line in enumerate(rows.lines(heading)):
                file.write(f"{line}\n")
                if shown and count % 1000 == 0:
                    bars.tell("Writing", min(count, of), of)
    if str(target) != "-":
        click.echo(f"Wrote {target}: {counted(count - 1, 'row')}, {sized(target.stat().st_size)}.")


def _version() -> str | None:
    try:
        return version("hidream-bot")
    except PackageNotFoundError:
        # run from its sources
        return None


@contextmanager
def _opened(target: Path, database: Path, *, force: bool) -> Iterator[IO[str]]:
    """Give a file to write to that is whole at the end or not there; or the standard output."""
    if str(target) == "-":
        try:
            yield sys.stdout
            sys.stdout.flush()
        except OSError as error:
            # Python would try once more at its end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            if isinstance(error, BrokenPipeError):  # whoever reads has had enough
                raise SystemExit(1) from None
            raise DatabaseRefused(
                f"the standard output cannot be written ({error.strerror})"
            ) from None
        return
    check_target(target, database)
    if target.exists() and not force:
        raise taken(target)
    with draft_of(target) as draft:
        with telling(draft.path), draft.path.open("w", encoding="utf-8") as file:
            yield file
        draft.place(force=force)


@click.command("prune")
@click.option(
    "--older-than",
    "days",
    type=click.FloatRange(min=0, max=36500),
    metavar="DAYS",
    required=True,
    help="Tasks that were over so many days ago are emptied of words and ids, and their files go.",
)
@click.option("--dry-run", is_flag=True, help="Only say how many.")
@config_option
def prune_command(days: float, *, dry_run: bool, path: Path | None) -> None:
    """Forget by hand what the housekeeping forgets by storage.retention_days.

    The bot may run meanwhile; only where it does not, the room is given back to the disk. Exit code
    74: the database cannot be used, and the sentence says why.
    """
    database = settings(path).storage.path
    older_than = timedelta(days=days)
    with told("Not all was forgotten"), telling(database):
        if dry_run:
            for what, count in count_old(
                database, now=datetime.now(UTC), older_than=older_than
            ).items():
                click.echo(f"{count:>8}  {what}")
            click.echo("Nothing was changed.")
            return
        check_source(database)
        lock = _lock_of(database)
        try:
            with Bars(shown=True) as bars:
                removed, touched = asyncio.run(
                    prune(database, clock=SystemClock(), older_than=older_than, progress=bars.tell)
                )
            click.echo(
                f"Forgotten: {counted(touched, 'row')}, and the picture files of {counted(removed, 'task')}."
            )
            if lock is None:
                click.echo(
                    "The file keeps its size, since the bot is running; its free room is used "
                    "again. To give it back to the disk, stop the bot and say this once more."
                )
            else:
                click.echo(_given_back(database))
        finally:
            if lock is not None:
                lock.release()


def _given_back(database: Path) -> str:
    try:
        return f"Given back to the disk: {sized(give_back(database))}."
    except DatabaseRefused as exc:
        return str(exc)


def _lock_of(database: Path) -> Lock | None:
    """Take the database's lock; None where the bot has it."""
    lock = Lock(database)
    try:
        lock.acquire()
    except DatabaseRefused:
        return None
    return lock
