"""Stopping tasks: by words, by replies, by buttons; who may, what it costs, and what is left to say."""

import pytest

from bot.endings import Endings
from bot.messages import Later, Moved, Refused, Urgency
from storage.tasks import Task, TaskState
from tests.screen import Room
from tests.storage.making import accept, claim, there

GROUP = -100


async def states(room: Room, *tasks: Task) -> list[TaskState]:
    """Give the states that tasks are in now."""
    return [(await room.now(task)).state for task in tasks]


# --- the button on the progress message


@pytest.mark.parametrize(
    ("state", "notice", "end"),
    [
        (TaskState.QUEUED, "cancelled", "progress-cancelled"),
        (TaskState.WAITING, "cancelled", "progress-cancelled"),
        (TaskState.UNCERTAIN, "cancelled-running", "progress-stopped"),
        (TaskState.RUNNING, "cancelled-running", "progress-stopped"),
    ],
)
async def test_the_button_ends_its_message(state: TaskState, notice: str, end: str) -> None:
    """The press is answered by what it cost, the message says so without a button; a repeat says it again."""
    room = Room()
    task = await room.task(state)
    number = await room.announced(task)
    for _ in range(2):
        data = "cancel:" + str(task.id)
        room.screen.shown[number].buttons = {"stop": data}
        assert await room.tap("stop", at=number, update_id=900) == notice
        assert room.screen.shown[number].lines == [end]
        assert room.screen.shown[number].buttons == {}
        room.screen.shown[number].lines = []
        await room.store.note_progress_message(task.id, number)
    assert await states(room, task) == [TaskState.CANCELLED]


async def test_what_is_being_handed_in_is_stopped_with_the_answer() -> None:
    """Until then it says that it is stopping; what HiDream has taken keeps its slot until the end."""
    room = Room()
    task = await room.task(TaskState.SUBMITTING)
    number = await room.announced(task)
    assert await room.tap("✖️ Stop it", at=number) == "cancelling"
    assert room.screen.shown[number].lines == ["progress-stopping"]
    assert (await room.now(task)).progress_message_id == number, "its end is still to be said"
    assert await accept(room.store, await room.now(task)) is not None
    assert await states(room, task) == [TaskState.CANCELLED]
    assert await room.store.slots_held(room.clock.now()) == 1
    await room.store.release(f"hidream {task.id}", room.clock.now())
    assert await room.store.slots_held(room.clock.now()) == 0


@pytest.mark.parametrize(
    ("state", "notice"),
    [
        (TaskState.READY, "cancel-too-late"),
        (TaskState.DELIVERING, "cancel-too-late"),
        (TaskState.DELIVERED, "cancel-over"),
        (TaskState.FAILED, "cancel-over"),
    ],
)
async def test_too_late_is_said(state: TaskState, notice: str) -> None:
    """What is on its way, over, or unknown is not stopped, and the press says so."""
    room = Room()
    task = await room.task(state)
    number = await room.announced(task)
    assert await room.tap("✖️ Stop it", at=number) == notice
    assert await states(room, task) == [state]
    assert room.screen.shown[number].lines == ["progress-next"], "whoever brings it deletes that"
    room.screen.shown[number].buttons = {"x": "cancel:99", "y": "cancel:x"}
    assert [await room.tap(label, at=number) for label in "xy"] == ["cancel-over"] * 2


async def test_only_the_owner_stops() -> None:
    """Neither by a button nor by a number can somebody else; of a chat's own tasks its admins can."""
    room = Room()
    task = await room.task(user=1, chat_id=GROUP)
    chats = await room.task(user=GROUP, chat_id=GROUP)
    number, other = await room.announced(task), await room.announced(chats)
    assert await room.tap("✖️ Stop it", at=number, user=2) == "pressed-not-yours"
    assert await room.tap("✖️ Stop it", at=other, user=2) == "pressed-not-yours"
    await room.post(f"/cancel {task.id} {chats.id}", user=2, chat=GROUP)
    assert room.screen.last.lines == ["status-unknown", "status-unknown"]
    assert await states(room, task, chats) == [TaskState.QUEUED] * 2
    room.telegram.admins.add((GROUP, 2))
    await room.post(f"/cancel {task.id} {chats.id}", user=2, chat=GROUP)
    assert room.screen.last.lines == ["status-unknown", "cancelled"]
    await room.post(f"/cancel {task.id}", user=1, chat=-200)
    assert room.screen.last.lines == ["status-unknown"], "it belongs to another group"
    await room.post(f"/cancel {task.id}", user=1)
    assert room.screen.last.lines == ["cancelled"]


