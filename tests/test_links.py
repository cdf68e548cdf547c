"""Links in what people write: which are taken for a picture, and which HiDream may be given."""

import asyncio
import socket
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.hidream.wire import Submission
from bot.links import find
from bot.reach import Reach

CAT = "https://example.com/cat.jpg"


@pytest.mark.parametrize(
    ("text", "url", "words"),
    [
        (CAT, CAT, ""),
        (f"{CAT} make it snow", CAT, "make it snow"),
        (f"make it snow: {CAT}.", CAT, "make it snow:"),
        (f"make {CAT}\nsnow", CAT, "make snow"),
        ("HTTPS://EXAMPLE.COM/CAT.JPG?w=9 snow", "HTTPS://EXAMPLE.COM/CAT.JPG?w=9", "snow"),
        ("https://example.com/cat snow", "https://example.com/cat", "snow"),
    ],
)
def test_what_is_a_picture(text: str, url: str, words: str) -> None:
    """A link to an image file anywhere, and any link at the beginning; the rest are the words."""
    link = find(text)
    assert link is not None
    assert (link.url, link.words) == (url, words)


@pytest.mark.parametrize(
    "text",
    [
        "snow",
        "",
        "like https://example.com/cat",
        "like https://example.com/cat.html",
        "see example.com/cat.jpg",
        f"{CAT} and {CAT}2.jpg",
        f"x{CAT}",
        "ftp://example.com/cat.jpg",
        "like https://[broken/cat.jpg",
    ],
)
def test_what_is_words(text: str) -> None:
    """All other links are words, and so are several."""
    assert find(text) is None


@given(st.text(alphabet=st.sampled_from("ab.:/@?#[]%\\é🎉\u200d1 "), max_size=30))
def test_whatever_is_taken_can_be_handed_in(rest: str) -> None:
    """A link whose host can be used is one that HiDream's client takes."""
    link = find(f"https://a{rest}")
    if link is not None and link.host is not None:
        Submission(images=(link.url,), prompt="p", request_id="r")


async def test_a_name_that_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a resolver that does not answer; a host without addresses is unknown too."""
    monkeypatch.setattr("bot.reach._PATIENCE", 0.01)

    async def never(host: str, port: int) -> list[str]:
        await asyncio.sleep(60)
        return [host, str(port)]

    async def nothing(host: str, port: int) -> list[str]:
        del host, port
        return []

    link = find(CAT)
    assert link is not None
    for resolve in (never, nothing):
        refused = await Reach(resolve=resolve).check(link)
        assert refused is not None
        assert refused.id == "link-unknown"


@pytest.mark.parametrize("text", ["http://127.0.0.1:8080/cat.jpg", CAT])
async def test_the_sandbox_takes_any(text: str) -> None:
    """With `allow_local_results` addresses of this machine are taken, and http."""
    link = find(text)
    assert link is not None
    assert await Reach(allow_local=True).check(link) is None


async def test_slow_names_hold_nothing_else_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many links lead to names that nobody answers for, other work in threads goes on."""
    link, answered, asked = find(CAT), threading.Event(), threading.Event()
    assert link is not None

    def slow(host: str, port: int, *_: Any, **__: Any) -> list[tuple[Any, ...]]:
        asked.set()
        answered.wait(20)
        return [(0, 0, 0, "", ("93.184.216.34", port))]

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    checks = [asyncio.create_task(Reach().check(link)) for _ in range(100)]
    try:
        async with asyncio.timeout(4):
            while not asked.is_set():
                await asyncio.sleep(0)
            assert await asyncio.to_thread(lambda: "done") == "done"
    finally:
        answered.set()
    assert await asyncio.gather(*checks) == [None] * 100
