"""The inbox, albums, and drafts: the same in both stores."""

from datetime import timedelta

from storage.store import TaskStore
from storage.tasks import Topic
from tests.storage.making import BOT, HOUR, START, HandClock, new_draft, new_task, update


async def heads(store: TaskStore, *, limit: int = 10) -> list[int]:
    """Give the heads' update ids."""
    return [row.update_id for row in await store.inbox_heads(START, limit)]


async def test_received_updates_are_kept_once(store: TaskStore) -> None:
    """An update that comes again is dropped, one of another bot is not."""
    assert await store.receive(BOT, [update(1), update(2, 6)], START) == 2
    assert await store.receive(BOT, [update(2, 6), update(3, 7)], START) == 1
    assert await store.receive(BOT, [update(3, 7)], START) == 0
    assert await store.receive(BOT, [], START) == 0
    assert await store.receive(BOT + 1, [update(1, 8)], START) == 1
    assert await heads(store) == [1, 2, 3, 1]


async def test_a_handled_update_is_still_known(store: TaskStore) -> None:
    """After an update was handled, its repeat is dropped as well."""
    await store.receive(BOT, [update(1)], START)
    (row,) = await store.inbox_heads(START, 1)
    assert (row.bot_id, row.raw, row.tries, row.received_at) == (BOT, update(1).raw, 0, START)
    await store.inbox_done(row, START)
    assert await store.receive(BOT, [update(1)], START) == 0
    assert await heads(store) == []


async def test_only_the_first_update_of_a_chat_is_a_head(store: TaskStore) -> None:
    """Chats go side by side, and within a chat one update at a time; without a chat there is no order."""
    await store.receive(BOT, [update(1, 5), update(2, 6), update(3, 5)], START)
    await store.receive(BOT, [update(4, None), update(5, None)], START)
    assert await heads(store) == [1, 2, 4, 5]
    assert await heads(store, limit=1) == [1]
    await store.inbox_done((await store.inbox_heads(START, 1))[0], START)
    assert await heads(store) == [2, 3, 4, 5]


async def test_a_deferred_update_holds_its_chat_back(store: TaskStore) -> None:
    """While the first update of a chat waits, later ones of the same chat wait for it."""
    await store.receive(BOT, [update(1, 5), update(2, 5), update(3, 6)], START)
    assert await store.next_inbox_due() is None
    first = (await store.inbox_heads(START, 1))[0]
    due = START + timedelta(microseconds=1)
    await store.inbox_defer(first, due_at=due, error="oops", failed=True)
    assert await heads(store) == [3]
    assert await store.next_inbox_due() == due
    again = (await store.inbox_heads(due, 1))[0]
    assert (again.update_id, again.tries) == (1, 1)
    await store.inbox_defer(again, due_at=START, error="", failed=False)
    assert (await store.inbox_heads(START, 1))[0].tries == 1


async def test_no_loop_is_called_for_what_it_has_in_hand(store: TaskStore) -> None:
    """A chat in hand, or an update behind its chat's first, has no part in when the next one is due."""
    await store.receive(BOT, [update(1, 5), update(2, 6), update(3, None)], START)
    await store.receive(BOT + 1, [update(4, 5)], START)
    for hours, row in enumerate(await store.inbox_heads(START, 9), start=1):
        await store.inbox_defer(row, due_at=START + hours * HOUR, error="", failed=True)
    busy: list[tuple[int, int | None]] = []
    for hours, key in enumerate(((BOT, 5), (BOT, 6), (BOT, None), (BOT + 1, 5)), start=1):
        assert await store.next_inbox_due(busy=busy) == START + hours * HOUR
        busy.append(key)
    assert await store.next_inbox_due(busy=busy) is None
    await store.receive(BOT, [update(5, 7)], START)
    await store.move_chat(6, 7)
    await store.move_chat(5, 7)
    assert await store.next_inbox_due(busy={(BOT, None), (BOT + 1, 7)}) == START + HOUR
    (first,) = [row for row in await store.inbox_heads(START + HOUR, 9) if row.chat_id == 7]
    await store.inbox_defer(first, due_at=START + 9 * HOUR, error="", failed=True)
    assert await store.next_inbox_due(busy=[(BOT, None), (BOT + 1, 7)]) == START + 9 * HOUR


async def test_an_update_set_aside_is_in_nobodys_way(store: TaskStore) -> None:
    """After giving up on an update the next one of its chat is the head, for good."""
    await store.receive(BOT, [update(1, 5), update(2, 5)], START)
    first = (await store.inbox_heads(START, 1))[0]
    await store.inbox_set_aside(first, error="broken", now=START)
    assert await heads(store) == [2]
    mark = store.mark(Topic.INBOX)
    await store.inbox_done(first, START)
    await store.inbox_defer(first, due_at=START, error="", failed=True)
    await store.inbox_set_aside(first, error="", now=START)
    assert await heads(store) == [2]
    assert await store.next_inbox_due() is None
    assert store.mark(Topic.INBOX) == mark


async def test_a_draft_is_kept_as_it_came(store: TaskStore) -> None:
    """A draft gives back what was put in, and a repeated origin gives the same draft."""
    new = new_draft()
    draft = await store.add_draft(new, START)
    assert (draft.origin, draft.place, draft.photos) == (new.origin, new.place, new.photos)
    assert (draft.caption, draft.language, draft.parent_id) == ("/n 2", "de", 3)
    assert (draft.used, draft.question_id, draft.created_at) == (False, None, START)
    assert await store.add_draft(new, START + HOUR) == draft
    assert await store.open_draft(5, 5, START - HOUR) == draft


async def test_a_newer_draft_closes_the_older_one(store: TaskStore) -> None:
    """Words go to the newest photos of that person in that chat, and to no others'."""
    older = await store.add_draft(new_draft(1), START)
    await store.asked(older.id, 100)
    others = await store.add_draft(new_draft(2, user_id=6), START)
    elsewhere = await store.add_draft(new_draft(3, chat_id=8), START)
    newer = await store.add_draft(new_draft(4), START)
    assert await store.open_draft(5, 5, START - HOUR) == newer
    assert await store.open_draft(6, 5, START - HOUR) == others
    assert await store.open_draft(5, 8, START - HOUR) == elsewhere
    assert await store.open_draft(5, 9, START - HOUR) is None
    assert await store.open_draft(5, 5, START) is None
    by_question = await store.draft_asked_by(5, 5, 100)
    assert by_question is not None
    assert (by_question.id, by_question.question_id) == (older.id, 100)


async def test_a_question_finds_its_draft_also_when_it_was_used(store: TaskStore) -> None:
    """A task marks its draft as used; a reply to the question still finds it, another person's does not."""
    draft = await store.add_draft(new_draft(1), START)
    await store.asked(draft.id, 100)
    await store.asked(draft.id + 1, 101)
    await store.add(new_task(2, draft_id=draft.id), now=START, max_unfinished=None)
    assert await store.open_draft(5, 5, START - HOUR) is None
    used = await store.draft_asked_by(5, 5, 100)
    assert used is not None
    assert used.used
    assert await store.draft_asked_by(6, 5, 100) is None
    assert await store.draft_asked_by(5, 5, 101) is None


async def test_a_draft_id_is_never_given_twice(store: TaskStore, clock: HandClock) -> None:
    """A draft that came after a forgotten one has an id of its own."""
    old = await store.add_draft(new_draft(1), START)
    touched = await store.prune(
        now=START, inbox_before=START, finished_before=START + HOUR, limit=10
    )
    assert touched == 1
    assert (await store.add_draft(new_draft(2), START)).id > old.id
