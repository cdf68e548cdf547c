"""Fetching images from hosts that may be anything, over real HTTP and real TLS."""

import asyncio
import io
import ssl
import threading
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.GifImagePlugin import GifImageFile

from bot.hidream import decoding
from bot.hidream.addresses import Resolve
from bot.hidream.decoding import decode
from bot.hidream.download import (
    DownloadedImage,
    Downloader,
    DownloadError,
    DownloadLater,
    DownloadReason,
    DownloadRefused,
)
from bot.hidream.exchange import Patience
from bot.worker import MOST_ABANDONED
from tests.bombs import scan_bomb
from tests.hidream.certificates import make_certificate
from tests.hidream.crooked import Script, Wire, answers, crooked
from tests.hidream.making import TRUST, UNHURRIED, picture

QUICK = Patience(connect=1, write=1, read=0.3, pool=1, total=2)
Contexts = tuple[ssl.SSLContext, ssl.SSLContext]


def local(**options: Any) -> Downloader:
    """A downloader that may fetch from this machine."""
    defaults: dict[str, Any] = {"patience": QUICK, "verify": TRUST}
    return Downloader(allow_local=True, **defaults | options)


def to(*addresses: str) -> Resolve:
    """A resolver that finds these, whatever it is asked."""

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return addresses

    return resolve


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> Contexts:
    """A certificate for images.example, on both sides."""
    folder: Path = tmp_path_factory.mktemp("tls")
    return make_certificate(folder, "images.example")


async def refused_because(downloader: Downloader, url: str) -> DownloadReason:
    """Why this URL is refused."""
    async with downloader:
        with pytest.raises(DownloadRefused) as caught:
            await downloader.image(url)
    assert "signed" not in str(caught.value)
    return caught.value.reason


