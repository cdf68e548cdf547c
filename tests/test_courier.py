"""How a delivery ends, where that is not how it began."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from bot.courier import Courier
from bot.messages import Chat, Gone, Later, Outcome, Picture, Refused, Sent, Target
from bot.texts import Say
from storage.files import PictureFiles
from storage.memory import MemoryStore
from storage.tasks import ImageState, NewTask, Task, TaskState
from tests.engine import HiDream, Room, accepted, done, engine
from tests.storage.making import (
    START,
    HandClock,
    accept,
    claim,
    new_task,
    reach,
    there,
)
from tests.time_machine import at_once


class Picky:
    """A chat that takes no pictures."""

    def __init__(self) -> None:
        self.said: list[str] = []

    async def say(self, target: Target, *lines: Say, **_: Any) -> Outcome:
        """Take a text."""
        self.said += [line.id for line in lines]
        return Sent(message_ids=(len(self.said),))

    async def send_pictures(
        self, target: Target, pictures: Sequence[Picture], *lines: Say, **_: Any
    ) -> Outcome:
        """Refuse them, whatever they are."""
        return Refused(reason="no")


@pytest.mark.parametrize(("kept", "reason"), [(True, "telegram-refused"), (False, "pictures-lost")])
async def test_pictures_that_cannot_be_shown(tmp_path: Path, kept: bool, reason: str) -> None:
    """Where only a reason reaches the chat the task has failed, though its pictures were made."""
    store, files, chat = MemoryStore(HandClock()), PictureFiles(tmp_path), Picky()
    task = await reach(store, TaskState.READY)
    if kept:
        await files.put(task.id, 0, b"one")
    courier = Courier(store=store, chat=cast(Chat, chat), files=files, clock=HandClock())
    stop = asyncio.Event()
    running = asyncio.create_task(courier.run(stop))
    async with asyncio.timeout(5):
        while (now := await store.get(task.id)) is None or now.finished_at is None:
            await asyncio.sleep(0)
    stop.set()
    store.wake()
    await running
    assert (now.state, chat.said) == (TaskState.FAILED, [reason])


class Shelf:
    """A chat that keeps what it is sent, with how, and answers by `answers` first."""

    def __init__(self, *answers: Outcome) -> None:
        self.answers = list(answers)
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.deleted: list[int] = []

    def _taken(self, what: str, count: int, more: dict[str, Any]) -> Outcome:
        rows = more.get("buttons", ())
        more["buttons"] = [[button.data for button in row] for row in rows]
        self.sent.append((what, more))
        if self.answers and not isinstance(answer := self.answers.pop(0), Sent):
            return answer
        first = 100 * len(self.sent)
        return Sent(
            message_ids=tuple(range(first, first + count)),
            file_ids=tuple(f"file{n}" for n in range(count)),
        )

    async def say(self, target: Target, *lines: Say, **more: Any) -> Outcome:
        """Take a text."""
        return self._taken(lines[0].id, 1, {"reply_to": target.reply_to, **more})

    async def send_pictures(
        self, target: Target, pictures: Sequence[Picture], *lines: Say, **more: Any
    ) -> Outcome:
        """Take pictures."""
        return self._taken(lines[0].id, len(pictures), {"lines": lines, **more})

    async def delete(self, chat_id: int, message_id: int) -> Outcome:
        """Delete a message."""
        self.deleted.append(message_id)
        return Sent()


async def made(store: MemoryStore, files: PictureFiles, new: NewTask, *, both: bool = True) -> Task:
    """Bring a task with two images to where it waits for the courier."""
    task = await store.add(new, now=START, max_unfinished=None)
    running = there(await accept(store, there(await claim(store, task))))
    for n in (0, 1) if both else (0,):
        await store.image_made(task.id, n, "https://x")
        await store.image_stored(task.id, n, media_type="image/jpeg", width=2, height=1, size=3)
        await files.put(task.id, n, b"one")
    if not both:
        await store.image_ended(task.id, 1, ImageState.REFUSED, "no")
    return there(await store.ready(running, now=START))


_WITH_COURIER = {TaskState.READY, TaskState.DELIVERING}


async def brought(
    store: MemoryStore, files: PictureFiles, chat: Shelf, task: Task, *, after: float = 0
) -> Task:
    """Let the courier run, after so many seconds, until a task is no longer with it, or put off."""
    clock, stop, tries = HandClock(), asyncio.Event(), task.tries
    clock.move(after)
    courier = Courier(store=store, chat=cast(Chat, chat), files=files, clock=clock)
    running = asyncio.create_task(courier.run(stop))
    async with asyncio.timeout(5):
        while True:
            now = there(await store.get(task.id))
            if now.state not in _WITH_COURIER or now.tries > tries:
                break
            await asyncio.sleep(0)
    stop.set()
    store.wake()
    await running
    return there(await store.get(task.id))


BUTTONS = [["again:1", "ratio:1", "count:1:4"], ["words:1", "use:1"], ["file:1", "delete:1"]]


async def test_an_album_is_followed_by_its_buttons(tmp_path: Path) -> None:
    """An album's buttons come after it as a reply to its first picture, without a sound; all are noted."""
    store, files, chat = MemoryStore(HandClock()), PictureFiles(tmp_path), Shelf()
    task = await made(store, files, new_task())
    assert (await brought(store, files, chat, task)).state is TaskState.DELIVERED
    (_, album), (what, after) = chat.sent
    assert (album["buttons"], album["silent"], album["spoiler"]) == ([], False, False)
    assert (what, after["reply_to"], after["silent"]) == ("result-next", 100, True)
    assert after["buttons"] == BUTTONS
    noted = [(one.role, one.n) for one in await store.messages_of(task.id)]
    assert noted == [("picture", 0), ("picture", 1), ("buttons", None)]


