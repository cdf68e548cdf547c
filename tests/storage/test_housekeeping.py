"""Recovery, forgetting, moved chats and counts: the same in both stores."""

from dataclasses import replace
from datetime import timedelta

import pytest

from storage.store import TaskStore
from storage.tasks import Failure, NewView, Origin, Overview, SentImage, TaskState
from tests.storage.making import (
    BOT,
    HOUR,
    OWNER,
    START,
    HandClock,
    add,
    album_of,
    claim,
    claim_delivery,
    new_draft,
    new_task,
    reach,
    there,
    update,
)

SECOND = timedelta(seconds=1)


async def test_recovery_takes_back_what_a_dead_process_left(store: TaskStore) -> None:
    """After a restart what was being handed in is uncertain and holds its slot, what was being delivered is ready."""
    delivering = await reach(store, TaskState.DELIVERING, 1)
    await store.step_started(delivering, "text", START)
    submitting = await reach(store, TaskState.SUBMITTING, 2)
    left = {TaskState.SUBMITTING, TaskState.DELIVERING}
    others = [
        await reach(store, state, 10 + n, user_id=10 + n)
        for n, state in enumerate(TaskState)
        if state not in left
    ]
    now = START + SECOND
    assert await store.recover(owner="next start", now=now, sole=True) == 2
    unsure = there(await store.get(submitting.id))
    assert (unsure.state, unsure.uncertain) == (TaskState.UNCERTAIN, 1)
    assert (unsure.request_id, unsure.claimed_by) == (submitting.request_id, None)
    assert unsure in await store.uncertain(now)
    assert all(charge.answered_at is not None for charge in await store.charges(START - HOUR))
    ready = there(await store.get(delivering.id))
    assert (ready.state, ready.claimed_by, ready.ready_at) == (
        TaskState.READY,
        None,
        delivering.ready_at,
    )
    again = there(await claim_delivery(store, owner="next start", busy=tuple(range(10, 30))))
    step = await store.step_started(again, "text", START)
    assert step is not None
    assert step.repeats == 1
    assert [await store.get(task.id) for task in others] == others
    assert await store.recover(owner="next start", now=now, sole=True) == 0


async def test_recovery_leaves_the_living_alone(store: TaskStore) -> None:
    """While others may be alive only expired leases are taken, whoever the owner is."""
    mine = await reach(store, TaskState.SUBMITTING, 1)
    theirs = there(await claim(store, await add(store, 2), owner="other"))
    late = there(await claim(store, await add(store, 3), owner="other", now=START + SECOND))
    assert await store.recover(owner=OWNER, now=START + HOUR - SECOND, sole=False) == 0
    assert await store.recover(owner=OWNER, now=START + HOUR, sole=False) == 2
    assert there(await store.get(mine.id)).state is TaskState.UNCERTAIN
    assert there(await store.get(theirs.id)).state is TaskState.UNCERTAIN
    assert await store.get(late.id) == late
    answers = [charge.answered_at for charge in await store.charges(START)]
    assert answers == [START + HOUR, START + HOUR, None]


async def test_a_delivery_under_way_is_left_to_its_owner(store: TaskStore) -> None:
    """While others may be alive, a delivery is taken back when its lease has run out, not before."""
    await reach(store, TaskState.DELIVERING)
    assert await store.recover(owner="other", now=START + HOUR - SECOND, sole=False) == 0
    assert await store.recover(owner="other", now=START + HOUR, sole=False) == 1


async def test_a_sole_owner_takes_all_but_its_own(store: TaskStore) -> None:
    """Where no other owner can be alive, leases do not count, and one's own rows stay."""
    mine = await reach(store, TaskState.SUBMITTING, 1)
    theirs = there(await claim(store, await add(store, 2), owner="other"))
    assert await store.recover(owner=OWNER, now=START, sole=True) == 1
    assert await store.get(mine.id) == mine
    assert there(await store.get(theirs.id)).state is TaskState.UNCERTAIN
    assert await store.recover(owner=OWNER, now=START + 9 * HOUR, sole=True) == 0


