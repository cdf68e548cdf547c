"""What is read at a scrape: the store, the account, the disk; and what is shown when they do not answer."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from bot import readings as module
from bot.account import Account, Minute, Trouble
from bot.metrics import PREFIX, REGISTRY
from bot.readings import Readings
from bot.slots import Slots
from bot.web import metrics
from bot.web.requests import create_app
from storage.files import PictureFiles
from storage.memory import MemoryStore
from storage.store import StoreError
from storage.tasks import Overview, TaskState
from tests.metrics.shown import value
from tests.storage.making import BOT, START, HandClock, add, reach, update

_OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0"


class Place:
    """Readings, and what they read."""

    def __init__(self, path: Path, store: MemoryStore | None = None) -> None:
        self.clock = HandClock()
        self.store = store or MemoryStore(self.clock)
        self.account = Account(self.clock)
        self.slots = Slots(lambda: 5, self.clock)
        self.minute = Minute(lambda: 40, self.clock)
        self.database = path / "bot.db"
        self.database.write_bytes(b"x" * 1000)
        self.files = PictureFiles(path / "bot-pictures")
        self.readings = Readings(
            store=self.store,
            account=self.account,
            slots=self.slots,
            minute=self.minute,
            path=self.database,
            files=self.files,
            mode="polling",
            clock=self.clock,
        )


@contextmanager
def shown_readings() -> Iterator[None]:
    """Let a bot's readings be a part of the registry, with everything in them."""

    async def read(place: Place) -> None:
        await place.readings.read()

    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder))
        asyncio.run(read(place))
        with place.readings.shown():
            yield


@asynccontextmanager
async def scraped(place: Place) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of the route."""
    app = create_app([metrics.route(place.readings)])
    with place.readings.shown():
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url="http://bot.test"
        ) as http:
            yield http


async def test_it_is_shown_how_it_stands(tmp_path: Path) -> None:
    """What store, account and disk know is there at each scrape, as it is then."""
    place = Place(tmp_path)
    store, clock = place.store, place.clock
    for n, state in enumerate(TaskState):
        await reach(store, state, n, user_id=n + 1)
    await store.receive(BOT, [update(1), update(2)], START)
    await place.files.put(1, 0, b"p" * 300)
    await place.files.put(2, 0, b"p" * 30)
    place.minute.sent(3)
    place.account.in_trouble(Trouble.BUSY)
    place.slots.refused(4, says_so=True)
    clock.move(60)
    async with scraped(place) as http:
        assert (await http.get("/metrics")).status_code == 200
        assert value("store_readable") == 1
        assert (value("queue_length"), value("queue_oldest_age_seconds")) == (2, 60)
        assert (value("inbox_updates"), value("inbox_oldest_age_seconds")) == (2, 60)
        assert value("undelivered_oldest_age_seconds") == 60
        busy = await store.slots_held(clock.now())
        assert (value("slots_busy"), value("slots_free")) == (busy, max(0, 4 - busy))
        assert (value("slots_configured"), value("slots_found")) == (5, 4)
        assert (value("minute_images_used"), value("minute_images_limit")) == (3, 40)
        assert [value("account_trouble", kind=kind) for kind in Trouble] == [0, 1, 0]
        unfinished = [value("tasks", state=state) for state in module.UNFINISHED]
        assert unfinished == [1] * 7
        assert value("tasks", state="delivered") is None, "what is over is not counted here"
        assert value("submissions_unanswered_total") == 1
        assert value("messages_repeated_total") == 0
        sizes = [value("store_size_bytes", part=part) for part in ("database", "log", "pictures")]
        assert sizes == [1000, 0, 330]
        assert (value("disk_size_bytes") or 0) > (value("disk_free_bytes") or 0) > 0
        assert value("build_info", version=module.version(), mode="polling") == 1


async def test_the_form_is_the_one_that_is_asked_for(tmp_path: Path) -> None:
    """A new Prometheus gets OpenMetrics, anybody else the plain text; writing there is refused."""
    async with scraped(Place(tmp_path)) as http:
        new = await http.get("/metrics", headers={"accept": f"{_OPENMETRICS};q=0.8,text/plain"})
        assert new.headers["content-type"].startswith("application/openmetrics-text")
        assert new.text.endswith("# EOF\n")
        old = await http.get("/metrics")
        assert old.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert (await http.post("/metrics")).status_code == 405


class _Failing(MemoryStore):
    """A store that fails while `error` is there, and hangs while `open` is not set."""

    def __init__(self, clock: HandClock) -> None:
        super().__init__(clock)
        self.error: Exception | None = None
        self.open = asyncio.Event()
        self.open.set()
        self.looks = 0

    async def overview(self, now: datetime, **more: Any) -> Overview:
        """Fail, or hang, or tell."""
        self.looks += 1
        await self.open.wait()
        if self.error is not None:
            raise self.error
        return await super().overview(now, **more)


@pytest.mark.parametrize("error", [StoreError("disk I/O error"), ValueError("no connection")])
async def test_without_the_store_the_rest_is_shown(tmp_path: Path, error: Exception) -> None:
    """A store that cannot be read says so in one number, and takes nothing else with it."""
    store = _Failing(HandClock())
    async with scraped(Place(tmp_path, store)) as http:
        await add(store)
        await http.get("/metrics")
        assert (value("store_readable"), value("queue_length")) == (1, 1)
        store.error = error
        answer = await http.get("/metrics")
        assert answer.status_code == 200
        assert (value("store_readable"), value("queue_length"), value("slots_busy")) == (
            0,
            None,
            None,
        )
        assert value("slots_configured") == 5
        assert value("disk_free_bytes")
        store.error = None
        await http.get("/metrics")
        assert (value("store_readable"), value("queue_length")) == (1, 1)


async def test_a_store_that_hangs_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scrape comes to its end in time, and the next does not ask once more what hangs."""
    monkeypatch.setattr(module, "PATIENCE", 0.1)
    store = _Failing(HandClock())
    store.open.clear()
    async with scraped(Place(tmp_path, store)) as http:
        for _ in range(3):
            await asyncio.wait_for(http.get("/metrics"), 5)
            assert (value("store_readable"), value("slots_configured")) == (0, 5)
        assert store.looks == 1
        store.open.set()
        await http.get("/metrics")
        assert value("store_readable") == 1


