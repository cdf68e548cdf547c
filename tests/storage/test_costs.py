"""What a call costs does not grow with what is over, nor with the line beyond what is asked for.

Counted in steps of SQLite's own machine, which are the same on every computer.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Final

from storage.sqlite import SqliteStore, open_store
from storage.tasks import HISTORY_LIMIT, PLACE_LIMIT
from tests.storage.making import (
    START,
    HandClock,
    add,
    claim,
    claim_delivery,
    new_task,
    there,
    update,
)

_LINE: Final = 2 * PLACE_LIMIT


async def _fill(store: SqliteStore, finished: int, queued: int) -> None:
    """Let there have been so many tasks that are over, and so many that wait, of a hundred people."""
    counted = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < ?1) "
    columns = (
        "bot_id, update_id, n, user_id, chat_id, chat_type, message_id, photos, prompt, negative,"
        " count, state, turn, created_at, finished_at, progress_message_id"
    )
    same = "n % 100 + 1, n % 100 + 1, 'private', 1, '[]', 'p', '', 1"
    tasks = f"INSERT INTO tasks ({columns}) {counted}"
    over = f"{tasks} SELECT 1, n, 0, {same}, 'delivered', 1, 0, n, n FROM c"
    waiting = (
        f"{tasks} SELECT 2, n, 0, {same}, 'queued', n / 100 + 1, 0, NULL,"
        " CASE n % 2 WHEN 0 THEN n END FROM c"
    )
    submissions = (
        "INSERT INTO submissions (task_id, request_id, images, sent_at, answered_at, outcome,"
        f" hidream_task_id, held_until, released_at) {counted}"
        " SELECT n, n, 1, n, n, 'accepted', n, n, n FROM c"
    )
    inbox = (
        "INSERT INTO inbox (bot_id, update_id, chat_id, raw, state, received_at, handled_at)"
        f" {counted} SELECT 1, n, n % 100, '', 'done', n, n FROM c"
    )
    for sql in (over, submissions, inbox):
        await store._change(None, sql, (finished,))
    await store._change(None, waiting, (queued,))


async def _work(store: SqliteStore, call: Callable[[], Awaitable[object]]) -> int:
    """Count what SQLite's machine does for a call."""
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1

    for one in (store._writer, store._reader):
        await one.set_progress_handler(step, 1)
    await call()
    for one in (store._writer, store._reader):
        await one.set_progress_handler(step, 0)  # none at all
    return steps


async def _each(store: SqliteStore) -> dict[str, int]:
    """Count what the calls cost that are made all the time."""
    (head, *_) = await store.next_queued(1)
    rows = await store._rows("SELECT max(id) AS last FROM tasks")
    last = there(await store.get(rows[0]["last"]))
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "claim": lambda: claim(store, head),
        "place": lambda: store.place_in_line(last),
        "status": lambda: store.tasks_of(7, limit=5),
        "status elsewhere": lambda: store.tasks_of(7, limit=5, chat_id=8),
        "status turned over": lambda: store.tasks_of(7, limit=5, offset=5),
        "change": lambda: store.change(last, photos=[]),
        "get": lambda: store.get(last.id),
        "next_queued": lambda: store.next_queued(3),
        "requeue_due": lambda: store.requeue_due(START),
        "slots_held": lambda: store.slots_held(START),
        "charges": lambda: store.charges(START),
        "running": lambda: store.running(late_since=START),
        "uncertain": lambda: store.uncertain(START),
        "unannounced": lambda: store.unannounced(20),
        "announced": lambda: store.announced(20),
        "inbox_heads": lambda: store.inbox_heads(START, 20),
        "claim_delivery": lambda: claim_delivery(store),
        "next_delivery_due": store.next_delivery_due,
        "recover": lambda: store.recover(owner="next", now=START, sole=True),
        "counts": store.counts,
        "add": lambda: add(store, 1, user_id=1000),
        "release": lambda: store.release("5", START),
        "receive": lambda: store.receive(1, [update(3)], START),
    }
    return {name: await _work(store, call) for name, call in calls.items()}


async def _costs(path: Path, *, finished: int, queued: int) -> dict[str, int]:
    store = await open_store(path, clock=HandClock())
    try:
        await _fill(store, finished, queued)
        return await _each(store)
    finally:
        await store.close()