@pytest.mark.parametrize(
    ("answer", "first", "then"),
    [
        (Later(seconds=9, reason="down"), TaskState.READY, ["result-next"]),
        (Refused(reason="no"), TaskState.DELIVERED, []),
    ],
)
async def test_buttons_that_do_not_arrive(
    tmp_path: Path, answer: Outcome, first: TaskState, then: list[str]
) -> None:
    """Where only the buttons did not arrive, they alone are sent again; a refusal spoils nothing."""
    store, files, chat = MemoryStore(HandClock()), PictureFiles(tmp_path), Shelf(Sent(), answer)
    task = await made(store, files, new_task())
    row = await brought(store, files, chat, task)
    assert row.state is first
    if first is TaskState.READY:
        row = await brought(store, files, chat, row, after=60)
    assert row.state is TaskState.DELIVERED
    assert [what for what, _ in chat.sent] == ["result", "result-next", *then]
    assert chat.sent[-1][1]["reply_to"] == 100


async def test_how_a_result_is_wanted(tmp_path: Path) -> None:
    """As files, silently, covered: as the settings and the photos say; a partial result has buttons, too."""
    store, files, chat = MemoryStore(HandClock()), PictureFiles(tmp_path), Shelf()
    plain = new_task()
    wanted = replace(
        plain,
        settings=replace(plain.settings, as_file=True, silent=True),
        photos=(plain.photos[0], replace(plain.photos[1], spoiler=True)),
    )
    task = await made(store, files, wanted, both=False)
    assert (await brought(store, files, chat, task)).state is TaskState.DELIVERED
    ((_, sent),) = chat.sent
    assert (sent["sent_as"], sent["silent"], sent["spoiler"]) == ("document", True, True)
    assert sent["buttons"] == [*BUTTONS[:2], ["delete:1"]], "a file is the original already"
    assert [line.id for line in sent["lines"]] == ["result", "partly", "missing-refused"]


async def test_what_is_there_of_an_album_is_brought(tmp_path: Path) -> None:
    """Where the file of one picture is gone, the other comes, and its caption says that one is missing."""
    store, files, chat = MemoryStore(HandClock()), PictureFiles(tmp_path), Shelf()
    task = await made(store, files, new_task())
    files.find(task.id, 0).unlink()
    assert (await brought(store, files, chat, task)).state is TaskState.DELIVERED
    ((_, sent),) = chat.sent
    assert [line.id for line in sent["lines"]] == ["result", "partly", "missing-unfetched"]
    assert [image.file_id for image in await store.images(task.id)] == [None, "file0"]


