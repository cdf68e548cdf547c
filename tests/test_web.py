"""The web side over real HTTP: who may call back, what is read of it, and what it costs."""

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

import httpx
import pytest

from bot.callbacks import KEPT, Callbacks
from bot.certificates import tls_of
from bot.errors import ConfigurationError
from bot.web import callback
from bot.web.callback import BODY_LIMIT, task_id_of
from bot.web.presence import ask, new_secret, route
from bot.web.requests import create_app
from bot.web.serving import Web, listen
from sandbox.serving import serve
from storage.memory import MemoryStore
from storage.store import StoreError
from storage.tasks import TaskState
from tests.e2e.world import until
from tests.hidream.certificates import make_certificate
from tests.storage.making import START, HandClock, add, claim, there


class Side:
    """A web side that serves, and who heard of what."""

    def __init__(self, store: MemoryStore, clock: HandClock) -> None:
        self.store = store
        self.heard: list[int] = []
        self.callbacks = Callbacks(
            store=store, clock=clock, public_url="https://bot.test/x/", on_call=self.heard.append
        )
        self.listener = listen("127.0.0.1:0", key="web.listen")
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def here(self, url: str) -> str:
        """Give the local address of one that is known outside."""
        return url.replace("https://bot.test/x", self.url)


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


@asynccontextmanager
async def serving(
    store: MemoryStore, clock: HandClock
) -> AsyncIterator[tuple[Side, httpx.AsyncClient]]:
    """Serve until the end of the block."""
    side, stop = Side(store, clock), asyncio.Event()
    loop = asyncio.create_task(
        Web(create_app([callback.route(side.callbacks)]), side.listener).run(stop)
    )
    async with httpx.AsyncClient(trust_env=False, timeout=20) as http:
        try:
            await until(partial(_listens, side.listener.getsockname()[1]), "it listens")
            yield side, http
        finally:
            stop.set()
            await asyncio.wait_for(loop, 10)
            side.listener.close()


@pytest.fixture
async def web() -> AsyncIterator[tuple[Side, httpx.AsyncClient]]:
    """Give a web side, and a client."""
    clock = HandClock()
    async with serving(MemoryStore(clock), clock) as both:
        yield both


async def _submitting(side: Side) -> tuple[int, str]:
    """Hand a task in, with a place to call back; gives its id, and the place's local address."""
    address = side.callbacks.new()
    assert address.url.startswith("https://bot.test/x/hidream/")
    task = there(await claim(side.store, await add(side.store), callback_hash=address.hash))
    return task.id, side.here(address.url)


async def test_a_callback_is_taken_and_told(web: tuple[Side, httpx.AsyncClient]) -> None:
    """A call to a known path is answered 200; while nothing else is known, what it names is a hint."""
    side, http = web
    task_id, url = await _submitting(side)
    answer = await http.post(url, json={"main_task_id": "theirs", "sub_task_results": []})
    assert (answer.status_code, side.heard) == (200, [task_id])
    assert await side.store.hints(task_id) == ["theirs"]


async def test_a_callback_may_come_twice(web: tuple[Side, httpx.AsyncClient]) -> None:
    """The second is taken as the first, also when the task is over."""
    side, http = web
    task_id, url = await _submitting(side)
    task = there(await side.store.get(task_id))
    await side.store.ready(task, now=START)
    for _ in range(2):
        assert (await http.post(url, json={"main_task_id": "x"})).status_code == 200
    assert await side.store.hints(task_id) == []
    assert there(await side.store.get(task_id)).state is TaskState.READY


_WRONG: Final = (
    ("POST", "/hidream/unknown-token-000000"),
    ("POST", "/hidream/"),
    ("POST", "/hidream/a/b"),
    ("POST", "/hidream/a/"),
    ("PUT", "/hidream/unknown-token-000000"),
    ("GET", "/"),
    ("POST", "/"),
    ("GET", "/docs"),
    ("POST", "/hidream/%00%ff"),
)


async def test_wrong_paths(web: tuple[Side, httpx.AsyncClient]) -> None:
    """What was never given out is not found, and nobody hears of it."""
    side, http = web
    for method, path in _WRONG:
        answer = await http.request(method, side.url + path, content=b'{"main_task_id": "x"}')
        assert (path, answer.status_code, side.heard) == (path, 404, [])


async def test_a_known_path_takes_posts_alone(web: tuple[Side, httpx.AsyncClient]) -> None:
    """A browser that looks at it changes nothing, and learns nothing."""
    side, http = web
    _, url = await _submitting(side)
    assert (await http.get(url)).status_code == 404
    assert side.heard == []


