"""What is kept of a person, and that nothing of it is left; the same in both stores."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from storage.memory import MemoryStore
from storage.people import KEY_FACT, concerns, hashed, is_from
from storage.sqlite import SqliteStore
from storage.store import TaskStore, TooManyUnfinished
from storage.tasks import (
    DRAFTS_KEPT,
    FINAL,
    AlbumPart,
    Failure,
    NewUpdate,
    NewView,
    Origin,
    SentImage,
    Settings,
    TaskMessage,
    TaskState,
    Topic,
)
from tests.storage.making import (
    BOT,
    HOUR,
    START,
    accept,
    add,
    album_of,
    claim_delivery,
    new_draft,
    new_task,
    reach,
    there,
)

SECOND: Final = timedelta(seconds=1)
WHO: Final = 987654321
GROUP: Final = -100555
OTHER: Final = 123456789
_ORDER: Final = (
    TaskState.CANCELLED,
    *(state for state in TaskState if state not in (TaskState.CANCELLED, TaskState.READY)),
)
"""READY ones come last, when all that is to be delivered has been."""
_THEIRS: Final = (str(WHO), "zebra", "secret")
"""What may be found nowhere once they are forgotten: their id, their words, their file ids."""


async def _written(store: TaskStore) -> str:
    """Give all that the store holds, as text."""
    if isinstance(store, MemoryStore):
        return repr(store._tables)
    assert isinstance(store, SqliteStore)
    tables = await store._rows("SELECT name FROM sqlite_master WHERE type = 'table'")
    rows = [
        tuple(row)
        for table in tables
        for row in await store._rows(f"SELECT * FROM {table['name']}")
    ]
    return repr(rows)


def _word(who: int) -> str:
    return "zebra secret" if who == WHO else "lion"


def _update(update_id: int, chat_id: int, who: int) -> NewUpdate:
    message = {"from": {"id": who}, "chat": {"id": chat_id}, "text": _word(who)}
    return NewUpdate(
        update_id=update_id,
        chat_id=chat_id,
        raw=json.dumps({"update_id": update_id, "message": message}),
    )


async def _live(store: TaskStore, who: int, first: int, chats: tuple[int, ...]) -> None:
    """Let somebody do everything that leaves something behind, in these chats."""
    n = first
    for chat_id in chats:
        for state in _ORDER:
            n += 1
            task = await reach(store, state, n, user_id=who, chat_id=chat_id)
            await store.note_progress_message(task.id, n)
            await store.note_message(task.id, chat_id, 1000 + n, "buttons", START)
        origin = Origin(bot_id=BOT, update_id=n)
        draft = replace(new_draft(n, user_id=who, chat_id=chat_id), caption=_word(who))
        await store.add_draft(draft, START)
        view = NewView(
            origin=origin, kind="history", user_id=who, chat_id=chat_id, words=_word(who)
        )
        await store.add_view(view, START)
        part = AlbumPart(
            origin=origin,
            chat_id=chat_id,
            media_group_id="g",
            message_id=n,
            data=json.dumps({"user_id": who, "text": _word(who)}),
        )
        await store.album_part(part, now=START, due_at=START)
        await store.receive(BOT, [_update(n + at, chat_id, who) for at in (100, 200)], START)
        for at in (100, 200):
            (row,) = [one for one in await store.inbox_heads(START, 99) if one.update_id == n + at]
            if at == 100:
                await store.inbox_done(row, START)
            else:
                await store.inbox_set_aside(row, error=_word(who), now=START)
    await store.set_preference("user", who, "negative", _word(who))
    await store.set_preference("chat", who, "ratio", "1:1")


async def _are_ready(store: TaskStore, who: int, first: int, chats: tuple[int, ...]) -> None:
    for n, chat_id in enumerate(chats):
        task = await reach(store, TaskState.READY, first + n, user_id=who, chat_id=chat_id)
        await store.note_progress_message(task.id, first + n)


async def _words(store: TaskStore) -> None:
    """Let every task of theirs have their words, and a picture of theirs."""
    if isinstance(store, MemoryStore):
        for task in store._tables.tasks.values():
            if task.user_id == WHO:
                settings = Settings(prompt="zebra", negative="zebra", silent=True)
                photos = (replace(task.photos[0], file_id="secret"),)
                words = replace(task, settings=settings, photos=photos, vendor_message="zebra")
                store._put(replace(words, failure=Failure(id="no", data={"word": "zebra"})))
        return
    assert isinstance(store, SqliteStore)
    await store._change(
        None,
        "UPDATE tasks SET prompt = 'zebra', negative = 'zebra', photos = ?,"
        " vendor_message = 'zebra', failure_id = 'no', failure_data = '{\"word\": \"zebra\"}'"
        " WHERE user_id = ?",
        ('[{"file_id": "secret", "file_unique_id": "secret"}]', WHO),
    )


async def test_nothing_of_a_forgotten_person_is_left(store: TaskStore) -> None:
    """No column of any table has their id, words or file ids; slots stay held, tallies true, and others' rows as they are."""
    await _live(store, WHO, 0, (WHO, GROUP))
    await _live(store, OTHER, 500, (OTHER, GROUP - 1))
    await _are_ready(store, WHO, 300, (WHO, GROUP))
    await _are_ready(store, OTHER, 400, (OTHER, GROUP - 1))
    await _words(store)
    held, others = await store.slots_held(START), await store.tasks_of(OTHER, limit=99)
    kept = [piece async for piece in store.everything_of(OTHER)]
    before = await store.counts()
    forgotten = await store.forget_person(WHO, START)
    text = await _written(store)
    assert [one for one in _THEIRS if one in text] == []
    assert str(OTHER) in text
    assert await store.slots_held(START) == held
    assert await store.tasks_of(OTHER, limit=99) == others
    assert [piece async for piece in store.everything_of(OTHER)] == kept
    assert [piece async for piece in store.everything_of(WHO)] == []
    # Of each kind two, for they were in two chats.
    assert (forgotten.cancelled, forgotten.stopped) == (4, 6)
    assert len(forgotten.task_ids) == 2 * len(TaskState)
    assert {one.chat_id for one in forgotten.messages} == {WHO, GROUP}
    assert len(forgotten.messages) == 2 * len(set(TaskState) - FINAL | {TaskState.CANCELLED})
    counts = await store.counts()
    open_ones = ("queued", "waiting", "uncertain", "running", "ready", "delivering")
    assert {state: before[state] - counts[state] for state in open_ones} == dict.fromkeys(
        open_ones, 2
    )
    assert counts["cancelled"] == before["cancelled"] + 12
    assert counts["submitting"] == before["submitting"]