async def test_files_that_are_refused_go_as_photos(tmp_path: Path) -> None:
    """What is wanted as a file and not taken as one goes as a photo, also at a later try."""
    answers = Refused(reason="no"), Later(seconds=9, reason="down")
    store, files, chat = MemoryStore(HandClock()), PictureFiles(tmp_path), Shelf(*answers)
    plain = new_task()
    task = await made(
        store, files, replace(plain, settings=replace(plain.settings, as_file=True)), both=False
    )
    row = await brought(store, files, chat, task)
    assert row.state is TaskState.READY
    row = await brought(store, files, chat, row, after=60)
    assert row.state is TaskState.DELIVERED
    assert [more["sent_as"] for _, more in chat.sent] == ["document", "photo", "photo"]


async def test_a_chat_that_is_gone_has_nothing_in_line(tmp_path: Path) -> None:
    """Whoever blocked the bot gets nothing more: what is in line in that chat is cancelled, and no other."""
    store, files = MemoryStore(HandClock()), PictureFiles(tmp_path)
    chat = Shelf(Gone(reason="blocked"))
    task = await made(store, files, new_task())
    queued = [await reach(store, TaskState.QUEUED, n, user_id=n) for n in (5, 6)]
    waiting = await reach(store, TaskState.WAITING, 7, user_id=5)
    assert (await brought(store, files, chat, task)).state is TaskState.GONE
    states = [there(await store.get(one.id)).state for one in (*queued, waiting)]
    assert states == [TaskState.CANCELLED, TaskState.QUEUED, TaskState.CANCELLED]
    assert len(chat.sent) == 1


class Forgetful(Shelf):
    """A chat whose person is forgotten while a message is on its way."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__()
        self._store = store

    async def send_pictures(
        self, target: Target, pictures: Sequence[Picture], *lines: Say, **more: Any
    ) -> Outcome:
        """Take pictures, too late."""
        (task,) = self._store._tasks(TaskState.DELIVERING)
        self._store._put(replace(task, state=TaskState.CANCELLED))
        return await super().send_pictures(target, pictures, *lines, **more)


async def test_what_is_cancelled_on_its_way_is_taken_back(tmp_path: Path) -> None:
    """Nothing more is sent for a task that was forgotten meanwhile, and what just arrived is deleted."""
    store, files = MemoryStore(HandClock()), PictureFiles(tmp_path)
    chat = Forgetful(store)
    task = await made(store, files, new_task())
    assert (await brought(store, files, chat, task)).state is TaskState.CANCELLED
    assert len(chat.sent) == 1
    assert chat.deleted == [100, 101]


class Emptying(Shelf):
    """A chat whose person is forgotten just before a picture is read from the disk."""

    def __init__(self, store: MemoryStore, files: PictureFiles) -> None:
        super().__init__()
        self._store = store
        self._files = files

    async def send_pictures(
        self, target: Target, pictures: Sequence[Picture], *lines: Say, **more: Any
    ) -> Outcome:
        """Try to read them."""
        (task,) = self._store._tasks(TaskState.DELIVERING)
        await self._store.forget_person(task.user_id, START)
        await self._files.remove(task.id)
        for picture in pictures:
            cast(Path, picture.content).read_bytes()
        raise AssertionError


async def test_files_that_go_with_their_person_are_no_trouble(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A delivery whose files were forgotten under its hands ends without a message, and without noise."""
    store, files = MemoryStore(HandClock()), PictureFiles(tmp_path)
    chat = Emptying(store, files)
    task = await made(store, files, new_task())
    row = await brought(store, files, chat, task)
    assert (row.state, row.user_id, row.due_at) == (TaskState.CANCELLED, 0, None)
    assert chat.sent == []
    said = capsys.readouterr()
    assert "delivery_broke" not in said.out + said.err


# --- trouble at Telegram, in a loop in which time passes at once ----------------------------------

