"""Pictures that come after their task was over for the person: kept, reopened for, shown once."""

from datetime import timedelta

import pytest

from storage.store import TaskStore
from storage.tasks import Failure, ImageState, Task, TaskState
from tests.storage.making import HOUR, START, accept, claim, claim_delivery, make_late, reach, there

DAY = timedelta(days=1)


async def _told_too_late(store: TaskStore) -> Task:
    """Give a task whose person was told that it took too long; HiDream is still at it."""
    running = await reach(store, TaskState.RUNNING)
    for n in (0, 1):
        await store.image_ended(running.id, n, ImageState.EXPIRED)
    ready = await store.ready(running, now=START, failure=Failure(id="took-too-long"))
    assert ready is not None
    delivering = there(await claim_delivery(store))
    return there(await store.finish(delivering, TaskState.FAILED, START))


async def test_what_was_given_up_is_listed_for_as_long_as_is_asked(store: TaskStore) -> None:
    """A task that a person was told of is listed until its hold ran out before `late_since`."""
    task = await _told_too_late(store)
    hold_ends = START + 2 * HOUR
    assert [one.task.id for one in await store.running(late_since=hold_ends - HOUR)] == [task.id]
    listed = await store.running(late_since=hold_ends + HOUR)
    assert [one.task.id for one in listed] == [task.id], "it still holds its slot"
    await store.release("hidream 1", START)
    assert await store.running(late_since=START - DAY) == [], "HiDream has ended it"


@pytest.mark.parametrize("state", [TaskState.GONE, TaskState.RUNNING, TaskState.CANCELLED])
async def test_only_who_was_told_gets_a_late_image(store: TaskStore, state: TaskState) -> None:
    """An image cannot be late while its task is under way, nor where nobody is there to see it."""
    task = await reach(store, state)
    await store.image_ended(task.id, 1, ImageState.EXPIRED)
    before = await store.images(task.id)
    await store.image_late(task.id, 1, "https://late")
    assert await store.images(task.id) == before


async def test_a_late_image_reopens_its_task_once(store: TaskStore) -> None:
    """Stored, it brings the task back to the courier; shown, it does so no more."""
    task = await _told_too_late(store)
    assert await store.reopen(task, START) is None, "nothing has come"
    await store.image_late(task.id, 0, "https://late")
    await store.release("hidream 1", START)
    [listed] = await store.running(late_since=START + 9 * DAY)
    assert (listed.images[0].state, listed.images[0].late) == (ImageState.MADE, "due")
    assert await store.reopen(task, START) is None, "it is not here yet"
    await make_late(store, task)
    reopened = there(await store.reopen(task, START + HOUR))
    assert (reopened.state, reopened.ready_at, reopened.finished_at) == (
        TaskState.READY,
        START + HOUR,
        None,
    )
    assert reopened.failure == Failure(id="took-too-long")
    delivering = there(await claim_delivery(store, now=START + HOUR))
    await store.late_told(task, 0)
    assert (await store.images(task.id))[0].late == "due", "only its claim may say so"
    for n in (0, 1):
        await store.late_told(delivering, n)
    assert [image.late for image in await store.images(task.id)] == ["told", "told"]
    shown = there(await store.finish(delivering, TaskState.DELIVERED, START + HOUR))
    assert shown.failure is None
    assert await store.reopen(shown, START) is None
    assert await store.running(late_since=START - DAY) == []


async def test_a_late_image_that_cannot_be_fetched_is_over(store: TaskStore) -> None:
    """It ends as any other, and nobody is to be shown anything."""
    task = await _told_too_late(store)
    await store.image_late(task.id, 0, "https://late")
    await store.image_ended(task.id, 0, ImageState.UNFETCHED, "HTTP 404")
    image = (await store.images(task.id))[0]
    assert (image.state, image.late) == (ImageState.UNFETCHED, None)


async def test_files_of_a_reopened_task_are_kept_again(store: TaskStore) -> None:
    """Removed with the first delivery, its files are new ones now."""
    task = await _told_too_late(store)
    await store.files_removed(task.id)
    await make_late(store, task)
    there(await store.reopen(task, START))
    delivering = there(await claim_delivery(store))
    there(await store.finish(delivering, TaskState.DELIVERED, START))
    assert await store.with_files_before(START + HOUR, 9) == [task.id]


async def test_a_callback_finds_its_submission(store: TaskStore) -> None:
    """By its hash alone, also where the task was claimed anew; another hash finds nothing."""
    queued = await reach(store, TaskState.QUEUED)
    first = there(await claim(store, queued, callback_hash="first"))
    back = there(await store.hand_back(first, to=TaskState.QUEUED, now=START))
    there(await claim(store, back, callback_hash="second"))
    assert there(await store.called_back("second", None)).id == queued.id
    assert await store.called_back("third", "x") is None
    assert await store.callback_hashes(START - HOUR) == ["first", "second"]
    assert await store.callback_hashes(START + HOUR) == ["second"], "it is not answered yet"


async def test_what_a_callback_names_is_kept_while_nothing_else_is_known(store: TaskStore) -> None:
    """An id is a hint while the submission has no answer: then the task is due at once."""
    submitting = await reach(store, TaskState.SUBMITTING)
    assert await store.called_back("hash 1", "theirs") == submitting
    assert await store.hints(submitting.id) == ["theirs"]
    uncertain = there(await store.unanswered(submitting, now=START, due_at=START + HOUR))
    assert await store.uncertain(START) == []
    assert there(await store.called_back("hash 1", "again")).due_at == START
    assert [one.id for one in await store.uncertain(START)] == [uncertain.id]
    assert await store.hints(submitting.id) == ["again"]
    current = there(await store.get(submitting.id))
    running = there(await accept(store, current, name="again"))
    assert await store.called_back("hash 1", "third") == running
    assert await store.hints(submitting.id) == ["again"], "now it is known"
