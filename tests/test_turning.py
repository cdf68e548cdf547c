"""/status and /history: pages, one task in full, results turned over, whatever has become of them."""

from datetime import timedelta
from typing import Any

import pytest

from bot import reports, texts
from bot.errors import PutOff
from bot.messages import Later, Moved, Refused, Unknown
from storage.tasks import NewTask, Origin, Photo, Place, SentImage, Settings, Task, TaskState
from tests.screen import Room
from tests.storage.making import there

GROUP = -100
BACK, ON, REFRESH = "◀", "▶", "🔄"


def numbers(room: Room) -> list[int]:
    """Give the tasks that the latest list has."""
    shown = room.screen.last.text.splitlines()
    return [int(line.split()[0][1:]) for line in shown if line.startswith("#")]


# --- /status


async def test_pages_turn_both_ways() -> None:
    """Five a page, the unfinished first; the message is edited, and the buttons work for ever."""
    room = Room()
    await room.post("/status")
    assert (room.screen.last.lines, room.screen.last.buttons) == (["status-none"], {})
    done = [await room.result() for _ in range(7)]
    going = [await room.task() for _ in range(5)]
    await room.post("/status")
    first, count = room.screen.last_id, len(room.screen.shown)
    assert numbers(room) == [task.id for task in going]
    labels = [f"#{task.id}" for task in going]
    assert list(room.screen.last.buttons) == [*labels, REFRESH, ON]
    assert "… and 7 more." in room.screen.last.text
    assert await room.tap(ON) == ""
    assert numbers(room) == [task.id for task in done[:1:-1]]
    assert list(room.screen.last.buttons)[5:] == [BACK, REFRESH, ON]
    await room.tap(ON)
    assert numbers(room) == [task.id for task in done[1::-1]]
    assert list(room.screen.last.buttons)[2:] == [BACK, REFRESH]
    await room.tap(BACK)
    await room.tap(BACK)
    assert numbers(room) == [task.id for task in going]
    await room.store.cancel(going[0], room.clock.now())
    room.clock.move(1)
    await room.tap(REFRESH)
    assert numbers(room) == [task.id for task in (*going[1:], going[0])]
    assert (room.screen.last_id, len(room.screen.shown)) == (first, count)
    assert await room.tap(REFRESH, user=2) == "pressed-not-yours"


async def test_a_page_that_is_no_more() -> None:
    """Where there are fewer tasks now, the first page is shown; where there are none, that is said."""
    room = Room()
    for _ in range(2):
        await room.result(chat_id=GROUP)
    await room.post("/status", chat=GROUP)
    room.screen.last.buttons["old"] = room.screen.last.buttons[REFRESH].replace(":0", ":7")
    await room.tap("old")
    assert len(numbers(room)) == 2
    await room.store.move_chat(GROUP, -200)
    await room.tap(REFRESH)
    assert (room.screen.last.lines, room.screen.last.buttons) == (["status-none-group"], {})


async def test_a_result_that_was_deleted() -> None:
    """/status offers what can still be made of its photo, and nothing that needs the picture."""
    room = Room()
    task = await room.result()
    await room.post(f"/status {task.id}")
    whole = [label for message in room.screen.shown.values() for label in message.buttons]
    assert {"📄 Original file", "🗑 Delete", "✏️ Other words"} <= set(whole)
    await room.store.forget_pictures(task.id)
    await room.post(f"/status {task.id}")
    assert list(room.screen.last.buttons) == ["🔁 Again", "🖼 Shape …", "×4", "✏️ Other words"]


async def test_nothing_yet_in_a_group() -> None:
    """Both lists say how to begin there: a photo alone would not reach the bot."""
    room = Room()
    for command in ("/status", "/history"):
        await room.post(command, chat=GROUP)
        assert room.screen.last.lines == ["status-none-group"]


async def _forget(room: Room, limit: int) -> None:
    later = room.clock.now() + timedelta(hours=9)  # nothing is held at HiDream any more
    await room.store.prune(now=later, inbox_before=later, finished_before=later, limit=limit)


