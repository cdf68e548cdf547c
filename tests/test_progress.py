"""Progress messages: what is shown is noted when it was shown, and looked up no oftener than shown."""

import asyncio
from collections.abc import Collection
from typing import Any, cast

from bot.account import Account
from bot.estimates import Estimates
from bot.messages import Chat, Dropped, Gone, Keyboard, Later, Outcome, Sent, Still, Target, Urgency
from bot.pace import Durations
from bot.progress import Progress
from bot.slots import Slots
from bot.texts import Say
from storage.memory import MemoryStore
from storage.tasks import Measured, Task, TaskState
from tests.storage.making import HOUR, accept, claim, new_task, reach
from tests.time_machine import LoopClock, at_once


class Paper:
    """A chat that shows what it is given, unless it is closed."""

    def __init__(self) -> None:
        self.closed = False
        self.left: int | None = None
        self.pressed_for: list[list[str]] = []
        self.shown: list[str] = []
        self.said: list[tuple[float, int]] = []
        self.deleted: list[int] = []
        self.busy = 0.0
        """Seconds for which a first message waits for its turn."""

    async def say(
        self,
        target: Target,
        *lines: Say,
        language: str | None = None,
        buttons: Keyboard = (),
        silent: bool = False,
        still: Still | None = None,
    ) -> Outcome:
        """Show a message."""
        if self.busy:
            await asyncio.sleep(self.busy)
            if still is not None and not await still():
                return Dropped()
        self.said.append((asyncio.get_running_loop().time(), target.chat_id))
        return await self.edit(target.chat_id, 1, *lines, buttons=buttons)

    async def edit(
        self,
        chat_id: int,
        message_id: int,
        *lines: Say,
        language: str | None = None,
        buttons: Keyboard = (),
        urgency: Urgency = Urgency.EDIT,
        still: Still | None = None,
    ) -> Outcome:
        """Show another text."""
        if self.closed:
            return Later(seconds=30, reason="closed")
        if self.left == chat_id:
            return Gone(reason="blocked")
        self.shown += [line.id for line in lines]
        self.pressed_for.append([button.data for row in buttons for button in row])
        return Sent(message_ids=(message_id,))

    async def delete(self, chat_id: int, message_id: int) -> Outcome:
        """Delete a message."""
        self.deleted.append(chat_id)
        return Sent()


class Counting(MemoryStore):
    """A store that counts what it is asked."""

    looks = 0
    reads = 0

    async def announced(self, limit: int) -> list[Task]:
        """Count, and answer."""
        self.reads += 1
        return await super().announced(limit)

    async def unannounced(self, limit: int, *, busy_chats: Collection[int] = ()) -> list[Task]:
        """Count, and answer."""
        self.reads += 1
        return await super().unannounced(limit, busy_chats=busy_chats)

    async def place_in_line(self, task: Task) -> int:
        """Count, and answer."""
        self.looks += 1
        return await super().place_in_line(task)


def progress_of(
    store: MemoryStore, paper: Paper, durations: Durations | None = None, parallel: int = 1
) -> Progress:
    """Give the loop."""
    clock = LoopClock()
    return Progress(
        store=store,
        chat=cast("Chat", paper),
        account=Account(clock, new_token=lambda: False),
        estimates=Estimates(
            durations or Durations(),
            slots=Slots(lambda: parallel, clock),
            images_per_minute=lambda: 100,
        ),
        clock=clock,
    )


async def stopped(store: MemoryStore, running: asyncio.Task[None], stop: asyncio.Event) -> None:
    """Stop the loop in order."""
    stop.set()
    store.wake()
    await running


def test_a_place_counts_when_it_was_shown() -> None:
    """A place that nobody has seen yet does not hold; one that was seen is never exceeded."""

    async def work() -> None:
        store, paper, stop = Counting(LoopClock()), Paper(), asyncio.Event()
        tasks = [await reach(store, TaskState.QUEUED, n, user_id=n) for n in (1, 2, 3)]
        running = asyncio.create_task(progress_of(store, paper).run(stop))
        await asyncio.sleep(1)
        assert [await _shown(store, task) for task in tasks] == [1, 2, 3]
        paper.closed = True
        await reach(store, TaskState.SUBMITTING, 4, user_id=4)  # something changes
        await store.cancel_queued(1, 1, LoopClock().now())
        await asyncio.sleep(10)
        assert [await _shown(store, task) for task in tasks[1:]] == [2, 3], "nobody has seen more"
        paper.closed = False
        await asyncio.sleep(60)
        assert [await _shown(store, task) for task in tasks[1:]] == [1, 2]
        await stopped(store, running, stop)

    at_once(work())