async def test_what_is_held_is_forgotten_with_the_slot(store: TaskStore) -> None:
    """HiDream's id is kept until its end is read; then nothing of the task is, whether or not there is a retention."""
    task = await reach(store, TaskState.RUNNING)
    await store.forget_person(5, START)
    [listed] = await store.running(late_since=START)
    assert (listed.hidream_task_id, listed.task.user_id) == (f"hidream {task.id}", 0)
    assert (listed.task.state, listed.task.pruned) == (TaskState.CANCELLED, True)
    assert there(await store.called_back(f"hash {task.id}", None)).id == task.id

    async def prune() -> int:
        return await store.prune(now=START, inbox_before=START, finished_before=None, limit=9)

    assert await prune() == 0
    await store.release(f"hidream {task.id}", START)
    assert (await prune(), await prune()) == (1, 0)
    assert f"hidream {task.id}" not in await _written(store)
    assert await store.called_back(f"hash {task.id}", None) is None


async def test_a_hold_that_is_never_given_back_is_forgotten_at_its_end(store: TaskStore) -> None:
    """A slot that runs out by itself keeps nothing longer than that."""
    await reach(store, TaskState.UNCERTAIN)
    await store.forget_person(5, START)

    async def prune(hours: int) -> int:
        now = START + hours * HOUR
        return await store.prune(now=now, inbox_before=START, finished_before=None, limit=9)

    assert [await prune(0), await prune(2), await prune(3)] == [0, 1, 0]


async def test_forgetting_gives_no_more_than_is_allowed(store: TaskStore) -> None:
    """What a forgotten person still has at HiDream counts as theirs until its slot is free, and for nobody else."""
    running = await reach(store, TaskState.RUNNING, 1)
    await reach(store, TaskState.SUBMITTING, 2)
    await add(store, 3)
    await store.forget_person(5, START)
    with pytest.raises(TooManyUnfinished) as caught:
        await store.add(new_task(4), now=START, max_unfinished=2)
    assert (caught.value.unfinished, caught.value.allowed) == (2, 2)
    await store.add(new_task(5, user_id=6), now=START, max_unfinished=1)
    await store.release(running.hidream_task_id or "", START)
    await store.add(new_task(4), now=START, max_unfinished=2)


