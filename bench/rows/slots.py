"""How full the slots are, and how long a finished picture takes to its chat.

The runs with callbacks and with polling, the bot's, the floor's and the naive client's, go side by side,
each with services of its own.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Final

from bench.arithmetic import percentile, utilisation
from bench.figures import Figure, Measured, Row, Target
from bench.players import bot, floor, naive
from bench.processes import Process
from bench.services import RESULTS, Call, Made, Services, services
from bench.session import Session

SLOTS: Final = 5
_CAPTION: Final = "make it snow"


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """What the services saw of one player."""

    tasks: list[Made]
    pictures: list[Call]
    """The messages by which pictures came to chats."""
    results: list[Call]
    """The calls that asked for results."""
    calls: Counter[str]
    refused: Counter[str]

    def utilisation(self, slots: int) -> float:
        """Give the share of the slots' time that was used."""
        return utilisation([task.span for task in self.tasks], slots)

    def results_a_second(self) -> float:
        """Give how many calls asked for results in each second in which tasks ran."""
        begins = min(task.submitted for task in self.tasks)
        ends = max(task.ended for task in self.tasks)
        return len(self.results) / (ends - begins)

    def delays(self) -> list[float]:
        """Give the seconds from "done at HiDream" to "picture in chat", one task a chat."""
        shown = {call.params["chat_id"]: call.at for call in self.pictures}
        return [shown[task.user_id] - task.ended for task in self.tasks]

    def note(self, name: str) -> str:
        """Say what calls were made for a picture."""
        count = len(self.tasks)
        calls = ", ".join(f"{call} {n / count:.1f}" for call, n in sorted(self.calls.items()))
        refused = ", ".join(f"{call} {n}" for call, n in sorted(self.refused.items()))
        return f"{name}, calls a picture: {calls}" + (f"; refused: {refused}" if refused else "")


async def seen(at: Services) -> Run:
    """Read what the services have seen."""
    hidream, telegram = await at.hidream.calls(), await at.telegram.calls()
    every = [*hidream, *telegram]
    return Run(
        tasks=await at.hidream.tasks(),
        pictures=await at.telegram.named("sendPhoto", "sendDocument"),
        results=[call for call in hidream if call.name in RESULTS],
        calls=Counter(call.name for call in every),
        refused=Counter(f"{c.name} ({c.detail:.60})" for c in every if c.outcome != "ok"),
    )


async def sends(at: Services, player: Process, photo: bytes, tasks: int) -> None:
    """Let so many people send a photo each, at once, and wait for their pictures."""
    people = await at.telegram.people(tasks)
    await at.telegram.all_send(people, photo, _CAPTION)
    await at.telegram.pictures(tasks, player)


@dataclass(frozen=True, kw_only=True, slots=True)
class Runs:
    """All of them."""

    bot_called: Run
    bot_asking: Run
    floor_called: Run
    floor_asking: Run
    naive: Run


