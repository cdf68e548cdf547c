"""What a person has had made: turned over, searched, and where it came from; the same in both stores."""

from dataclasses import replace

import pytest

from storage.store import TaskStore
from storage.tasks import SentImage, Settings, Task, TaskState
from storage.words import has_words
from tests.storage.making import (
    START,
    accept,
    add,
    claim,
    claim_delivery,
    new_task,
    reach,
    there,
)


async def _result(
    store: TaskStore, update_id: int, prompt: str = "snow", *, user_id: int = 5, chat_id: int = 5
) -> Task:
    """Let a task be made and shown."""
    new = new_task(update_id, user_id=user_id, chat_id=chat_id)
    new = replace(new, settings=Settings(prompt=prompt))
    task = await store.add(new, now=START, max_unfinished=None)
    running = there(await accept(store, there(await claim(store, task))))
    there(await store.ready(running, now=START))
    delivering = there(await claim_delivery(store))
    await store.step_started(delivering, "pictures", START)
    image = SentImage(n=0, file_id=f"file {task.id}", sent_as="photo")
    await store.step_sent(delivering, "pictures", [task.id], [image], START)
    return there(await store.finish(delivering, TaskState.DELIVERED, START))


async def test_results_turn_over_both_ways(store: TaskStore) -> None:
    """From any result the ones before and after it follow, of this person, in this chat if asked."""
    first = await _result(store, 1)
    await reach(store, TaskState.FAILED, 2)
    await _result(store, 3, user_id=6)
    second = await _result(store, 4, chat_id=99)
    third = await _result(store, 5)
    await add(store, 6)
    assert await store.results_of(5, limit=9) == [third, second, first]
    assert await store.results_of(5, limit=1) == [third]
    assert await store.results_of(5, limit=1, before=third.id) == [second]
    assert await store.results_of(5, limit=1, after=first.id) == [second]
    assert await store.results_of(5, limit=9, after=first.id) == [second, third]
    assert await store.results_of(5, limit=9, after=third.id) == []
    assert await store.results_of(5, limit=9, chat_id=5) == [third, first]
    assert (await store.count_results(5), await store.count_results(5, chat_id=99)) == (3, 1)
    after = [await store.count_results(5, after=one.id) for one in (first, second, third)]
    assert after == [2, 1, 0]


async def test_results_are_found_by_their_words(store: TaskStore) -> None:
    """Each word must be in the prompt, in whatever letter case."""
    winter = await _result(store, 1, "Schnee im Wald, МОСКВА")
    await _result(store, 2, "Schnee am Meer")
    assert await store.results_of(5, limit=9, words="wald  SCHNEE") == [winter]
    assert await store.results_of(5, limit=9, words="москва") == [winter]
    assert [await store.count_results(5, words=one) for one in ("schnee", "50%", "_")] == [2, 0, 0]


async def test_a_task_knows_where_it_came_from(store: TaskStore) -> None:
    """The parents follow each other up to the first, or as many as are asked for."""
    tasks: list[Task] = []
    for n in range(4):
        new = new_task(n, parent_id=tasks[-1].id if tasks else None)
        tasks.append(await store.add(new, now=START, max_unfinished=None))
    assert await store.ancestors(tasks[3], 9) == [tasks[2], tasks[1], tasks[0]]
    assert await store.ancestors(tasks[3], 1) == [tasks[2]]
    assert await store.ancestors(tasks[0], 9) == []
    for wrong in (tasks[3].id, 99):  # itself, or none that was before it
        assert await store.ancestors(replace(tasks[3], parent_id=wrong), 9) == []
    assert await store.ancestors(replace(tasks[3], parent_id=0), 9) == []


@pytest.mark.parametrize(
    ("prompt", "words", "found"),
    [
        ("Straße", "STRASSE", True),
        ("ＡＢＣ", "abc", True),
        ("cafe\u0301 noir", "CAFÉ", True),
        ("ΣΊΣΥΦΟΣ", "σίσυφος", True),
        ("हिम में घर", "घर हिम", True),
        ("雪の森", "森", True),
        ("snow", "snow rain", False),
        ("snow", "", True),
    ],
)
def test_words_are_found_in_any_script(prompt: str, words: str, found: bool) -> None:
    """Letter case, width and how accents are written make no difference."""
    assert has_words(prompt, words) is found
