"""Whether a picture costs more when it is one of many people's.

The same pace and quick pictures in each run, so that nothing but the number of people differs.
"""

import asyncio
import time
from typing import Final

from bench.figures import Figure, Measured, Row, Target
from bench.players import bot
from bench.services import services
from bench.session import Session

SLOTS: Final = 10
A_SECOND: Final = 4
"""Pictures: what 10 people's chats take, at one message a second each."""
_TASK_SECONDS: Final = 0.3
_MANY: Final = 100_000
_SETTLED: Final = 1.0


async def _cpu_of(session: Session, people: int) -> tuple[float, int]:
    """Give the processor time for each picture, and how many there were."""
    pictures = max(people, session.effort.users_pictures)
    async with (
        services(
            session.folder / f"users-{people}",
            parallel=SLOTS,
            images_per_minute=_MANY,
            seconds=_TASK_SECONDS,
            jitter=session.effort.jitter,
        ) as at,
        bot(at, slots=SLOTS, images_per_minute=_MANY, access={"max_unfinished": 1000}) as player,
    ):
        there = await at.telegram.people(people)
        await asyncio.sleep(_SETTLED)
        before = player.cpu_seconds()
        begins = time.monotonic()
        async with asyncio.TaskGroup() as sending:
            for number in range(pictures):
                await asyncio.sleep(max(0.0, begins + number / A_SECOND - time.monotonic()))
                person = there[number % people]
                sending.create_task(at.telegram.photo(person, session.photo, "make it snow"))
        await at.telegram.pictures(pictures, player)
        return (player.cpu_seconds() - before) / pictures, pictures


async def _users(session: Session) -> Measured:
    runs = [(people, *await _cpu_of(session, people)) for people in session.effort.users]
    fewest = runs[0][1]
    return Measured(
        row=USERS.name,
        figures=[
            Figure(
                name=f"processor time, {people:,} users",
                unit="s a picture",
                bot=seconds,
                target=None
                if people == session.effort.users[0]
                else Target(limit=1.2 * fewest, because=f"{session.effort.users[0]} users + 20 %"),
                digits=4,
            )
            for people, seconds, _ in runs
        ],
        notes=[
            f"{A_SECOND} pictures a second of {_TASK_SECONDS} s at HiDream; "
            + ", ".join(f"{pictures:,} of {people:,} users" for people, _, pictures in runs)
        ],
    )


USERS: Final = Row(
    name="users",
    about="processor time for each picture with 10, 100 and 1,000 users",
    measure=_users,
    seconds=480,
)
