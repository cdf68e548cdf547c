"""Slots, claims, uncertain submissions, and images: the same in both stores."""

from datetime import timedelta
from typing import Literal

from storage.store import TaskStore
from storage.tasks import Charge, ImageState, TaskState, Topic
from tests.storage.making import (
    HOUR,
    OWNER,
    START,
    HandClock,
    accept,
    add,
    claim,
    reach,
    there,
)

SECOND = timedelta(seconds=1)


async def test_a_claim_names_its_owner_and_takes_a_slot(store: TaskStore) -> None:
    """A claimed task has an owner, a lease, a higher fence and a request id; its images are charged."""
    task = await add(store)
    claimed = there(await claim(store, task))
    assert (claimed.claimed_by, claimed.lease_until) == (OWNER, START + HOUR)
    assert (claimed.claim_no, claimed.request_id) == (1, f"request {task.id}.0")
    assert (claimed.ratio_used, claimed.submitted_at) == ("16:9", START)
    assert await store.slots_held(START) == 1
    assert await store.charges(START) == [Charge(images=2, sent_at=START, answered_at=None)]


async def test_no_more_slots_than_are_allowed(store: TaskStore) -> None:
    """A claim beyond the parallel requests gives None, changes nothing, and wakes nobody."""
    one, two = await add(store, 1), await add(store, 2)
    there(await claim(store, one, parallel=1))
    mark = store.mark(Topic.QUEUE)
    assert await claim(store, two, parallel=1) is None
    assert await store.get(two.id) == two
    assert (await store.slots_held(START), store.mark(Topic.QUEUE)) == (1, mark)
    there(await claim(store, two, parallel=2))


async def test_a_slot_is_held_until_released_or_out_of_time(
    store: TaskStore, clock: HandClock
) -> None:
    """A slot ends with HiDream's report, or by itself at its time; the end of holding is foretold."""
    assert await store.next_hold_end() is None
    first = there(await claim(store, await add(store, 1), held_until=START + SECOND))
    second = there(await claim(store, await add(store, 2)))
    assert (await store.slots_held(START), await store.next_hold_end()) == (2, START + SECOND)
    assert await store.slots_held(START + SECOND) == 1
    clock.move(1)
    assert await store.next_hold_end() == START + HOUR
    accepted = there(await accept(store, second))
    assert await store.next_hold_end() == START + 2 * HOUR
    await store.release("hidream 2", START + SECOND)
    assert await store.slots_held(START + SECOND) == 0
    assert there(await store.get(accepted.id)).ended_at == START + SECOND
    await store.release("hidream 2", START + HOUR)
    await store.release("unknown", START)
    assert there(await store.get(accepted.id)).ended_at == START + SECOND
    assert there(await store.get(first.id)).ended_at is None


async def test_charges_end_some_time_after_the_answer(store: TaskStore) -> None:
    """Submissions are charged while unanswered, and those answered after the time that is asked for."""
    answered = there(await claim(store, await add(store, 1)))
    there(await accept(store, answered))
    there(await claim(store, await add(store, 2)))
    assert [one.answered_at for one in await store.charges(START - SECOND)] == [START, None]
    assert [one.answered_at for one in await store.charges(START)] == [None]


async def test_an_accepted_task_runs_with_its_images(store: TaskStore) -> None:
    """Acceptance sets tries and refusals back, keeps HiDream's id and makes an image a sub-task."""
    task = await add(store)
    waiting = there(await store.put_off(task, due_at=START))
    await store.requeue_due(START)
    claimed = there(await claim(store, there(await store.get(waiting.id))))
    refused = await store.hand_back(claimed, to=TaskState.QUEUED, now=START, count="refusal")
    claimed = there(await claim(store, there(refused)))
    assert (claimed.tries, claimed.refusals, claimed.trouble_since) == (1, 1, START)
    running = there(await accept(store, claimed))
    assert (running.tries, running.refusals, running.trouble_since) == (0, 0, None)
    assert running.hidream_task_id == f"hidream {task.id}"
    assert (running.accepted_at, running.deadline_at) == (START, START + HOUR)
    assert (running.claimed_by, running.lease_until) == (None, None)
    images = await store.images(task.id)
    assert [(one.n, one.sub_task_id, one.state) for one in images] == [
        (0, "a", ImageState.PENDING),
        (1, "b", ImageState.PENDING),
    ]


async def test_a_hidream_task_belongs_to_one_task(store: TaskStore) -> None:
    """Nobody can take over a HiDream task that another row has, not even after that is done."""
    await reach(store, TaskState.DELIVERED, 1)
    uncertain = await reach(store, TaskState.UNCERTAIN, 2)
    assert await accept(store, uncertain, name="hidream 1") is None
    assert await store.get(uncertain.id) == uncertain
    assert await store.images(uncertain.id) == []


