"""The in-memory store beside an SQLite file with two owners: what one says and shows, the other must."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import asdict
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from storage.database import prepare
from storage.memory import MemoryStore
from storage.moves import MOVES
from storage.sqlite import SqliteStore, open_store
from storage.store import StillMaking, StoreError, TooManyUnfinished
from storage.tasks import FINAL, Task, TaskState, Topic
from tests.storage.deeds import OWNERS, PARALLEL, Call, Known
from tests.storage.looks import LOOKS
from tests.storage.making import HandClock

_FORGOTTEN: Final = frozenset(
    {
        *("user_id", "place", "photos", "settings", "language", "request_id", "failure"),
        *("hidream_task_id", "vendor_message", "progress_message_id", "pressed", "pruned"),
    }
)
AFTER_THE_END: Final[Mapping[str, frozenset[str]]] = {
    "prune": _FORGOTTEN,
    "forget_person": _FORGOTTEN,
    # Whoever writes in the name of a group has its id.
    "move_chat": frozenset({"place", "progress_message_id", "user_id"}),
    # HiDream may end a task that is over for the person.
    "release": frozenset({"ended_at"}),
    # A message about it may arrive, or be edited, when it is over.
    "note_progress_message": frozenset({"progress_message_id"}),
    "note_shown_place": frozenset({"shown_place"}),
    "progress_put_away": frozenset({"progress_message_id"}),
}
"""What may still change of a task that is over, and by which method. Nothing else may."""

FREES: Final = frozenset({"hand_back", "ready", "release", "rebase"})
"""What may leave fewer slots held: nothing else knows that HiDream has not, or no longer, got a task."""


@cache
def _empty() -> bytes:
    with TemporaryDirectory() as folder:
        prepare(Path(folder) / "bot.db")
        return (Path(folder) / "bot.db").read_bytes()


class World:
    """The model, the two owners' stores on one file, and what has been seen of them."""

    def __init__(self, clock: HandClock, stores: tuple[SqliteStore, SqliteStore]) -> None:
        self.known = Known(clock)
        self.memory = MemoryStore(clock)
        self.stores = stores
        self.owners: dict[tuple[int, int], str] = {}
        self.held = 0
        self.held_before = 0
        """How many slots were held just before what is done now."""
        self.refused = False
        """Whether the last deed was refused by the database, for there is no room or it is locked."""

    async def do(self, who: int, method: str, deed: Call, *, trouble: bool = False) -> Any:
        """Do something in both; where there is `trouble`, SQLite may refuse, and then it is not done."""
        self.held_before = await self.memory.slots_held(self.known.now)
        answer = await answer_of(self.stores[who], method, deed)
        self.refused = trouble and type(answer) is StoreError
        if not self.refused:
            # Answers are compared as they are read: an exception by what it says.
            assert _plain(await answer_of(self.memory, method, deed)) == _plain(answer), method
        await self.check(1 - who, method)
        return answer

    async def race(self, first: tuple[str, Call], second: tuple[str, Call]) -> None:
        """Let both owners do something in the same moment: it must come out as one after the other."""
        deeds = (first, second)
        self.held_before = await self.memory.slots_held(self.known.now)
        answers = await asyncio.gather(
            *(answer_of(store, *deed) for store, deed in zip(self.stores, deeds, strict=True))
        )
        found = [_plain(answer) for answer in answers]
        shown = await self._view(self.stores[0])
        for order in ((0, 1), (1, 0)):
            model = self._copy()
            said: dict[int, Any] = {}
            for n in order:
                said[n] = _plain(await answer_of(model, *deeds[n]))
            # Rows that look the same may have become so by moves that wake others.
            woken = all(model.mark(topic) == self._rung(topic) for topic in Topic)
            if [said[0], said[1]] == found and woken and await self._view(model) == shown:
                self.memory = model
                await self.check(1, first[0], second[0])
                return
        raise AssertionError(f"{first} and {second} gave {answers}, as in neither order")

    def _rung(self, topic: Topic) -> int:
        return sum(store.mark(topic) for store in self.stores)

    def _copy(self) -> MemoryStore:
        model = MemoryStore(self.known.clock)
        model._tables = deepcopy(self.memory._tables)
        model._bells._rung = dict(self.memory._bells._rung)
        return model

    # --- what must hold after each step

    async def check(self, who: int, *methods: str) -> None:
        """See that both show the same, and that what changed was allowed to."""
        view = await self._view(self.memory)
        shown = await self._view(self.stores[who])
        for name, answers in view.items():
            assert shown[name] == answers, name
        for topic in Topic:
            assert self._rung(topic) == self.memory.mark(topic), topic
        before, known = self.known.tasks, self.known
        tasks = sorted(self.memory._tables.tasks.values(), key=lambda task: task.id)
        known.tasks = {task.id: task for task in tasks}
        known.seen += [task for task in tasks if before.get(task.id) != task]
        known.rows |= {row.update_id: row for row in view["inbox_heads"][0]}
        known.albums += [one for one in view["albums_due"][0] if one not in known.albums]
        for task in tasks:
            self._check_claim(task)
            if (was := before.get(task.id)) is not None and was != task:
                _check_change(was, task, methods)
        (held,) = view["slots_held"]
        again = len(tasks) if "rebase" in methods else 0
        again += len([one for one in tasks if one.accepted_at == known.now])
        self._check_slots(held, again)
        assert held >= self.held_before or FREES.intersection(methods), "a slot was freed too early"
        await self._check_counts(view["counts"][0])

    async def _view(self, store: MemoryStore | SqliteStore) -> dict[str, list[Any]]:
        return {
            method: [await answer_of(store, method, one) for one in look(self.known)]
            for method, look in LOOKS.items()
        }

    def _check_claim(self, task: Task) -> None:
        claimed = task.state in {TaskState.SUBMITTING, TaskState.DELIVERING}
        assert (task.claimed_by is not None, task.lease_until is not None) == (claimed, claimed)
        if task.claimed_by is not None:
            owner = self.owners.setdefault((task.id, task.claim_no), task.claimed_by)
            assert owner == task.claimed_by, "one claim, two owners"

    def _check_slots(self, held: int, again: int) -> None:
        # A hold that had run out comes back when HiDream turns out to have the task, or may have
        # while the program was off: it is the truth, so it may then be one too many; but never
        # by a claim.
        assert held <= max(PARALLEL, self.held + again)
        self.held = held

    async def _check_counts(self, counts: Mapping[str, int]) -> None:
        rows = await self.stores[0]._rows(
            "SELECT state AS name, count(*) AS n FROM tasks GROUP BY state"
            " UNION ALL SELECT 'unanswered', coalesce(sum(uncertain), 0) FROM tasks"
            " UNION ALL SELECT 'repeated', coalesce(sum(repeats), 0) FROM steps"
            " UNION ALL SELECT 'open', count(*) FROM submissions WHERE answered_at IS NULL"
        )
        real = {row["name"]: row["n"] for row in rows}
        assert real.pop("open") == counts["submitting"], "each request under way has its submission"
        assert {name: n for name, n in counts.items() if n} == {n: c for n, c in real.items() if c}

    # --- all of it

    async def close(self) -> None:
        """Let go of the file."""
        for store in self.stores:
            await store.close()


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    """Give a new one, in a file of its own."""
    made = await open_world(folder)
    try:
        yield made
    finally:
        await made.close()


