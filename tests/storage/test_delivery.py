"""Delivery by steps, and progress messages: the same in both stores."""

from datetime import timedelta

from storage.store import TaskStore
from storage.tasks import SentImage, Step, TaskState
from tests.storage.making import HOUR, OWNER, START, claim_delivery, reach, there

SECOND = timedelta(seconds=1)


async def ready_at(store: TaskStore, update_id: int, seconds: int, *, chat_id: int) -> int:
    """Make a task that became ready so many seconds after the start."""
    task = await reach(store, TaskState.RUNNING, update_id, chat_id=chat_id)
    return there(await store.ready(task, now=START + seconds * SECOND)).id


async def test_the_oldest_is_delivered_first(store: TaskStore) -> None:
    """The courier gets what was ready first, and each of a busy chat's only when it is free."""
    late = await ready_at(store, 1, 2, chat_id=1)
    early = await ready_at(store, 2, 1, chat_id=1)
    other = await ready_at(store, 3, 3, chat_id=2)
    first = there(await claim_delivery(store))
    assert (first.id, first.claimed_by, first.lease_until) == (early, OWNER, START + HOUR)
    assert first.claim_no == 2
    assert there(await claim_delivery(store, busy=(1,))).id == other
    assert await claim_delivery(store, busy=(1,)) is None
    assert there(await claim_delivery(store)).id == late
    assert await claim_delivery(store) is None


async def test_a_put_off_delivery_holds_its_chat_back(store: TaskStore) -> None:
    """Where the first of a chat is not due yet the chat waits, others do not, and the order is kept."""
    first = await ready_at(store, 1, 1, chat_id=1)
    second = await ready_at(store, 2, 2, chat_id=1)
    other = await ready_at(store, 3, 3, chat_id=2)
    assert await store.next_delivery_due() is None
    claimed = there(await claim_delivery(store))
    later = there(await store.deliver_later(claimed, due_at=START + HOUR))
    assert (later.id, later.tries, later.claimed_by) == (first, 1, None)
    assert await store.next_delivery_due() == START + HOUR
    assert there(await claim_delivery(store)).id == other
    assert await claim_delivery(store) is None
    again = there(await claim_delivery(store, now=START + HOUR))
    assert (again.id, again.due_at, again.tries) == (first, None, 1)
    assert there(await claim_delivery(store, now=START + HOUR)).id == second


async def test_no_courier_is_called_for_a_chat_it_has_in_hand(store: TaskStore) -> None:
    """A busy chat, or a row behind its chat's first, has no part in when the next one is due."""
    for n, chat_id in enumerate((1, 2, 3), start=1):
        await ready_at(store, n, n, chat_id=chat_id)
        claimed = there(await claim_delivery(store))
        there(await store.deliver_later(claimed, due_at=START + (4 - n) * HOUR))
    assert await store.next_delivery_due() == START + HOUR
    assert await store.next_delivery_due(busy_chats=(3,)) == START + 2 * HOUR
    assert await store.next_delivery_due(busy_chats={1, 2, 3}) is None
    await store.move_chat(3, 2)
    assert await store.next_delivery_due() == START + 2 * HOUR


async def test_a_finished_task_says_when(store: TaskStore) -> None:
    """The end of a delivery is stamped, and sets the tries back."""
    claimed = await reach(store, TaskState.DELIVERING)
    later = there(await store.deliver_later(claimed, due_at=START))
    again = there(await claim_delivery(store))
    assert again.claim_no == later.claim_no + 1
    gone = there(await store.finish(again, TaskState.GONE, START + HOUR))
    assert (gone.finished_at, gone.tries, gone.claimed_by) == (START + HOUR, 0, None)


async def test_a_step_is_kept_once_it_was_sent(store: TaskStore) -> None:
    """A sent step keeps its message ids and its images' file ids; starting it again changes nothing."""
    task = await reach(store, TaskState.DELIVERING)
    assert await store.steps(task.id) == {}
    assert await store.step_started(task, "pictures", START) == Step(
        name="pictures", state="sending"
    )
    images = [SentImage(n=0, file_id="file", sent_as="document")]
    assert await store.step_sent(task, "pictures", [7, 8], images, START)
    sent = Step(name="pictures", state="sent", message_ids=(7, 8))
    assert await store.steps(task.id) == {"pictures": sent}
    assert await store.step_started(task, "pictures", START) == sent
    await store.step_not_sent(task, "pictures")
    assert await store.steps(task.id) == {"pictures": sent}
    first, second = await store.images(task.id)
    assert (first.file_id, first.sent_as) == ("file", "document")
    assert (second.file_id, second.sent_as) == (None, None)


