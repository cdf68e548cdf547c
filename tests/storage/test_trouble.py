"""The disk is full, or somebody else holds the file: each write is whole or nothing, and all is well after."""

import resource
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from storage.sqlite import SqliteStore
from storage.store import StoreError
from storage.tasks import (
    AlbumPart,
    Failure,
    ImageState,
    NewUpdate,
    NewView,
    Origin,
    SentImage,
    Settings,
    TaskState,
    Topic,
)
from tests.profiles import examples
from tests.storage.making import (
    BOT,
    HOUR,
    OWNER,
    START,
    add,
    new_draft,
    new_task,
    reach,
    there,
    update,
)
from tests.storage.test_model import StoresAgree, next_of

_NO_LIMIT: Final = 2**30
LONG: Final = "x" * 20_000
"""Some pages of it: what is this long does not fit into what is there already."""

Deed = Callable[[SqliteStore], Awaitable[object]]


async def room_for(store: SqliteStore, pages: int | None) -> None:
    """Let the file grow by so many pages, or (None) as it likes."""
    ((now,),) = await store._writer.execute_fetchall("PRAGMA page_count")
    most = _NO_LIMIT if pages is None else now + pages
    await store._writer.execute_fetchall(f"PRAGMA max_page_count = {most}")


async def everything(store: SqliteStore) -> dict[str, list[tuple[object, ...]]]:
    """Give all rows of all tables."""
    tables = await store._rows("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {
        name: [tuple(row) for row in await store._rows(f"SELECT * FROM {name}")]
        for (name,) in tables
    }


async def _answer(deed: Awaitable[object]) -> object:
    try:
        return await deed
    except StoreError as error:
        return error


def _call(method: str, *args: object, **named: object) -> Deed:
    """Do something to the first task."""

    async def deed(store: SqliteStore) -> object:
        return await getattr(store, method)(there(await store.get(1)), *args, **named)

    return deed


def _to_the_head(method: str, **named: object) -> Deed:
    """Do something to the first update."""

    async def deed(store: SqliteStore) -> object:
        (head,) = await store.inbox_heads(START, 1)
        return await getattr(store, method)(head, **named)

    return deed


_PICTURES: Final = [SentImage(n=n, file_id=LONG, sent_as="photo") for n in (0, 1)]
_LATER: Final = {"now": START, "held_until": START + HOUR}

GROWING: Final[Mapping[str, tuple[TaskState, Deed]]] = {
    "receive": (
        TaskState.QUEUED,
        lambda store: store.receive(
            BOT, [NewUpdate(update_id=n, chat_id=n, raw=LONG) for n in (5, 6, 7)], START
        ),
    ),
    "inbox_defer": (
        TaskState.QUEUED,
        _to_the_head("inbox_defer", due_at=START, error=LONG, failed=True),
    ),
    "inbox_set_aside": (TaskState.QUEUED, _to_the_head("inbox_set_aside", error=LONG, now=START)),
    "album_part": (
        TaskState.QUEUED,
        lambda store: store.album_part(
            AlbumPart(
                origin=Origin(bot_id=1, update_id=1),
                chat_id=1,
                media_group_id=LONG,
                message_id=1,
                data=LONG,
            ),
            now=START,
            due_at=START,
        ),
    ),
    "set_preference": (
        TaskState.QUEUED,
        lambda store: store.set_preference("user", 1, "negative", LONG),
    ),
    "add_view": (
        TaskState.QUEUED,
        lambda store: store.add_view(
            NewView(
                origin=Origin(bot_id=1, update_id=1),
                kind="history",
                user_id=1,
                chat_id=1,
                words=LONG,
            ),
            START,
        ),
    ),
    "note_fact": (TaskState.QUEUED, lambda store: store.note_fact("menu", LONG)),
    "add_draft": (
        TaskState.QUEUED,
        lambda store: store.add_draft(replace(new_draft(2), caption=LONG), START),
    ),
    "add": (
        TaskState.QUEUED,
        lambda store: store.add(
            replace(new_task(2, draft_id=1), settings=Settings(prompt=LONG)),
            now=START,
            max_unfinished=None,
        ),
    ),
    "put_off": (TaskState.QUEUED, _call("put_off", due_at=START, reason=LONG)),
    "claim": (
        TaskState.QUEUED,
        _call(
            "claim",
            owner=OWNER,
            lease_until=START + HOUR,
            request_id=LONG,
            ratio_used="1:1",
            parallel=9,
            **_LATER,
        ),
    ),
    "accepted": (
        TaskState.SUBMITTING,
        _call(
            "accepted",
            hidream_task_id=LONG,
            sub_task_ids=[LONG, LONG],
            deadline_at=START + HOUR,
            **_LATER,
        ),
    ),
    "hand_back": (
        TaskState.SUBMITTING,
        _call("hand_back", to=TaskState.WAITING, now=START, vendor_message=LONG),
    ),
    "ready": (
        TaskState.SUBMITTING,
        _call("ready", now=START, failure=Failure(id="no", data={"why": LONG})),
    ),
    "image_made": (TaskState.RUNNING, lambda store: store.image_made(1, 0, LONG)),
    "image_ended": (
        TaskState.RUNNING,
        lambda store: store.image_ended(1, 0, ImageState.FAILED, LONG),
    ),
    "step_started": (TaskState.DELIVERING, _call("step_started", LONG, START)),
    "step_sent": (
        TaskState.DELIVERING,
        _call("step_sent", "album", range(5000), _PICTURES, START),
    ),
}
"""What makes the file grow: from which state of the first task, and how."""
IN_STEPS: Final = {"receive": 3, "claim": 2, "accepted": 4, "step_sent": 3, "album_part": 2}
"""How many statements of a method need room of their own; with fewer it fails between them."""


