"""Settings that must fit together: what is said where they do not."""

import asyncio
import contextlib
import ssl
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from bot.certificates import LOOK_SECONDS, Certificate, shown, tls_of
from bot.config_loading import load
from bot.errors import ConfigurationError
from bot.web.requests import create_app
from bot.web.serving import Web, listen
from tests.e2e.world import until
from tests.hidream.certificates import make_certificate
from tests.storage.making import HandClock

URL: Final = "https://bot.example.org"
OWN_SERVER: Final = "http://127.0.0.1:8081"


def problems(**given: Any) -> list[str]:
    """Load these settings beside the tokens; give what is wrong with them."""
    environ = {"BOT_TELEGRAM__TOKEN": "1:a", "BOT_HIDREAM__TOKEN": "h"}
    environ |= {f"BOT_{key.upper()}": str(value) for key, value in given.items()}
    try:
        load(None, environ)
    except ConfigurationError as error:
        return str(error).splitlines()
    return []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, ["telegram.mode", "needs web.public_url"]),
        ({"web__public_url": "http://bot.example.org"}, ["web.public_url", "must be https"]),
        ({"web__public_url": f"{URL}:8080"}, ["web.public_url", "443, 80, 88 or 8443"]),
        ({"web__public_url": f"{URL}:8080", "telegram__api_url": OWN_SERVER}, []),
        ({"web__public_url": "http://10.0.0.1:99", "telegram__api_url": OWN_SERVER}, []),
        ({"web__public_url": URL}, []),
        ({"web__public_url": f"{URL}:8443/path"}, []),
    ],
)
def test_a_webhook_needs_an_address(given: dict[str, str], said: list[str]) -> None:
    """Telegram's own server calls https alone, on four ports; one's own calls anything."""
    found = problems(telegram__mode="webhook", **given)
    assert len(found) == bool(said)
    assert all(part in found[0] for part in said)
    assert (
        problems(**{key: value for key, value in given.items() if key == "web__public_url"}) == []
    )


def test_certificate_and_key(tmp_path: Path) -> None:
    """Both are needed, readable, PEM, and of one pair; else it is said which is not."""
    for name in ("one", "two"):
        make_certificate(tmp_path, name)
    one, key, other = tmp_path / "one.pem", tmp_path / "one.key", tmp_path / "two.key"
    junk, folder = tmp_path / "junk", tmp_path
    junk.write_text("no PEM")
    locked = tmp_path / "locked.key"
    subprocess.run(
        ["openssl", "pkey", "-in", str(key), "-aes256", "-passout", "pass:hush", "-out", locked],
        check=True,
    )
    assert problems(web__certificate=one, web__key=key, web__self_signed="true") == []
    for given, said in (
        ({"certificate": one}, "settings: web.certificate: needs web.key"),
        ({"key": key}, "settings: web.key: needs web.certificate"),
        ({"self_signed": "true"}, "settings: web.self_signed = true: needs web.certificate"),
        ({"certificate": one, "key": other}, "settings: web.key: does not belong to"),
        ({"certificate": junk, "key": key}, "settings: web.certificate, web.key: "),
        ({"certificate": one, "key": junk}, "settings: web.certificate, web.key: "),
        ({"certificate": one, "key": locked}, "settings: web.certificate, web.key: cannot be use"),
        ({"certificate": tmp_path / "none", "key": key}, "settings: web.certificate: cannot be re"),
        ({"certificate": one, "key": folder}, "settings: web.key: cannot be read: Is a directory."),
    ):
        (found,) = problems(**{f"web__{name}": value for name, value in given.items()})
        assert found.startswith(said), found
    insecure = {"web__certificate": one, "web__key": key, "web__public_url": "http://a"}
    assert problems(**insecure) == [
        'settings: web.public_url = "http://a": must be https with web.certificate.'
    ]


def test_what_telegram_gets_of_a_file(tmp_path: Path) -> None:
    """Where certificate and key stand in one file, it serves, and the key is shown to nobody."""
    make_certificate(tmp_path, "one")
    both = tmp_path / "both.pem"
    certificate = (tmp_path / "one.pem").read_bytes()
    both.write_bytes((tmp_path / "one.key").read_bytes() + certificate)
    assert tls_of(both, both).check_hostname is False, "it is a server's"
    assert shown(both).strip() == certificate.strip()


async def test_a_renewed_certificate_is_taken_up(tmp_path: Path) -> None:
    """New connections get the new one; while the files are no pair, the old one goes on."""
    trusted = {name: make_certificate(tmp_path, name)[1] for name in ("one", "two")}
    certificate, key = tmp_path / "now.pem", tmp_path / "now.key"
    certificate.write_bytes((tmp_path / "one.pem").read_bytes())
    key.write_bytes((tmp_path / "one.key").read_bytes())
    clock, stop = HandClock(), asyncio.Event()
    used = Certificate(certificate, key, clock)
    renewed: list[float] = []
    used.on_renewed = lambda: renewed.append(clock.seconds)

    async def shows(name: str) -> bool:
        port = listener.getsockname()[1]
        try:
            _, writer = await asyncio.open_connection(
                "127.0.0.1", port, ssl=trusted[name], server_hostname=name
            )
        except ssl.SSLError:
            return False
        writer.close()
        return True

    async def looks() -> None:
        await asyncio.sleep(0.01)
        clock.move(LOOK_SECONDS)
        await asyncio.sleep(0.01)

    with contextlib.closing(listen("127.0.0.1:0", key="web.listen")) as listener:
        web = asyncio.create_task(Web(create_app([]), listener, tls=used.tls).run(stop))
        watch = asyncio.create_task(used.run(stop))
        await until(lambda: shows("one"), "the first is served")
        certificate.write_bytes((tmp_path / "two.pem").read_bytes())
        await looks()
        assert await shows("one")
        key.write_bytes((tmp_path / "two.key").read_bytes())
        await looks()
        assert await shows("two")
        assert not await shows("one")
        key.unlink()
        await looks()
        assert await shows("two")
        assert renewed == [2 * LOOK_SECONDS], "once, and not for what cannot be used"
        stop.set()
        watch.cancel()
        await asyncio.wait_for(asyncio.gather(web, watch, return_exceptions=True), 10)
