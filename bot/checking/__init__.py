"""`hidream-bot check`: is all well, and if not, what is to be done. One module a subject.

To add a check is to add a row of `CHECKS`. Each has a time of its own; all run side by side, and none
changes anything.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from bot.checking import (
    clock,
    database,
    hidream,
    machine,
    monitor,
    public,
    settings,
    telegram,
)
from bot.checking.lines import Lines, one_line, wrong
from bot.checking.subject import Subject


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One subject."""

    about: str
    look: Callable[[Subject], Awaitable[Lines]]
    seconds: float = 15.0
    mend: str = "Check again; if it stays so, something on the way swallows what is sent."
    at_last: bool = False
    """Goes by what the others have found."""


CHECKS: Final = (
    Check(about="machine", look=machine.versions),
    Check(about="tokens", look=settings.tokens),
    Check(about="files", look=settings.secrecy),
    Check(about="access", look=settings.access),
    Check(
        about="database",
        look=database.database,
        mend="See whether its disk works: a check that only reads waits for it.",
    ),
    Check(
        about="Telegram",
        look=telegram.telegram,
        mend="Check the network, the firewall, and telegram.api_url.",
    ),
    Check(
        about="HiDream",
        look=hidream.hidream,
        mend="Check the network, the firewall, and hidream.base_url.",
    ),
    Check(
        about="public address",
        look=public.public,
        mend="See whether the name servers answer (getent hosts NAME), and what is on the way.",
    ),
    Check(about="running bot", look=monitor.monitor),
    Check(about="clock", look=clock.clock, at_last=True),
)
"""All subjects, in the order in which they are shown."""


async def check(
    subject: Subject, checks: Sequence[Check] = CHECKS
) -> AsyncIterator[tuple[str, Lines]]:
    """Look at everything, and give what was found, subject by subject, as soon as it is known."""
    running = [None if one.at_last else asyncio.create_task(_look(one, subject)) for one in checks]
    try:
        for one, task in zip(checks, running, strict=True):
            yield one.about, await (_look(one, subject) if task is None else task)
    finally:
        for task in running:
            if task is not None:
                task.cancel()


async def _look(one: Check, subject: Subject) -> Lines:
    seconds = None if subject.thorough and one.about == "database" else one.seconds
    try:
        async with asyncio.timeout(seconds):
            return await one.look(subject)
    except TimeoutError:
        return [wrong(f"no answer within {one.seconds:g} s", one.mend)]
    except Exception as exc:  # one that breaks is not to take the others with it
        return [
            wrong(
                f"this check itself failed ({type(exc).__name__}: {one_line(str(exc))})",
                "Report it to the project: the other lines hold all the same.",
            )
        ]
