"""Webhook mode over real HTTP and TLS, the ways between the modes, and who else has the bot's token."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from bot.web.telegram import SECRET
from sandbox.telegram.rules import UNHURRIED
from tests.e2e.world import JSON, TELEGRAM_TOKEN, World, opened, until
from tests.hidream.certificates import make_certificate
from tests.ports import free_port

RULES: Final = replace(UNHURRIED, self_hosted=True, webhook_pace=0.05, webhook_set_seconds=0.3)
INFO: Final = {"log_level": "INFO"}
ELSEWHERE: Final = "https://elsewhere.example/hook/their-secret"


def _web(port: int, **more: Any) -> dict[str, Any]:
    address = f"127.0.0.1:{port}"
    return {"listen": address, "public_url": f"http://{address}", **more}


async def _asked(world: World, method: str, **params: Any) -> Any:
    """Call a method as another program would that has the token."""
    url = f"{world.telegram}/bot{TELEGRAM_TOKEN}/{method}"
    answer = await world.http.post(url, json=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


async def _logged(world: World, words: str) -> None:
    async def look() -> bool:
        return words in world.log

    await until(look, f"the log says {words}")


async def _webhook(world: World, start: int) -> JSON:
    """Give the parameters with which the bot set its webhook at its first, second … start."""

    async def look() -> JSON | None:
        calls = await world.calls("telegram", call="setWebhook", outcome="ok")
        return calls[start - 1]["params"] if len(calls) >= start else None

    return await until(look, "the webhook is set")


async def test_from_polling_to_a_webhook_and_back(tmp_path: Path) -> None:
    """What people send before, between and after, through a kill and outages, is made once each."""
    async with opened(tmp_path, rules=RULES) as world:
        ada, bob = await world.person(), await world.person("Bob")
        await world.start()
        await ada.photo("sepia by polling")
        await ada.gets(1)
        assert await world.stop() == 0
        await ada.photo("sepia while it is off")
        web = _web(free_port())
        pid = await world.start(telegram={"mode": "webhook"}, web=web)
        await ada.gets(2)
        # the first try does not come through, the answer to the second is lost
        await world.fault("telegram", "webhook", "reset_before")
        await world.fault("telegram", "webhook", "reset_after")
        await bob.photo("sepia by webhook")
        await bob.gets(1)
        brought = await world.calls("telegram", call="webhook")
        assert [call["status"] for call in brought][-3:] == [0, 0, 200]
        first = await _webhook(world, 1)
        assert (first["max_connections"], first["drop_pending_updates"]) == (40, False)
        assert "callback_query" in first["allowed_updates"]
        # killed before an update was kept, and after
        for n, when in enumerate(("kill_before", "kill_after"), 2):
            await world.fault("telegram", "webhook", when, pid=pid)
            await ada.photo(f"sepia {when}")
            assert await world.died() == -9
            pid = await world.start()
            last = await _webhook(world, n)
        await ada.gets(4)
        assert last["url"] != first["url"]
        assert last["secret_token"] != first["secret_token"]
        # nobody else gets in: neither by an earlier path, nor without the secret
        forged = {"update_id": 1, "message": {"text": "forged"}}
        url, secret = last["url"], last["secret_token"]
        for to, said, status in ((first["url"], first["secret_token"], 404), (url, "guessed", 401)):
            answer = await world.http.post(to, json=forged, headers={SECRET: said})
            assert answer.status_code == status
        for one in (first, last):
            path = one["url"].rpartition("/")[2]
            assert not any(path in row["value"] for row in world.rows("SELECT value FROM facts"))
        assert url.rpartition("/")[2] not in world.log
        assert secret not in world.log
        assert secret not in world.database.read_bytes().decode("latin-1")
        assert await world.stop() == 0
        await bob.photo("sepia while it is off again")
        # the address that we had is known for our own, though the settings name it no more
        del world.settings["web"]
        await world.start(telegram={"mode": "polling"})
        await bob.gets(2)
        assert (await _asked(world, "getWebhookInfo"))["url"] == ""
        await ada.text("/status")
        made = (await world.made())["tasks"]
        assert len(made) == 6, "each once"
        assert len(await ada.gets(4)) == 4
        assert len(await bob.gets(2)) == 2


async def test_with_a_certificate_of_its_own(tmp_path: Path) -> None:
    """Telegram trusts the certificate that was uploaded, and brings updates over TLS."""
    make_certificate(tmp_path, "localhost")
    port = free_port()
    web = {
        "listen": f"127.0.0.1:{port}",
        "public_url": f"https://localhost:{port}",
        "certificate": str(tmp_path / "localhost.pem"),
        "key": str(tmp_path / "localhost.key"),
        "self_signed": True,
    }
    async with opened(tmp_path, rules=RULES) as world:
        telegram = {"mode": "webhook", "webhook_connections": 7}
        await world.start(telegram=telegram, web=web)
        ada = await world.person()
        await ada.photo("sepia")
        await ada.gets(1)
        info = await _asked(world, "getWebhookInfo")
        assert info["has_custom_certificate"] is True
        assert (info["max_connections"], info["url"].startswith("https:")) == (7, True)
        assert "last_error_message" not in info
        # HiDream calls the same address
        called = await world.calls("hidream", call="callback")
        assert [call["status"] for call in called] == [200]
        assert await world.stop() == 0


async def test_somebody_elses_webhook_is_left_alone(tmp_path: Path) -> None:
    """It ends the start with 78 and what to do, its secret path unnamed; on purpose it can be taken over."""
    async with opened(tmp_path, rules=RULES) as world:
        await _asked(world, "setWebhook", url=ELSEWHERE)
        for mode in ("polling", "webhook"):
            await world.start(telegram={"mode": mode}, web=_web(free_port()), run=INFO)
            assert await world.died() == 78
            assert (await _asked(world, "getWebhookInfo"))["url"] == ELSEWHERE
        assert world.log.count("The bot can't run: This bot's token has a webhook at") == 2
        assert "elsewhere.example" in world.log
        assert "--take-over" in world.log
        assert "their-secret" not in world.log
        assert "Traceback" not in world.log
        world.arguments = ("--take-over",)
        await world.start(telegram={"mode": "polling"})
        ada = await world.person()
        await ada.text("/start")
        await ada.reads("photo")
        # the other one sets it again
        await _asked(world, "setWebhook", url=ELSEWHERE)
        await _logged(world, "another_process_receives_the_updates")


async def test_telegram_does_not_take_it(tmp_path: Path) -> None:
    """What Telegram says against the address is told, with 78."""
    async with opened(tmp_path, rules=RULES) as world:
        said = "Bad Request: bad webhook: IP address 127.0.0.1 is reserved"
        body = f'{{"ok": false, "error_code": 400, "description": "{said}"}}'
        await world.fault("telegram", "setWebhook", "status", status=400, body=body)
        await world.start(telegram={"mode": "webhook"}, web=_web(free_port()))
        assert await world.died() == 78
        assert "web.public_url: Telegram does not take http://127.0.0.1:" in world.log
        assert "ip address 127.0.0.1 is reserved" in world.log.lower()
        assert "Traceback" not in world.log