@pytest.mark.parametrize(
    ("form", "media_type"),
    [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")],
)
async def test_an_image_is_fetched_as_it_is(form: str, media_type: str) -> None:
    """The bytes come unchanged, with their true type and size, and nothing of ours is sent."""
    content = picture(form)
    async with crooked(answers(content)) as server, local() as downloader:
        got = await downloader.image(f"{server.url}/1.bin?signature=a%2Fb")
    assert got == DownloadedImage(content=content, media_type=media_type, width=40, height=30)
    (request,) = server.requests
    assert request.target == "/1.bin?signature=a%2Fb"
    assert request.headers["host"] == f"127.0.0.1:{server.port}"
    assert not {"authorization", "cookie", "api-user-id"} & set(request.headers)


async def test_cookies_are_not_kept() -> None:
    """What one download sets is not sent with the next."""
    script = answers(picture(), headers={"set-cookie": "a=b; Path=/"})
    async with crooked(script) as server, local() as downloader:
        for _ in range(2):
            await downloader.image(f"{server.url}/1.jpg")
    assert all("cookie" not in each.headers for each in server.requests)


async def test_the_connection_goes_to_the_address_as_checked(contexts: Contexts) -> None:
    """One look-up; the certificate and the Host header are those of the name."""
    asked: list[tuple[str, int]] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append((host, port))
        return ["127.0.0.1"]

    server_side, client_side = contexts
    async with crooked(answers(picture()), tls=server_side) as server:
        async with local(resolve=resolve, verify=client_side) as downloader:
            url = f"https://images.example:{server.port}/1.jpg"
            got = await downloader.image(url)
        assert got.media_type == "image/jpeg"
        assert asked == [("images.example", server.port)]
        assert server.requests[0].headers["host"] == f"images.example:{server.port}"


async def test_a_certificate_for_another_name_is_not_taken(contexts: Contexts) -> None:
    """A connection verified for one name does not serve another at the same address."""
    server_side, client_side = contexts
    async with (
        crooked(answers(picture()), tls=server_side) as server,
        local(resolve=to("127.0.0.1"), verify=client_side) as downloader,
    ):
        await downloader.image(f"https://images.example:{server.port}/1.jpg")
        with pytest.raises(DownloadLater):
            await downloader.image(f"https://evil.example:{server.port}/1.jpg")
    assert len(server.requests) == 1


async def test_a_connection_is_not_used_for_a_second_name(contexts: Contexts) -> None:
    """Not even where the server would keep it open."""

    async def keeps_open(wire: Wire) -> None:
        while True:
            await wire.request()
            await wire.reply(picture(), headers={"connection": "keep-alive"})

    server_side, client_side = contexts
    async with (
        crooked(keeps_open, tls=server_side) as server,
        local(resolve=to("127.0.0.1"), verify=client_side) as downloader,
    ):
        await downloader.image(f"https://images.example:{server.port}/1.jpg")
        with pytest.raises(DownloadLater):
            await downloader.image(f"https://evil.example:{server.port}/1.jpg")


async def test_a_certificate_that_nobody_vouches_for_is_not_taken(contexts: Contexts) -> None:
    """By default the usual authorities decide."""
    async with (
        crooked(answers(picture()), tls=contexts[0]) as server,
        Downloader(allow_local=True, resolve=to("127.0.0.1")) as downloader,
    ):
        with pytest.raises(DownloadLater):
            await downloader.image(f"https://images.example:{server.port}/1.jpg")
    assert server.requests == []


async def test_the_next_address_is_tried(contexts: Contexts) -> None:
    """An address that does not answer is passed over, as without IPv6."""
    server_side, client_side = contexts
    async with (
        crooked(answers(picture()), tls=server_side) as server,
        local(resolve=to("::1", "127.0.0.2", "127.0.0.1"), verify=client_side) as downloader,
    ):
        got = await downloader.image(f"https://images.example:{server.port}/1.jpg")
    assert got.width == 40


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://images.example/1.jpg", "scheme"),
        ("ftp://images.example/signed", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("data:image/png;base64,AAAA", "scheme"),
        ("1.jpg", "scheme"),
        ("", "scheme"),
        ("https:///signed", "url"),
        ("https://user:signed@images.example/1.jpg", "url"),
        ("https://user@images.example/1.jpg", "url"),
        ("https://[::1/signed", "url"),
        ("https://images.example:99999/signed", "url"),
        ("https://images.example/\x00signed", "url"),
        ("https://127.0.0.1/signed", "address"),
        ("https://127.1/signed", "address"),
        ("https://2130706433/signed", "address"),
        ("https://0x7f.0.0.1/signed", "address"),
        ("https://[::1]/signed", "address"),
        ("https://[::ffff:10.0.0.1]/signed", "address"),
        ("https://169.254.169.254/latest/meta-data", "address"),
        ("http://127.0.0.1/signed", "scheme"),
    ],
)
async def test_a_url_that_must_not_be_fetched_is_refused(url: str, reason: str) -> None:
    """Scheme, credentials and literal addresses are checked before anything is sent."""
    assert await refused_because(Downloader(verify=TRUST, resolve=to("1.1.1.1")), url) == reason


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["10.0.0.1"], ["1.1.1.1", "10.0.0.1"], ["::ffff:192.168.0.1"], ["fe80::1%lo"]],
)
async def test_every_address_of_a_host_must_be_public(addresses: list[str]) -> None:
    """One private address among public ones is enough to refuse."""
    downloader = Downloader(verify=TRUST, resolve=to(*addresses))
    assert await refused_because(downloader, "https://images.example/signed") == "address"


@pytest.mark.parametrize("url", ["https://10.0.0.1/x", "https://lan.example/x"])
async def test_the_sandbox_may_only_be_on_this_machine(url: str) -> None:
    """Allowing local results allows loopback, not the rest of a private network."""
    assert await refused_because(local(resolve=to("10.0.0.1")), url) == "address"


async def test_plain_http_is_for_loopback_only() -> None:
    """A public host is https also where local results are allowed."""
    downloader = local(resolve=to("127.0.0.1", "1.1.1.1"))
    assert await refused_because(downloader, "http://images.example/x") == "scheme"


@pytest.mark.parametrize("found", [[], ["nonsense"]])
async def test_a_host_without_an_address_is_for_later(found: list[str]) -> None:
    """A resolver that finds nothing may find something later."""
    async with Downloader(verify=TRUST, resolve=to(*found)) as downloader:
        with pytest.raises(DownloadLater):
            await downloader.image("https://images.example/x")