async def test_handing_back_frees_the_slot(store: TaskStore) -> None:
    """What was not accepted holds no slot, forgets its request id, and waits or is back in its place."""
    claimed = await reach(store, TaskState.SUBMITTING)
    back = there(await store.hand_back(claimed, to=TaskState.QUEUED, now=START, count=None))
    assert (back.tries, back.request_id, back.due_at, back.turn) == (0, None, None, 1)
    assert await store.slots_held(START) == 0
    assert [one.answered_at for one in await store.charges(START - SECOND)] == [START]
    again = there(await claim(store, back))
    assert again.claim_no == 2
    late = there(
        await store.hand_back(
            again,
            to=TaskState.WAITING,
            now=START,
            due_at=START + HOUR,
            vendor_code=3,
            vendor_message="slow down",
        )
    )
    assert (late.tries, late.due_at) == (1, START + HOUR)
    assert (late.vendor_code, late.vendor_message) == (3, "slow down")


async def test_trouble_begins_with_the_first_failed_try(store: TaskStore, clock: HandClock) -> None:
    """Later failures leave the time of the first; what is not the task's doing begins nothing."""
    back = await reach(store, TaskState.QUEUED)
    steps: tuple[tuple[Literal["try", "refusal"] | None, tuple[object, ...]], ...] = (
        (None, (0, 0, None)),
        ("refusal", (0, 1, None)),
        ("try", (1, 1, START + SECOND)),
        ("try", (2, 1, START + SECOND)),
        ("refusal", (2, 2, START + SECOND)),
    )
    for count, expected in steps:
        claimed = there(await claim(store, back))
        now = START + (claimed.claim_no - 2) * SECOND
        back = there(await store.hand_back(claimed, to=TaskState.QUEUED, now=now, count=count))
        assert (back.tries, back.refusals, back.trouble_since) == expected
    clock.move(99)
    put_off = there(await store.put_off(back, due_at=START))
    assert (put_off.tries, put_off.trouble_since) == (3, START + SECOND)


async def test_a_photo_that_cannot_be_fetched_is_trouble_until_ready(
    store: TaskStore, clock: HandClock
) -> None:
    """Putting a task off begins its trouble now; being ready ends it, and refusals stay on record."""
    clock.move(5)
    await store.put_off(await reach(store, TaskState.QUEUED), due_at=START)
    await store.requeue_due(START)
    (queued,) = await store.next_queued(1)
    assert queued.trouble_since == START + 5 * SECOND
    claimed = there(await claim(store, queued))
    back = await store.hand_back(claimed, to=TaskState.QUEUED, now=START, count="refusal")
    ready = there(await store.ready(there(back), now=START))
    assert (ready.tries, ready.refusals, ready.trouble_since) == (0, 1, None)


async def test_handing_back_without_a_time_waits_until_now(store: TaskStore) -> None:
    """A waiting task always has a time; HiDream's last words stay where it said nothing new."""
    claimed = await reach(store, TaskState.SUBMITTING)
    spoke = there(
        await store.hand_back(claimed, to=TaskState.QUEUED, now=START, vendor_message="no")
    )
    again = there(await claim(store, spoke))
    silent = there(await store.hand_back(again, to=TaskState.WAITING, now=START))
    assert (silent.due_at, silent.vendor_code, silent.vendor_message) == (START, None, "no")


async def test_an_unanswered_submission_keeps_its_slot(store: TaskStore) -> None:
    """An uncertain row is counted, and submitted again it holds two slots with the same request id."""
    claimed = await reach(store, TaskState.SUBMITTING)
    unsure = there(await store.unanswered(claimed, now=START, due_at=START + SECOND))
    assert (unsure.uncertain, unsure.due_at) == (1, START + SECOND)
    assert await store.slots_held(START) == 1
    assert (await store.counts())["unanswered"] == 1
    assert [one.answered_at for one in await store.charges(START - SECOND)] == [START]
    assert await store.uncertain(START) == []
    assert await store.uncertain(START + SECOND) == [unsure]
    later = there(await store.ask_again(unsure, due_at=START + HOUR))
    assert later.tries == 1
    assert await store.uncertain(START + SECOND) == []
    queued = there(await store.submit_again(later))
    assert (queued.turn, queued.due_at, queued.tries) == (claimed.turn, None, 0)
    again = there(await claim(store, queued, parallel=2))
    assert again.request_id == claimed.request_id
    assert await store.slots_held(START) == 2


async def test_a_request_id_is_kept_while_an_earlier_one_is_uncertain(store: TaskStore) -> None:
    """Handing a repeat back frees its own slot only, and the next try has the same request id."""
    unsure = await reach(store, TaskState.UNCERTAIN)
    again = there(await claim(store, there(await store.submit_again(unsure))))
    back = there(await store.hand_back(again, to=TaskState.QUEUED, now=START))
    assert back.request_id == unsure.request_id
    assert await store.slots_held(START) == 1