async def test_what_is_old_is_not_shown_as_new(tmp_path: Path) -> None:
    """What the last scrape read is nothing to go by when this one gets no answer."""
    store = _Failing(HandClock())
    place = Place(tmp_path, store)
    await place.readings.read()
    with place.readings.shown():
        assert value("store_readable") == 1
        place.clock.move(15)
        assert value("store_readable") == 0


async def test_two_scrapes_at_once(tmp_path: Path) -> None:
    """Whoever scrapes beside another gets everything, too."""
    async with scraped(Place(tmp_path)) as http:
        for answer in await asyncio.gather(*(http.get("/metrics") for _ in range(5))):
            assert f"{PREFIX}store_readable 1.0" in answer.text
            assert f'{PREFIX}store_size_bytes{{part="pictures"}} 0.0' in answer.text


async def test_pictures_are_counted_now_and_then(tmp_path: Path) -> None:
    """Their folder is looked through every five minutes, however often it is scraped."""
    place = Place(tmp_path)
    async with scraped(place) as http:
        await http.get("/metrics")
        await place.files.put(1, 0, b"p" * 300)
        await http.get("/metrics")
        assert value("store_size_bytes", part="pictures") == 0
        place.clock.move(300)
        await http.get("/metrics")
        assert value("store_size_bytes", part="pictures") == 300


async def test_without_the_disk_the_rest_is_shown(tmp_path: Path) -> None:
    """A database file that is not there leaves out what the disk would say."""
    place = Place(tmp_path)
    place.database.unlink()
    async with scraped(place) as http:
        await http.get("/metrics")
        assert (value("disk_free_bytes"), value("store_readable")) == (None, 1)


async def test_the_minute_counts_for_a_minute() -> None:
    """An image counts from its request until a minute after the answer; asking changes nothing."""
    clock = HandClock()
    minute = Minute(lambda: 40, clock)
    minute.sent(3)
    assert minute.used == 3
    minute.answered(3)
    clock.move(59)
    assert minute.used == 3
    clock.move(1)
    assert (minute.used, minute.limit, minute.wait_for(40)) == (0, 40, 0)


async def test_nothing_is_left_in_the_registry(tmp_path: Path) -> None:
    """After the bot has stopped, what it read is no part of the registry any more."""
    with Place(tmp_path).readings.shown():
        assert value("slots_configured") == 5
    assert REGISTRY.get_sample_value(f"{PREFIX}slots_configured") is None
    assert timedelta(seconds=module.PATIENCE) < timedelta(seconds=10), "Prometheus's own patience"