async def test_one_in_full() -> None:
    """By its number, its button, or as a reply to what belongs to it; with its pictures, and where it comes from."""
    room = Room()
    first = await room.result()
    second = await _made_from(room, first)
    third = await _made_from(room, second)
    other = await room.result(user=2)
    photo = await room.post("make it snow", photo="a")
    await room.post(f"/status #{first.id}")
    text, *pictures = list(room.screen.shown.values())
    assert text.lines == ["status-full", "status-times", "status-took", "status-hidream"]
    assert [one.picture for one in pictures] == [f"{first.id}.0", f"{first.id}.1"]
    assert "again:1" in text.buttons.values()
    at = max(room.screen.shown)
    shown = there(await room.store.get((there_(await room.store.task_at(1, at))).task_id))
    assert shown.id == first.id, "a reply to what was shown again goes on from it"
    await room.post(f"/status {second.id}")
    assert "result-from" in room.screen.last.lines
    await room.post(f"/status {third.id}")
    assert f"#{first.id} → #{second.id} → #{third.id}" in room.screen.last.text
    await room.post("/status", reply=photo)
    assert room.screen.last.text.startswith(f"#{third.id + 2} · in line, number")
    report = room.screen.last_id
    await room.post("/status", reply=room.message(report))
    assert room.screen.last.text.startswith(f"#{third.id + 2} · in line")
    for odd, line in (
        ("/status snow", "status-number"),
        ("/status 1 2", "status-number"),
        ("/status 99", "status-unknown"),
        (f"/status {other.id}", "status-unknown"),
    ):
        await room.post(odd)
        assert room.screen.last.lines == [line]
    await room.post("/status", reply=room.message(100 * other.id))
    assert room.screen.last.lines == ["status-reply"], "it is somebody else's"
    await room.post("/status")
    await room.tap(f"#{first.id}")
    assert room.screen.last.picture == f"{first.id}.1"


def there_(found: Any) -> Any:
    """Give what must be there."""
    assert found is not None
    return found


async def _made_from(room: Room, parent: Task) -> Task:
    new = NewTask(
        origin=Origin(bot_id=77, update_id=700 + parent.id),
        user_id=1,
        place=Place(chat_id=1, chat_type="private", message_id=9),
        photos=parent.photos,
        settings=parent.settings,
        parent_id=parent.id,
    )
    return await room.store.add(new, now=room.clock.now(), max_unfinished=None)


async def test_buttons_of_one_in_full() -> None:
    """Who may not see it is told so, and what is forgotten or unknown too."""
    room = Room()
    task = await room.result()
    await room.post("/status")
    listed = room.screen.last_id
    label = f"#{task.id}"
    assert await room.tap(label, at=listed, user=2) == "pressed-not-yours"
    room.screen.shown[listed].buttons |= {"odd": "show:x"}
    await _forget(room, 9)
    assert await room.tap(label, at=listed) == "status-unknown"
    assert await room.tap("odd", at=listed) == "status-unknown"


async def test_a_failure_in_full() -> None:
    """It can be tried again, and an unfinished one be stopped."""
    room = Room()
    failed, gone = await room.task(TaskState.FAILED), await room.task(TaskState.CANCELLED)
    waiting = await room.task(TaskState.WAITING)
    for task, data in (
        (failed, [f"again:{failed.id}", f"words:{failed.id}"]),
        (waiting, [f"cancel:{waiting.id}"]),
        (gone, []),
    ):
        await room.post(f"/status {task.id}")
        assert [*room.screen.last.buttons.values()][: len(data)] == data
    assert room.screen.last.buttons == {}


# --- /history


async def test_results_turn_over() -> None:
    """One message shows them all, the latest first, a task's pictures one by one; each says where it stands."""
    room = Room()
    old, new = await room.result(), await room.result()
    await room.post("/history")
    assert len(room.screen.shown) == 1
    seen = []
    for label in (ON, ON, ON, BACK, BACK, BACK):
        seen.append((room.screen.last.picture, room.screen.last.text.splitlines()[-1]))
        await room.tap(label)
    assert [picture for picture, _ in seen] == [
        *(f"{new.id}.0", f"{new.id}.1"),
        *(f"{old.id}.0", f"{old.id}.1"),
        *(f"{old.id}.0", f"{new.id}.1"),
    ]
    assert "1 of 2 · picture 1 of 2" in seen[0][1]
    assert "2 of 2 · picture 2 of 2" in seen[3][1]
    assert room.screen.last.picture == f"{new.id}.0"
    assert [*room.screen.last.buttons.values()][1:] == [f"again:{new.id}", f"use:{new.id}:0"]
    assert BACK not in room.screen.last.buttons
    assert len(room.screen.shown) == 1
    [known] = [one for one in await room.store.messages_of(new.id) if one.message_id > 20_000]
    assert (known.role, known.n) == ("picture", 0), "a reply goes on from what is shown"
    latest = await room.result()
    await room.tap(ON)
    await room.tap(BACK)
    await room.tap(BACK)
    assert room.screen.last.picture == f"{latest.id}.1"
    assert await room.tap(ON, user=2) == "pressed-not-yours"


