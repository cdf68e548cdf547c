"""`hidream-bot check` against both services: green where all is well, and each thing that can break."""

import asyncio
import contextlib
import json
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.checking import CHECKS, Check, check
from bot.checking.lines import Level, Line
from bot.checking.subject import Subject
from bot.config import Config
from sandbox.telegram.rules import UNHURRIED
from tests.e2e.test_start import started
from tests.e2e.world import HIDREAM_TOKEN, TELEGRAM_TOKEN, World, opened, until
from tests.hidream.certificates import make_certificate
from tests.ports import free_port

SELF_HOSTED = replace(UNHURRIED, self_hosted=True, webhook_set_seconds=0.3)
LOCAL = ["127.0.0.1 leads to 127.0.0.1", "is not https"]
"""What is warned of in each of these worlds."""


async def command(world: World, *more: str, **environment: str) -> tuple[int, str]:
    """Run the command as an operator does; returns its exit code and all it has said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "check", "--config", str(world.path / "config.toml"), *more,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**world.environment, **environment},
    )  # fmt: skip
    out, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode is not None
    text = out.decode()
    for secret in (TELEGRAM_TOKEN, TELEGRAM_TOKEN.partition(":")[2], HIDREAM_TOKEN):
        assert secret not in text
    return process.returncode, text


def subject(world: World, **sections: dict[str, Any]) -> Subject:
    """Give the world's bot as the command looks at it, with some settings changed."""
    names = {*world.settings, *sections}
    changed = {name: world.settings.get(name, {}) | sections.get(name, {}) for name in names}
    return Subject(config=Config.model_validate(changed), file=world.path / "config.toml")


async def lines(looked_at: Subject, *abouts: str, seconds: float = 15) -> list[Line]:
    """Look at these subjects, in this process."""
    checks: list[Check] = [
        replace(one, seconds=seconds) for one in CHECKS if not abouts or one.about in abouts
    ]
    return [line async for _, found in check(looked_at, checks) for line in found]


async def told(looked_at: Subject, about: str, level: str, words: str, **more: float) -> None:
    """See that a subject has one line with these words, which is so."""
    found = await lines(looked_at, *about.split("+"), **more)
    [line] = [line for line in found if words in line.what]
    assert line.level == level, line
    assert line.mend or line.level in {Level.OK, Level.NOTE}


