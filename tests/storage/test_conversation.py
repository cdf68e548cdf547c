"""The conversation beside its tasks: drafts of each kind, our messages, preferences, views, facts."""

from dataclasses import replace
from typing import Any, Final

import pytest

from storage.roles import role_of, shown_by
from storage.store import TaskStore
from storage.tasks import NewView, Origin, SentImage, TaskMessage, TaskState
from tests.storage.making import (
    BOT,
    HOUR,
    START,
    HandClock,
    add,
    new_draft,
    new_task,
    place,
    reach,
    there,
)

_VIEW: Final = NewView(
    origin=Origin(bot_id=BOT, update_id=1), kind="history", user_id=5, chat_id=-5, words="ä 'x'"
)


# --- drafts


async def test_drafts_of_each_kind_are_open_by_themselves(store: TaskStore) -> None:
    """Words that wait for a photo leave a photo that waits for words open; each kind's latest counts."""
    words = await store.add_draft(new_draft(1), START)
    prompt = await store.add_draft(replace(new_draft(2), kind="prompt", photos=()), START)
    assert (prompt.kind, prompt.photos) == ("prompt", ())
    assert await store.open_draft(5, 5, START - HOUR) == words
    assert await store.open_draft(5, 5, START - HOUR, kind="prompt") == prompt
    assert await store.open_draft(5, 5, START - HOUR, kind="offer") is None
    newer = await store.add_draft(new_draft(3), START)
    await store.add_draft(replace(new_draft(4), kind="offer", draft_id=newer.id), START)
    assert await store.open_draft(5, 5, START - HOUR) is None
    assert await store.open_draft(5, 5, START - HOUR, kind="prompt") == prompt


async def test_offers_close_nothing(store: TaskStore) -> None:
    """An offer closes neither an older offer nor anything else: each waits for its own tap."""
    words = await store.add_draft(new_draft(1), START)
    first = await store.add_draft(replace(new_draft(2), kind="offer"), START)
    second = await store.add_draft(replace(new_draft(3), kind="offer"), START)
    assert await store.open_draft(5, 5, START - HOUR) == words
    assert await store.open_draft(5, 5, START - HOUR, kind="offer") == second
    assert await store.draft(second.id) == second
    assert await store.draft(first.id) == first
    assert await store.draft(99) is None


async def test_a_draft_is_dropped(store: TaskStore) -> None:
    """Nobody waits for the rest of it any more; the question about it is still known."""
    draft = await store.add_draft(new_draft(1), START)
    await store.asked(draft.id, 70)
    await store.drop_draft(draft.id)
    await store.drop_draft(99)
    assert await store.open_draft(5, 5, START - HOUR) is None
    assert await store.draft_asked_by(5, 5, 70) == replace(draft, question_id=70, used=True)


async def test_a_draft_takes_the_place_of_another(store: TaskStore) -> None:
    """The other is used from then on; a repeat finds what it has made, and changes nothing."""
    first = await store.add_draft(new_draft(1), START)
    new = replace(new_draft(2), kind="offer", draft_id=first.id)
    assert await store.draft_made_by(new.origin) is None
    second = await store.add_draft(new, START)
    assert await store.draft(first.id) == replace(first, used=True)
    assert await store.draft_made_by(new.origin) == second
    assert await store.add_draft(replace(new, draft_id=second.id), START) == second
    assert await store.draft(second.id) == second
    await store.add_draft(replace(new_draft(3), draft_id=99), START)


async def test_a_draft_is_found_by_its_message(store: TaskStore) -> None:
    """An edited caption finds the latest unused draft of its own photo, of that person alone."""
    first = await store.add_draft(new_draft(1), START)
    second = await store.add_draft(new_draft(2), START)
    assert await store.draft_at(5, 5, 9) == second
    elsewhere = replace(new_draft(8), place=place(5, 7), draft_id=second.id)
    await store.add_draft(elsewhere, START)
    assert await store.draft_at(5, 5, 9) == first, "closed by the newer one, but never answered"
    await store.add(new_task(3, draft_id=first.id), now=START, max_unfinished=None)
    assert await store.draft_at(5, 5, 9) is None
    await store.add_draft(new_draft(4), START)
    assert [await store.draft_at(*key) for key in ((6, 5, 9), (5, 6, 9), (5, 5, 8))] == [None] * 3


# --- our messages


def _about(message: TaskMessage | None) -> tuple[Any, ...]:
    assert message is not None
    return message.task_id, message.role, message.n


async def test_a_step_that_is_sent_notes_its_messages(store: TaskStore) -> None:
    """Each picture's message knows its task and image, so that a reply to it finds them."""
    task = await reach(store, TaskState.DELIVERING, chat_id=7)
    for name, ids, images in (
        ("pictures", [20, 21], (2, 0)),
        ("late-1-document", [30], (1,)),
        ("buttons", [40], ()),
    ):
        await store.step_started(task, name, START)
        sent = [SentImage(n=n, file_id="f", sent_as="photo") for n in images]
        assert await store.step_sent(task, name, ids, sent, START + HOUR)
    found = [_about(await store.task_at(7, message)) for message in (20, 21, 30, 40)]
    assert found == [
        (task.id, "picture", 2),
        (task.id, "picture", 0),
        (task.id, "file", 1),
        (task.id, "buttons", None),
    ]
    assert [one.message_id for one in await store.messages_of(task.id)] == [20, 21, 30, 40]
    assert {one.sent_at for one in await store.messages_of(task.id)} == {START + HOUR}
    assert await store.task_at(8, 20) is None


