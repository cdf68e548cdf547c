"""How SQLite finds its rows: by an index, whatever is asked for."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest

from storage.sqlite import SqliteStore
from storage.store import TaskStore
from storage.tasks import AlbumPart, Measured, NewView, Origin, TaskState
from tests.storage.making import (
    BOT,
    HOUR,
    START,
    add,
    claim_delivery,
    new_draft,
    new_task,
    reach,
    update,
)

_STATES: Final = tuple(TaskState)


async def _use_everything(store: TaskStore) -> None:
    """Call every method that a loop or a handler calls."""
    for n, state in enumerate(_STATES):
        await reach(store, state, n, user_id=n + 1)
    task = await add(store, 50, user_id=50)
    for n in (60, 61, 62):
        changed = await store.change(await add(store, n, user_id=60), photos=[])
        assert changed is not None
        await store.cancel(changed, START)
    submitting = await reach(store, TaskState.SUBMITTING, 63, user_id=60)
    await store.cancel(submitting, START)
    await store.unanswered(submitting, now=START, due_at=START)
    await store.receive(BOT, [update(1), update(2)], START)
    head = (await store.inbox_heads(START, 5))[0]
    await store.inbox_defer(head, due_at=START, error="", failed=True)
    await store.next_inbox_due()
    await store.inbox_set_aside(head, error="", now=START)
    await store.inbox_done(head, START)
    await store.add_draft(new_draft(), START)
    await store.open_draft(5, 5, START)
    await store.draft_asked_by(5, 5, 1)
    await store.asked(1, 1)
    await _converse(store)
    for look in (
        store.get(1),
        store.tasks_of(5, limit=5),
        store.tasks_of(5, limit=5, chat_id=5),
        store.results_of(5, limit=5, words="snow", before=9),
        store.results_of(5, limit=5, after=1),
        store.count_results(5),
        store.count_results(5, after=1),
        store.ancestors(replace(task, parent_id=1), 5),
        store.add_all(
            [new_task(51), replace(new_task(52), pressed="again:1")], now=START, max_unfinished=9
        ),
        store.place_in_line(task),
        store.next_queued(5),
        store.requeue_due(START),
        store.slots_held(START),
        store.next_hold_end(),
        store.charges(START),
        store.uncertain(START),
        store.running(late_since=START + 100 * HOUR),
        store.note_completions({5: 0.5}),
        store.release("hidream 5", START),
        store.image_late(8, 1, "https://late"),
        store.note_duration(Measured(ratio="1:1", count=1, seconds=2.5)),
        store.durations(5),
        store.callback_hashes(START),
        store.called_back("hash 4", "hidream 4"),
        store.hints(4),
        store.notices(),
        store.note_notice("token", START),
        store.forget_notice("token"),
        store.rebase(START - HOUR, grace=HOUR),
        store.next_delivery_due(),
        store.steps(1),
        store.unannounced(5),
        store.announced(5),
        store.note_progress_message(1, 1),
        store.note_shown_place(1, 1),
        store.move_chat(5, 6),
        store.counts(),
        store.figures(began=START - HOUR, now=START, step=HOUR),
        store.oldest_unsent(),
        store.probe(START),
        store.overview(START),
        store.files_removed(1),
        store.with_files_before(START, 5),
        store.recover(owner="next", now=START, sole=True),
        store.recover(owner="next", now=START, sole=False),
        store.prune(
            now=START + 9 * HOUR,
            inbox_before=START + HOUR,
            finished_before=START + HOUR,
            limit=100,
        ),
        store.cancel_queued(50, 50, START),
        store.cancel_queued(None, 50, START),
        store.forget_person(4, START),
        store.add(new_task(53, user_id=4), now=START, max_unfinished=9),
        store.forget_pictures(1),
    ):
        await look
    await store.receive(BOT, [update(9)], START)
    assert [piece async for piece in store.everything_of(6)]
    delivering = await claim_delivery(store)
    assert delivering is not None
    await store.step_started(delivering, "text", START)
    await store.step_not_sent(delivering, "text")
    await store.step_sent(delivering, "text", [1], [], START)


async def _converse(store: TaskStore) -> None:
    """Call every method of the conversation, with something that each has to find."""
    part = AlbumPart(
        origin=Origin(bot_id=BOT, update_id=1),
        # one to which nothing has come that is not handled yet
        chat_id=7,
        media_group_id="g",
        message_id=1,
        data="{}",
    )
    await store.album_part(part, now=START, due_at=START)
    await store.album_part(part, now=START, due_at=START)
    (album,) = await store.albums_due(START, 5)
    await store.next_album_due()
    await store.album_later(album, due_at=START)
    await store.close_album(album)
    await store.album_origin(5, "g")
    view = NewView(origin=part.origin, kind="history", user_id=5, chat_id=5)
    for look in (
        store.draft(1),
        store.draft_at(5, 5, 9),
        store.draft_made_by(Origin(bot_id=BOT, update_id=1)),
        store.note_message(1, 5, 1, "buttons", START),
        store.task_at(5, 1),
        store.task_from(5, 5, 9),
        store.messages_of(1),
        store.message_gone(5, 1),
        store.stale_progress(5),
        store.progress_put_away(1),
        store.preferences("user", 5),
        store.set_preference("user", 5, "ratio", "1:1"),
        store.set_preference("user", 5, "ratio", None),
        store.add_view(view, START),
        store.view(1),
        store.find_view("settings-words", 5, "17"),
        store.fact("menu"),
        store.note_fact("menu", "hash"),
    ):
        await look


async def test_no_statement_scans_a_table(
    sqlite: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the bot does, SQLite finds its rows by an index: a million finished ones cost nothing."""
    seen: set[str] = set()

    def noting(method: str) -> Callable[..., object]:
        real = getattr(sqlite, method)

        def noted(*arguments: object) -> object:
            seen.add(str(arguments[0]))
            result: object = real(*arguments)
            return result

        return noted

    for method in ("_ask", "_each", "_run", "_run_many"):
        monkeypatch.setattr(sqlite, method, noting(method))
    await _use_everything(sqlite)
    plans = {}
    for sql in sorted(seen - {"BEGIN IMMEDIATE", "COMMIT"}):
        numbered = [n for n in range(1, 9) if f"?{n}" in sql]
        values = [1] * (max(numbered) if numbered else sql.count("?"))
        rows = await sqlite._writer.execute_fetchall("EXPLAIN QUERY PLAN " + sql, values)
        plans[sql] = [row["detail"] for row in rows]
    assert len(plans) > 60
    scans = [
        (sql, detail)
        for sql, details in plans.items()
        for detail in details
        if detail.startswith("SCAN")
        and not _is_small(detail)
        and not sql.endswith("ORDER BY id DESC LIMIT 1")
    ]
    assert not scans, "\n".join(map(str, scans))