_ODD: Final = (b"", b"{", b"[]", b"null", b'{"main_task_id": 5}', b"\xff\xfe", b"[" * 60_000)


async def test_whatever_is_said_it_is_a_call(web: tuple[Side, httpx.AsyncClient]) -> None:
    """A body that says nothing still means: ask now."""
    side, http = web
    task_id, url = await _submitting(side)
    for n, body in enumerate(_ODD, start=1):
        assert (await http.post(url, content=body)).status_code == 200
        assert side.heard == [task_id] * n
    assert await side.store.hints(task_id) == []


async def test_a_body_has_a_limit(web: tuple[Side, httpx.AsyncClient]) -> None:
    """What is longer than any callback is not read to its end."""
    side, http = web
    _, url = await _submitting(side)
    answer = await http.post(url, content=b"x" * (BODY_LIMIT + 1))
    assert (answer.status_code, side.heard) == (413, [])


async def test_a_body_that_does_not_end_is_given_up(
    web: tuple[Side, httpx.AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sends slower than HiDream waits is not HiDream."""
    monkeypatch.setattr("bot.web.callback._BODY_SECONDS", 0.2)
    side, http = web
    _, url = await _submitting(side)

    async def slowly() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(2)
        yield b"}"

    assert (await http.post(url, content=slowly())).status_code == 408
    assert side.heard == []


async def test_who_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection without a request is closed soon; beyond so many, none is taken; HiDream gets through."""
    monkeypatch.setattr("bot.web.serving._SILENT_SECONDS", 0.3)
    monkeypatch.setattr("bot.web.serving._CONNECTIONS", 5)
    clock = HandClock()
    async with serving(MemoryStore(clock), clock) as (side, http):
        port = side.listener.getsockname()[1]
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(9)]
        ends = [reader.read() for reader, _ in silent]
        results = await asyncio.wait_for(asyncio.gather(*ends, return_exceptions=True), 5)
        assert all(result == b"" or isinstance(result, OSError) for result in results)
        task_id, url = await _submitting(side)
        assert (await http.post(url, json={})).status_code == 200
        assert side.heard == [task_id]
        for _, writer in silent:
            writer.close()


@pytest.mark.parametrize("more", [b"Content-Length: 9999\r\n\r\n", b"\r\nGET /y HTTP/1.1\r\nX: "])
async def test_who_was_answered_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, more: bytes
) -> None:
    """Whoever goes on in drops, with a body that nobody reads or a head without end, is cut off all the same."""
    monkeypatch.setattr("bot.web.serving._SILENT_SECONDS", 0.3)
    clock = HandClock()
    async with serving(MemoryStore(clock), clock) as (side, _):
        reader, writer = await asyncio.open_connection(*side.listener.getsockname())
        writer.write(b"POST /x HTTP/1.1\r\nHost: x\r\n" + more)

        async def cut_off() -> bool:
            try:
                writer.write(b"a")
                await writer.drain()
            except OSError:
                return True
            return False

        assert b" 404 " in await reader.readline()
        await until(cut_off, "it is cut off", 5)
        writer.close()


async def test_a_handshake_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where the bot serves by its own certificate, who connects and says nothing is closed as soon."""
    monkeypatch.setattr("bot.web.serving._SILENT_SECONDS", 0.3)
    make_certificate(tmp_path, "one")
    stop, listener = asyncio.Event(), listen("127.0.0.1:0", key="web.listen")
    tls = tls_of(tmp_path / "one.pem", tmp_path / "one.key")
    running = asyncio.create_task(Web(create_app([]), listener, tls=tls).run(stop))
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    with contextlib.suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), 3) == b""
    writer.close()
    stop.set()
    await running
    listener.close()


async def test_a_store_that_fails_lets_hidream_call_again(
    web: tuple[Side, httpx.AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be noted is not said to be received."""
    side, http = web
    _, url = await _submitting(side)

    async def full(*_: object) -> None:
        raise StoreError("disk full")

    monkeypatch.setattr(side.store, "called_back", full)
    assert (await http.post(url, json={})).status_code == 503
    assert side.heard == []


