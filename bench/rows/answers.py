"""How soon it is known that a picture is done, asking, and how often that is asked.

An answer counts as read when the picture is asked for: nobody knows its address before. So it is
the same for every client.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

from bench.arithmetic import mean, percentile
from bench.figures import Figure, Measured, Row, Target
from bench.players import bot, naive
from bench.rows.slots import sends
from bench.services import RESULTS, Services, services
from bench.session import Session

SLOTS: Final = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class _Run:
    delays: list[float]
    calls_a_picture: float


async def _seen(at: Services) -> _Run:
    calls = await at.hidream.calls()
    read: dict[str, float] = {}
    for call in calls:
        if call.name == "image":
            read.setdefault(call.params["name"], call.at)
    tasks = await at.hidream.tasks()
    return _Run(
        delays=[read[task.images[0]] - task.ended for task in tasks],
        calls_a_picture=sum(call.name in RESULTS for call in calls) / len(tasks),
    )


async def _answers(session: Session) -> Measured:
    tasks, settings = session.effort.answer_tasks, session.effort.task

    async def of_bot() -> _Run:
        async with (
            services(session.folder / "answers-bot", parallel=SLOTS, **settings) as at,
            bot(at, slots=SLOTS) as player,
        ):
            await sends(at, player, session.small_photo, tasks)
            return await _seen(at)

    async def of_naive() -> _Run:
        async with (
            services(session.folder / "answers-naive", parallel=SLOTS, **settings) as at,
            naive(at, slots=SLOTS, tasks=tasks) as player,
        ):
            await player.ends()
            return await _seen(at)

    async with asyncio.TaskGroup() as side_by_side:
        bots = side_by_side.create_task(of_bot())
        naives = side_by_side.create_task(of_naive())
    of, against = bots.result(), naives.result()
    late = mean(against.delays)
    return Measured(
        row=ANSWERS.name,
        figures=[
            Figure(
                name="done to answer read, mean",
                unit="s",
                bot=mean(of.delays),
                naive=late,
                target=Target(limit=late / 8, because="naive / 8"),
                digits=3,
            ),
            Figure(
                name="done to answer read, p95",
                unit="s",
                bot=percentile(of.delays, 0.95),
                naive=percentile(against.delays, 0.95),
                digits=3,
            ),
            Figure(
                name="results calls",
                unit="a picture",
                bot=of.calls_a_picture,
                naive=against.calls_a_picture,
                target=Target(limit=against.calls_a_picture, because="naive"),
            ),
        ],
    )


ANSWERS: Final = Row(
    name="answer-delay",
    about="from done at HiDream to the answer read, asking, with 10 slots",
    measure=_answers,
    seconds=180,
)
