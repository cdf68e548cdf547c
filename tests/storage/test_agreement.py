"""Both stores agree, whatever people and HiDream do in whatever order."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from storage.memory import MemoryStore
from storage.sqlite import open_store
from storage.store import TaskStore, TooManyUnfinished
from storage.tasks import TaskState
from tests.storage.making import (
    HOUR,
    START,
    HandClock,
    accept,
    claim,
    claim_delivery,
    new_task,
)

_people = st.integers(1, 3)
_deed = st.one_of(
    st.tuples(st.just("add"), _people, _people),
    st.tuples(
        st.sampled_from(
            (
                "claim",
                "accept",
                "unanswered",
                "back",
                "refused",
                "off",
                "ask",
                "again",
                "ready",
                "deliver",
                "later",
                "finish",
            )
        ),
        st.integers(0, 2),
        st.just(0),
    ),
    st.tuples(st.just("cancel"), _people, _people),
    st.tuples(
        st.sampled_from(("requeue", "recover", "redispatch", "redeliver", "prune")),
        st.just(0),
        st.just(0),
    ),
)


async def _do(store: TaskStore, n: int, deed: tuple[str, int, int]) -> object:
    """Do one thing; gives what the store says to it."""
    what, a, b = deed
    match what:
        case "add":
            try:
                new = new_task(n, user_id=a, chat_id=b, count=1)
                return await store.add(new, now=START, max_unfinished=6)
            except TooManyUnfinished as refused:
                return refused.unfinished
        case "cancel":
            return await store.cancel_queued(a, b, START)
        case "requeue":
            return await store.requeue_due(START + HOUR)
        case "recover":
            return await store.recover(owner="next", now=START, sole=True)
        case "redispatch":
            return await store.recover(
                owner="next", now=START + HOUR, sole=False, state=TaskState.SUBMITTING
            )
        case "redeliver":
            return await store.recover(
                owner="next", now=START, sole=True, state=TaskState.DELIVERING
            )
        case "prune":
            return await store.prune(
                now=START + 9 * HOUR, inbox_before=START, finished_before=START + HOUR, limit=2
            )
        case "deliver":
            return await claim_delivery(store, busy=(a,))
        case _:
            return await _move(store, what, a)


_FROM = {
    "claim": TaskState.QUEUED,
    "off": TaskState.QUEUED,
    "accept": TaskState.SUBMITTING,
    "unanswered": TaskState.SUBMITTING,
    "back": TaskState.SUBMITTING,
    "refused": TaskState.SUBMITTING,
    "ask": TaskState.UNCERTAIN,
    "again": TaskState.UNCERTAIN,
    "ready": TaskState.RUNNING,
    "later": TaskState.DELIVERING,
    "finish": TaskState.DELIVERING,
}


async def _move(store: TaskStore, what: str, which: int) -> object:
    """Move one of the tasks that can make this move, if there is any."""
    everybody = [task for user_id in (1, 2, 3) for task in await store.tasks_of(user_id, limit=99)]
    able = [task for task in everybody if task.state is _FROM[what]]
    if not able:
        return None
    task = able[which % len(able)]
    match what:
        case "claim":
            return await claim(store, task, parallel=3)
        case "off":
            return await store.put_off(task, due_at=START)
        case "accept":
            return await accept(store, task)
        case "unanswered":
            return await store.unanswered(task, now=START, due_at=START)
        case "back":
            return await store.hand_back(task, to=TaskState.WAITING, now=START)
        case "refused":
            return await store.hand_back(task, to=TaskState.QUEUED, now=START, count="refusal")
        case "ask":
            return await store.ask_again(task, due_at=START)
        case "again":
            return await store.submit_again(task)
        case "later":
            return await store.deliver_later(task, due_at=START + HOUR)
        case "ready":
            return await store.ready(task, now=START)
        case _:
            return await store.finish(task, TaskState.DELIVERED, START)


async def _view(store: TaskStore) -> object:
    """Give all that the loops can see."""
    line = await store.next_queued(99)
    return (
        line,
        [await store.place_in_line(task) for task in line],
        [await store.tasks_of(user_id, limit=99) for user_id in (0, 1, 2, 3)],
        await store.slots_held(START),
        await store.charges(START - HOUR),
        await store.uncertain(START),
        await store.running(late_since=START + 100 * HOUR),
        await store.unannounced(99),
        await store.counts(),
        [await store.next_delivery_due(busy_chats=busy) for busy in ((), (1,), (1, 2))],
        await store.with_files_before(START + HOUR, 99),
    )


@settings(max_examples=25, deadline=None)
@given(st.lists(_deed, min_size=5, max_size=40))
def test_both_stores_agree(deeds: list[tuple[str, int, int]]) -> None:
    """The same deeds give the same answers and the same view in memory and in SQLite."""

    async def run(folder: Path) -> None:
        memory = MemoryStore(HandClock())
        sqlite = await open_store(folder / "bot.db", clock=HandClock())
        try:
            for n, deed in enumerate(deeds):
                assert await _do(memory, n, deed) == await _do(sqlite, n, deed)
            assert await _view(memory) == await _view(sqlite)
        finally:
            await sqlite.close()

    with TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder)))
