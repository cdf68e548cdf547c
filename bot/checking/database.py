"""The database: is it there, ours, sound, free or in use, and has it room. It is only read."""

from collections.abc import Sequence
from typing import Final

from bot.checking.lines import Line, Lines, note, ok, one_line, warning, wrong
from bot.checking.subject import Subject
from storage.examining import Examined
from storage.keeping.places import sized
from storage.store import DatabaseRefused

_MB: Final = 10**6
_ROOM: Final[Sequence[tuple[int, bool]]] = ((50 * _MB, True), (1000 * _MB, False))
"""Below so many free bytes it is wrong, or a warning."""


async def database(subject: Subject) -> Lines:
    """Look at the database, while the bot runs or not."""
    path = subject.config.storage.path.absolute()
    try:
        found = await subject.database()
    except DatabaseRefused as exc:
        what, _, mend = str(exc).partition(". ")
        return [wrong(one_line(what), mend or "See docs/configuration.md, storage.url.")]
    return judge(found, str(path), thorough=subject.thorough)


def judge(found: Examined, path: str, *, thorough: bool) -> Lines:
    """Say what was found."""
    lines = [_running(found.in_use, path)]
    if not found.exists:
        lines.append(note(f"there is no database yet at {path}: the first start makes it"))
    else:
        lines.append(ok(f"the database is {path}, {sized(found.size)}, and can be written"))
        lines += [_layout(found), _sound(found, thorough=thorough)]
    return [*lines, _room(found.free)]


def _running(in_use: bool | None, path: str) -> Line:
    if in_use is None:
        return warning(
            "whether the bot runs cannot be seen: the lock beside the database cannot be read",
            f"Check as the user that the bot runs as, who may read {path}.lock.",
        )
    return ok("the bot runs on it") if in_use else note("no bot runs on it now")


def _layout(found: Examined) -> Line:
    if found.layout == found.newest:
        return ok(f"its layout is {found.layout}, the one that this version has")
    return note(
        f"its layout is {found.layout}; this version brings it to {found.newest} at its start",
        "Make a backup before you start this version.",
    )


def _sound(found: Examined, *, thorough: bool) -> Line:
    if not found.read_through:
        return note(
            "it is too large to be read through in a few seconds; its tables are there",
            "Read all of it, however long it takes: hidream-bot check --thorough",
        )
    if thorough:
        return ok("it is sound: all of it was read and compared")
    return ok("it is sound (quick_check)")


def _room(free: int) -> Line:
    what = f"free on its disk: {sized(free)}"
    mend = "Make room there, or put storage.url on another disk."
    for least, is_wrong in _ROOM:
        if free < least:
            return (wrong if is_wrong else warning)(what, mend)
    return ok(what)
