"""Submitting over real HTTP: what is sent, and what every way of failing becomes."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from bot.hidream.client import HiDreamClient
from bot.hidream.errors import (
    GatewayIll,
    HiDreamError,
    NotSent,
    Refused,
    TokenRefused,
    TooFast,
    Uncertain,
)
from bot.hidream.exchange import REPLY_LIMIT, Patience, new_client, retry_after
from bot.hidream.wire import Accepted, ApiVersion
from tests.hidream.crooked import Script, Wire, answers, crooked
from tests.hidream.making import SHORT, TOKEN, accepted, client, submission

BIG = "QUJD" * (3 * 2**20)
"""12 MB of Base64: more than any socket buffer holds."""


@pytest.mark.parametrize("version", list(ApiVersion))
async def test_a_submission_arrives_as_documented(version: ApiVersion) -> None:
    """Path, headers and body are the documented ones in both versions."""
    async with crooked(answers(accepted())) as server, client(server.url + "/", version) as hidream:
        got = await hidream.submit(submission(prompt="雪 \ud83d ❄"), user_id="4711")
    assert got == Accepted(task_id="t-1", sub_task_ids=("s-1",), request_id="r-1")
    (request,) = server.requests
    assert request.method == "POST"
    assert request.target == f"/api-pub/gw/v{version.value}/image/img2img/async"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["api-user-id"] == "4711"
    assert request.json["prompt"] == "雪 ? ❄"
    assert ("aspect_ratio" in request.json) is (version is ApiVersion.V2)


async def test_two_users_at_once_keep_their_ids() -> None:
    """Each request carries the id of its own user."""
    async with crooked(answers(accepted())) as server, client(server.url) as hidream:
        await asyncio.gather(
            *(
                hidream.submit(submission(request_id=f"r-{user}"), user_id=user)
                for user in ("1", "2")
            )
        )
    seen = {(each.json["request_id"], each.headers["api-user-id"]) for each in server.requests}
    assert seen == {("r-1", "1"), ("r-2", "2")}


async def close_at_once(wire: Wire) -> None:
    """Accept, and close before a byte is read."""
    wire.reset()


async def reset_half_way(wire: Wire) -> None:
    """Read a part of the body, then reset."""
    await wire.reader.readexactly(100_000)
    wire.reset()


async def stop_reading(wire: Wire) -> None:
    """Read a part of the body, and no more."""
    await wire.reader.readexactly(100_000)
    wire.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport that reads
    await asyncio.sleep(30)


async def reset_after_all(wire: Wire) -> None:
    """Read everything, then reset."""
    await wire.request()
    wire.reset()


async def close_after_all(wire: Wire) -> None:
    """Read everything, then close."""
    await wire.request()


async def never_answer(wire: Wire) -> None:
    """Read everything, and say nothing."""
    await wire.request()
    await asyncio.sleep(30)


async def stop_in_the_answer(wire: Wire) -> None:
    """Begin an answer that is never finished."""
    await wire.request()
    await wire.reply(b'{"code": 0, "result": {"task', announced=200)


async def stop_in_a_refusal(wire: Wire) -> None:
    """Begin an answer that says no and is never finished."""
    await wire.request()
    await wire.reply(b'{"code": 1, "mess', 503, {"retry-after": "7"}, announced=200)


async def drip(wire: Wire) -> None:
    """Answer a byte at a time, without end."""
    await wire.request()
    await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        await wire.send(b" ")
        await asyncio.sleep(0.05)


async def babble(wire: Wire) -> None:
    """Something that is not HTTP."""
    await wire.request()
    await wire.send(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")


async def refuse_early(wire: Wire) -> None:
    """Answer before the body was read, then close."""
    await wire.reader.readuntil(b"\r\n\r\n")
    await wire.reply({"code": 413, "message": "too large"}, 413)
    # Read on, as a decent server does, or the reset would overtake the answer.
    await asyncio.wait_for(wire.reader.read(-1), 5)


@pytest.mark.parametrize(
    ("script", "image", "error"),
    [
        (close_at_once, BIG, NotSent),
        (reset_half_way, BIG, NotSent),
        (stop_reading, BIG, NotSent),
        (refuse_early, BIG, Refused),
        (reset_after_all, "QUJD", Uncertain),
        (reset_after_all, BIG, Uncertain),
        (close_after_all, "QUJD", Uncertain),
        (never_answer, "QUJD", Uncertain),
        (stop_in_the_answer, "QUJD", Uncertain),
        (stop_in_a_refusal, "QUJD", GatewayIll),
        (babble, "QUJD", Uncertain),
        (answers(accepted(None)), "QUJD", Uncertain),
        (answers(b'{"code": 0, "resu'), "QUJD", Uncertain),
        (answers(b" " * (REPLY_LIMIT + 1)), "QUJD", Uncertain),
        (answers(b"<html>busy</html>"), "QUJD", GatewayIll),
        (answers(b"", 504), "QUJD", Uncertain),
        (answers(b"", 502), "QUJD", GatewayIll),
        (answers(b"", 401), "QUJD", TokenRefused),
        (answers({"code": 2031, "message": "no such model"}), "QUJD", Refused),
        (answers(b"\x1f\x8bnonsense", headers={"content-encoding": "gzip"}), "QUJD", Uncertain),
    ],
)
async def test_each_way_of_failing_is_told_apart(
    script: Script, image: str, error: type[HiDreamError]
) -> None:
    """Before the body's end nothing was accepted; after it, it may have been."""
    # Enough for 12 MB over loopback on a slow machine, yet short for those that wait for it.
    patience = Patience(connect=2, write=1.0, read=0.3, pool=2, total=5)
    async with crooked(script) as server, client(server.url, patience=patience) as hidream:
        with pytest.raises(HiDreamError) as caught:
            await hidream.submit(submission(images=(image,)), user_id="1")
    assert type(caught.value) is error