async def _forge(port: int, numbers: range) -> Counter[int]:
    """Call paths that nobody gave out, by hand, as fast as one connection can; gives the answers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    statuses: Counter[int] = Counter()
    for n in numbers:
        head = f"POST /hidream/forged{n:018} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}"
        writer.write(head.encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(len("Not Found"))
        statuses[int(answer.split()[1])] += 1
    writer.close()
    await writer.wait_closed()
    return statuses


async def test_ten_thousand_forged_calls(web: tuple[Side, httpx.AsyncClient]) -> None:
    """A storm of forged calls reaches neither the store nor anybody who asks, and a real one comes through."""
    side, http = web
    task_id, url = await _submitting(side)
    asked: list[str] = []
    real = side.store.called_back

    async def noting(one: str, named: str | None) -> object:
        asked.append(one)
        return await real(one, named)

    side.store.called_back = noting  # type: ignore[method-assign, assignment] # it is only counted
    port = side.listener.getsockname()[1]
    forging = asyncio.gather(*(_forge(port, range(n, 10_000, 20)) for n in range(20)))
    answer = await http.post(url, json={"main_task_id": "theirs"})
    assert sum(await forging, Counter()) == {404: 10_000}
    assert (answer.status_code, side.heard, len(asked)) == (200, [task_id], 1)


async def test_paths_are_known_again_after_a_restart() -> None:
    """A task's path outlives the process that gave it out, by its hash alone."""
    clock = HandClock()
    store = MemoryStore(clock)
    side = Side(store, clock)
    task_id, url = await _submitting(side)
    side.listener.close()
    token = url.rpartition("/")[2]
    async with serving(store, clock) as (again, http):
        assert (await http.post(f"{again.url}/hidream/{token}", json={})).status_code == 404
        await again.callbacks.recall()
        assert (await http.post(f"{again.url}/hidream/{token}", json={})).status_code == 200
        assert again.heard == [task_id]
    assert token not in json.dumps(await store.callback_hashes(START - timedelta(days=1)))


async def test_only_so_many_paths_are_known_at_once() -> None:
    """The oldest is forgotten: memory does not grow with every submission."""
    clock = HandClock()
    callbacks = Callbacks(
        store=MemoryStore(clock), clock=clock, public_url="https://x", on_call=lambda _: None
    )
    tokens = [callbacks.new().url.rpartition("/")[2] for _ in range(KEPT + 1)]
    assert len(set(tokens)) == KEPT + 1
    assert [callbacks.knows(token) for token in (tokens[0], tokens[1], tokens[-1])] == [
        False,
        True,
        True,
    ]


async def test_a_loop_that_is_started_again_serves_again(
    web: tuple[Side, httpx.AsyncClient],
) -> None:
    """The address is taken once for the life of the process, whatever becomes of a run."""
    side, http = web
    stop = asyncio.Event()
    second = asyncio.create_task(
        Web(create_app([callback.route(side.callbacks)]), side.listener).run(stop)
    )
    assert (await http.post(f"{side.url}/hidream/unknown", content=b"")).status_code == 404
    stop.set()
    await asyncio.wait_for(second, 10)
    assert (await http.post(f"{side.url}/hidream/unknown", content=b"")).status_code == 404


def test_an_address_that_is_taken_is_told() -> None:
    """The operator reads which key it is, and what to do."""
    with listen("127.0.0.1:0", key="web.listen") as first:
        first.listen()
        port = first.getsockname()[1]
        with pytest.raises(
            ConfigurationError, match=rf"web\.listen.*127\.0\.0\.1:{port}.*free port"
        ):
            listen(f"127.0.0.1:{port}", key="web.listen")


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b'{"main_task_id": "a"}', "a"),
        (b'{"task_id": "a"}', "a"),
        (b'{"code": 0, "result": {"task_id": "a"}}', "a"),
        (b'{"main_task_id": "", "task_id": "b"}', "b"),
        (b'{"main_task_id": "a\\u0000"}', None),
        (json.dumps({"main_task_id": "x" * 201}).encode(), None),
        (b'{"result": []}', None),
        (b"no json", None),
    ],
)
def test_what_is_read_of_a_callback(body: bytes, named: str | None) -> None:
    """The task's id in whichever form of the API, and nothing else."""
    assert task_id_of(body) == named


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
async def test_strangers_learn_nothing_of_the_bot(method: str) -> None:
    """Whoever does not know the secret gets what any unknown path gets, a question that was heard too."""
    secret = new_secret()
    async with (
        serve(create_app([route(secret)])) as url,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        question = ask(secret)
        answer = await http.request(method, url + question.path)
        assert (answer.status_code == 200) is (method == "GET")
        for path in (
            ask("another").path,
            question.path[:-1] + "é",
            "/hidream/here/x/y",
            "/nowhere",
        ):
            answer = await http.request(method, url + path)
            assert (answer.status_code, answer.text) == (
                404,
                "" if method == "HEAD" else "Not Found",
            )