async def runs(session: Session) -> Runs:
    """Measure all of them, side by side."""
    tasks, settings = session.effort.slots_tasks, session.effort.task
    # nobody's start is to be in the way of another's first pictures
    all_there = asyncio.Barrier(5)

    async def of_bot(name: str, *, callbacks: bool) -> Run:
        async with (
            services(session.folder / name, parallel=SLOTS, **settings) as at,
            bot(at, slots=SLOTS, callbacks=callbacks) as player,
        ):
            await all_there.wait()
            await sends(at, player, session.small_photo, tasks)
            return await seen(at)

    async def of_floor(name: str, *, callbacks: bool) -> Run:
        async with (
            services(session.folder / name, parallel=SLOTS, **settings) as at,
            floor(at, slots=SLOTS, callbacks=callbacks) as player,
        ):
            await all_there.wait()
            await sends(at, player, session.small_photo, tasks)
            return await seen(at)

    async def of_naive(name: str) -> Run:
        async with (
            services(session.folder / name, parallel=SLOTS, **settings) as at,
            naive(at, slots=SLOTS, tasks=max(SLOTS + 1, tasks * 2 // 3)) as player,
        ):
            await all_there.wait()
            await player.ends()
            return await seen(at)

    async with asyncio.TaskGroup() as side_by_side:
        bot_called = side_by_side.create_task(of_bot("bot-called", callbacks=True))
        bot_asking = side_by_side.create_task(of_bot("bot-asking", callbacks=False))
        floor_called = side_by_side.create_task(of_floor("floor-called", callbacks=True))
        floor_asking = side_by_side.create_task(of_floor("floor-asking", callbacks=False))
        naive_run = side_by_side.create_task(of_naive("naive"))
    return Runs(
        bot_called=bot_called.result(),
        bot_asking=bot_asking.result(),
        floor_called=floor_called.result(),
        floor_asking=floor_asking.result(),
        naive=naive_run.result(),
    )


async def _runs(session: Session) -> Runs:
    return await session.once("slots", lambda: runs(session))


async def _called(session: Session) -> Measured:
    found = await _runs(session)
    least = found.floor_called.utilisation(SLOTS)
    answered = found.bot_called.calls["callback"]
    return Measured(
        row=SLOTS_CALLBACKS.name,
        figures=[
            Figure(
                name="slots in use",
                unit="share",
                bot=found.bot_called.utilisation(SLOTS),
                floor=least,
                target=Target(limit=min(0.99, least - 0.005), at_least=True),
                digits=4,
            )
        ],
        notes=[
            found.bot_called.note("bot"),
            found.floor_called.note("floor"),
            *([] if answered else ["the bot asked for no callbacks"]),
        ],
    )


async def _asking(session: Session) -> Measured:
    found = await _runs(session)
    return Measured(
        row=SLOTS_POLLING.name,
        figures=[
            Figure(
                name="slots in use",
                unit="share",
                bot=found.bot_asking.utilisation(SLOTS),
                floor=found.floor_asking.utilisation(SLOTS),
                naive=found.naive.utilisation(SLOTS),
                target=Target(limit=0.95, at_least=True),
                digits=4,
            ),
            Figure(
                name="results calls",
                unit="a second",
                bot=found.bot_asking.results_a_second(),
                floor=found.floor_asking.results_a_second(),
                naive=found.naive.results_a_second(),
                target=Target(limit=2),
            ),
        ],
        notes=[found.bot_asking.note("bot"), found.floor_asking.note("floor")],
    )


async def _delays(session: Session) -> Measured:
    found = await _runs(session)
    figures: list[Figure] = []
    for how, of_bot, of_floor in (
        ("callbacks", found.bot_called.delays(), found.floor_called.delays()),
        ("polling", found.bot_asking.delays(), found.floor_asking.delays()),
    ):
        for share, more, most in ((0.5, 0.1, 0.6), (0.95, 0.3, 1.2)):
            least = percentile(of_floor, share)
            above = Target(limit=least + more, because=f"floor + {more}")
            figures.append(
                Figure(
                    name=f"done to in chat, {how}, p{share * 100:.0f}",
                    unit="s",
                    bot=percentile(of_bot, share),
                    floor=least,
                    target=above if how == "callbacks" else Target(limit=most),
                    digits=3,
                )
            )
    return Measured(row=DELAY.name, figures=figures)


SLOTS_CALLBACKS: Final = Row(
    name="slots-callbacks",
    about="how full 5 slots are over 60 tasks, HiDream calling back",
    measure=_called,
    seconds=240,
)
SLOTS_POLLING: Final = Row(
    name="slots-polling",
    about="the same, HiDream being asked at most twice a second",
    measure=_asking,
    seconds=240,
)
DELAY: Final = Row(
    name="picture-delay",
    about="from done at HiDream to the picture in the chat",
    measure=_delays,
    seconds=240,
)
