"""Tasks, updates and drafts for the store's tests, and a clock that they turn by hand."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from storage.store import TaskStore
from storage.tasks import (
    Album,
    AlbumPart,
    ImageState,
    NewDraft,
    NewTask,
    NewUpdate,
    Origin,
    Photo,
    Place,
    Settings,
    Task,
    TaskState,
)

START: Final = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
OWNER: Final = "this start"
BOT: Final = 77


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        waiter = asyncio.get_running_loop().create_future()
        entry = (self.seconds + seconds, waiter)
        self.sleepers.append(entry)
        try:
            await waiter
        finally:
            self.sleepers.remove(entry)

    def move(self, seconds: float) -> None:
        self.seconds += seconds
        for due, waiter in self.sleepers:
            if due <= self.seconds and not waiter.done():
                waiter.set_result(None)


def photo(name: str = "photo") -> Photo:
    """Give a photo as Telegram knows it."""
    return Photo(file_id=name, file_unique_id=f"unique {name}", width=1280, height=960)


def place(chat_id: int, message_id: int = 9) -> Place:
    """Give a place in a chat, in a topic."""
    return Place(chat_id=chat_id, chat_type="private", message_id=message_id, thread_id=4)


def new_task(
    update_id: int = 1,
    *,
    user_id: int = 5,
    chat_id: int | None = None,
    count: int = 2,
    parent_id: int | None = None,
    draft_id: int | None = None,
) -> NewTask:
    """Give a task to be added, in the person's own chat if none is named."""
    return NewTask(
        origin=Origin(bot_id=BOT, update_id=update_id),
        user_id=user_id,
        place=place(user_id if chat_id is None else chat_id),
        photos=(photo(), photo("other")),
        settings=Settings(prompt="snow ❄ 'x'", negative="text", ratio="16:9", count=count),
        language="de",
        parent_id=parent_id,
        draft_id=draft_id,
    )


def new_draft(update_id: int = 1, *, user_id: int = 5, chat_id: int = 5) -> NewDraft:
    """Give photos without words."""
    return NewDraft(
        origin=Origin(bot_id=BOT, update_id=update_id),
        user_id=user_id,
        place=place(chat_id),
        photos=(photo(),),
        caption="/n 2",
        language="de",
        parent_id=3,
    )


def update(update_id: int, chat_id: int | None = 5) -> NewUpdate:
    """Give an update as it comes."""
    return NewUpdate(update_id=update_id, chat_id=chat_id, raw=f'{{"update_id": {update_id}}}')


async def add(
    store: TaskStore, update_id: int = 1, *, user_id: int = 5, chat_id: int | None = None
) -> Task:
    """Queue a task."""
    new = new_task(update_id, user_id=user_id, chat_id=chat_id)
    return await store.add(new, now=START, max_unfinished=None)


async def claim(
    store: TaskStore,
    task: Task,
    *,
    owner: str = OWNER,
    parallel: int = 1000,
    now: datetime = START,
    held_until: datetime = START + HOUR,
    callback_hash: str | None = None,
) -> Task | None:
    """Claim a task for handing in."""
    return await store.claim(
        task,
        owner=owner,
        lease_until=now + HOUR,
        request_id=f"request {task.id}.{task.claim_no}",
        ratio_used="16:9",
        parallel=parallel,
        now=now,
        held_until=held_until,
        callback_hash=callback_hash
        or f"hash {task.id}" + (f".{task.claim_no}" if task.claim_no else ""),
    )


async def accept(store: TaskStore, task: Task, *, name: str | None = None) -> Task | None:
    """Let HiDream accept a task, with two sub-tasks."""
    return await store.accepted(
        task,
        hidream_task_id=name or f"hidream {task.id}",
        sub_task_ids=["a", "b"],
        now=START,
        deadline_at=START + HOUR,
        held_until=START + 2 * HOUR,
    )


async def make_late(store: TaskStore, task: Task) -> None:
    """Let the images of a task that had expired come after all, and be stored."""
    for image in await store.images(task.id):
        if image.state is ImageState.EXPIRED:
            await store.image_late(task.id, image.n, "https://late")
            await store.image_stored(
                task.id, image.n, media_type="image/jpeg", width=2, height=1, size=3
            )


async def claim_delivery(
    store: TaskStore, *, owner: str = OWNER, now: datetime = START, busy: tuple[int, ...] = ()
) -> Task | None:
    """Claim what is to be delivered next."""
    return await store.claim_delivery(owner=owner, lease_until=now + HOUR, now=now, busy_chats=busy)


def there(task: Task | None) -> Task:
    """Give the task, which must be there."""
    assert task is not None
    return task


_BEFORE: Final[Mapping[TaskState, TaskState]] = {
    TaskState.WAITING: TaskState.QUEUED,
    TaskState.SUBMITTING: TaskState.QUEUED,
    TaskState.UNCERTAIN: TaskState.SUBMITTING,
    TaskState.RUNNING: TaskState.SUBMITTING,
    TaskState.READY: TaskState.RUNNING,
    TaskState.DELIVERING: TaskState.READY,
    TaskState.DELIVERED: TaskState.DELIVERING,
    TaskState.FAILED: TaskState.DELIVERING,
    TaskState.GONE: TaskState.DELIVERING,
    TaskState.CANCELLED: TaskState.QUEUED,
}


async def reach(
    store: TaskStore,
    state: TaskState,
    update_id: int = 1,
    *,
    user_id: int = 5,
    chat_id: int | None = None,
) -> Task:
    """Bring a new task into a state, by the way that tasks usually go."""
    if state is TaskState.QUEUED:
        return await add(store, update_id, user_id=user_id, chat_id=chat_id)
    task = await reach(store, _BEFORE[state], update_id, user_id=user_id, chat_id=chat_id)
    match state:
        case TaskState.WAITING:
            moved = await store.put_off(task, due_at=START + HOUR)
        case TaskState.SUBMITTING:
            moved = await claim(store, task)
        case TaskState.UNCERTAIN:
            moved = await store.unanswered(task, now=START, due_at=START)
        case TaskState.RUNNING:
            moved = await accept(store, task)
        case TaskState.READY:
            await store.image_made(task.id, 0, "https://x")
            await store.image_stored(task.id, 0, media_type="image/jpeg", width=2, height=1, size=3)
            await store.image_ended(task.id, 1, ImageState.EXPIRED, "bad")
            moved = await store.ready(task, now=START)
        case TaskState.DELIVERING:
            others = tuple(chat for chat in range(200) if chat != task.place.chat_id)
            moved = await claim_delivery(store, busy=others)
        case TaskState.DELIVERED | TaskState.FAILED | TaskState.GONE:
            moved = await store.finish(task, state, START)
        case TaskState.CANCELLED:
            await store.cancel_queued(task.user_id, task.place.chat_id, START)
            moved = await store.get(task.id)
    assert moved is not None
    assert (moved.id, moved.state) == (task.id, state)
    return moved


async def album_of(store: TaskStore, update_id: int, chat_id: int) -> None:
    """Let an album of one part have come in and been worked off."""
    part = AlbumPart(
        origin=Origin(bot_id=BOT, update_id=update_id),
        chat_id=chat_id,
        media_group_id="album",
        message_id=update_id,
        data="{}",
    )
    assert await store.album_part(part, now=START, due_at=START)
    await store.close_album(Album(chat_id=chat_id, media_group_id="album", parts=(part,)))
