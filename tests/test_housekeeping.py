"""The housekeeping from end to end: what is over is forgotten by itself, after the days that are configured."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from bot.housekeeping import Housekeeping
from storage.files import PictureFiles
from storage.sqlite import SqliteStore, open_store
from storage.tasks import (
    NewUpdate,
    NewView,
    Origin,
    SentImage,
    Settings,
    TaskState,
    Topic,
)
from tests.storage.making import (
    BOT,
    START,
    HandClock,
    accept,
    claim,
    claim_delivery,
    new_draft,
    new_task,
    there,
)

DAY: Final = timedelta(days=1)
WORD: Final = "zebra"


class Cellar:
    """A store with what somebody has left in it, and the housekeeping over it."""

    def __init__(self, store: SqliteStore, path: Path, clock: HandClock) -> None:
        self.store = store
        self.files = PictureFiles(path / "pictures")
        self._path = path
        self._clock = clock

    async def fill(self) -> None:
        """Let somebody do everything of which something stays."""
        store = self.store
        settings = Settings(prompt=WORD, negative=WORD)
        new = replace(new_task(1, user_id=5), settings=settings)
        task = await store.add(new, now=START, max_unfinished=None)
        row = there(await accept(store, there(await claim(store, task))))
        await store.release(row.hidream_task_id or "", START)
        await store.ready(row, now=START, vendor_message=WORD)
        sent = there(await claim_delivery(store))
        await store.step_started(sent, "pictures", START)
        image = SentImage(n=0, file_id=f"{WORD} file", sent_as="photo")
        await store.step_sent(sent, "pictures", [77], [image], START)
        await store.finish(sent, TaskState.DELIVERED, START)
        await self.files.put(task.id, 0, b"bytes")
        for n, kind in enumerate(("words", "prompt", "offer")):
            draft = replace(new_draft(10 + n), caption=WORD, kind=kind)  # type: ignore[arg-type]
            await store.add_draft(draft, START)
        origin = Origin(bot_id=BOT, update_id=20)
        view = NewView(origin=origin, kind="history", user_id=5, chat_id=5, words=WORD)
        await store.add_view(view, START)
        raw = json.dumps({"message": {"text": WORD}})
        updates = [NewUpdate(update_id=n, chat_id=n, raw=raw) for n in (30, 31)]
        await store.receive(BOT, updates, START)
        handled, aside = await store.inbox_heads(START, 9)
        await store.inbox_done(handled, START)
        await store.inbox_set_aside(aside, error=WORD, now=START)

    def keeping(self, *, files: timedelta, retention: timedelta | None) -> Housekeeping:
        """Give the housekeeping with these days."""
        return Housekeeping(
            store=self.store,
            files=self.files,
            keep_files=lambda: files,
            retention=lambda: retention,
            clock=self._clock,
        )

    async def after(
        self, days: int, *, files: timedelta = 7 * DAY, retention: timedelta | None
    ) -> None:
        """Let so many days pass, and tidy up."""
        self._clock.move((START + days * DAY - self._clock.now()).total_seconds())
        assert not await self.keeping(files=files, retention=retention).tidy()

    def content(self) -> bytes:
        """Give what is in the database's files."""
        found = [self._path / f"bot.db{end}" for end in ("", "-wal")]
        return b"".join(file.read_bytes() for file in found if file.exists())

    def folders(self) -> list[str]:
        """Say of which tasks there are files."""
        return [folder.name for folder in (self._path / "pictures").iterdir()]

    async def counted(self) -> dict[str, int]:
        """Count the rows of each table that has any."""
        found = {}
        for name in ("inbox", "drafts", "views", "messages", "images"):
            ((found[name],),) = await self.store._rows(f"SELECT count(*) FROM {name}")
        return {name: count for name, count in found.items() if count}


@pytest.fixture
async def cellar(tmp_path: Path) -> AsyncIterator[Cellar]:
    """Give one that is filled."""
    clock = HandClock()
    store = await open_store(tmp_path / "bot.db", clock=clock)
    found = Cellar(store, tmp_path, clock)
    try:
        await found.fill()
        yield found
    finally:
        await store.close()


async def test_after_the_retention_nothing_is_left(cellar: Cellar) -> None:
    """Words, ids, lists, offers, messages and updates that were set aside go, from the file too; not a day before."""
    await cellar.after(29, retention=30 * DAY)
    assert WORD.encode() in cellar.content()
    assert cellar.folders() == []
    await cellar.after(31, retention=30 * DAY)
    assert WORD.encode() not in cellar.content()
    assert await cellar.counted() == {}
    task = there(await cellar.store.get(1))
    assert (task.pruned, task.user_id, task.state) == (True, 0, TaskState.DELIVERED)


async def test_without_retention_what_is_asked_for_stays(cellar: Cellar) -> None:
    """Only handled updates go, and what has waited a month for its other half."""
    await cellar.after(1000, retention=None)
    rows = await cellar.counted()
    assert rows == {"inbox": 1, "drafts": 1, "views": 1, "messages": 1, "images": 2}
    assert there(await cellar.store.get(1)).settings.prompt == WORD


async def test_files_outlive_no_task(cellar: Cellar) -> None:
    """Where files would be kept for longer than their tasks, they go with them."""
    await cellar.after(31, files=365 * DAY, retention=30 * DAY)
    await cellar.after(31, files=365 * DAY, retention=30 * DAY)
    assert cellar.folders() == []


async def test_who_is_forgotten_wakes_it(cellar: Cellar) -> None:
    """It does not wait for its hour: files that could not be removed are gone, and noted as such."""
    keeping, stop = cellar.keeping(files=365 * DAY, retention=None), asyncio.Event()
    running = asyncio.create_task(keeping.run(stop))
    await cellar.store.forget_person(5, START)
    assert await cellar.store.with_files_before(START, 9) == [1]
    cellar.store.wake(Topic.HOUSEKEEPING)
    async with asyncio.timeout(5):
        while await cellar.store.with_files_before(START, 9):
            await asyncio.sleep(0.01)
    assert cellar.folders() == []
    stop.set()
    cellar.store.wake()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(running, 5)
    assert running.done()