async def test_a_failing_look_up_is_for_later() -> None:
    """DNS being down is no fault of the image's."""
    async with Downloader() as downloader:
        with pytest.raises(DownloadLater):
            await downloader.image("https://no-such-host.invalid/x")


async def test_a_host_that_is_no_name_is_refused() -> None:
    """What cannot be encoded for DNS is no host."""
    url = f"https://{'a' * 70}.example/signed"
    assert await refused_because(Downloader(verify=TRUST), url) == "address"


def redirects(location: str, status: int = 302) -> Script:
    """A script that sends on to `location`."""
    return answers(b"", status, {"location": location})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_followed(status: int) -> None:
    """From one place to another, relative ones too."""

    async def script(wire: Wire) -> None:
        request = await wire.request()
        if request.target == "/there/2.jpg":
            await wire.reply(picture())
        else:
            await wire.reply(b"", status, {"location": "../there/2.jpg"})

    async with crooked(script) as server, local() as downloader:
        assert (await downloader.image(f"{server.url}/here/1.jpg")).height == 30


@pytest.mark.parametrize(("hops", "fine"), [(3, True), (4, False)])
async def test_three_redirects_are_enough(hops: int, fine: bool) -> None:
    """The fourth is one too many."""

    async def script(wire: Wire) -> None:
        number = int((await wire.request()).target.removeprefix("/"))
        if number == hops:
            await wire.reply(picture())
        else:
            await wire.reply(b"", 302, {"location": f"/{number + 1}"})

    async with crooked(script) as server, local() as downloader:
        if fine:
            assert (await downloader.image(f"{server.url}/0")).width == 40
        else:
            assert await refused_because(downloader, f"{server.url}/0") == "too_many_redirects"


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("https://10.0.0.1/signed", "address"),
        ("https://lan.example/signed", "address"),
        ("http://1.1.1.1/signed", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("https://a:signed@1.1.1.1/", "url"),
    ],
)
async def test_a_redirect_is_checked_like_the_first_url(location: str, reason: str) -> None:
    """No redirect leads where the URL itself could not."""
    async with crooked(redirects(location)) as server:
        downloader = local(resolve=to("192.168.0.1"))
        assert await refused_because(downloader, f"{server.url}/1.jpg") == reason


async def test_a_host_is_looked_up_anew_at_each_redirect(contexts: Contexts) -> None:
    """A name that was public a moment ago is checked again."""
    found = iter([["127.0.0.1"], ["10.0.0.1"]])

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return next(found)

    server_side, client_side = contexts
    async with crooked(redirects("/again"), tls=server_side) as server:
        downloader = local(resolve=resolve, verify=client_side)
        url = f"https://images.example:{server.port}/1.jpg"
        assert await refused_because(downloader, url) == "address"
    assert len(server.requests) == 1


async def test_a_large_file_is_refused_while_reading() -> None:
    """What the header says of the length does not matter."""

    async def endless(wire: Wire) -> None:
        await wire.request()
        await wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            await wire.send(b"4000\r\n" + bytes(0x4000) + b"\r\n")

    async with crooked(endless) as server:
        downloader = local(max_bytes=100_000)
        assert await refused_because(downloader, f"{server.url}/1.jpg") == "too_large"


async def test_a_file_of_exactly_the_limit_is_taken() -> None:
    """The limit itself is allowed, one byte more is not."""
    content = picture()
    async with crooked(answers(content)) as server:
        async with local(max_bytes=len(content)) as downloader:
            assert (await downloader.image(server.url)).content == content
        smaller = local(max_bytes=len(content) - 1)
        assert await refused_because(smaller, server.url) == "too_large"


async def test_too_many_pixels_are_refused_before_decoding() -> None:
    """A small file that unpacks to a huge image is not unpacked."""
    flat = io.BytesIO()
    Image.new("1", (12_000, 12_000)).save(flat, "PNG")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        async with crooked(answers(flat.getvalue())) as server:
            assert await refused_because(local(), server.url) == "too_many_pixels"