@pytest.mark.parametrize("sole", [True, False])
async def test_recovery_of_one_state_leaves_the_other_alone(store: TaskStore, sole: bool) -> None:
    """A loop that begins again takes back only rows that such a loop has claimed."""
    delivering = await reach(store, TaskState.DELIVERING, 1)
    submitting = await reach(store, TaskState.SUBMITTING, 2)
    later = START + HOUR
    assert await store.recover(owner="next", now=later, sole=sole, state=TaskState.DELIVERING) == 1
    assert there(await store.get(delivering.id)).state is TaskState.READY
    assert await store.get(submitting.id) == submitting
    assert [charge.answered_at for charge in await store.charges(START)] == [None]
    delivering = there(await claim_delivery(store))
    assert await store.recover(owner="next", now=later, sole=sole, state=TaskState.SUBMITTING) == 1
    assert await store.get(delivering.id) == delivering
    assert there(await store.get(submitting.id)).state is TaskState.UNCERTAIN
    assert [charge.answered_at for charge in await store.charges(START)] == [later]


async def test_a_moved_group_takes_everything_along(store: TaskStore) -> None:
    """Updates, albums, drafts and tasks of a group belong to its new id; other chats' stay."""
    await store.receive(BOT, [update(1, -5), update(2, -5), update(3, 6)], START)
    await album_of(store, 1, -5)
    await album_of(store, 3, 6)
    draft = await store.add_draft(new_draft(1, chat_id=-5), START)
    kept = await store.add_draft(new_draft(2, chat_id=6), START)
    task = await add(store, 1, chat_id=-5)
    other = await add(store, 2, chat_id=6)
    await store.move_chat(-5, -1005)
    assert [row.chat_id for row in await store.inbox_heads(START, 10)] == [-1005, 6]
    first = Origin(bot_id=BOT, update_id=1)
    assert await store.album_origin(-1005, "album") == first
    assert await store.album_origin(-5, "album") is None
    found = await store.open_draft(5, -1005, START - HOUR)
    assert found is not None
    assert found.id == draft.id
    assert await store.open_draft(5, 6, START - HOUR) == kept
    moved = there(await store.get(task.id))
    where = (moved.place.chat_id, moved.place.message_id, moved.place.thread_id)
    assert where == (-1005, 0, None), "messages and topics are others there"
    assert await store.get(other.id) == other


async def test_what_was_written_in_a_groups_own_name_is_its_new_ids(store: TaskStore) -> None:
    """Whoever writes anonymously has the group's id: tasks, drafts, views and choices follow it."""
    task = await add(store, 1, chat_id=-5, user_id=-5)
    draft = await store.add_draft(new_draft(2, chat_id=-5, user_id=-5), START)
    await store.asked(draft.id, 77)
    view = await store.add_view(
        NewView(origin=Origin(bot_id=BOT, update_id=3), kind="status", user_id=-5, chat_id=-5),
        START,
    )
    await store.set_preference("user", -5, "ratio", "1:1")
    await store.move_chat(-5, -1005)
    assert [one.id for one in await store.tasks_of(-1005, limit=9)] == [task.id]
    followed = await store.draft(draft.id)
    assert followed is not None
    assert followed.user_id == -1005
    assert await store.draft_asked_by(-1005, -1005, 77) is None, "another message has that number"
    assert await store.view(view.id) == replace(view, chat_id=-1005, user_id=-1005)
    assert await store.preferences("user", -1005) == {"ratio": "1:1"}
    assert await store.preferences("user", -5) == {}