async def test_a_key_is_made_once(store: TaskStore) -> None:
    """The hash of a person stays the same, and tells nothing without the key."""
    await reach(store, TaskState.RUNNING, 1)
    await store.forget_person(5, START)
    key = await store.fact(KEY_FACT)
    await reach(store, TaskState.RUNNING, 2)
    await store.forget_person(5, START)
    assert key is not None
    assert await store.fact(KEY_FACT) == key
    assert hashed(key, 5) != hashed("00" * 32, 5)
    with pytest.raises(TooManyUnfinished):
        await store.add(new_task(3), now=START, max_unfinished=2)


async def test_a_forgotten_submission_ends_with_its_answer(store: TaskStore) -> None:
    """Whoever has it in hand can still say what became of it: nothing comes of it but that its slot is free."""
    submitting = await reach(store, TaskState.SUBMITTING)
    await store.forget_person(5, START)
    assert await store.unannounced(9) == []
    over = there(await accept(store, submitting))
    assert (over.state, over.user_id, over.pruned) == (TaskState.CANCELLED, 0, True)
    assert await store.slots_held(START) == 1
    await store.release("hidream 1", START)
    assert await store.slots_held(START) == 0


async def test_hidreams_words_on_a_forgotten_task_are_not_kept(store: TaskStore) -> None:
    """A refusal that comes when nobody is there to hear of it leaves no words, for they may be the person's."""
    submitting = await reach(store, TaskState.SUBMITTING)
    await store.forget_person(5, START)
    there(await store.ready(submitting, now=START, vendor_message="zebra"))
    assert "zebra" not in await _written(store)


async def test_a_delivery_under_way_does_no_harm(store: TaskStore) -> None:
    """Whoever is delivering a forgotten task notes nothing more of it, and moves it nowhere."""
    await reach(store, TaskState.READY)
    delivering = there(await claim_delivery(store))
    await store.step_started(delivering, "pictures", START)
    mark = store.mark(Topic.READY)
    await store.forget_person(5, START)
    assert store.mark(Topic.READY) > mark, "its chat is free"
    image = SentImage(n=0, file_id="secret", sent_as="photo")
    assert not await store.step_sent(delivering, "pictures", [1], [image], START)
    assert await store.step_started(delivering, "buttons", START) is None
    assert await store.finish(delivering, TaskState.DELIVERED, START) is None
    assert await store.deliver_later(delivering, due_at=START) is None
    await store.note_message(delivering.id, 5, 3, "buttons", START)
    there(await store.note_progress_message(delivering.id, 4))
    assert await store.stale_progress(9) == []
    assert "secret" not in await _written(store)


async def test_what_is_still_to_be_handled_is_handled(store: TaskStore) -> None:
    """Updates that wait stay, and say nothing of the chat they came from once they are done."""
    await store.receive(BOT, [_update(1, WHO, WHO)], START)
    await store.forget_person(WHO, START)
    [row] = await store.inbox_heads(START, 9)
    await store.inbox_done(row, START)
    assert str(WHO) not in await _written(store)


async def test_a_chat_that_stands_for_somebody_keeps_what_is_the_chats(store: TaskStore) -> None:
    """Where an anonymous admin is forgotten, what the group has chosen stays, and so do others' albums."""
    await store.set_preference("chat", GROUP, "ratio", "1:1")
    await store.set_preference("user", GROUP, "ratio", "4:3")
    await album_of(store, 1, GROUP)
    await add(store, 1, user_id=GROUP, chat_id=GROUP)
    assert (await store.forget_person(GROUP, START)).cancelled == 1
    assert await store.preferences("chat", GROUP) == {"ratio": "1:1"}
    assert await store.preferences("user", GROUP) == {}
    assert await store.album_origin(GROUP, "album") is not None