async def _shown(store: MemoryStore, task: Task) -> int | None:
    current = await store.get(task.id)
    return current.shown_place if current else None


def test_many_changes_cost_few_looks() -> None:
    """However often something changes, each message is looked at once an interval."""

    async def work() -> None:
        store, paper, stop = Counting(LoopClock()), Paper(), asyncio.Event()
        running = asyncio.create_task(progress_of(store, paper).run(stop))
        for n in range(1, 6):
            await reach(store, TaskState.QUEUED, n, user_id=n)
        for n in range(100):
            await asyncio.sleep(0.1)
            # somebody else comes, whose message is not sent
            await store.note_completions({99: n / 100})
            store.wake()
        assert store.looks <= 5 * (1 + 10 / 2), "once when it was sent, then every 2 s"
        await stopped(store, running, stop)

    at_once(work())


def test_a_place_far_back_is_not_shown_at_each_step() -> None:
    """In front each step is shown, further back only when a fifth of the line has gone."""

    async def work() -> None:
        store, paper, stop = MemoryStore(LoopClock()), Paper(), asyncio.Event()
        tasks = [await reach(store, TaskState.QUEUED, n, user_id=n) for n in range(1, 31)]
        last, seen = tasks[-1], []
        running = asyncio.create_task(progress_of(store, paper).run(stop))
        for task in tasks[:-1]:
            await asyncio.sleep(60)
            seen.append(await _shown(store, last))
            await store.cancel_queued(task.user_id, task.place.chat_id, LoopClock().now())
        await asyncio.sleep(60)
        assert list(dict.fromkeys(seen)) == [30, 24, 19, 15, 12, 9, 7, 5, 4, 3, 2]
        assert await _shown(store, last) == 1
        await stopped(store, running, stop)

    at_once(work())


async def _comes(store: MemoryStore, update_id: int, *, chat_id: int) -> Task:
    """Let a photo come in now."""
    new = new_task(update_id, user_id=update_id, chat_id=chat_id)
    return await store.add(new, now=LoopClock().now(), max_unfinished=None)


async def _ends(store: MemoryStore, task: Task) -> None:
    """Let a task be over."""
    await store.cancel_queued(task.user_id, task.place.chat_id, LoopClock().now())


def test_who_sent_a_photo_reads_of_it_within_a_second() -> None:
    """The first message comes half a second after the photo, however much happens meanwhile."""

    async def work() -> None:
        store, paper, stop = Counting(LoopClock()), Paper(), asyncio.Event()
        running = asyncio.create_task(progress_of(store, paper).run(stop))
        for n in range(1, 11):
            await _comes(store, n, chat_id=n)
            await asyncio.sleep(0.13)
        await asyncio.sleep(1)
        waits = [at - 0.13 * (chat - 1) for at, chat in paper.said]
        assert [chat for _, chat in paper.said] == list(range(1, 11))
        assert all(0.5 <= wait < 0.9 for wait in waits), waits
        await stopped(store, running, stop)

    at_once(work())


def test_what_is_over_at_once_gets_no_message() -> None:
    """A task that is over before half a second has passed costs no call."""

    async def work() -> None:
        store, paper, stop = Counting(LoopClock()), Paper(), asyncio.Event()
        running = asyncio.create_task(progress_of(store, paper).run(stop))
        task = await _comes(store, 1, chat_id=1)
        await asyncio.sleep(0.4)
        await _ends(store, task)
        await asyncio.sleep(5)
        assert paper.said == []
        await stopped(store, running, stop)

    at_once(work())