async def test_a_step_of_who_was_overtaken_notes_no_message(store: TaskStore) -> None:
    """A delivery that another has taken over leaves nothing behind."""
    task = await reach(store, TaskState.DELIVERING)
    await store.step_started(task, "notice", START)
    await store.recover(owner="next", now=START, sole=True)
    assert not await store.step_sent(task, "notice", [20], [], START)
    assert await store.messages_of(task.id) == []


@pytest.mark.parametrize(
    ("step", "role"),
    [
        ("pictures", "picture"),
        ("files", "file"),
        ("late-0-photo", "picture"),
        ("late-12-document", "file"),
        ("late-1-other", "other"),
        ("buttons", "buttons"),
        ("notice", "notice"),
        ("photo", "other"),
        ("", "other"),
    ],
)
def test_a_step_has_a_role(step: str, role: str) -> None:
    """What a message is to its task follows from the step that sent it."""
    assert role_of(step) == role


def test_messages_beyond_the_images_show_none() -> None:
    """Only a message that shows an image is said to."""
    image = SentImage(n=3, file_id="f", sent_as="photo")
    assert shown_by("files", [1, 2], [image]) == [(1, "file", 3), (2, "file", None)]
    assert shown_by("notice", [1], [image]) == [(1, "notice", None)]


async def test_a_progress_message_is_noted_with_its_task(
    store: TaskStore, clock: HandClock
) -> None:
    """A reply to the message that tells how a task goes finds the task."""
    task = await add(store, chat_id=7)
    clock.move(5)
    await store.note_progress_message(task.id, 20)
    message = TaskMessage(
        chat_id=7, message_id=20, task_id=task.id, role="progress", sent_at=clock.now()
    )
    assert await store.task_at(7, 20) == message
    assert await store.messages_of(task.id) == [message]


async def test_a_message_is_replaced_and_goes(store: TaskStore) -> None:
    """A message that becomes another task's, or another thing, is that from then on; one that is gone is nobody's."""
    first, second = await add(store, 1), await add(store, 2)
    await store.note_message(first.id, 5, 20, "buttons", START)
    await store.note_message(second.id, 5, 20, "picture", START, n=1)
    assert await store.messages_of(first.id) == []
    assert _about(await store.task_at(5, 20)) == (second.id, "picture", 1)
    await store.note_message(second.id, 5, 19, "other", START)
    assert [one.message_id for one in await store.messages_of(second.id)] == [19, 20]
    await store.message_gone(5, 20)
    await store.message_gone(5, 20)
    assert await store.task_at(5, 20) is None
    assert [one.message_id for one in await store.messages_of(second.id)] == [19]


async def test_no_message_of_an_unknown_or_forgotten_task_is_noted(store: TaskStore) -> None:
    """Where a person's ids are forgotten, none come back."""
    task = await reach(store, TaskState.CANCELLED)
    await store.prune(now=START, inbox_before=START, finished_before=START + HOUR, limit=9)
    for task_id in (task.id, 99):
        await store.note_message(task_id, 5, 20, "notice", START)
    await store.note_progress_message(task.id, 21)
    assert [await store.task_at(5, n) for n in (20, 21)] == [None, None]


async def test_the_latest_task_of_a_message_is_found(store: TaskStore) -> None:
    """A photo that made several tasks gives its latest, and only to the person who sent it."""
    await add(store, 1)
    latest = await add(store, 2)
    assert await store.task_from(5, 5, 9) == latest
    keys = ((6, 5, 9), (5, 6, 9), (5, 5, 8))
    assert [await store.task_from(*key) for key in keys] == [None] * 3


async def test_progress_of_stopped_tasks_is_put_away(store: TaskStore) -> None:
    """Stopped tasks are named until their progress message has been put away, and no others are."""
    ids = []
    for n in range(3):
        task = await add(store, n, chat_id=n + 1)
        await store.note_progress_message(task.id, 20)
        ids.append(task.id)
    await add(store, 9, chat_id=1)
    for n in range(2):
        await store.cancel_queued(5, n + 1, START)
    assert [one.id for one in await store.stale_progress(9)] == ids[:2]
    assert [one.id for one in await store.stale_progress(1)] == ids[:1]
    await store.progress_put_away(ids[0])
    await store.progress_put_away(99)
    assert [one.id for one in await store.stale_progress(9)] == ids[1:2]
    assert there(await store.get(ids[0])).progress_message_id is None


# --- preferences, views, facts