# --- by words


async def test_cancel_alone() -> None:
    """Nothing to stop is said; the one that there is, is stopped, and its progress message is gone."""
    room = Room()
    await room.post("/cancel")
    assert room.screen.last.lines == ["cancel-none"]
    task = await room.task()
    await room.task(user=2)
    number = await room.announced(task)
    await room.post("/cancel", update_id=500)
    assert room.screen.last.lines == ["cancelled"]
    assert number not in room.screen.shown
    assert (await room.now(task)).progress_message_id is None
    later = await room.task()
    await room.post("/cancel", update_id=500)
    assert room.screen.last.lines == ["cancelled"], "a repeat says the same"
    assert await states(room, task, later) == [TaskState.CANCELLED, TaskState.QUEUED]


async def test_cancel_among_several() -> None:
    """Each has a button, and all have one; the list tells what became of them, also when it is late."""
    room = Room()
    first, second, third = [await room.task() for _ in range(3)]
    ran = await room.task(TaskState.RUNNING)
    await room.task(TaskState.READY)
    await room.post("/cancel")
    assert room.screen.last.lines == ["cancel-which", *["cancel-line"] * 4]
    labels = [f"✖️ #{task.id}" for task in (first, second, third, ran)]
    assert sorted(room.screen.last.buttons) == sorted([*labels, "✖️ All of them"])
    assert await room.tap(labels[1], user=2) == "pressed-not-yours"
    number = await room.announced(second)
    listed = max(one for one in room.screen.shown if one != number)
    assert await room.tap(labels[1], at=listed) == "cancelled"
    assert number not in room.screen.shown
    shown = room.screen.shown[listed]
    assert shown.lines == ["cancelled", "cancel-which", *["cancel-line"] * 3]
    assert labels[1] not in shown.buttons
    shown.buttons["odd"] = shown.buttons[labels[0]].rpartition(":")[0] + ":99"
    assert await room.tap("odd", at=listed) == ""
    await room.tap("✖️ All of them", at=listed)
    assert sorted(room.screen.shown[listed].lines) == ["cancelled"] * 3 + ["cancelled-running"]
    assert room.screen.shown[listed].buttons == {}
    stopped = await states(room, first, second, third, ran)
    assert stopped == [TaskState.CANCELLED] * 4


async def test_a_long_list_is_cut() -> None:
    """Ten are listed, the others counted; all of them are stopped by one button."""
    room = Room()
    tasks = [await room.task() for _ in range(23)]
    await room.post("/cancel")
    assert room.screen.last.lines == ["cancel-which", *["cancel-line"] * 10, "status-others"]
    await room.tap("✖️ All of them")
    assert room.screen.last.lines == ["cancelled"] * 10
    assert set(await states(room, *tasks)) == {TaskState.CANCELLED}


async def test_numbers_and_replies() -> None:
    """Numbers as people write them, replies to the progress message, to a result and to the own photo."""
    room = Room()
    tasks = [await room.task() for _ in range(3)]
    await room.post(f"/cancel #{tasks[0].id}, {tasks[1].id} {tasks[0].id} 99")
    assert room.screen.last.lines == ["cancelled", "cancelled", "status-unknown"]
    for odd in ("/cancel all", "/cancel 1.5", "/cancel -1", f"/cancel {10**40}", "/cancel ,"):
        await room.post(odd)
        assert room.screen.last.lines == ["cancel-number"], odd
    number = await room.announced(tasks[2])
    await room.post("/cancel", reply=room.message(number))
    assert room.screen.last.lines == ["cancelled"]
    photo = await room.post("make it snow", photo="a")
    await room.post("/cancel", reply=photo)
    assert room.screen.last.lines == ["cancelled"]
    await room.post("/cancel", reply=photo, user=2, chat=1)
    assert room.screen.last.lines == ["status-reply"]
    done = await room.result()
    await room.post("/cancel", reply=room.message(100 * done.id))
    assert room.screen.last.lines == ["cancel-over"]
    assert (await room.tasks())[-2].state is TaskState.CANCELLED


