"""`backup` and `restore`."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from bot.cli.bars import LONG, Bars, stoppable
from bot.cli.ends import BAD_DATABASE, INTERRUPTED, config_option, end, settings
from storage.database import check_place
from storage.files import pictures_beside
from storage.keeping.backup import Saved, back_up
from storage.keeping.contents import Contents, contents_of
from storage.keeping.places import sized, stamp_of, sweep, telling
from storage.keeping.restore import restore
from storage.lock import Lock
from storage.soundness import BACKUP_ID, check_header
from storage.store import DatabaseRefused

DECLINED: Final = 1
"""Exit code where somebody was asked, and said no."""
_OWN_NAME: Final = re.compile(r"hidream-bot-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.db")


@contextmanager
def told(nothing: str) -> Iterator[None]:
    """End the program with a sentence and a code where the database, or a place, cannot be used."""
    try:
        with stoppable():
            yield
    except DatabaseRefused as exc:
        end(f"{nothing}: {exc}", BAD_DATABASE)
    except KeyboardInterrupt:
        end(f"Interrupted. {nothing}.", INTERRUPTED)


# --- backup


@click.command("backup")
@click.argument("target", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite FILE where it is there.")
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    metavar="N",
    help="Where FILE is a folder: keep the newest N backups in it, and remove older ones.",
)
@click.option(
    "--all-pictures",
    is_flag=True,
    help="Also the pictures that were delivered, for as long as their files are kept.",
)
@config_option
def backup(
    target: Path, *, force: bool, keep: int | None, all_pictures: bool, path: Path | None
) -> None:
    """Save all that the bot knows in one FILE, while it runs or not.

    Where FILE is a folder, the backup gets a name with the time in it. It has the pictures that are
    not delivered yet, and is checked before it gets its name. Exit code 74: nothing was saved, and
    the sentence says why.
    """
    database = settings(path).storage.path
    folder = target if target.is_dir() else None
    if keep is not None and folder is None:
        raise click.UsageError("--keep is for a folder of backups: name one that is there as FILE.")
    now = datetime.now(UTC)
    if folder is not None:
        target = folder / f"hidream-bot-{stamp_of(now)}.db"
    with told("Nothing was saved"), Bars(shown=_is_large(database)) as bars:
        if folder is not None:
            sweep(folder, _OWN_NAME.fullmatch)
        saved = back_up(
            database, target, now=now, force=force, all_pictures=all_pictures, progress=bars.tell
        )
    click.echo(_saved(saved))
    if keep is not None and folder is not None:
        with told("The backup is saved, but older ones could not be removed"):
            _remove_old(folder, keep, newest=target)


def _is_large(file: Path) -> bool:
    try:
        return file.is_file() and file.stat().st_size >= LONG
    except OSError:  # said by who reads it
        return False


def _saved(saved: Saved) -> str:
    found = saved.contents
    line = (
        f"Saved {saved.path}: {sized(found.size)}, {_tasks(found)}, "
        f"{counted(found.pictures, 'picture')}."
    )
    if saved.missing:
        line += (
            f" {counted(saved.missing, 'picture')} to be delivered could not be saved: the file "
            "is not there. Its task will end in a reason."
        )
    return line


def _tasks(found: Contents) -> str:
    return f"{counted(found.tasks, 'task')} ({found.unfinished} unfinished)"


def counted(count: int, what: str) -> str:
    """Give a number of things, in words for one and for many."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _remove_old(folder: Path, keep: int, *, newest: Path) -> None:
    """Remove all but the newest of those that this command has made here."""
    own = sorted(
        (one for one in folder.iterdir() if _OWN_NAME.fullmatch(one.name) and _is_backup(one)),
        # whatever the clock said when others were made
        key=lambda one: (one == newest, one.name),
        reverse=True,
    )
    for one in own[keep:]:
        with telling(one):
            one.unlink()
        click.echo(f"Removed {one}.")


def _is_backup(file: Path) -> bool:
    try:
        check_header(file, sys.maxsize, marks=(BACKUP_ID,))
    except (DatabaseRefused, OSError):
        return False
    return True


# --- restore


_MEANS: Final = """\
{backup} was made on {time} UTC. It has {tasks}: {in_line} in line, {at_hidream} at HiDream, \
{to_be_brought} to be delivered; and {pictures}.

If you restore it, the bot goes back to that time:
- What was in line then is made, and counted by HiDream, even if that has happened since.
- What HiDream was at, or had made, is asked about and delivered; people may see it once more.
- What was sent to the bot since is not known any more, and is not answered.
- What was forgotten since (/forget, 🗑, storage.retention_days) is there again: whoever sent
  /forget since should be told to send it again.
- Settings, and what was chosen, are as they were.

What is there now is put aside, not deleted: {database} and {folder}.
"""


@click.command("restore")
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Don't ask.")
@config_option
def restore_command(source: Path, *, yes: bool, path: Path | None) -> None:
    """Put the backup FILE in the place of the database and its pictures; the bot must not run.

    It says what that means, and asks. What is there is put aside under a name with the time in it.
    Exit code 74: nothing was changed, and the sentence says why.
    """
    database = settings(path).storage.path
    with told("Nothing was restored"), Bars(shown=_is_large(source)) as bars:
        found = contents_of(source)
        check_place(database)
        lock = Lock(database)
        lock.acquire()
        try:
            if not yes:
                _ask(source, database, found)
            done = restore(source, database, now=datetime.now(UTC), progress=bars.tell)
        finally:
            lock.release()
    click.echo(
        f"Restored {source}: {_tasks(found)}, {counted(done.pictures, 'picture')}. Start the bot."
    )
    for kept in done.aside:
        click.echo(f"What was there before is kept: {kept}")


def _ask(source: Path, database: Path, found: Contents) -> None:
    click.echo(
        _MEANS.format(
            backup=source,
            time=found.made_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M"),
            tasks=counted(found.tasks, "task"),
            in_line=found.in_line,
            at_hidream=found.at_hidream,
            to_be_brought=found.to_be_brought,
            pictures=counted(found.pictures, "picture"),
            database=database,
            folder=pictures_beside(database),
        )
    )
    if not sys.stdin.isatty():
        raise DatabaseRefused("There is nobody to ask. Say --yes to restore without being asked.")
    try:
        sure = click.confirm("Restore it?")
    except click.Abort:  # Ctrl-C, or the end of what is typed
        raise KeyboardInterrupt from None
    if not sure:
        end("Nothing was restored.", DECLINED)