@contextlib.asynccontextmanager
async def tls_before(port: int, context: ssl.SSLContext) -> AsyncIterator[int]:
    """Stand before a port as a proxy with a certificate; gives the proxy's port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            request = await reader.readuntil(b"\r\n\r\n")
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
            inner_writer.write(request.replace(b"keep-alive", b"close"))
            writer.write(await inner_reader.read())
            inner_writer.close()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


@contextlib.asynccontextmanager
async def silence() -> AsyncIterator[str]:
    """Give the address of what takes connections and says nothing."""
    done = asyncio.Event()

    async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await done.wait()
        writer.close()

    async with await asyncio.start_server(hold, "127.0.0.1", 0) as server:
        try:
            yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            done.set()


async def test_a_bot_that_runs(tmp_path: Path) -> None:
    """The command finds all well while the bot works; then each thing is broken in turn, and is told."""
    async with opened(tmp_path) as world:
        web, watched = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
        ada = await world.person()
        await world.start(
            web={"listen": web, "public_url": f"http://{web}", "monitor": watched},
            access={"allowed_users": [ada.id], "admins": [ada.id]},
        )
        await started(world)
        (tmp_path / "config.toml").chmod(0o600)
        await ada.photo("make it snow")
        await ada.gets(1)
        before = world.rows("SELECT count(*) AS n FROM submissions")
        code, text = await command(world, "--json")
        said = json.loads(text)
        levels = {line["what"]: line["level"] for line in said["lines"]}
        warned = [what for what, level in levels.items() if level == "warning"]
        assert (code, said["verdict"]) == (0, "warning"), text
        assert len(warned) == len(LOCAL)
        assert all(any(words in what for what in warned) for words in LOCAL)
        assert "it leads to the bot that runs here" in levels
        assert any(
            "our last task's completion: notes: from 0 to 1; answered" in what for what in levels
        )
        assert world.rows("SELECT count(*) AS n FROM submissions") == before, "nothing is submitted"

        plain = subject(world)
        for about in {one.about for one in CHECKS}:
            assert any(line["about"] == about for line in said["lines"]), about
        # Telegram
        await world.fault("telegram", "getMe", "status", status=401)
        await told(plain, "Telegram", "wrong", "does not know the token")
        await world.fault("telegram", "getMe", "reset_before")
        await told(plain, "Telegram", "wrong", "cannot be reached")
        hook = {"url": "https://other.example/hush", "has_custom_certificate": False}
        body = json.dumps({"ok": True, "result": {**hook, "pending_update_count": 7}})
        await world.fault("telegram", "getWebhookInfo", "status", status=200, body=body)
        await told(plain, "Telegram", "wrong", "a webhook is set, at other.example")
        # HiDream
        await world.set_hidream(token_style="refusal", batch=False, completion_scale=100)
        await told(plain, "HiDream", "ok", "takes the token")
        await told(plain, "HiDream", "note", "the question about many tasks: notes: answered, with")
        await told(subject(world), "database+HiDream", "note", "answered otherwise: at most 100")
        other = subject(world, hidream={"token": "another-token-altogether"})
        await told(other, "HiDream", "wrong", "refuses the token")
        await world.set_hidream(down=True)
        await told(plain, "HiDream", "wrong", "does not answer as it should")
        await world.set_hidream(down=False)
        stranger = subject(world, hidream={"base_url": world.telegram})
        await told(stranger, "HiDream", "wrong", "is not HiDream's API")
        closed = f"http://127.0.0.1:{free_port()}"
        await told(
            subject(world, hidream={"base_url": closed}), "HiDream", "wrong", "cannot be reached"
        )
        # the clock, and what is not answered
        late = replace(subject(world), now=lambda: datetime.now(UTC) - timedelta(minutes=5))
        found = await lines(late, "Telegram", "HiDream", "clock")
        behind = [line.what for line in found if "behind" in line.what]
        assert [line[-10:] for line in behind] == [" HiDream's", "Telegram's"]
        async with silence() as nobody:
            url = f"http://{nobody}"
            silent = subject(
                world,
                telegram={"api_url": url},
                hidream={"base_url": url},
                web={"public_url": url, "monitor": nobody},
            )
            for about in ("Telegram", "HiDream", "public address", "running bot"):
                await told(silent, about, "wrong", "no answer within 0.2 s", seconds=0.2)
            await told(silent, "Telegram+clock", "note", "no service has told", seconds=0.2)
        # the way from outside, and the bot's own word
        strange = subject(
            world, web={"public_url": world.telegram, "monitor": f"127.0.0.1:{free_port()}"}
        )
        await told(strange, "public address", "wrong", "answers HTTP 404")
        await told(strange, "running bot", "wrong", "does not answer at")
        gone = subject(world, web={"public_url": "https://there-is-no-such.invalid"})
        await told(gone, "public address", "wrong", "has no address")
        await told(subject(world, web={"public_url": None}), "public address", "note", "not set")
        server, trusting = make_certificate(tmp_path, "localhost")
        async with tls_before(int(web.rpartition(":")[2]), server) as port:
            safe = subject(world, web={"public_url": f"https://localhost:{port}"})
            await told(safe, "public address", "wrong", "certificate is not valid: self-signed")
            safe.trust = trusting
            await told(safe, "public address", "warning", "valid for 1 more days")
            await told(safe, "public address", "ok", "it leads to the bot that runs here")
            safe.now = lambda: datetime.now(UTC) - timedelta(days=60)
            await told(safe, "public address", "ok", "certificate is valid, for")
        bare = subject(world, web={"public_url": f"https://localhost:{web.rpartition(':')[2]}"})
        await told(bare, "public address", "wrong", "no TLS connection")
        assert await world.stop() == 0


async def test_a_bot_that_does_not_run(tmp_path: Path) -> None:
    """Before the first start, and with a database that cannot be used, the command says what to mend."""
    async with opened(tmp_path) as world:
        web = f"127.0.0.1:{free_port()}"
        world.settings["web"] = {"listen": web, "public_url": f"http://{web}", "monitor": web}
        world.configure(hidream={"api_version": 9})
        code, text = await command(world)
        assert code == 78
        assert "hidream.api_version = 9: must be 2 or 3." in text
        world.configure(hidream={"api_version": 3})
        code, text = await command(world, BOT_ACCESS__ADMINS="5")
        assert code == 0, text
        for words in (
            "there is no database yet",
            "it leads to web.listen, where the bot will be",
            "not asked, as no bot runs",
            "can be read by every user",
            "everybody who finds the bot may use it",
        ):
            assert words in text
        assert not world.database.exists()
        plain = subject(world)
        with socket.create_server(("127.0.0.1", int(web.rpartition(":")[2]))):
            await told(plain, "public address", "wrong", "cannot listen at")
        world.database.parent.mkdir()
        world.database.write_bytes(b"a letter to my aunt" * 99)
        code, text = await command(world)
        assert code == 1
        assert "is not an SQLite database" in text
        assert "Name another file." in text
        await told(subject(world), "public address", "note", "see the database first")
        await told(subject(world), "running bot", "note", "no bot runs")


async def test_a_bot_with_a_webhook_and_a_certificate_of_its_own(tmp_path: Path) -> None:
    """In webhook mode the webhook is looked for; the bot's own certificate is taken for what it is."""
    make_certificate(tmp_path, "localhost")
    web = f"127.0.0.1:{free_port()}"
    async with opened(tmp_path, rules=SELF_HOSTED) as world:
        await world.start(
            telegram={"mode": "webhook"},
            web={
                "listen": web,
                "public_url": f"https://localhost:{web.rpartition(':')[2]}",
                "certificate": str(tmp_path / "localhost.pem"),
                "key": str(tmp_path / "localhost.key"),
                "self_signed": True,
            },
        )
        await started(world)

        async def is_set() -> bool:
            return bool(await world.calls("telegram", call="setWebhook", outcome="ok"))

        await until(is_set, "the webhook is set")
        (tmp_path / "localhost.key").chmod(0o644)
        await told(subject(world), "Telegram", "ok", "the webhook is set, at localhost")
        await told(subject(world), "public address", "ok", "it leads to the bot that runs here")
        await told(subject(world), "files", "warning", "localhost.key (web.key) can be read")
        polling = subject(world, telegram={"mode": "polling"})
        await told(polling, "Telegram", "wrong", "a webhook is set, at localhost")
        assert await world.stop() == 0
        await told(subject(world), "public address", "ok", "it leads to web.listen, where the bot")