def test_a_message_whose_turn_comes_too_late_is_dropped() -> None:
    """Where a message waited for its turn until its task was over, it is neither sent nor deleted."""

    async def work() -> None:
        store, paper, stop = Counting(LoopClock()), Paper(), asyncio.Event()
        paper.busy = 10
        running = asyncio.create_task(progress_of(store, paper).run(stop))
        over = await _comes(store, 1, chat_id=1)
        await _comes(store, 2, chat_id=2)
        await asyncio.sleep(5)
        await _ends(store, over)
        await asyncio.sleep(10)
        assert [chat for _, chat in paper.said] == [2]
        assert paper.deleted == []
        await _comes(store, 3, chat_id=1)
        paper.busy = 0.0
        await asyncio.sleep(1)
        assert [chat for _, chat in paper.said] == [2, 1], "the chat itself was not put off"
        await stopped(store, running, stop)

    at_once(work())


def test_a_chat_with_many_tasks_hides_no_other() -> None:
    """While a hundred tasks of one chat wait to be announced there, another chat's is at once."""

    async def work() -> None:
        store, paper, stop = Counting(LoopClock()), Paper(), asyncio.Event()
        paper.busy = 3
        running = asyncio.create_task(progress_of(store, paper).run(stop))
        for n in range(1, 101):
            await _comes(store, n, chat_id=1)
        await _comes(store, 200, chat_id=2)
        await asyncio.sleep(5)
        assert [chat for _, chat in paper.said] == [1, 2]
        await stopped(store, running, stop)

    at_once(work())


def test_many_bells_are_one_round() -> None:
    """However often it is woken, the loop reads no oftener than its rounds are."""

    async def work() -> None:
        store, paper, stop = Counting(LoopClock()), Paper(), asyncio.Event()
        running = asyncio.create_task(progress_of(store, paper).run(stop))
        await _comes(store, 1, chat_id=1)
        for _ in range(1000):
            await asyncio.sleep(0.01)
            store.wake()
        assert store.reads <= 10 / 0.3 + 10 / 2 + 4
        await stopped(store, running, stop)

    at_once(work())


class Slow(MemoryStore):
    """A store whose lists are a little old when they arrive."""

    async def unannounced(self, limit: int, *, busy_chats: Collection[int] = ()) -> list[Task]:
        """Read at once, and give it later."""
        found = await super().unannounced(limit, busy_chats=busy_chats)
        await asyncio.sleep(0.2)
        return found


class SlowPaper(Paper):
    """A chat in which a message takes a while."""

    async def say(self, target: Target, *lines: Say, **more: Any) -> Outcome:
        """Show a message, in the end."""
        await asyncio.sleep(0.1)
        return await super().say(target, *lines, **more)


def test_a_task_has_one_message() -> None:
    """A list that was read before a message arrived does not make a second message."""

    async def work() -> None:
        store, paper, stop = Slow(LoopClock()), SlowPaper(), asyncio.Event()
        running = asyncio.create_task(progress_of(store, paper).run(stop))
        await asyncio.sleep(1)
        await reach(store, TaskState.QUEUED, 1, user_id=1)
        for _ in range(20):
            await asyncio.sleep(0.05)
            store.wake()
        assert paper.shown == ["progress-next"]
        await stopped(store, running, stop)

    at_once(work())


def test_a_message_can_be_stopped_from() -> None:
    """Each edit keeps the button; one that is being stopped is left alone, and ends without it."""

    async def work() -> None:
        store, paper, stop = MemoryStore(LoopClock()), Paper(), asyncio.Event()
        task = await reach(store, TaskState.QUEUED, 1, user_id=1)
        running = asyncio.create_task(progress_of(store, paper).run(stop))
        await asyncio.sleep(1)
        claimed = await claim(store, task)
        assert claimed is not None
        store.wake()
        await asyncio.sleep(5)
        button = f"cancel:{task.id}"
        assert paper.pressed_for == [[button], [button]]
        assert await store.cancel(claimed, LoopClock().now()) is not None
        await asyncio.sleep(10)
        assert len(paper.shown) == 2, "whoever stops it tells so"
        await accept(store, claimed)
        await asyncio.sleep(6)
        assert (paper.shown[2:], paper.pressed_for[2:]) == (["progress-stopped"], [[]])
        await stopped(store, running, stop)

    at_once(work())


