"""Settings that change while the bot runs: what SIGHUP does, and that it never ends the bot."""

import asyncio
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import httpx

from sandbox.telegram.rules import UNHURRIED
from tests.e2e.world import HIDREAM_TOKEN, TELEGRAM_TOKEN, World, opened, said, until
from tests.ports import free_port

RULES = replace(UNHURRIED, self_hosted=True, webhook_pace=0.05, webhook_set_seconds=0.3)
OTHER = "424242:Another-token-that-must-not-leak-4567"


async def logged(world: World, *words: str, times: int = 1) -> None:
    """Wait until so many lines of the log have these words."""

    async def look() -> bool:
        lines = [line for line in world.log.splitlines() if all(word in line for word in words)]
        return len(lines) >= times

    await until(look, f"the log says {words}")


async def test_settings_change_while_it_runs(tmp_path: Path) -> None:
    """At SIGHUP access, limits, level and tokens change, all or none; at no moment does it end the bot."""
    async with opened(tmp_path) as world:
        ada, bob = await world.person("Ada"), await world.person("Bob")

        # while it starts
        await world.fault("telegram", "getMe", "status", status=502, times=None)
        monitor = f"127.0.0.1:{free_port()}"
        await world.start(
            access={"allowed_users": [ada.id]},
            run={"log_level": "INFO"},
            web={"monitor": monitor},
        )

        async def called() -> bool:
            return bool(await world.calls("telegram", call="getMe"))

        await until(called, "it starts")
        world.hang_up()
        await world.no_faults()
        await logged(world, "settings_reread", "changed=[]")
        await bob.text("/start")
        await bob.reads("private")

        # what is wrong changes nothing, and all of it is told
        world.configure(
            access={"allowed_users": [bob.id]}, hidream={"api_version": 9}, run={"log_level": "X"}
        )
        world.hang_up()
        await logged(world, "settings_not_reread", "api_version = 9", 'log_level = "X"')
        world.configure(
            hidream={"api_version": 2}, run={"log_level": "INFO"}, telegram={"token": OTHER}
        )
        world.hang_up()
        await logged(world, "settings_not_reread", "Telegram does not know this token")
        # nor does a token that cannot be tried now, and it is not insisted on
        await world.fault("telegram", "getMe", "status", status=502, times=None)
        world.hang_up()
        await logged(world, "telegram_token_is_tried", times=2)
        world.configure(telegram={"token": TELEGRAM_TOKEN}, access={"allowed_users": [ada.id]})
        world.hang_up()
        await logged(world, "settings_reread", "changed=[]", times=2)
        await world.no_faults()
        await ada.text("/status")
        await ada.reads(said("status-none"))
        assert "level=debug" not in world.log
        assert "[debug" not in world.log

        # what is right holds at once; what cannot is named
        world.configure(
            telegram={"max_megapixels": 50},
            access={"allowed_users": [bob.id]},
            hidream={"parallel_requests": 1},
            run={"log_level": "DEBUG"},
        )
        world.hang_up()
        await logged(world, "settings_need_a_restart", "['telegram.max_megapixels']")
        await logged(
            world, "'access.allowed_users'", "'run.log_level'", "'hidream.parallel_requests'"
        )
        await world.set_hidream(seconds=1.0)
        await bob.photo("make it snow")
        await bob.photo("make it rain")
        await bob.gets(2)
        first, second = [
            datetime.fromisoformat(call["time"])
            for call in await world.calls("hidream", call="submit")
        ]
        assert (second - first).total_seconds() >= 1, "one at a time"
        assert "[debug" in world.log

        # HiDream's token
        await _hidream_takes(world, "another-hidream-token")
        await bob.photo("make it shine")
        await logged(world, "submitting_paused", "token")
        world.configure(hidream={"token": "another-hidream-token"})
        world.hang_up()
        await bob.gets(3)

        # Telegram's token, with a picture under way
        await world.task_is("delivered")
        await bob.photo("make it night")
        await world.task_is("running")
        world.state.token = OTHER
        world.configure(telegram={"token": OTHER})
        world.hang_up()
        await bob.gets(4)
        await logged(world, "started", "bot=", times=2)
        await bob.photo("make it day")
        await bob.gets(5)
        assert (await world.http.get(f"http://{monitor}/healthz")).status_code == 200

        # while it stops, and after
        process = world.process
        assert process is not None
        process.terminate()
        while process.returncode is None:
            world.hang_up()
            await asyncio.sleep(0.001)
        assert await process.wait() == 0
        for secret in (OTHER, TELEGRAM_TOKEN, HIDREAM_TOKEN, "another-hidream-token"):
            assert (secret.partition(":")[2] or secret) not in world.log
        assert len((await world.made())["tasks"]) == 5


async def test_another_token_with_a_webhook(tmp_path: Path) -> None:
    """A new token is taken in the same process in webhook mode too: the doors are the same, the webhook is new."""
    address = f"127.0.0.1:{free_port()}"
    async with opened(tmp_path, rules=RULES) as world:
        ada = await world.person()
        await world.start(
            telegram={"mode": "webhook"}, web={"listen": address, "public_url": f"http://{address}"}
        )
        await ada.photo("make it snow")
        await ada.gets(1)
        # all of it: what Telegram refuses for its token's sake is tried again a minute later
        await world.task_is("delivered")
        world.state.token = OTHER
        world.configure(telegram={"token": OTHER})
        world.hang_up()
        await ada.photo("make it rain")
        await ada.gets(2)
        assert len(await world.calls("telegram", call="setWebhook", outcome="ok")) == 2
        assert await world.stop() == 0
        assert len((await world.made())["tasks"]) == 2


async def _hidream_takes(world: World, token: str) -> None:
    """Let HiDream know this token alone."""
    async with httpx.AsyncClient(trust_env=False) as http:
        await http.post(f"{world.hidream}/sandbox/token", json={"token": token})