async def test_what_is_over_costs_nothing(tmp_path: Path) -> None:
    """With ten times as many finished tasks, each call takes the very same steps."""
    few = await _costs(tmp_path / "few.db", finished=1000, queued=_LINE)
    many = await _costs(tmp_path / "many.db", finished=10_000, queued=_LINE)
    assert many == few


async def _overview(path: Path, *, finished: int) -> int:
    store = await open_store(path, clock=HandClock())
    try:
        await _fill(store, finished, _LINE)
        return await _work(store, lambda: store.overview(START))
    finally:
        await store.close()


async def test_what_is_over_costs_who_watches_nothing(tmp_path: Path) -> None:
    """How it stands is told by as many steps, however many tasks are over."""
    few = await _overview(tmp_path / "few.db", finished=1000)
    assert await _overview(tmp_path / "many.db", finished=10_000) == few


async def test_a_long_line_costs_no_more_than_what_is_asked_of_it(tmp_path: Path) -> None:
    """With ten times as many in line, each call takes the very same steps, beyond the places counted."""
    short = await _costs(tmp_path / "short.db", finished=100, queued=_LINE)
    long = await _costs(tmp_path / "long.db", finished=100, queued=10 * _LINE)
    assert long == short


async def _of_a_busy_person(path: Path, *, times: int) -> dict[str, int]:
    """Count what somebody's calls cost who has had, and has waiting, so many tasks in another chat."""
    store = await open_store(path, clock=HandClock())
    try:
        await _fill(store, 1000 * times, 500 * times)
        await store._change(None, "UPDATE tasks SET user_id = 5, chat_id = 7", ())
        calls: dict[str, Callable[[], Awaitable[object]]] = {
            "status elsewhere": lambda: store.tasks_of(5, limit=5, chat_id=8),
            "status there": lambda: store.tasks_of(5, limit=5, chat_id=7),
            "status": lambda: store.tasks_of(5, limit=5),
            "add": lambda: add(store, 1, user_id=5, chat_id=8),
        }
        return {name: await _work(store, call) for name, call in calls.items()}
    finally:
        await store.close()


async def test_room_is_found_without_what_is_over(tmp_path: Path) -> None:
    """With ten times as many tasks of one's own that are over, to ask whether there is room takes the very same steps."""
    costs = []
    for times in (1, 10):
        store = await open_store(tmp_path / f"{times}.db", clock=HandClock())
        try:
            await _fill(store, 1000 * times, 1)
            await store._change(None, "UPDATE tasks SET user_id = 5", ())
            sql = "UPDATE tasks SET state = 'cancelled' WHERE state = 'delivered'"
            await store._change(None, sql, ())
            new = new_task(2, user_id=5)
            asked = partial(store.add, new, now=START, max_unfinished=20)
            costs.append(await _work(store, asked))
        finally:
            await store.close()
    assert costs[0] == costs[1]


async def test_what_a_person_has_elsewhere_costs_nothing(tmp_path: Path) -> None:
    """With ten times as many own tasks in another chat, each call takes the very same steps."""
    few = await _of_a_busy_person(tmp_path / "few.db", times=1)
    many = await _of_a_busy_person(tmp_path / "many.db", times=10)
    assert many == few


async def _search(path: Path, *, results: int) -> tuple[int, int]:
    """Count what a search costs somebody who has had so many pictures made, and how many it counts."""
    store = await open_store(path, clock=HandClock())
    try:
        await _fill(store, results, 0)
        await store._change(None, "UPDATE tasks SET user_id = 5", ())
        await store._change(
            None,
            "INSERT INTO images (task_id, n, sub_task_id, file_id) SELECT id, 0, '', 'f' FROM tasks",
            (),
        )
        steps = await _work(store, lambda: store.results_of(5, limit=5, words="not there"))
        return steps, await store.count_results(5)
    finally:
        await store.close()


async def test_a_search_has_an_end(tmp_path: Path) -> None:
    """However much somebody has had made, only the latest are looked through."""
    many = await _search(tmp_path / "many.db", results=HISTORY_LIMIT + 1000)
    more = await _search(tmp_path / "more.db", results=HISTORY_LIMIT + 2000)
    assert many == more
    assert many[1] == HISTORY_LIMIT