async def test_words_are_searched() -> None:
    """In any script and letter case; turning over stays among what was found."""
    room = Room()
    await room.post("/history")
    assert room.screen.last.lines == ["history-none"]
    snow = await room.result(prompt="Снег в лесу")
    await room.result(prompt="a red boat")
    snowy = await room.result(prompt="лес и СНЕГ <b>")
    await room.post("/history снег ЛЕС")
    assert room.screen.last.picture == f"{snowy.id}.0"
    for _ in range(2):
        await room.tap(ON)
    assert room.screen.last.picture == f"{snow.id}.0"
    assert "2 of 2" in room.screen.last.text
    await room.post("/history " + "<i>moon</i>" * 40)
    assert room.screen.last.lines == ["history-nothing-found"]
    assert "<i>moon</i>" in room.screen.last.text


async def test_a_group_turns_over_its_own() -> None:
    """In a group nobody sees what someone had made elsewhere; everything is shown in their own chat."""
    room = Room()
    secret, shared = await room.result(), await room.result(chat_id=GROUP)
    await room.post("/history", chat=GROUP)
    assert room.screen.last.picture == f"{shared.id}.0"
    assert "1 of 1" in room.screen.last.text
    await room.tap(ON)
    assert room.screen.last.picture == f"{shared.id}.1"
    assert ON not in room.screen.last.buttons
    await room.post("/history")
    await room.tap(ON)
    await room.tap(ON)
    assert room.screen.last.picture == f"{secret.id}.0"


async def test_what_was_forgotten_meanwhile_is_passed_over() -> None:
    """A button to what is gone leads to the nearest that is left; where nothing is, that is said."""
    room = Room()
    oldest, middle, latest = [await room.result() for _ in range(3)]
    await room.post("/history")
    await room.tap(ON)
    await room.store.forget_pictures(middle.id)
    await room.tap(ON)
    assert room.screen.last.picture == f"{oldest.id}.0"
    await room.store.forget_pictures(oldest.id)
    await room.tap(ON)
    assert room.screen.last.picture == f"{latest.id}.0"
    await room.store.forget_pictures(latest.id)
    await room.tap(ON)
    assert room.screen.last.lines == ["history-over"]
    assert room.screen.last.buttons == {}


async def test_what_telegram_has_lost() -> None:
    """That is said where it should be, with the buttons that lead on, and turning on shows the next."""
    room = Room()
    old, new = await room.result(), await room.result()
    room.screen.lost = {f"{new.id}.0", f"{old.id}.0"}
    await room.post("/history")
    assert room.screen.last.lines == ["history-lost"]
    assert room.screen.last.picture is None
    await room.tap(ON)
    assert room.screen.last.picture == f"{new.id}.1", "the text has become a picture"
    await room.tap(ON)
    assert room.screen.last.lines == ["history-lost"]
    await room.tap(ON)
    assert room.screen.last.picture == f"{old.id}.1"
    room.screen.lost.add(f"{old.id}.1")
    await room.post("/history")
    for label in (ON, BACK):
        await room.tap(label)
    assert room.screen.last.lines == ["history-lost"]


async def test_files_and_spoilers_stay_what_they_are() -> None:
    """A photo turns into a file and back; what was sent covered is shown covered."""
    room = Room()
    photo = await room.result()
    file = await _as_file(room)
    await room.post("/history")
    assert (room.screen.last.picture, room.screen.last.sent_as) == ("file", "document")
    assert room.screen.last.spoiler
    assert "picture" not in room.screen.last.text.splitlines()[-1]
    await room.tap(ON)
    assert (room.screen.last.picture, room.screen.last.sent_as) == (f"{photo.id}.0", "photo")
    assert not room.screen.last.spoiler
    await room.tap(BACK)
    assert room.screen.last.sent_as == "document"
    await room.post(f"/status {file.id}")
    assert (room.screen.last.sent_as, room.screen.last.spoiler) == ("document", True)


async def _as_file(room: Room) -> Task:
    """Have a covered photo made into one file."""
    new = NewTask(
        origin=Origin(bot_id=77, update_id=801),
        user_id=1,
        place=Place(chat_id=1, chat_type="private", message_id=9),
        photos=(Photo(file_id="p", file_unique_id="u", spoiler=True),),
        settings=Settings(prompt="🎉" * 1000, negative="&" * 500),
    )
    task = await room.store.add(new, now=room.clock.now(), max_unfinished=None)
    return await room.brought(task, [SentImage(n=0, file_id="file", sent_as="document")])