@pytest.mark.parametrize("method", GROWING)
async def test_a_full_disk_leaves_no_half_of_a_write(sqlite: SqliteStore, method: str) -> None:
    """With a page more each time: as long as there is not room for all of it, nothing of it is there."""
    state, deed = GROWING[method]
    task = await reach(sqlite, state)
    if state is TaskState.DELIVERING:
        await sqlite.step_started(task, "album", START)
    await sqlite.receive(BOT, [update(1)], START)
    await sqlite.add_draft(new_draft(), START)
    before = await everything(sqlite)
    marks = [sqlite.mark(topic) for topic in Topic]
    pages = 0
    await room_for(sqlite, pages)
    while type(answer := await _answer(deed(sqlite))) is StoreError:
        assert "full" in str(answer)
        assert not sqlite._writer.in_transaction
        assert await everything(sqlite) == before
        assert [sqlite.mark(topic) for topic in Topic] == marks
        pages += 1
        await room_for(sqlite, pages)
    assert pages >= 4 * IN_STEPS.get(method, 1), "it did not need the room"
    assert await everything(sqlite) != before
    await room_for(sqlite, None)
    await add(sqlite, 99)


@pytest.mark.parametrize("method", GROWING)
async def test_a_held_file_leaves_no_half_of_a_write(
    sqlite: SqliteStore, tmp_path: Path, method: str
) -> None:
    """Whoever holds the file for longer than we wait lets nothing of a write through; afterwards it goes."""
    state, deed = GROWING[method]
    task = await reach(sqlite, state)
    if state is TaskState.DELIVERING:
        await sqlite.step_started(task, "album", START)
    await sqlite.receive(BOT, [update(1)], START)
    before = await everything(sqlite)
    await sqlite._writer.execute_fetchall("PRAGMA busy_timeout = 5")
    with closing(sqlite3.connect(tmp_path / "bot.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked"):
            await deed(sqlite)
        assert await everything(sqlite) == before
        other.execute("ROLLBACK")
    await deed(sqlite)
    assert await everything(sqlite) != before


class StoresInTrouble(StoresAgree):
    """The same, while the disk is full at times, or somebody else holds the file."""

    def __init__(self) -> None:
        super().__init__()
        self.world.known.words = st.sampled_from(("", "x" * 3000, "x" * 9000))
        self._other = sqlite3.connect(Path(self._folder.name) / "bot.db", isolation_level=None)
        for store in self.world.stores:
            # Nobody waits for whom we know to stay.
            self._runner.run(_waiting_no_longer(store))

    def teardown(self) -> None:
        """Leave nothing behind."""
        self._other.close()
        super().teardown()

    def _room(self, pages: int | None) -> None:
        for store in self.world.stores:
            self._runner.run(room_for(store, pages))

    @precondition(lambda self: not self.trouble)
    @rule(who=st.integers(0, 1), times=st.integers(1, 4), data=st.data())
    def is_full(self, who: int, times: int, data: st.DataObject) -> None:
        """Bring tasks on while there is no room: each time a page more, until it is enough."""
        for _ in range(times):
            deed = next_of(self.world.known, who, data.draw)
            self.trouble, self.world.refused, pages = True, True, 0
            while self.world.refused:
                self._room(pages)
                self.run(who, *deed)
                pages += 1
            self._room(None)
            self.trouble = False

    @precondition(lambda self: not self.trouble)
    @rule()
    def is_held(self) -> None:
        """Let somebody else hold the file."""
        self._other.execute("BEGIN IMMEDIATE")
        self.trouble = True

    @precondition(lambda self: self.trouble)
    @rule()
    def is_well_again(self) -> None:
        """End the trouble: from now on nothing may be refused."""
        if self._other.in_transaction:
            self._other.execute("ROLLBACK")
        self.trouble = False


async def _waiting_no_longer(store: SqliteStore) -> None:
    await store._writer.execute_fetchall("PRAGMA busy_timeout = 0")


@pytest.mark.hypothesis
def test_trouble_leaves_no_half_of_anything() -> None:
    """What is refused for want of room or of the file has not happened at all; what is not, wholly."""
    run_state_machine_as_test(StoresInTrouble, settings=examples(20, steps=30))


async def test_a_probe_finds_a_file_that_cannot_grow(sqlite: SqliteStore, tmp_path: Path) -> None:
    """A disk that is full refuses the probe as it would any write; with room it goes."""
    await sqlite.probe(START)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = (tmp_path / "bot.db-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        with pytest.raises(StoreError, match="the database refused"):
            await sqlite.probe(START + HOUR)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    await sqlite.probe(START + HOUR)
    assert await sqlite.fact("probe") == (START + HOUR).isoformat()


async def test_a_probe_finds_a_file_that_is_held(sqlite: SqliteStore, tmp_path: Path) -> None:
    """A file that another program writes to refuses the probe, and goes when that one is done."""
    await sqlite._writer.execute_fetchall("PRAGMA busy_timeout = 20")
    with closing(sqlite3.connect(tmp_path / "bot.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked"):
            await sqlite.probe(START)
        other.execute("ROLLBACK")
    await sqlite.probe(START)