async def test_choices_are_kept_by_whose_they_are(store: TaskStore) -> None:
    """A person's choices are not a chat's; a later one replaces, None takes it back."""
    await store.set_preference("user", 5, "ratio", "16:9")
    await store.set_preference("user", 5, "count", "4")
    await store.set_preference("chat", 5, "ratio", "1:1")
    await store.set_preference("user", 5, "ratio", "9:16")
    assert await store.preferences("user", 5) == {"ratio": "9:16", "count": "4"}
    assert await store.preferences("chat", 5) == {"ratio": "1:1"}
    await store.set_preference("user", 5, "ratio", None)
    await store.set_preference("user", 6, "ratio", None)
    assert await store.preferences("user", 5) == {"count": "4"}
    assert await store.preferences("user", 6) == {}


async def test_a_view_is_kept_as_it_came(store: TaskStore) -> None:
    """An update that comes again finds the view that it made; another one makes its own."""
    view = await store.add_view(_VIEW, START)
    assert (view.kind, view.user_id, view.chat_id, view.words) == ("history", 5, -5, "ä 'x'")
    assert view.created_at == START
    assert await store.add_view(replace(_VIEW, words="other"), START + HOUR) == view
    other = await store.add_view(replace(_VIEW, origin=Origin(bot_id=BOT, update_id=2)), START)
    assert other.id > view.id
    assert await store.view(view.id) == view
    assert await store.view(99) is None


async def test_a_shared_view_is_made_once(store: TaskStore) -> None:
    """Who asks for the same list again gets the same row, as young as if it were new: lists don't heap up."""
    view = await store.add_view(_VIEW, START)
    again = replace(_VIEW, origin=Origin(bot_id=BOT, update_id=2), shared=True)
    assert await store.add_view(again, START + HOUR) == replace(view, created_at=START + HOUR)
    assert await store.view(view.id) == replace(view, created_at=START + HOUR)
    others: list[dict[str, Any]] = [
        {"user_id": 6},
        {"chat_id": 6},
        {"kind": "status"},
        {"words": ""},
    ]
    for n, other in enumerate(others):
        origin = Origin(bot_id=BOT, update_id=3 + n)
        made = await store.add_view(replace(again, origin=origin, **other), START)
        assert made.id > view.id


async def test_a_view_is_found_by_its_words(store: TaskStore) -> None:
    """The latest view of a kind in a chat is found by exactly its words."""
    await store.add_view(_VIEW, START)
    later = replace(_VIEW, origin=Origin(bot_id=BOT, update_id=2), user_id=6)
    view = await store.add_view(later, START)
    assert await store.find_view(_VIEW.kind, _VIEW.chat_id, _VIEW.words) == view
    assert await store.find_view("status", _VIEW.chat_id, _VIEW.words) is None
    assert await store.find_view(_VIEW.kind, 5, _VIEW.words) is None
    assert await store.find_view(_VIEW.kind, _VIEW.chat_id, "") is None


async def test_a_fact_lasts(store: TaskStore) -> None:
    """A small text is there until another takes its place."""
    assert await store.fact("menu") is None
    await store.note_fact("menu", "one")
    await store.note_fact("menu", "two")
    assert await store.fact("menu") == "two"
    assert await store.fact("other") is None


# --- a group that becomes a supergroup


async def test_a_moved_group_takes_its_conversation_along(store: TaskStore) -> None:
    """Choices and views go along, what was chosen there stays; message ids mean nothing any more."""
    running = await add(store, 1, chat_id=-5)
    stopped = await add(store, 2, user_id=6, chat_id=-5)
    other = await add(store, 3, chat_id=6)
    for n, task in enumerate((running, stopped, other)):
        await store.note_progress_message(task.id, 20 + n)
    await store.cancel_queued(6, -5, START)
    view = await store.add_view(_VIEW, START)
    await store.set_preference("chat", -5, "ratio", "1:1")
    await store.set_preference("chat", -5, "count", "2")
    await store.set_preference("chat", -1005, "count", "4")
    await store.set_preference("user", -5, "count", "3")
    await store.move_chat(-5, -1005)
    assert await store.preferences("chat", -1005) == {"ratio": "1:1", "count": "4"}
    assert await store.preferences("chat", -5) == {}
    assert await store.preferences("user", -1005) == {"count": "3"}, "written in the group's name"
    assert await store.view(view.id) == replace(view, chat_id=-1005)
    assert await store.stale_progress(9) == [], "nothing in the new group has that number for us"
    for chat_id, n in ((-5, 20), (-1005, 20), (-5, 21)):
        assert await store.task_at(chat_id, n) is None
    assert _about(await store.task_at(6, 22)) == (other.id, "progress", None)


async def test_a_group_that_moves_nowhere_stays_as_it_is(store: TaskStore) -> None:
    """A move to the same id changes nothing."""
    task = await add(store, 1, chat_id=-5)
    await store.note_progress_message(task.id, 20)
    await store.set_preference("chat", -5, "ratio", "1:1")
    before = await store.get(task.id)
    await store.move_chat(-5, -5)
    assert await store.get(task.id) == before
    assert await store.preferences("chat", -5) == {"ratio": "1:1"}
    assert await store.task_at(-5, 20) is not None