async def test_finished_tasks_are_forgotten(store: TaskStore) -> None:
    """Of a finished task its state, times and counts stay; words, photos, names and ids go."""
    task = await reach(store, TaskState.RUNNING)
    await store.note_progress_message(task.id, 5)
    failure = Failure(id="refused", data={"word": "secret"})
    await store.ready(task, now=START, failure=failure, vendor_message="secret")
    await store.release("hidream 1", START)
    claimed = there(await claim_delivery(store))
    await store.step_started(claimed, "text", START)
    image = SentImage(n=0, file_id="secret", sent_as="photo")
    await store.step_sent(claimed, "text", [1], [image], START)
    there(await store.finish(claimed, TaskState.FAILED, START))
    before = await store.counts()

    async def prune(limit: int = 10) -> int:
        return await store.prune(
            now=START, inbox_before=START, finished_before=START + SECOND, limit=limit
        )

    assert await prune() == 1
    assert await prune() == 0
    bare = there(await store.get(task.id))
    assert (bare.state, bare.finished_at, bare.origin) == (TaskState.FAILED, START, task.origin)
    assert (bare.user_id, bare.place.chat_id, bare.place.message_id, bare.place.thread_id) == (
        0,
        0,
        0,
        None,
    )
    assert (bare.photos, bare.settings.prompt, bare.settings.negative) == ((), "", "")
    assert (bare.language, bare.request_id, bare.hidream_task_id) == (None, None, None)
    assert (bare.failure, bare.vendor_message) == (Failure(id="refused"), None)
    assert bare.progress_message_id is None
    assert await store.images(task.id) == []
    assert (await store.steps(task.id))["text"].message_ids == ()
    assert await store.counts() == before
    assert await store.tasks_of(5, limit=10) == []
    assert len(await store.charges(START - SECOND)) == 1


async def test_what_is_not_over_is_not_forgotten(store: TaskStore) -> None:
    """Unfinished tasks, later ones, and those whose slot HiDream still holds are kept; None keeps all."""
    held = await reach(store, TaskState.DELIVERED, 1)
    running = await reach(store, TaskState.RUNNING, 2)
    late = await reach(store, TaskState.CANCELLED, 3, user_id=6)
    await store.add_draft(new_draft(1), START)

    async def prune(*, hours: int, before: bool = True) -> int:
        return await store.prune(
            now=START + hours * HOUR,
            inbox_before=START,
            finished_before=START if before else None,
            limit=10,
        )

    assert await prune(hours=9) == 0
    assert (
        await store.prune(now=START, inbox_before=START, finished_before=START + SECOND, limit=10)
        == 2
    )
    assert there(await store.get(held.id)) == held
    assert there(await store.get(running.id)) == running
    assert there(await store.get(late.id)).settings.prompt == ""
    assert (
        await store.prune(now=START + 2 * HOUR, inbox_before=START, finished_before=None, limit=10)
        == 0
    )
    assert (
        await store.prune(
            now=START + 2 * HOUR, inbox_before=START, finished_before=START + SECOND, limit=10
        )
        == 1
    )
    assert there(await store.get(held.id)).settings.prompt == ""


async def test_handled_updates_are_deleted_in_batches(store: TaskStore) -> None:
    """Old handled updates and albums go, a few at a time; those set aside go with the finished tasks."""
    await store.receive(BOT, [update(n, n) for n in range(6)], START)
    rows = await store.inbox_heads(START, 10)
    for row in rows[:3]:
        await store.inbox_done(row, START)
    await store.inbox_set_aside(rows[3], error="broken", now=START)
    await store.inbox_done(rows[4], START + HOUR)
    await album_of(store, 1, 5)

    async def prune(limit: int, *, finished: bool = False) -> int:
        return await store.prune(
            now=START,
            inbox_before=START + SECOND,
            finished_before=START + SECOND if finished else None,
            limit=limit,
        )

    assert [await prune(2), await prune(9), await prune(9)] == [2, 2, 0]
    assert await prune(9, finished=True) == 1
    assert await store.receive(BOT, [update(n, n) for n in range(6)], START) == 4
    assert await store.album_origin(5, "album") is None


