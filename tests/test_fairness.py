"""The line is fair: how long a task can wait for others, whatever they do.

The bound: **a task starts after at most (distinct people active while it waits) × (own tasks in line
before it + 2) others.** What is counted, exactly:

- *starts*: it is claimed for the first time. A task that comes back after its start (the account was
  busy, the request was not accepted) has had it.
- *while it waits*: while it is QUEUED, from its arrival to its start. While a retry keeps it WAITING
  it is not in line, and what starts then passes nobody.
- *others*: the tasks, of anybody, that start while it waits; each once. Not those that were before it
  by right: whose turn had come before it arrived, and which only a retry kept from starting.
- *distinct people active*: who had a task QUEUED while it waited, itself included.
- *own tasks in line before it*: QUEUED or WAITING when it arrived. That is at most the person's
  unfinished ones, so the bound is the sharper one.

Why it holds: with `current` c, a task gets a turn of at most c + own + 1, nobody has two tasks of one
turn, and what starts meanwhile has a turn from c to its own: own + 2 turns, one task a person each.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal

from hypothesis import example, given
from hypothesis import strategies as st

from storage.memory import MemoryStore
from storage.sqlite import open_store
from storage.store import TaskStore
from storage.tasks import IN_LINE, Failure, Task, TaskState
from tests.engine import JSON, Answer, HiDream, accepted, done, engine
from tests.profiles import examples
from tests.storage.making import HandClock, claim, new_task, there
from tests.time_machine import at_once

_PROCESSING: Final = 0
FRONT: Final = 3
"""So near the front the dispatcher looks at a photo: there a task is put off, or fails."""


@dataclass
class Wait:
    """What a task sees of others while it waits."""

    own: int
    current: int
    active: set[int] = field(default_factory=set)
    others: set[int] = field(default_factory=set)

    @property
    def bound(self) -> int:
        """How many others may start before it."""
        return len(self.active) * (self.own + 2)


class Line:
    """The line of a store, worked off in its order, and what each task in it has waited for."""

    def __init__(self, store: TaskStore, clock: HandClock) -> None:
        self.store, self.clock = store, clock
        self.arrivals = 0
        self.current = 0
        self.waits: dict[int, Wait] = {}
        self.retried: set[int] = set()
        self.handed_in: list[Task] = []
        self.started: list[Task] = []

    async def queued(self) -> list[Task]:
        """Give those in line, and note who they are for each of them."""
        line = await self.store.next_queued(10_000)
        people = {task.user_id for task in line}
        for task in line:
            if task.id in self.waits:
                self.waits[task.id].active |= people
        return line

    async def add(self, user_id: int, chat_id: int) -> Task:
        """Somebody sends a photo."""
        self.arrivals += 1
        own = await self.store.tasks_of(user_id, limit=10_000)
        new = new_task(self.arrivals, user_id=user_id, chat_id=chat_id)
        task = await self.store.add(new, now=self.clock.now(), max_unfinished=None)
        in_line = [one for one in own if one.state in IN_LINE]
        self.waits[task.id] = Wait(own=len(in_line), current=self.current)
        return task

    async def start(self) -> Task | None:
        """Claim the head of the line, and see that it has not waited for too many."""
        line = await self.queued()
        if not line:
            return None
        head = line[0]
        self.handed_in.append(there(await claim(self.store, head, now=self.clock.now())))
        if (wait := self.waits.pop(head.id, None)) is not None:
            self.started.append(head)
            assert len(wait.others) <= wait.bound, f"{head.id} of {head.user_id}: {wait}"
            for task in line:
                other = self.waits.get(task.id)
                if other is not None and not (
                    head.id in self.retried and head.turn <= other.current
                ):
                    other.others.add(head.id)
        self.current = max(self.current, head.turn)
        return head

    async def retry(self, which: int, to: Literal[TaskState.QUEUED, TaskState.WAITING]) -> None:
        """HiDream does not accept a task: it comes back at once, or after a minute."""
        if not self.handed_in:
            return
        task = self.handed_in.pop(which % len(self.handed_in))
        now = self.clock.now()
        there(await self.store.hand_back(task, to=to, now=now, due_at=now))

    async def photo_fails(self, which: int, *, for_good: bool) -> None:
        """The photo of one near the front cannot be fetched, for now or for good."""
        front = (await self.queued())[:FRONT]
        if not front:
            return
        task, now = front[which % len(front)], self.clock.now()
        if for_good:
            there(await self.store.ready(task, now=now, failure=Failure(id="photo-gone")))
        else:
            there(await self.store.put_off(task, due_at=now))
            self.retried.add(task.id)

    async def come_back(self) -> None:
        """What was put off comes back into the line."""
        await self.store.requeue_due(self.clock.now())

    async def work_off(self) -> None:
        """Start all that is left."""
        await self.come_back()
        while await self.start() is not None:
            pass


@dataclass(frozen=True)
class Event:
    """Something that happens, some times in a row."""

    what: str
    times: int
    who: int = 0
    chat: int = 0
    which: int = 0


_events: Final = st.lists(
    st.builds(
        Event,
        what=st.sampled_from(
            ("add", "add", "start", "cancel", "put_off", "fail", "back", "back_later", "come_back")
        ),
        times=st.sampled_from((1, 1, 2, 6)),
        who=st.sampled_from((1, 1, 2, 3)),
        chat=st.integers(1, 2),
        which=st.integers(0, FRONT - 1),
    ),
    min_size=5,
    max_size=40,
)


async def _happen(line: Line, events: Sequence[Event]) -> None:
    for event in events:
        for _ in range(event.times):
            await _one(line, event)
            await line.queued()
    await line.work_off()


async def _one(line: Line, event: Event) -> None:
    match event.what:
        case "add":
            await line.add(event.who, event.chat)
        case "start":
            await line.start()
        case "cancel":
            await line.store.cancel_queued(event.who, event.chat, line.clock.now())
        case "put_off" | "fail":
            await line.photo_fails(event.which, for_good=event.what == "fail")
        case "back":
            await line.retry(event.which, TaskState.QUEUED)
        case "back_later":
            await line.retry(event.which, TaskState.WAITING)
        case _:
            await line.come_back()


_GAP: Final = [
    Event("add", 10, who=1),
    Event("fail", 9),
    Event("add", 10, who=2),
    Event("add", 1, who=1),
]
"""Nine photos that are gone must not leave the tenth, and what comes after it, nine turns behind."""


@examples(200)
@given(_events)
@example(_GAP)
def test_nobody_waits_beyond_the_bound(events: list[Event]) -> None:
    """Whatever arrives, is cancelled, fails and is retried: each task starts within the bound."""
    clock = HandClock()
    asyncio.run(_happen(Line(MemoryStore(clock), clock), events))


@examples(10)
@given(_events)
@example(_GAP)
def test_nobody_waits_beyond_the_bound_on_disk(events: list[Event]) -> None:
    """The same holds in SQLite."""

    async def run(path: Path) -> None:
        clock = HandClock()
        store = await open_store(path, clock=clock)
        try:
            await _happen(Line(store, clock), events)
        finally:
            await store.close()

    with TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder) / "bot.db"))


async def test_a_newcomer_and_somebody_with_a_thousand() -> None:
    """The newcomer's k-th task is the 2k-th to start after it came, at the latest: every other one is theirs."""
    clock = HandClock()
    line = Line(MemoryStore(clock), clock)
    for _ in range(1000):
        await line.add(1, 1)
    for _ in range(3):
        await line.start()
    theirs = [await line.add(2, 2) for _ in range(20)]
    since = len(line.started)
    while len(line.started) < since + 40:
        await line.start()
    starts = [task.id for task in line.started[since:]]
    assert [starts.index(task.id) + 1 for task in theirs] == list(range(2, 42, 2))