async def test_everything_is_told(store: TaskStore) -> None:
    """All rows of a person come out, as JSON, in batches; nobody else's do."""
    await _live(store, WHO, 0, (WHO,))
    await _live(store, OTHER, 500, (OTHER,))
    await _are_ready(store, WHO, 300, (WHO,))
    await store.receive(BOT, [_update(900, WHO, WHO)], START)
    for n in range(1000, 1120):
        await add(store, n, user_id=WHO)
    pieces = [piece async for piece in store.everything_of(WHO)]
    assert json.loads(json.dumps(pieces)) == [list(piece) for piece in pieces]
    found: dict[str, list[Any]] = {}
    for name, row in pieces:
        found.setdefault(name, []).append(row)
    sizes = {name: len(rows) for name, rows in found.items()}
    assert sizes["task"] == len(TaskState) + 120
    assert {name: n for name, n in sizes.items() if name in {"draft", "view", "album_part"}} == {
        "draft": 1,
        "view": 1,
        "album_part": 1,
    }
    assert (sizes["preference"], sizes["update"]) == (2, 2)
    assert {"image", "message", "submission"} <= set(found)
    assert found["task"][0]["settings"]["prompt"] == new_task().settings.prompt
    assert found["task"][0]["created_at"] == START.isoformat()
    assert str(OTHER) not in json.dumps(pieces)


async def test_pictures_are_forgotten_alone(store: TaskStore) -> None:
    """The task stays with its words; neither Telegram's ids nor the messages that show them do."""
    await reach(store, TaskState.READY)
    delivering = there(await claim_delivery(store))
    await store.step_started(delivering, "pictures", START)
    image = SentImage(n=0, file_id="secret", sent_as="photo")
    await store.step_sent(delivering, "pictures", [7], [image], START)
    task = there(await store.finish(delivering, TaskState.DELIVERED, START))
    await store.note_message(task.id, 5, 8, "buttons", START)
    assert await store.count_results(5) == 1
    await store.forget_pictures(task.id)
    assert await store.get(task.id) == task
    assert await store.count_results(5) == 0
    assert await store.messages_of(task.id) == [
        TaskMessage(chat_id=5, message_id=8, task_id=task.id, role="buttons", sent_at=START)
    ]
    assert "secret" not in await _written(store)


async def test_what_has_waited_too_long_is_forgotten(store: TaskStore) -> None:
    """Photos without words go after a month, and offers and lists with the retention, if there is one."""
    for n, kind in enumerate(("words", "prompt", "offer")):
        await store.add_draft(replace(new_draft(n), kind=kind), START)  # type: ignore[arg-type]
    view = NewView(origin=Origin(bot_id=BOT, update_id=9), kind="list", user_id=5, chat_id=5)
    made = await store.add_view(view, START)
    later = START + DRAFTS_KEPT + SECOND

    async def prune(*, retention: bool) -> int:
        before = START + SECOND if retention else None
        return await store.prune(now=later, inbox_before=START, finished_before=before, limit=9)

    assert [await prune(retention=False), await prune(retention=False)] == [2, 0]
    assert [await store.draft(n) is None for n in (1, 2, 3)] == [True, True, False]
    assert await store.view(made.id) == made
    assert await prune(retention=True) == 2
    assert (await store.draft(3), await store.view(made.id)) == (None, None)


@pytest.mark.parametrize(
    ("raw", "theirs", "named"),
    [
        ('{"message": {"from": {"id": 5}, "chat": {"id": 7}}}', True, True),
        ('{"callback_query": {"from": {"id": 5}, "data": "x"}}', True, True),
        ('{"message": {"from": {"id": 1}, "sender_chat": {"id": 5}}}', True, True),
        ('{"message": {"from": {"id": 1}, "reply_to_message": {"from": {"id": 5}}}}', False, True),
        ('{"message": {"from": {"id": 1}, "chat": {"id": 5}}}', False, True),
        ('{"message": {"from": {"id": 55}, "text": "5"}}', False, False),
        ('{"message": {"entities": [{"user": {"id": 5}}]}}', False, True),
        ("not JSON: 5", False, False),
        ('{"message": {"from": 5}}', False, False),
        ("[" * 9000, False, False),
    ],
)
def test_updates_are_somebodys(raw: str, theirs: bool, named: bool) -> None:
    """An update is whose it is from, or in whose name; it concerns whom it names anywhere."""
    assert (is_from(raw, 5), concerns(raw, 5)) == (theirs, named)