async def test_forgetting_keeps_to_its_limit(store: TaskStore) -> None:
    """The limit goes for everything together, and the oldest go first."""
    for n in range(3):
        await reach(store, TaskState.CANCELLED, n, user_id=n + 1)
    touched = [
        await store.prune(now=START, inbox_before=START, finished_before=START + SECOND, limit=2)
        for _ in range(3)
    ]
    assert touched == [2, 1, 0]


async def test_files_to_remove_are_named_until_they_are_noted(store: TaskStore) -> None:
    """Tasks finished before a time are named, oldest first, until their files are noted as removed."""
    ids = []
    for n in range(3):
        task = await reach(store, TaskState.DELIVERING, n)
        ids.append(task.id)
        there(await store.finish(task, TaskState.DELIVERED, START + n * SECOND))
    await reach(store, TaskState.READY, 9)
    before = START + 2 * SECOND
    assert await store.with_files_before(before, 10) == ids[:2]
    assert await store.with_files_before(before, 1) == ids[:1]
    await store.files_removed(ids[0])
    assert await store.with_files_before(before, 10) == [ids[1]]


async def test_tasks_are_counted_by_state(store: TaskStore) -> None:
    """Every state is counted, also where there is none."""
    empty = await store.counts()
    assert set(empty.values()) == {0}
    assert set(empty) == {*map(str, TaskState), "unanswered", "repeated"}
    for n, state in enumerate(TaskState):
        await reach(store, state, n, user_id=n + 1)
    counts = await store.counts()
    assert {counts[state] for state in TaskState} == {1}
    assert counts["unanswered"] == 1


async def test_it_is_told_how_it_stands(store: TaskStore, clock: HandClock) -> None:
    """Ages go by what came first: of the line with what is put off, of results, and of updates not handled."""
    nothing = await store.overview(START)
    assert nothing == Overview(
        counts=await store.counts(),
        slots_held=0,
        line_since=None,
        ready_since=None,
        inbox=0,
        inbox_since=None,
    )
    for n, state in enumerate(TaskState):
        await reach(store, state, n, user_id=n + 1)
    later = START + HOUR
    await store.add(new_task(77, user_id=77), now=later, max_unfinished=None)
    for n, at in enumerate((START, later, later)):
        await store.receive(BOT, [update(n)], at)
    row = (await store.inbox_heads(later, 1))[0]
    some = await store.overview(START)
    assert some.counts == await store.counts()
    assert some.slots_held == await store.slots_held(START) > 0
    assert (some.line_since, some.ready_since) == (START, START)
    assert (some.inbox, some.inbox_since) == (3, START)
    await store.inbox_done(row, later)
    for task in await store.next_queued(9):
        if task.user_id != 77:
            await store.cancel(task, later)
    waiting = await store.overview(later)
    assert (waiting.inbox, waiting.inbox_since) == (2, later)
    assert waiting.line_since == START, "what was put off is in line, too"
    await store.requeue_due(later)
    for task in await store.next_queued(9):
        if task.user_id != 77:
            await store.cancel(task, later)
    assert (await store.overview(later)).line_since == later
    assert await claim_delivery(store)
    assert (await store.overview(later)).ready_since is None


async def test_files_of_what_is_emptied_go_at_once(store: TaskStore) -> None:
    """However long files are kept: those of a forgotten person's tasks are named first, once nothing can come any more."""
    old = await reach(store, TaskState.CANCELLED, 1, user_id=6)
    running = await reach(store, TaskState.RUNNING, 2)
    submitting = await reach(store, TaskState.SUBMITTING, 3)
    cancelled = await reach(store, TaskState.CANCELLED, 4)
    await store.forget_person(5, START)
    ids = [running.id, cancelled.id]
    assert await store.with_files_before(START, 9) == ids
    assert await store.with_files_before(START + SECOND, 9) == [*ids, old.id]
    assert await store.with_files_before(START + SECOND, 1) == ids[:1]
    there(await store.ready(submitting, now=START))
    await store.files_removed(running.id)
    assert await store.with_files_before(START, 9) == [submitting.id, cancelled.id]