async def test_a_newcomer_before_anything_has_started() -> None:
    """Also where no task has ever been started, one other starts before the newcomer's first."""
    clock = HandClock()
    line = Line(MemoryStore(clock), clock)
    for user_id in (1, 1, 1, 2):
        await line.add(user_id, user_id)
    await line.work_off()
    assert [task.user_id for task in line.started] == [1, 2, 1, 1]


async def test_a_stream_of_newcomers_starves_nobody() -> None:
    """Somebody new comes with each start: each round has one more of them, and one of whoever was there."""
    clock = HandClock()
    line = Line(MemoryStore(clock), clock)
    mine = [await line.add(1, 1) for _ in range(20)]
    newcomers = 0
    while len(line.started) < 20 * 22 // 2:
        newcomers += 1
        await line.add(1 + newcomers, 1 + newcomers)
        await line.start()
    starts = [task.id for task in line.started]
    assert [starts.index(task.id) for task in mine] == [n * (n + 3) // 2 for n in range(20)]


def test_the_dispatcher_hands_in_by_turns(tmp_path: Path) -> None:
    """In the running program too: after those under way, a newcomer's tasks and the others' take turns."""

    async def run() -> None:
        ends: dict[str, float] = {}

        def submit(body: JSON) -> Answer:
            ends[f"task-{body['request_id']}"] = world.clock.monotonic() + 10
            return accepted(body)

        def results(task_id: str) -> Answer:
            return done(task_id, 1 if world.clock.monotonic() >= ends[task_id] else _PROCESSING)

        async with engine(tmp_path, HiDream(submit, results=results), parallel=2) as world:
            for _ in range(30):
                await world.photo("theirs", user=1)
            while len(world.hidream.submitted) < 4:
                await world.clock.sleep(1)
            before = len(world.hidream.submitted)
            mine = [await world.photo("mine", user=2) for _ in range(5)]
            for task in mine:
                await world.reaches(task, TaskState.DELIVERED, within=200)
            prompts = [body["prompt"] for body in world.hidream.submitted[before:]]
            assert prompts[:10] == ["theirs", "mine"] * 5

    at_once(run())