async def test_repeats_count_what_may_have_been_shown_twice(store: TaskStore) -> None:
    """A try whose fate is unknown makes the next one a repeat; one that surely failed does not."""
    task = await reach(store, TaskState.DELIVERING)

    async def start() -> int:
        step = await store.step_started(task, "text", START)
        assert step is not None
        assert step.state == "sending"
        return step.repeats

    assert await start() == 0
    await store.step_not_sent(task, "text")
    assert (await store.steps(task.id))["text"].state == "not_sent"
    await store.step_not_sent(task, "text")
    assert await start() == 0
    assert await start() == 1
    assert (await store.counts())["repeated"] == 1
    await store.step_not_sent(task, "text")
    # The first of the two may still have arrived.
    assert (await store.steps(task.id))["text"] == Step(name="text", state="sending")
    assert await start() == 1
    assert await store.step_sent(task, "text", [1], [], START)
    assert (await store.counts())["repeated"] == 1


async def test_steps_belong_to_the_claim(store: TaskStore) -> None:
    """A courier whose claim is over notes nothing any more; a step that was never begun is not sent."""
    old = await reach(store, TaskState.DELIVERING)
    await store.step_started(old, "text", START)
    there(await store.deliver_later(old, due_at=START))
    assert await store.step_started(old, "other", START) is None
    new = there(await claim_delivery(store))
    assert await store.step_started(old, "text", START) is None
    await store.step_not_sent(old, "text")
    assert not await store.step_sent(old, "text", [1], [], START)
    assert await store.steps(old.id) == {"text": Step(name="text", state="sending")}
    assert not await store.step_sent(new, "unknown", [1], [], START)
    await store.step_not_sent(new, "unknown")
    running = await reach(store, TaskState.RUNNING, 2)
    assert await store.step_started(running, "text", START) is None


async def test_tasks_without_a_progress_message_are_found(store: TaskStore) -> None:
    """Every task up to RUNNING without a message is listed, oldest first, and no longer once it has one."""
    listed = [
        await reach(store, state, n)
        for n, state in enumerate(
            (
                TaskState.RUNNING,
                TaskState.UNCERTAIN,
                TaskState.SUBMITTING,
                TaskState.WAITING,
                TaskState.QUEUED,
            )
        )
    ]
    await reach(store, TaskState.READY, 10)
    await reach(store, TaskState.CANCELLED, 11, user_id=6)
    assert await store.unannounced(10) == listed
    assert await store.unannounced(2) == listed[:2]
    busy = {task.place.chat_id for task in listed[:2]}
    free = [task for task in listed if task.place.chat_id not in busy]
    assert await store.unannounced(2, busy_chats=busy) == free[:2]
    noted = there(await store.note_progress_message(listed[0].id, 55))
    assert noted.progress_message_id == 55
    assert await store.unannounced(10) == listed[1:]
    assert await store.note_progress_message(99, 55) is None


async def test_announced_tasks_come_as_they_are_to_be_shown(store: TaskStore) -> None:
    """Those at HiDream come first, then the line by turn; what is over is not listed."""
    queued = [await reach(store, TaskState.QUEUED, n, user_id=n) for n in (1, 2)]
    waiting = await reach(store, TaskState.WAITING, 3, user_id=1)
    running = await reach(store, TaskState.RUNNING, 4, user_id=4)
    over = await reach(store, TaskState.READY, 5, user_id=5)
    for task in (*queued, waiting, running, over):
        await store.note_progress_message(task.id, 100 + task.id)
    expected = [running.id, queued[0].id, queued[1].id, waiting.id]
    assert [task.id for task in await store.announced(10)] == expected
    assert [task.id for task in await store.announced(2)] == expected[:2]
    assert [task.id for task in await store.announced(1)] == expected[:1]


async def test_the_shown_place_never_rises(store: TaskStore) -> None:
    """A place is noted when it falls, never when it rises."""
    task = await reach(store, TaskState.QUEUED)
    shown = []
    for place in (5, 3, 4):
        await store.note_shown_place(task.id, place)
        shown.append(there(await store.get(task.id)).shown_place)
    await store.note_shown_place(99, 1)
    assert shown == [5, 3, 3]


async def test_how_long_results_have_waited(store: TaskStore) -> None:
    """The oldest that is ready or under way counts, from when it was ready; what has arrived does not."""
    assert await store.oldest_unsent() is None
    await ready_at(store, 1, 5, chat_id=1)
    await ready_at(store, 2, 7, chat_id=2)
    assert await store.oldest_unsent() == START + 5 * SECOND
    assert await store.oldest_unsent(closed=[1]) == START + 7 * SECOND
    assert (await store.overview(START, closed=[1])).ready_since == START + 7 * SECOND
    assert await store.oldest_unsent(closed=[1, 2]) is None
    assert (await store.overview(START, closed=[1, 2])).ready_since is None
    first = there(await claim_delivery(store))
    assert await store.oldest_unsent() == START + 5 * SECOND
    assert await store.oldest_unsent(closed=[1]) == START + 7 * SECOND
    await store.finish(first, TaskState.DELIVERED, START + HOUR)
    assert await store.oldest_unsent() == START + 7 * SECOND
