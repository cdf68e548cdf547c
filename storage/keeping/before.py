"""A backup before the layout is changed, so that there is a way back to the version before."""

from datetime import UTC, datetime
from pathlib import Path

from storage.keeping.backup import back_up
from storage.layout import Migration
from storage.soundness import beside
from storage.store import DatabaseRefused


def keep_before(database: Path, steps: tuple[Migration, ...]) -> Path:
    """Save a database beside itself before its layout is brought up to date; only with its lock held.

    One of an earlier try is replaced: what it was made from is still there.

    Raises:
        DatabaseRefused: it cannot be saved, so the layout must stay as it is.
    """
    newest = steps[-1].number
    target = beside(database, f".before-layout-{newest}")
    try:
        saved = back_up(database, target, now=datetime.now(UTC), force=True, nobody_writes=True)
    except DatabaseRefused as error:
        raise DatabaseRefused(
            f"{database} is to be brought to layout {newest}, and no backup could be made before "
            f"that, so it was left as it is. {error}"
        ) from error
    return saved.path