async def open_world(folder: Path) -> World:
    """Make a new one; it is to be closed."""
    path, clock = folder / "bot.db", HandClock()
    path.write_bytes(_empty())
    path.chmod(0o600)
    first, second = [await open_store(path, clock=clock, lock=False) for _ in OWNERS]
    for store in (first, second):
        # No power is cut here, so nothing waits for the disk.
        await store._writer.execute_fetchall("PRAGMA synchronous = OFF")
    return World(clock, (first, second))


async def answer_of(store: MemoryStore | SqliteStore, method: str, deed: Call) -> Any:
    """Call a method; an error of the store is an answer too."""
    try:
        asked = getattr(store, method)(*deed.args, **deed.named)
        if isinstance(asked, AsyncIterator):
            return [one async for one in asked]
        return await asked
    except StoreError as error:
        return error


def _plain(answer: Any) -> Any:
    if isinstance(answer, TooManyUnfinished):
        return "refused", answer.unfinished, answer.allowed
    if isinstance(answer, StillMaking):
        return "making", answer.task_id
    return answer


def _check_change(was: Task, task: Task, methods: Iterable[str]) -> None:
    """See that a row has changed only as these methods may change it."""
    assert task.turn <= was.turn, "a turn never rises"
    assert task.claim_no >= was.claim_no, "a claim's number never falls"
    within = {was.state}
    for _ in methods:
        within |= {
            to for one in methods for state in within for to in MOVES.get(one, {}).get(state, ())
        }
    assert task.state in within, f"{methods} moved a task from {was.state} to {task.state}"
    if was.state in FINAL and task.state is was.state:
        old, new = asdict(was), asdict(task)
        changed = {name for name, value in new.items() if old[name] != value}
        assert changed <= frozenset().union(*(AFTER_THE_END.get(one, ()) for one in methods))
