"""Photos on their way to their turn: what Telegram's file service is asked, and how often."""

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bot.images import Images, Photo
from bot.messages import Fetched, FileOutcome, Later, Missing
from bot.preparer import Preparer
from bot.worker import Busy
from storage.clock import Clock
from storage.memory import MemoryStore
from storage.tasks import Failure, NewTask, Origin, Place, Settings, Task, TaskState
from storage.tasks import Photo as SentPhoto
from tests.storage.making import add
from tests.time_machine import LoopClock, at_once


class Telegram:
    """The files' half of Telegram, as it is told to answer."""

    def __init__(self, answer: Callable[[], FileOutcome]) -> None:
        self.answer = answer
        self.asked: list[float] = []

    async def fetch(self, file_id: str) -> FileOutcome:
        """Give a file, or not."""
        self.asked.append(LoopClock().monotonic())
        return self.answer()


class AsTheyAre(Images):
    """Images that need no work: a thread has no time to skip."""

    busy = False

    async def to_jpeg(self, content: bytes) -> Photo:
        """Give the image as it is."""
        if self.busy:
            raise Busy("3 threads are stuck")
        return Photo(content=content, width=30, height=20)


class Line:
    """Some tasks, and what looks after their photos."""

    def __init__(self, answer: Callable[[], FileOutcome]) -> None:
        self.clock: Clock = LoopClock()
        self.store = MemoryStore(self.clock)
        self.telegram = Telegram(answer)
        self.images = AsTheyAre(max_megapixels=1)
        chat: Any = self.telegram  # nothing else of the port is used
        self.preparer = Preparer(store=self.store, chat=chat, images=self.images, clock=self.clock)

    async def go_on(self, seconds: float) -> None:
        """Do for so long what the dispatcher does with its line."""
        end = self.clock.monotonic() + seconds
        while self.clock.monotonic() < end:
            await self.store.requeue_due(self.clock.now())
            line = await self.store.next_queued(3)
            self.preparer.look_ahead(line)
            await self.clock.sleep(0.1)
            for task in line:
                if self.preparer.is_done(task) and self.preparer.result(task) is None:
                    self.preparer.let_go(task.id)

    async def task(self, task_id: int) -> Task:
        """Look a task up."""
        task = await self.store.get(task_id)
        assert task is not None
        return task


FILE = Fetched(content=b"picture")


def test_what_is_held_ready_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound nothing more is made ready; the head always is, wherever it comes from."""
    monkeypatch.setattr("bot.preparer.MOST_BYTES", 30)

    async def work() -> None:
        line = Line(lambda: Fetched(content=b"twelve bytes"))
        tasks = [await add(line.store, n, user_id=n) for n in range(9)]
        most = 0
        for _ in range(20):
            line.preparer.look_ahead(await line.store.next_queued(9))
            await line.clock.sleep(0.1)
            most = max(most, sum(line.preparer.is_done(task) for task in tasks))
        assert most == 1, "two photos of sixteen characters; the next task waits with its first one"
        last = tasks[-1]
        line.preparer.look_ahead([last, *tasks[:-1]])
        await line.clock.sleep(0.1)
        assert line.preparer.is_done(last)
        line.preparer.close()

    at_once(work())


def test_few_are_made_ready_at_once() -> None:
    """However long the line is, only so many photos are fetched side by side."""

    async def work() -> None:
        line = Line(lambda: FILE)
        fetching, most = 0, 0

        async def fetch(file_id: str) -> FileOutcome:
            nonlocal fetching, most
            fetching += 1
            most = max(most, fetching)
            await line.clock.sleep(1)
            fetching -= 1
            return FILE

        line.telegram.fetch = fetch  # type: ignore[method-assign]
        for n in range(9):
            await add(line.store, n)
        for _ in range(100):
            line.preparer.look_ahead(await line.store.next_queued(9))
            await line.clock.sleep(0.1)
        assert most == 2
        line.preparer.close()

    at_once(work())


def test_large_files_are_taken_one_at_a_time() -> None:
    """Files that only a Bot API server of one's own gives are never in memory together."""

    async def work() -> None:
        line = Line(lambda: FILE)
        fetching: list[str] = []
        seen: set[tuple[str, ...]] = set()

        async def fetch(file_id: str) -> FileOutcome:
            fetching.append(file_id)
            seen.add(tuple(sorted(fetching)))
            await line.clock.sleep(1)
            fetching.remove(file_id)
            return FILE

        line.telegram.fetch = fetch  # type: ignore[method-assign]
        for n, (name, size) in enumerate(
            [("big", 20_000_001), ("big", 99_000_000), ("small", 20_000_000)]
        ):
            photo = SentPhoto(file_id=name, file_unique_id=name, size=size)
            await line.store.add(_several(photo, n=n), now=line.clock.now(), max_unfinished=None)
        for _ in range(60):
            line.preparer.look_ahead(await line.store.next_queued(9))
            await line.clock.sleep(0.1)
        assert seen == {("big",), ("big", "small")}
        line.preparer.close()

    at_once(work())


def test_a_pause_that_telegram_asks_for_is_kept() -> None:
    """While Telegram wants no getFile, none comes, whoever's photo it is for; then all are had."""
    answers: list[FileOutcome] = [Later(seconds=60, reason="flood control")]

    async def work() -> None:
        line = Line(lambda: answers.pop() if answers else FILE)
        start = line.clock.now()
        tasks = [await add(line.store, n) for n in range(6)]
        await line.go_on(2)
        refused = await line.task(tasks[0].id)
        assert refused.state is TaskState.WAITING
        assert refused.due_at is not None
        assert refused.due_at >= start + timedelta(seconds=60)
        await line.go_on(57)
        assert len(line.telegram.asked) <= 2  # those that were under way already
        assert max(line.telegram.asked) < 1
        await line.go_on(4)
        assert min(at for at in line.telegram.asked if at > 1) >= 60
        assert line.preparer.is_done((await line.store.next_queued(1))[0])
        line.preparer.close()

    at_once(work())