HOUR = 3_600.0
SLOW = range(1000, 1060)
"""Chats to which sending a picture takes an hour: more than there were lanes for in the past."""


class Troubled(Room):
    """A Telegram that is down until `up_at`, for all chats or for some, and slow to others."""

    def __init__(self) -> None:
        super().__init__()
        self.up_at = 0.0
        self.down_for: int | None = None
        self.tries = 0
        self.brought: list[tuple[float, int, str]] = []

    async def send_pictures(
        self, target: Target, pictures: Sequence[Picture], *lines: Say, **more: Any
    ) -> Outcome:
        """Take pictures, or not."""
        self.tries += 1
        now = asyncio.get_running_loop().time()
        if now < self.up_at and self.down_for in {None, target.chat_id}:
            return Later(seconds=2, reason="down")
        for picture in pictures:
            assert isinstance(picture.content, Path)
            assert picture.content.read_bytes() == b"picture"
        if target.chat_id in SLOW:
            await asyncio.sleep(HOUR)
        self.brought.append((now, target.chat_id, str(lines[0].data["caption"]).partition(" /")[0]))
        return await super().send_pictures(target, pictures, *lines, **more)


def test_telegram_down_for_an_hour_loses_nothing(tmp_path: Path) -> None:
    """Pictures wait on disk while Telegram is down, and each is brought once when it is back."""

    async def work() -> None:
        room = Troubled()
        hidream = HiDream(accepted, results=lambda task_id: done(task_id, 1, 1))
        async with engine(tmp_path, hidream, room=room) as world:
            room.up_at = HOUR
            tasks = [await world.photo(f"{n}", user=n, count=2) for n in range(1, 21)]
            for task in tasks:
                await world.reaches(task, TaskState.READY, TaskState.DELIVERING, within=300)
            await world.clock.sleep(HOUR / 2)
            assert len(list(tmp_path.glob("*/*"))) == 20 * 2, "the results wait on disk"
            assert room.pictures == []
            for task in tasks:
                row = await world.reaches(task, TaskState.DELIVERED, within=HOUR)
                assert row.uncertain == 0
            assert sorted(room.pictures) == list(range(1, 21))
            assert len(world.hidream.submitted) == 20, "a try to deliver submits nothing again"
            assert room.brought[-1][0] < HOUR + 75, "the longest pause between tries is a minute"
            assert room.tries < 20 * (HOUR / 45 + 8), "and they become few"

    at_once(work())


def test_the_order_in_a_chat_is_kept(tmp_path: Path) -> None:
    """While a chat takes nothing its later pictures wait behind the first; other chats get theirs."""

    async def work() -> None:
        room = Troubled()
        async with engine(tmp_path, HiDream(accepted), room=room) as world:
            room.up_at, room.down_for = HOUR, 1
            first = [await world.photo(f"first {n}", user=1) for n in range(4)]
            other = await world.photo("other", user=2)
            await world.reaches(other, TaskState.DELIVERED, within=60)
            for task in first:
                await world.reaches(task, TaskState.DELIVERED, within=HOUR + 100)
            shown = [prompt for _, chat, prompt in room.brought if chat == 1]
            assert shown == [f"first {n}" for n in range(4)]

    at_once(work())


def test_slow_chats_hold_nobody_up(tmp_path: Path) -> None:
    """Sixty chats to which a picture takes an hour delay no other chat's."""

    async def work() -> None:
        room = Troubled()
        async with engine(tmp_path, HiDream(accepted), room=room, parallel=100) as world:
            slow = [await world.photo("slow", user=chat) for chat in SLOW]
            for task in slow:
                await world.reaches(task, TaskState.DELIVERING, within=600)
            began = world.clock.monotonic()
            quick = [await world.photo("quick", user=n) for n in range(1, 21)]
            for task in quick:
                await world.reaches(task, TaskState.DELIVERED, within=120)
            assert world.clock.monotonic() - began < 120
            for task in slow:
                await world.reaches(task, TaskState.DELIVERED, within=2 * HOUR)

    at_once(work())