async def test_an_answer_without_end_is_given_up() -> None:
    """A byte now and then does not hold a submission for longer than its total time-out."""
    patience = Patience(connect=1, write=1, read=1, pool=1, total=0.4)
    async with crooked(drip) as server, client(server.url, patience=patience) as hidream:
        with pytest.raises(Uncertain) as caught:
            await hidream.submit(submission(), user_id="1")
    assert isinstance(caught.value.__cause__, TimeoutError)


async def test_nobody_listens() -> None:
    """A refused connection means that nothing was sent, with the cause kept."""
    async with crooked(close_at_once) as server:
        pass
    async with client(server.url) as hidream:
        with pytest.raises(NotSent) as caught:
            await hidream.submit(submission(), user_id="1")
    assert isinstance(caught.value.__cause__, httpx.ConnectError)


async def test_a_host_that_is_not_found_sends_nothing() -> None:
    """A DNS failure is NotSent like any other."""
    async with client("https://no-such-host.invalid") as hidream:
        with pytest.raises(NotSent):
            await hidream.submit(submission(), user_id="1")


@pytest.mark.parametrize(
    "url",
    [
        "gopher://x",
        "http://[::1",
        "",
        "x.example",
        "https://x:99999",
        "https://a:b@x",
        "https://x?a",
    ],
)
async def test_a_base_url_that_is_none_is_refused_at_once(url: str) -> None:
    """A mistake in the configuration shows before anything is sent, credentials not repeated."""
    with pytest.raises(ValueError, match="base_url"):
        async with client(url):
            pass


async def test_tls_that_is_none_sends_nothing() -> None:
    """A failed TLS handshake means that nothing was accepted."""

    async def no_tls(wire: Wire) -> None:
        await wire.reader.read(100)
        await wire.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with (
        crooked(no_tls) as server,
        client(server.url.replace("http:", "https:")) as hidream,
    ):
        with pytest.raises(NotSent):
            await hidream.submit(submission(), user_id="1")


async def test_a_full_pool_sends_nothing() -> None:
    """Waiting for a free connection in vain is NotSent."""
    patience = Patience(connect=1, write=1, read=5, pool=0.1, total=5)
    async with crooked(never_answer) as server, new_client(connections=1) as http:
        hidream = HiDreamClient(
            http,
            base_url=server.url,
            version=ApiVersion.V2,
            token=lambda: TOKEN,
            submit_patience=patience,
        )
        first = asyncio.create_task(hidream.submit(submission(), user_id="1"))
        while not server.requests:
            await asyncio.sleep(0.01)
        with pytest.raises(NotSent):
            await hidream.submit(submission(), user_id="2")
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first


@pytest.mark.parametrize(
    ("status", "error"), [(429, TooFast), (503, GatewayIll)], ids=["429", "503"]
)
async def test_retry_after_is_kept(status: int, error: type[HiDreamError]) -> None:
    """The wait that the answer asks for is on the error."""
    script = answers({"code": 1, "message": "?"}, status, {"retry-after": "12"})
    async with crooked(script) as server, client(server.url) as hidream:
        with pytest.raises(error) as caught:
            await hidream.submit(submission(), user_id="1")
    assert caught.value.retry_after == 12


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("3", 3.0),
        ("0.5", 0.5),
        ("-4", 0.0),
        ("999999", 3600.0),
        ("nan", None),
        ("soon", None),
        ("", None),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0.0),
        ("Fri, 31 Dec 1999 23:59:59 -0000", 0.0),
        ("Fri, 99 Dec 99999 23:59:59 GMT", None),
    ],
)
def test_retry_after_is_read_in_each_form(header: str | None, seconds: float | None) -> None:
    """Seconds and dates are read, nonsense is no wait, and no wait is longer than an hour."""
    assert retry_after(header) == seconds