async def test_a_jpeg_of_thousands_of_scans_is_no_image() -> None:
    """A small file that would take minutes to decode is refused at once."""
    began = time.monotonic()
    async with crooked(answers(scan_bomb())) as server:
        assert await refused_because(local(), server.url) == "not_an_image"
    assert time.monotonic() - began < 5


async def test_a_decoder_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Images that keep a decoder busy are refused; while too many do, the next is fetched later."""
    go_on = threading.Event()

    class Slow(GifImageFile):
        def load(self) -> Any:
            go_on.wait()
            return super().load()

    slow = decoding.Format(media_type="image/gif", begins=b"GIF", at_eight=b"", decoder=Slow)
    monkeypatch.setattr(decoding, "FORMATS", (*decoding.FORMATS, slow))
    fine = picture("PNG")
    try:
        async with (
            crooked(answers(picture("GIF"))) as slow_server,
            crooked(answers(fine)) as server,
            local(decoding_seconds=0.2) as downloader,
        ):
            for _ in range(MOST_ABANDONED):
                assert (await downloader.image(server.url)).content == fine
                with pytest.raises(DownloadRefused) as caught:
                    await downloader.image(slow_server.url)
                assert caught.value.reason == "not_an_image"
            with pytest.raises(DownloadLater):
                await downloader.image(server.url)
    finally:
        go_on.set()


def animated(form: str) -> bytes:
    """Two frames in one file."""
    out = io.BytesIO()
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    frames[0].save(out, form, save_all=True, append_images=frames[1:])
    return out.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>expired</html>",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        picture("GIF"),
        picture("BMP"),
        picture("TIFF"),
        picture("JPEG", (200, 200))[:-2000],
        picture("PNG")[:200],
        picture("WEBP")[:-100],
        b"\xff\xd8\xff" + bytes(100),
        b"\x89PNG\r\n\x1a\n" + b"\xff" * 100,
        b"RIFF\x00\x00\x00\x00WEBPVP8 " + bytes(50),
        b"RIFF\x00\x00\x00\x00WAVEfmt " + bytes(50),
        animated("PNG"),
        animated("WEBP"),
    ],
    ids=lambda content: f"{len(content)} bytes of {content[:12]!r}",
)
async def test_what_does_not_decode_is_no_image(content: bytes) -> None:
    """Other formats, broken files and animations are refused, whatever their type says."""
    script = answers(content, headers={"content-type": "image/jpeg"})
    async with crooked(script) as server:
        assert await refused_because(local(), server.url) == "not_an_image"


@UNHURRIED
@given(
    content=st.binary(max_size=60),
    start=st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x10\x00\x00\x00WEBP"]),
    place=st.integers(0, 600),
)
def test_no_bytes_break_the_decoder(content: bytes, start: bytes, place: int) -> None:
    """Garbage, and images with garbage in them, are decoded or refused."""
    whole = GOOD_PNG[:place] + content + GOOD_PNG[place + len(content) :]
    for tried in (start + content, whole):
        try:
            made = decode(tried, 10_000)
        except DownloadRefused:
            continue
        assert made.width * made.height <= 10_000


GOOD_PNG = picture("PNG")


@pytest.mark.parametrize("status", [204, 401, 403, 404, 408, 425, 429, 500, 502, 503])
async def test_an_image_that_is_not_there_may_come(status: int) -> None:
    """Statuses that can change are for later, with the wait that was asked for."""
    script = answers(b"" if status == 204 else b"x", status, {"retry-after": "4"})
    async with crooked(script) as server, local() as downloader:
        with pytest.raises(DownloadLater) as caught:
            await downloader.image(server.url)
    assert (caught.value.http_status, caught.value.retry_after) == (status, 4)


@pytest.mark.parametrize("status", [400, 410, 451])
async def test_an_image_that_is_gone_is_refused(status: int) -> None:
    """Statuses that are final are final."""
    async with crooked(answers(b"", status)) as server:
        assert await refused_because(local(), server.url) == "gone"


@pytest.mark.parametrize("headers", [{}, {"location": "https://[::1/"}])
async def test_a_redirect_to_nowhere_is_for_later(headers: dict[str, str]) -> None:
    """A redirect without a readable place is no answer."""
    async with crooked(answers(b"", 302, headers)) as server, local() as downloader:
        with pytest.raises(DownloadLater):
            await downloader.image(server.url)


async def stops(wire: Wire) -> None:
    """Half an image, and then nothing."""
    await wire.request()
    await wire.reply(picture(), announced=10**6)
    await asyncio.sleep(30)


async def breaks(wire: Wire) -> None:
    """Half an image, and then the end."""
    await wire.request()
    await wire.reply(picture(), announced=10**6)


async def resets(wire: Wire) -> None:
    """A reset in place of an answer."""
    await wire.request()
    wire.reset()


@pytest.mark.parametrize("script", [stops, breaks, resets])
async def test_a_connection_that_breaks_is_for_later(script: Script) -> None:
    """Every failure of the network is for later, with its cause kept."""
    async with crooked(script) as server, local() as downloader:
        with pytest.raises(DownloadLater) as caught:
            await downloader.image(server.url)
    assert isinstance(caught.value.__cause__, httpx.TransportError)


async def test_a_drip_is_given_up() -> None:
    """A byte now and then holds a download no longer than its total time-out."""

    async def drip(wire: Wire) -> None:
        await wire.request()
        await wire.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            await wire.send(b"x")
            await asyncio.sleep(0.05)

    patience = Patience(connect=1, write=1, read=1, pool=1, total=0.3)
    async with crooked(drip) as server, local(patience=patience) as downloader:
        with pytest.raises(DownloadLater):
            await downloader.image(server.url)


async def test_packed_bodies_are_not_unpacked() -> None:
    """A packed answer, which was not asked for, is no image as it is."""
    script = answers(b"\x1f\x8b" + bytes(50), headers={"content-encoding": "gzip"})
    async with crooked(script) as server:
        assert await refused_because(local(), server.url) == "not_an_image"
    assert server.requests[0].headers["accept-encoding"] == "identity"


async def test_a_proxy_is_given_the_name() -> None:
    """Behind a proxy the proxy looks the name up; ours is not asked."""

    async def no_look_up(_host: str, _port: int) -> Sequence[str]:
        raise AssertionError

    async def proxy(wire: Wire) -> None:
        await wire.request()
        await wire.send(b"HTTP/1.1 502 No\r\n\r\n")

    async with (
        crooked(proxy) as server,
        Downloader(verify=TRUST, proxy=server.url, resolve=no_look_up) as downloader,
    ):
        with pytest.raises(DownloadLater):
            await downloader.image("https://images.example/1.jpg")
    assert (server.requests[0].method, server.requests[0].target) == (
        "CONNECT",
        "images.example:443",
    )


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://images.example/x", "scheme"),
        ("https://10.0.0.1/x", "address"),
        ("https://127.1/x", "address"),
        ("https://localhost/x", "address"),
        ("https://db.internal/x", "address"),
    ],
)
async def test_behind_a_proxy_schemes_and_literals_are_checked(url: str, reason: str) -> None:
    """What can be known without a look-up is refused before the proxy hears of it."""
    assert (
        await refused_because(Downloader(verify=TRUST, proxy="http://127.0.0.1:1"), url) == reason
    )


async def test_local_results_too_go_through_the_proxy() -> None:
    """Nothing goes round a proxy, whatever it may be unable to reach."""
    async with (
        crooked(answers(picture())) as server,
        local(proxy="http://127.0.0.1:1") as downloader,
    ):
        with pytest.raises(DownloadLater):
            await downloader.image(server.url)
    assert server.requests == []


async def test_the_environment_proxy_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment does not send downloads elsewhere."""
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with crooked(answers(picture())) as server, local() as downloader:
        assert (await downloader.image(server.url)).width == 40


@UNHURRIED
@given(url=st.text(max_size=30) | st.text(max_size=20).map(lambda rest: f"https://{rest}"))
async def test_no_url_breaks_the_downloader(url: str) -> None:
    """Whatever stands in place of a URL, only our errors come out."""
    async with Downloader(verify=TRUST, resolve=to("10.0.0.1")) as downloader:
        with pytest.raises(DownloadError):
            await downloader.image(url)