async def test_an_uncertain_submission_can_be_adopted(store: TaskStore) -> None:
    """HiDream knew it after all: the row runs, and its end frees its slot."""
    unsure = await reach(store, TaskState.UNCERTAIN)
    running = there(await accept(store, unsure))
    assert running.uncertain == 1
    await store.release("hidream 1", START)
    assert await store.slots_held(START) == 0


async def test_a_refusal_frees_the_slot_and_others_keep_it(store: TaskStore) -> None:
    """READY from SUBMITTING gives the slot back; from UNCERTAIN and RUNNING it stays held."""
    refused = await reach(store, TaskState.SUBMITTING, 1)
    ready = there(await store.ready(refused, now=START, vendor_message="forbidden"))
    assert (ready.ready_at, ready.vendor_message) == (START, "forbidden")
    assert await store.slots_held(START) == 0
    there(await store.ready(await reach(store, TaskState.UNCERTAIN, 2), now=START))
    there(await store.ready(await reach(store, TaskState.RUNNING, 3), now=START))
    assert await store.slots_held(START) == 2


async def test_what_runs_is_listed_with_its_images(store: TaskStore, clock: HandClock) -> None:
    """RUNNING tasks are listed, and those over for us until their slot is given back or its time is up."""
    over = await reach(store, TaskState.READY, 1)
    running = await reach(store, TaskState.RUNNING, 2)
    await reach(store, TaskState.UNCERTAIN, 3)
    await reach(store, TaskState.QUEUED, 4)
    listed = await store.running(late_since=START + 100 * HOUR)
    assert [one.task for one in listed] == [over, running]
    assert [one.hidream_task_id for one in listed] == ["hidream 1", "hidream 2"]
    assert [len(one.images) for one in listed] == [2, 2]
    assert [one.released for one in listed] == [False, False]
    await store.release("hidream 2", START)
    assert [one.released for one in await store.running(late_since=START + 100 * HOUR)] == [
        False,
        True,
    ]
    await store.release("hidream 1", START)
    assert [one.task.id for one in await store.running(late_since=START + 100 * HOUR)] == [
        running.id
    ]
    there(await store.ready(await reach(store, TaskState.RUNNING, 5), now=START))
    assert len(await store.running(late_since=START + 100 * HOUR)) == 2
    clock.move(7200)
    assert [one.task.id for one in await store.running(late_since=START + 100 * HOUR)] == [
        running.id
    ]


async def test_completion_is_noted_while_it_runs(store: TaskStore) -> None:
    """Progress is kept between 0 and 1, wakes only on a change, and is nothing to a task that is over."""
    task = await reach(store, TaskState.RUNNING)
    mark = store.mark(Topic.PROGRESS)
    for value, kept in ((0.5, 0.5), (0.5, 0.5), (3.0, 1.0), (-1.0, 0.0)):
        await store.note_completions({task.id: value})
        assert there(await store.get(task.id)).completion == kept
    assert store.mark(Topic.PROGRESS) == mark + 3
    ready = there(await store.ready(there(await store.get(task.id)), now=START))
    await store.note_completions({ready.id: 0.7})
    await store.note_completions({99: 0.7})
    assert there(await store.get(task.id)).completion == 0.0


async def test_an_image_goes_its_way(store: TaskStore) -> None:
    """An image is made (again, elsewhere), stored, and from then on nothing changes it."""
    task = await reach(store, TaskState.RUNNING)
    await store.image_stored(task.id, 0, media_type="x", width=1, height=1, size=1)
    assert (await store.images(task.id))[0].state is ImageState.PENDING
    await store.image_made(task.id, 0, "https://one")
    await store.image_made(task.id, 0, "https://two")
    made = (await store.images(task.id))[0]
    assert (made.state, made.url) == (ImageState.MADE, "https://two")
    await store.image_stored(task.id, 0, media_type="image/png", width=3, height=2, size=9)
    stored = (await store.images(task.id))[0]
    assert (stored.state, stored.url) == (ImageState.STORED, None)
    assert (stored.media_type, stored.width, stored.height, stored.size) == ("image/png", 3, 2, 9)
    await store.image_made(task.id, 0, "https://three")
    await store.image_ended(task.id, 0, ImageState.FAILED)
    assert (await store.images(task.id))[0] == stored


async def test_an_image_can_end_without_a_picture(store: TaskStore) -> None:
    """An image that was made or not ends with a reason; of an unknown image nothing is kept."""
    task = await reach(store, TaskState.RUNNING)
    await store.image_made(task.id, 0, "https://one")
    await store.image_ended(task.id, 0, ImageState.UNFETCHED, "too big")
    await store.image_ended(task.id, 1, ImageState.REFUSED)
    await store.image_ended(task.id, 2, ImageState.REFUSED)
    first, second = await store.images(task.id)
    assert (first.state, first.url, first.description) == (ImageState.UNFETCHED, None, "too big")
    assert second.state is ImageState.REFUSED
    assert await store.images(task.id + 1) == []