def test_retry_after_may_be_a_date_to_come() -> None:
    """A date counts from now."""
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert retry_after(soon) == pytest.approx(90, abs=3)


@pytest.mark.parametrize("token", ["", "  ", "tök", "a\nb"])
async def test_a_token_that_is_none_is_refused_here(token: str) -> None:
    """A token that cannot stand in a header is never sent."""
    async with crooked(answers(accepted())) as server, client(server.url, token=token) as hidream:
        with pytest.raises(TokenRefused):
            await hidream.submit(submission(), user_id="1")
    assert server.requests == []


async def test_the_token_is_asked_for_each_time() -> None:
    """A new token is used by the next request, its line break taken off."""
    tokens = iter(["one\n", "two\n"])
    async with crooked(answers(accepted())) as server, new_client() as http:
        hidream = HiDreamClient(
            http, base_url=server.url, version=ApiVersion.V2, token=lambda: next(tokens)
        )
        for _ in range(2):
            await hidream.submit(submission(), user_id="1")
    assert [each.headers["authorization"] for each in server.requests] == [
        "Bearer one",
        "Bearer two",
    ]


@pytest.mark.parametrize("user_id", ["", "ü", "a\r\nX: y"])
async def test_a_user_id_that_is_none_is_refused(user_id: str) -> None:
    """No user id can add a header of its own."""
    async with crooked(answers(accepted())) as server, client(server.url) as hidream:
        with pytest.raises(ValueError, match="user_id"):
            await hidream.submit(submission(), user_id=user_id)
    assert server.requests == []


async def test_cookies_are_neither_kept_nor_sent() -> None:
    """What one answer sets is not in the next request."""
    script = answers(accepted(), headers={"set-cookie": "session=abc; Path=/"})
    async with crooked(script) as server, client(server.url) as hidream:
        for _ in range(2):
            await hidream.submit(submission(), user_id="1")
    assert all("cookie" not in each.headers for each in server.requests)


async def test_a_redirect_is_not_followed() -> None:
    """The token goes to the configured host only."""
    async with crooked(answers(accepted())) as other:
        script = answers(b"", 307, {"location": other.url})
        async with crooked(script) as server, client(server.url) as hidream:
            with pytest.raises(GatewayIll):
                await hidream.submit(submission(), user_id="1")
    assert other.requests == []


async def test_the_environment_proxy_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment does not get to see the token."""
    async with crooked(answers(accepted())) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        async with client(server.url) as hidream:
            assert (await hidream.submit(submission(), user_id="1")).task_id == "t-1"


async def test_a_tunnel_that_breaks_before_the_request_sends_nothing() -> None:
    """A proxy's own exchange does not count as ours having been sent."""

    async def tunnel(wire: Wire) -> None:
        await wire.reader.readuntil(b"\r\n\r\n")
        await wire.send(b"HTTP/1.1 200 Connected\r\n\r\n")
        await wire.reader.read(10)

    async def no_tunnel(wire: Wire) -> None:
        await wire.reader.readuntil(b"\r\n\r\n")

    for script in (tunnel, no_tunnel):
        async with (
            crooked(script) as proxy,
            client("https://gateway.example", proxy=proxy.url) as hidream,
        ):
            with pytest.raises(NotSent):
                await hidream.submit(submission(), user_id="1")


async def test_a_cancelled_submission_is_cancelled() -> None:
    """Cancelling is not turned into an error of ours."""
    async with crooked(never_answer) as server, client(server.url, patience=SHORT) as hidream:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await hidream.submit(submission(), user_id="1")


async def test_nothing_secret_is_in_an_error() -> None:
    """Neither prompt, image nor token is in an error's text, also where HiDream repeats it."""
    script = answers({"code": 5, "message": f"bad {TOKEN}"})
    async with crooked(script) as server, client(server.url) as hidream:
        with pytest.raises(Refused) as caught:
            await hidream.submit(submission(prompt="my prompt"), user_id="1")
    shown = f"{caught.value!r} {json.dumps(vars(caught.value))}"
    assert TOKEN not in shown
    assert "my prompt" not in shown