def test_a_stopped_task_leaves_no_stale_message() -> None:
    """Where whoever stopped a task did not live to say so, its message is brought to its end, once."""

    async def work() -> None:
        store, paper, stop = MemoryStore(LoopClock()), Paper(), asyncio.Event()
        queued = await _comes(store, 1, chat_id=1)
        ran = await reach(store, TaskState.RUNNING, 2, user_id=2)
        for task in (queued, ran):
            await store.note_progress_message(task.id, task.id)
            assert await store.cancel(task, LoopClock().now()) is not None
        running = asyncio.create_task(progress_of(store, paper).run(stop))
        await asyncio.sleep(3)
        assert paper.shown == [], "whoever stopped them may still be at it"
        paper.closed = True
        await asyncio.sleep(10)
        paper.closed = False
        await asyncio.sleep(60)
        assert sorted(paper.shown) == ["progress-cancelled", "progress-stopped"]
        assert paper.pressed_for == [[], []]
        assert await store.stale_progress(10) == []
        await stopped(store, running, stop)

    at_once(work())


def test_a_message_that_comes_after_the_end_is_put_away() -> None:
    """A task that is stopped while its first message is on its way keeps none."""

    async def work() -> None:
        store, paper, stop = MemoryStore(LoopClock()), SlowPaper(), asyncio.Event()
        running = asyncio.create_task(progress_of(store, paper).run(stop))
        task = await _comes(store, 1, chat_id=1)
        await asyncio.sleep(0.55)
        await _ends(store, task)
        await asyncio.sleep(10)
        assert (paper.shown, paper.deleted) == (["progress-next"], [1])
        assert await store.stale_progress(10) == []
        await stopped(store, running, stop)

    at_once(work())


def test_whoever_left_has_nothing_in_line() -> None:
    """Where an edit finds that nobody is there any more, what is in line there is cancelled."""

    async def work() -> None:
        store, paper, stop = MemoryStore(LoopClock()), Paper(), asyncio.Event()
        tasks = [await reach(store, TaskState.QUEUED, n, user_id=1) for n in (1, 2)]
        other = await reach(store, TaskState.QUEUED, 3, user_id=2)
        running = asyncio.create_task(progress_of(store, paper).run(stop))
        await asyncio.sleep(5)
        paper.left = 1
        assert await claim(store, tasks[0]) is not None
        store.wake()
        await asyncio.sleep(5)
        states = [(await _now(store, task)).state for task in (*tasks, other)]
        assert states == [TaskState.SUBMITTING, TaskState.CANCELLED, TaskState.QUEUED]
        await stopped(store, running, stop)

    at_once(work())


async def _now(store: MemoryStore, task: Task) -> Task:
    current = await store.get(task.id)
    assert current is not None
    return current


def _usual(seconds: int) -> Durations:
    """Give measures from so many seconds on: p50 4 s more, p90 7 s."""
    return Durations(
        Measured(ratio="16:9", count=2, seconds=n) for n in range(seconds, seconds + 9)
    )


def test_longer_than_usual_is_said_in_time() -> None:
    """While it is usual, it is said what is usual; once p90 has passed, that it takes longer."""

    async def work() -> None:
        clock = LoopClock()
        store, paper, stop = MemoryStore(clock), Paper(), asyncio.Event()
        task = await _comes(store, 1, chat_id=1)
        claimed = await claim(store, task)
        assert claimed is not None
        await store.accepted(
            claimed,
            hidream_task_id="a",
            sub_task_ids=["a", "b"],
            now=clock.now(),
            deadline_at=clock.now() + HOUR,
            held_until=clock.now() + HOUR,
        )
        running = asyncio.create_task(progress_of(store, paper, _usual(20)).run(stop))
        await asyncio.sleep(26)
        assert paper.shown == ["progress-running-usual"]
        await asyncio.sleep(6)
        assert paper.shown == ["progress-running-usual", "progress-running-longer"]
        await stopped(store, running, stop)

    at_once(work())


def test_a_line_that_stands_still_promises_nothing() -> None:
    """The wait that is told with a place is taken back when the line has not moved for too long."""

    async def work() -> None:
        store, paper, stop = MemoryStore(LoopClock()), Paper(), asyncio.Event()
        for n in (1, 2):
            await reach(store, TaskState.QUEUED, n, user_id=n)
        running = asyncio.create_task(progress_of(store, paper, _usual(20)).run(stop))
        await asyncio.sleep(20)
        assert sorted(paper.shown) == ["progress-next", "progress-place-wait"]
        await asyncio.sleep(40)
        assert paper.shown[2:] == ["progress-place"]
        await stopped(store, running, stop)

    at_once(work())