async def test_what_is_passed_by_is_not_read(sqlite: SqliteStore) -> None:
    """Whoever looks for the next update or delivery reads only the index of those that it may not be."""
    seen: list[str] = []
    await sqlite._writer.set_trace_callback(seen.append)
    await claim_delivery(sqlite)
    await sqlite._writer.set_trace_callback(None)  # type: ignore[arg-type] # what ends it
    await sqlite._reader.set_trace_callback(seen.append)
    await sqlite.inbox_heads(START, 5)
    await sqlite._reader.set_trace_callback(None)  # type: ignore[arg-type] # as above
    used = [
        row["detail"]
        for sql in seen
        for row in await sqlite._writer.execute_fetchall("EXPLAIN QUERY PLAN " + sql)
    ]
    assert "SCAN head USING COVERING INDEX tasks_ready" in used
    assert "SCAN inbox USING COVERING INDEX inbox_new_by_chat" in used


def _is_small(scan: str) -> bool:
    """Say whether what is read from end to end is short by its nature, or read in order up to a limit."""
    if scan in _SMALL or scan.startswith(("SCAN json_each", "SCAN (subquery", "SCAN tallies")):
        return True
    return " INDEX " in scan and scan.split(" INDEX ")[1].split(maxsplit=1)[0] in _PARTIAL


_SMALL: Final = {"SCAN notices", "SCAN durations", "SCAN due"}
"""Short tables, and the albums that are due, of which only so many are taken."""
_PARTIAL: Final = {
    "albums_due",
    "tasks_stale_progress",
    "tasks_emptied_with_files",
    "inbox_new",
    "inbox_new_by_chat",
    "inbox_put_off",
    "tasks_line",
    "tasks_waiting",
    "tasks_claimed",
    "tasks_uncertain",
    "tasks_running",
    "tasks_ready",
    "tasks_ready_due",
    "tasks_unannounced",
    "tasks_announced_at_hidream",
    "tasks_announced_in_line",
    "tasks_unfinished_of_user",
    "tasks_unfinished_in_chat",
    "submissions_held",
    "images_late",
    "tasks_forgotten",
}
"""Indexes that hold only what is unfinished, so that reading them in order is no scan of the table."""