def test_an_outage_costs_few_calls() -> None:
    """While Telegram's files can't be had, the whole line together asks ever more seldom."""

    async def work() -> None:
        line = Line(lambda: Later(seconds=2, reason="ConnectError"))
        for n in range(30):
            await add(line.store, n)
        await line.go_on(300)
        asked = line.telegram.asked
        assert 10 < len(asked) < 60
        # the last ones come 30 s apart, up to two at once
        assert len([at for at in asked if at > 240]) <= 6
        line.telegram.answer = lambda: FILE
        await line.go_on(40)
        head = (await line.store.next_queued(1))[0]
        assert line.preparer.result(head) is not None
        line.preparer.close()

    at_once(work())


def test_a_photo_that_is_gone_holds_nobody_up() -> None:
    """What Telegram says of one file is no reason to wait with the others."""
    answers: list[FileOutcome] = [*[FILE] * 4, Missing(reason="gone")]

    async def work() -> None:
        line = Line(answers.pop)
        tasks = [await add(line.store, n) for n in range(3)]
        await line.go_on(0.3)
        gone = await line.task(tasks[0].id)
        assert gone.failure is not None
        assert gone.failure == Failure(id="one-of-several", data={"number": 1, "why": "photo-gone"})
        await line.go_on(0.5)
        assert all(line.preparer.result(task) for task in tasks[1:])
        line.preparer.close()

    at_once(work())


def test_too_much_stuck_work_is_waited_out() -> None:
    """While nothing can be decoded, a task fails for no reason of its own: it is tried again."""

    async def work() -> None:
        line = Line(lambda: FILE)
        line.images.busy = True
        task = await add(line.store)
        await line.go_on(1)
        assert (await line.task(task.id)).state is TaskState.WAITING
        line.images.busy = False
        await line.go_on(5)
        assert line.preparer.result(await line.task(task.id)) is not None
        line.preparer.close()

    at_once(work())


def _several(*photos: SentPhoto, n: int = 1, ratio: str | None = None) -> NewTask:
    return NewTask(
        origin=Origin(bot_id=1, update_id=n),
        user_id=n,
        place=Place(chat_id=n, chat_type="private", message_id=n),
        photos=photos,
        settings=Settings(prompt="p", ratio=ratio),
    )


def _sent(name: str) -> SentPhoto:
    return SentPhoto(file_id=name, file_unique_id=name)


URL = SentPhoto(file_id="", file_unique_id="", kind="url", url="https://example.com/a.jpg")


def test_links_are_passed_on_as_they_are() -> None:
    """A link is never fetched here; its shape is square where nothing else is said, whatever follows."""

    async def work() -> None:
        line = Line(lambda: FILE)
        for n, photos in enumerate(((URL,), (URL, _sent("a")), (_sent("a"), URL)), 1):
            task = await line.store.add(
                _several(*photos, n=n), now=line.clock.now(), max_unfinished=None
            )
            line.preparer.look_ahead([task])
            await line.clock.sleep(0.1)
            prepared = line.preparer.result(task)
            assert prepared is not None
            file = base64.b64encode(b"picture").decode()
            assert prepared.images == tuple(photo.url or file for photo in photos)
            assert prepared.ratio == ("1:1" if photos[0] == URL else "3:2")
        assert len(line.telegram.asked) == 2
        line.preparer.close()

    at_once(work())


def test_many_photos_of_many_tasks_stay_within_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks with ten photos wait between them; the head gets all of its own, and then they go on."""
    monkeypatch.setattr("bot.preparer.MOST_BYTES", 100)

    async def work() -> None:
        line = Line(lambda: Fetched(content=b"twelve bytes"))
        for n in range(1, 5):
            photos = [_sent(f"{n} {m}") for m in range(10)]
            await line.store.add(_several(*photos, n=n), now=line.clock.now(), max_unfinished=None)
        tasks = await line.store.next_queued(4)
        while tasks:
            line.preparer.look_ahead(tasks)
            await line.clock.sleep(0.1)
            assert line.preparer.held <= 100 + 160 + 2 * 16
            if line.preparer.is_done(tasks[0]):
                prepared = line.preparer.result(tasks[0])
                assert prepared is not None
                assert len(prepared.images) == 10
                line.preparer.let_go(tasks.pop(0).id)
        assert line.preparer.held == 0
        line.preparer.close()

    at_once(work())


def test_a_task_that_has_changed_is_made_ready_anew() -> None:
    """Another ratio, or one more photo, is what is handed in: not what was made ready before."""

    async def work() -> None:
        line = Line(lambda: FILE)
        before = await line.store.add(
            _several(_sent("a")), now=line.clock.now(), max_unfinished=None
        )
        line.preparer.look_ahead([before])
        await line.clock.sleep(0.1)
        assert line.preparer.is_done(before)
        after = await line.store.change(
            before, settings=Settings(prompt="q", ratio="1:1"), photos=(_sent("a"), _sent("b"))
        )
        assert after is not None
        assert not line.preparer.is_done(after)
        line.preparer.look_ahead([after])
        await line.clock.sleep(0.1)
        prepared = line.preparer.result(after)
        assert prepared is not None
        assert (len(prepared.images), prepared.ratio) == (2, "1:1")
        line.preparer.close()

    at_once(work())