async def test_a_group_lists_its_own() -> None:
    """In a group only what belongs to it is stopped by /cancel alone."""
    room = Room()
    here, elsewhere = await room.task(chat_id=GROUP), await room.task()
    await room.post("/cancel", chat=GROUP)
    assert await states(room, here, elsewhere) == [TaskState.CANCELLED, TaskState.QUEUED]
    await room.post("/cancel@sandbox_bot", chat=GROUP)
    assert room.screen.last.lines == ["cancel-none"]


# --- what is left to say


async def test_what_cannot_be_said_now_is_left_to_the_loop() -> None:
    """A message that can be neither edited nor deleted now is not forgotten; an old one is edited instead."""
    room = Room()
    task, other = await room.task(), await room.task()
    number, old = await room.announced(task), await room.announced(other)
    room.screen.ends["edit"] = [Later(seconds=30, reason="closed")]
    assert await room.tap("✖️ Stop it", at=number) == "cancelled"
    assert [one.id for one in await room.store.stale_progress(9)] == [task.id]
    room.screen.ends["delete"] = [Refused(reason="message can't be deleted")]
    await room.post(f"/cancel {other.id}")
    assert room.screen.shown[old].lines == ["progress-cancelled"]
    third = await room.task()
    await room.announced(third)
    room.screen.ends["delete"] = [Later(seconds=30, reason="closed")]
    await room.post(f"/cancel {third.id}")
    assert [one.id for one in await room.store.stale_progress(9)] == [task.id, third.id]


async def test_an_end_follows_what_happens_meanwhile() -> None:
    """Where the answer comes while "stopping" is being written, the end is written after it."""
    room = Room()
    task = there(await claim(room.store, await room.task()))
    number = await room.announced(task)
    withdrawn = there(await room.store.cancel(await room.now(task), room.clock.now()))
    endings = Endings(store=room.store, chat=room.desk.chat, clock=room.clock)
    await accept(room.store, withdrawn)
    await room.store.progress_put_away(task.id)  # somebody else has said so, and was overtaken
    assert await endings.show(withdrawn, Urgency.REPLY)
    assert room.screen.shown[number].lines == ["progress-stopped"]
    room.screen.shown[number].lines = ["progress-next"]  # an edit that was under way
    await endings.show_again(withdrawn)
    assert room.screen.shown[number].lines == ["progress-stopped"]
    going = await room.task()
    await endings.show_again(going)
    assert await endings.remove(going), "there is no message"


async def test_an_end_follows_a_chat_that_moved() -> None:
    """In the new chat other messages have these numbers: nothing is left to say."""
    room = Room()
    endings = Endings(store=room.store, chat=room.desk.chat, clock=room.clock)
    for call in ("edit", "delete"):
        task = await room.task(chat_id=GROUP)
        await room.announced(task)
        stopped = there(await room.store.cancel(await room.now(task), room.clock.now()))
        room.screen.ends[call] = [Moved(chat_id=-200)]
        assert await (endings.show if call == "edit" else endings.remove)(stopped)
        now = await room.now(task)
        assert (now.place.chat_id, now.progress_message_id) == (-200, None)


async def test_the_button_of_a_report() -> None:
    """Under /status 17 it does the same; the button goes, and the progress message tells the end."""
    room = Room()
    task = await room.task(TaskState.RUNNING)
    number = await room.announced(task)
    await room.post(f"/status {task.id}")
    report = room.screen.last_id
    assert await room.tap("✖️ Stop it", at=report) == "cancelled-running"
    assert room.screen.shown[report].buttons == {}
    assert room.screen.shown[number].lines == ["progress-stopped"]