@pytest.mark.parametrize("outcome", [Later(seconds=3, reason="slow"), Unknown(reason="lost")])
async def test_what_cannot_be_shown_now_comes_later(outcome: Any) -> None:
    """The update is put off where Telegram does not take a page or a picture now."""
    room = Room()
    await room.result()
    for text, call, label in (
        ("/history", "replace_picture", ON),
        ("/status", "edit", REFRESH),
    ):
        room.screen.ends["say"] = [outcome]
        room.screen.ends["send_pictures"] = [outcome]
        with pytest.raises(PutOff):
            await room.post(text)
        room.screen.ends = {}
        await room.post(text)
        room.screen.ends[call] = [outcome]
        with pytest.raises(PutOff):
            await room.tap(label)


async def test_buttons_of_a_chat_that_moved() -> None:
    """The store follows the chat; buttons of unknown lists say so."""
    room = Room()
    task = await room.result(chat_id=GROUP)
    await room.post("/history", chat=GROUP)
    room.screen.ends["replace_picture"] = [Moved(chat_id=-200)]
    await room.tap(ON)
    assert (await room.now(task)).place.chat_id == -200
    await room.post("/status")
    room.screen.last.buttons = {"a": "view:99:1", "b": "view:x", "c": "stop:1:all"}
    assert [await room.tap(label) for label in "abc"] == ["view-unknown"] * 3


@pytest.mark.parametrize("elsewhere", [-999, 2])
async def test_what_a_chat_asked_for_is_its_own(elsewhere: int) -> None:
    """Whoever runs another chat, or forges it in private, sees and stops nothing of a chat's own."""
    room = Room()
    task = await room.result(user=GROUP, chat_id=GROUP)
    going = [await room.task(user=GROUP, chat_id=GROUP) for _ in range(2)]
    mine = await room.result(user=2, chat_id=elsewhere)
    for command in ("/status", "/history", "/cancel"):
        anonymous = {"id": GROUP, "type": "group"}
        await room.post(command, chat=GROUP, sender_chat=anonymous)
    room.telegram.admins = {(elsewhere, 2), (GROUP, 3)}
    await room.post("/status", chat=elsewhere, user=2)
    own, before = room.screen.last_id, room.screen.last.lines
    for number, data in enumerate(("view:1:0", f"view:2:{task.id}:1", "stop:3:all"), start=1):
        room.screen.last.buttons = {"forged": data}
        assert await room.tap("forged", user=2) == "view-unknown", number
    assert (room.screen.last_id, room.screen.last.lines) == (own, before)
    assert [(await room.now(one)).state for one in going] == [TaskState.QUEUED] * 2
    assert mine.user_id == 2


async def test_forged_under_anothers_picture() -> None:
    """Nobody turns what somebody else was brought into a page of their own."""
    room = Room()
    await room.result(user=2, chat_id=GROUP)
    await room.post("/history", chat=GROUP, user=2)
    await room.result(user=1, chat_id=GROUP)
    await room.post("/history", chat=GROUP)
    theirs = room.screen.last
    theirs.buttons["forged"] = "view:1:1:0"
    assert await room.tap("forged", user=2) == "pressed-not-yours"
    assert room.screen.last is theirs


async def test_a_message_that_is_gone_is_left_alone() -> None:
    """Where the message itself can't be changed any more, nothing else is tried."""
    room = Room()
    await room.result()
    await room.post("/history")
    refused = Refused(reason="Bad Request: message to edit not found")
    room.screen.ends = {call: [refused] for call in ("replace_picture", "edit_caption", "edit")}
    assert await room.tap(ON) == ""
    assert not any(room.screen.ends.values()), "all of them were tried, once"


def test_long_lineage_is_cut() -> None:
    """Where a picture has more ancestors than are read, that shows."""

    def one(task_id: int) -> Task:
        return Task(
            id=task_id,
            origin=Origin(bot_id=1, update_id=task_id),
            user_id=1,
            place=Place(chat_id=1, chat_type="private", message_id=1),
            photos=(),
            settings=Settings(prompt="x"),
            parent_id=task_id - 1,
            created_at=Room().clock.now(),
        )

    lines = reports.in_full(one(9), (), place=1, now=Room().clock.now(), ancestors=[one(8), one(7)])
    assert "… → #7 → #8 → #9" in texts.words(*lines)
